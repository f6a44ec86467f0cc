"""Filters that people and keys name, to come back to them."""
