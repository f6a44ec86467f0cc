"""Browsers for the tests of access."""

from tests.service.conftest import admin, browser

__all__ = ["admin", "browser"]
