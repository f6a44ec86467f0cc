"""Fetching by API, against servers that behave like the vendors'."""
