"""Browsers, as for the pages."""

from tests.service.conftest import browser, signed  # noqa: F401
