"""Browsers for the tests of search."""

from tests.service.conftest import browser, signed

__all__ = ["browser", "signed"]
