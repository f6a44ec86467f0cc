"""What routes ask for: a session of the database, and a caller with a right.

A session's commit must come before the answer: FastAPI runs a dependency's exit after the response unless its scope is
`function`, and then a commit that fails would already have been answered 202.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import AfterValidator, AwareDatetime
from sqlalchemy.orm import Session

from service.audit.acts import name_actor
from service.auth.queries import fault_of_key, find_key
from service.auth.scopes import Scope, allows, scopes_of
from service.auth.sessions import Owner, SessionKind, find_session
from service.auth.tables import ApiKeyTable
from service.auth.usage import Usage
from service.database import read_session, write_session
from service.errors import Forbidden, InvalidInput, Unauthorized
from service.masks.authors import check_author_filters
from service.masks.view import read_for
from service.settings import Settings

COOKIE = "binome_session"  # `__Host-` goes before it over https
ANY_QUERY = "x-any-query"  # marks routes whose callers put what they like into the query
_bearer = HTTPBearer(auto_error=False, description="A key made by `binome keys create`.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a key or a person, with scopes; `session_id` is of the browser's session, where one was used."""

    key_id: int | None
    name: str
    scopes: tuple[str, ...]
    user_id: int | None = None
    session_id: int | None = None

    @property
    def actor(self) -> str:
        """The caller in one word, such as `key:3` or `user:2`."""
        return f"user:{self.user_id}" if self.key_id is None else f"key:{self.key_id}"

    @property
    def sees_personal(self) -> bool:
        """Whether the caller may see what names persons, unmasked."""
        return allows(self.scopes, Scope.PERSONAL)


def get_engine(request: Request) -> sa.Engine:
    """Return the application's engine."""
    engine: sa.Engine = request.app.state.engine
    return engine


def get_settings(request: Request) -> Settings:
    """Return the application's settings."""
    settings: Settings = request.app.state.settings
    return settings


def client_address(request: Request) -> str | None:
    """Return the address that a request comes from, as far as proxies are trusted."""
    return request.client.host if request.client else None


def now() -> datetime:
    """Return the present time; routes ask for it so that tests can set it."""
    return datetime.now(UTC)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999 in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def _read_session(request: Request) -> Iterator[Session]:
    with read_session(get_engine(request)) as session:
        read_for(session, request.state)
        yield session


def _write_session(request: Request) -> Iterator[Session]:
    with write_session(get_engine(request)) as session:
        read_for(session, request.state)
        yield session


ReadSession = Annotated[Session, Depends(_read_session, scope="function")]
WriteSession = Annotated[Session, Depends(_write_session, scope="function")]
Now = Annotated[datetime, Depends(now)]


def check_parameters(request: Request) -> None:
    """Refuse query parameters that the route's documentation lacks: a misspelt filter would filter nothing.

    Refuses U+0000 in values too, which no database takes, and a second value where one alone would be taken. Where
    callers put what they like into the query, nothing is refused.
    """
    operations = request.app.openapi()["paths"].get(request.scope["route"].path_format, {})
    operation = operations.get(request.method.lower())
    if operation is not None and operation.get(ANY_QUERY):
        return
    for name, value in request.query_params.multi_items():
        if "\x00" in name + value:
            raise InvalidInput(
                f"{name[:100]!r} holds U+0000: remove it.",
                errors=[{"field": name[:100], "code": "value_error", "message": "holds U+0000: remove it"}],
            )
    if operation is None:
        return
    known = {p["name"]: p["schema"] for p in operation.get("parameters", []) if p["in"] == "query"}
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        named = ", ".join(name[:100] for name in unknown)
        raise InvalidInput(
            f"Unknown query parameter: {named}. This route takes {', '.join(sorted(known)) or 'none'}.",
            errors=[
                {"field": name[:100], "code": "unknown_parameter", "message": "is no parameter here: remove it"}
                for name in unknown
            ],
        )
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if times > 1 and not _takes_many(known[name]):
            raise InvalidInput(
                f"{name} is given {times} times: give it once.",
                errors=[{"field": name, "code": "repeated_parameter", "message": "give it once"}],
            )


def _takes_many(schema: dict[str, Any]) -> bool:
    return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", [])))


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie; `__Host-` keeps other hosts of the domain from setting it."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


def find_caller(session: Session, request: Request, secret: str | None, at: datetime) -> Caller | None:
    """Return who asks, by key or by the page's cookie; None where neither is valid.

    Raises:
        Forbidden: If they ask for the notes of an author whom they may not know.
    """
    caller = None
    cookie = request.cookies.get(cookie_name(request))
    if secret:
        key = find_key(session, secret, at)
        caller = caller_of(key) if key else None
    elif cookie:
        idle = timedelta(hours=get_settings(request).session_idle_hours)
        found = find_session(session, cookie, SessionKind.COOKIE, at, idle=idle)
        caller = caller_of(found[1], found[0].id) if found else None
    if caller is not None:
        name_actor(caller.actor)
        request.state.sees_personal = caller.sees_personal
        if not caller.sees_personal:
            check_author_filters(session, request.query_params.getlist("author"))
        usage: Usage = request.app.state.usage
        usage.note(caller.key_id, caller.session_id, at)
    return caller


def caller_of(owner: Owner, session_id: int | None = None) -> Caller:
    """Return a key or a person as who asks."""
    if isinstance(owner, ApiKeyTable):
        return Caller(owner.id, owner.name, tuple(owner.scopes), session_id=session_id)
    return Caller(None, owner.name, scopes_of(owner.role, owner.sees_personal), owner.id, session_id)


def refused_key(session: Session, secret: str, at: datetime) -> Unauthorized:
    """Return why a key is not let in: it is a fault that its holder can mend."""
    match fault_of_key(session, secret, at):
        case "key_expired":
            return Unauthorized("This key has expired: ask for a new one.", code="key_expired")
        case "key_revoked":
            return Unauthorized("This key was revoked: ask for a new one.", code="key_revoked")
        case "key_rotated":
            return Unauthorized("This key was rotated: send its new secret.", code="key_rotated")
        case _:
            return Unauthorized("Send a valid key: Authorization: Bearer KEY. This one is unknown.")


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
        if found is None and secret:
            raise refused_key(session, secret, at)
        if found is None:
            raise Unauthorized("Send a key: Authorization: Bearer KEY.")
        if not allows(found.scopes, scope):
            raise Forbidden(f"This key lacks the scope {scope}; it has {', '.join(found.scopes) or 'none'}.")
        session.rollback()  # gives the connection back: a route that writes takes another one
        return found

    return caller


def refuse_single_notes(request: Request, caller: Caller) -> Caller:
    """Return who may see single notes, each of one account and one author.

    Raises:
        Forbidden: If there are thresholds, and the caller may not see what names persons.
    """
    if get_settings(request).thresholds.are_set and not caller.sees_personal:
        raise Forbidden(
            f"Here nothing is shown of a few accounts or authors, so single notes need the scope {Scope.PERSONAL}.",
            code="withheld",
        )
    return caller


def _note_reader(request: Request, caller: Annotated[Caller, Depends(require(Scope.READ))]) -> Caller:
    return refuse_single_notes(request, caller)


Ingester = Annotated[Caller, Depends(require(Scope.INGEST))]
Reader = Annotated[Caller, Depends(require(Scope.READ))]
NoteReader = Annotated[Caller, Depends(_note_reader)]
Curator = Annotated[Caller, Depends(require(Scope.CURATE))]
Admin = Annotated[Caller, Depends(require(Scope.ADMIN))]
