"""Who saw and changed what: an append-only log in which tampering shows."""
