"""Notes from files: each format is one file here, registered in one line of `formats.py`."""
