"""What a caller may do."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """A right of a key or a person. `admin` includes the others; `personal` is to see what names persons."""

    INGEST = "ingest"
    READ = "read"
    CURATE = "curate"
    PERSONAL = "personal"
    ADMIN = "admin"


def allows(scopes: list[str], wanted: Scope) -> bool:
    """Tell whether scopes include a right."""
    return wanted in scopes or Scope.ADMIN in scopes
