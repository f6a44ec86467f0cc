"""What routes ask for: a session of the database, and a caller with a right.

A session's commit must come before the answer: FastAPI runs a dependency's exit after the response unless its scope is
`function`, and then a commit that fails would already have been answered 202.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from sqlalchemy.orm import Session

from service.auth.queries import SessionKind, find_key, find_session_key
from service.auth.scopes import Scope, allows
from service.database import read_session, write_session
from service.errors import Forbidden, InvalidInput, Unauthorized
from service.settings import Settings

COOKIE = "binome_session"
ANY_QUERY = "x-any-query"  # marks routes whose callers put what they like into the query
_bearer = HTTPBearer(auto_error=False, description="A key made by `binome keys create`.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the key's id, name and scopes."""

    key_id: int
    name: str
    scopes: tuple[str, ...]

    @property
    def sees_personal(self) -> bool:
        """Whether the caller may see what names persons, unmasked."""
        return allows(list(self.scopes), Scope.PERSONAL)


def get_engine(request: Request) -> sa.Engine:
    """Return the application's engine."""
    engine: sa.Engine = request.app.state.engine
    return engine


def get_settings(request: Request) -> Settings:
    """Return the application's settings."""
    settings: Settings = request.app.state.settings
    return settings


def now() -> datetime:
    """Return the present time; routes ask for it so that tests can set it."""
    return datetime.now(UTC)


def _read_session(request: Request) -> Iterator[Session]:
    with read_session(get_engine(request)) as session:
        yield session


def _write_session(request: Request) -> Iterator[Session]:
    with write_session(get_engine(request)) as session:
        yield session


ReadSession = Annotated[Session, Depends(_read_session, scope="function")]
WriteSession = Annotated[Session, Depends(_write_session, scope="function")]
Now = Annotated[datetime, Depends(now)]


def check_parameters(request: Request) -> None:
    """Refuse query parameters that the route's documentation lacks: a misspelt filter would filter nothing.

    Refuses U+0000 in values too, which no database takes.
    """
    for name, value in request.query_params.multi_items():
        if "\x00" in name + value:
            raise InvalidInput(
                f"{name[:100]!r} holds U+0000: remove it.",
                errors=[{"field": name[:100], "code": "value_error", "message": "holds U+0000: remove it"}],
            )
    operations = request.app.openapi()["paths"].get(request.scope["route"].path, {})
    operation = operations.get(request.method.lower())
    if operation is None or operation.get(ANY_QUERY):
        return
    known = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        named = ", ".join(name[:100] for name in unknown)
        raise InvalidInput(
            f"Unknown query parameter: {named}. This route takes {', '.join(sorted(known)) or 'none'}.",
            errors=[
                {"field": name[:100], "code": "unknown_parameter", "message": "not a parameter"} for name in unknown
            ],
        )


def find_caller(session: Session, request: Request, secret: str | None, at: datetime) -> Caller | None:
    """Return who asks, by key or by the page's cookie; None where neither is valid."""
    cookie = request.cookies.get(COOKIE)
    if secret:
        key = find_key(session, secret, at)
    elif cookie:
        key = find_session_key(session, cookie, SessionKind.COOKIE, at)
    else:
        key = None
    return Caller(key.id, key.name, tuple(key.scopes)) if key else None


def require(scope: Scope) -> Callable[..., Caller]:
    """Make a dependency that lets callers with a scope pass.

    A cookie counts for reading only: a page of another site could post with it.
    """

    def caller(
        request: Request,
        session: ReadSession,
        at: Now,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Caller:
        secret = credentials.credentials if credentials else None
        if secret is None and request.method not in {"GET", "HEAD"}:
            raise Unauthorized("Send a key: Authorization: Bearer KEY.")
        found = find_caller(session, request, secret, at)
        if found is None:
            raise Unauthorized("Send a valid key: Authorization: Bearer KEY. This one is missing, unknown or expired.")
        if not allows(list(found.scopes), scope):
            raise Forbidden(f"This key lacks the scope {scope}; it has {', '.join(found.scopes) or 'none'}.")
        return found

    return caller


Ingester = Annotated[Caller, Depends(require(Scope.INGEST))]
Reader = Annotated[Caller, Depends(require(Scope.READ))]
Curator = Annotated[Caller, Depends(require(Scope.CURATE))]
Admin = Annotated[Caller, Depends(require(Scope.ADMIN))]
