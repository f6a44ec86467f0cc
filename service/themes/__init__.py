"""Themes: fits, measures, quotes, series."""
