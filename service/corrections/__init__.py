"""Corrections: what people say is wrong or missing in what was found."""
