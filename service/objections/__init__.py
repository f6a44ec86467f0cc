"""Objections: measures, quotes, series."""
