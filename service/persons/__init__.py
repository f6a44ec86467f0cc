"""All that is held on a person, for the person's right to a copy of it."""
