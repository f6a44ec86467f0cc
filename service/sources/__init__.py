"""Sources: every sender that posts to Binôme by itself, a file each; `registry.py` lists them."""
