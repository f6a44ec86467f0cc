"""Keys, their scopes, and browser sessions."""
