"""From stored notes to stored findings, in the background."""
