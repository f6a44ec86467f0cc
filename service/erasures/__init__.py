"""Erasing for good: a note, an account, an author, a contact or a person's name, wherever words of them stand."""
