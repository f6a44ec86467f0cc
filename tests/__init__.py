"""Tests. `test_note_life.py` is the one to read first."""
