"""Secrets in the database: sealed by a key that the database does not hold."""
