"""Who may do what: every route and every page, for every kind of caller."""
