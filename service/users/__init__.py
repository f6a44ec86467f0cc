"""People: accounts, roles, passwords, invitations, and signing in."""
