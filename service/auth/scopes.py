"""What a caller may do."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Scope(StrEnum):
    """A right of a key or a person. `admin` includes the others; `personal` is to see what names persons."""

    INGEST = "ingest"
    READ = "read"
    CURATE = "curate"
    PERSONAL = "personal"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person is; each role has scopes."""

    READER = "reader"
    CURATOR = "curator"
    ADMIN = "admin"


_SCOPES = {Role.READER: (Scope.READ,), Role.CURATOR: (Scope.READ, Scope.CURATE), Role.ADMIN: (Scope.ADMIN,)}


def allows(scopes: Collection[str], wanted: Scope) -> bool:
    """Tell whether scopes include a right."""
    return wanted in scopes or Scope.ADMIN in scopes


def scopes_of(role: str, sees_personal: bool) -> tuple[str, ...]:
    """Return the scopes of a person with a role, who may see what names persons or not."""
    return (*_SCOPES[Role(role)], *([Scope.PERSONAL] if sees_personal else []))
