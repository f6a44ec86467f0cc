"""What a key may do."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """A right of a key. `admin` includes the others."""

    INGEST = "ingest"
    READ = "read"
    CURATE = "curate"
    ADMIN = "admin"


def allows(scopes: list[str], wanted: Scope) -> bool:
    """Tell whether a key's scopes include a right."""
    return wanted in scopes or Scope.ADMIN in scopes
