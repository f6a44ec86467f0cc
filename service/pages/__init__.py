"""Pages for people: the ranked insights, one item, one note, and signing in."""
