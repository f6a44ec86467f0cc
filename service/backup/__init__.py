"""Back-ups: the whole database as one file, written from either database and restored into either."""
