"""Competitors: measures, quotes, series."""
