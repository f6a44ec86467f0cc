"""The catalogue: our names and the competitors'."""
