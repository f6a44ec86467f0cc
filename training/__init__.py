"""Makes the artefacts of `models/` from `data/`, and measures them."""
