"""Asks every route and every page as every kind of caller, and writes down who was let in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route

from service.auth.queries import create_key, revoke_key
from service.auth.scopes import Role, Scope
from service.auth.sessions import SessionKind, open_session
from service.auth.tables import UserTable
from service.database import write_session
from service.dependencies import COOKIE
from service.pages.answers import PageRoute
from service.users.queries import add_user

TABLE = Path(__file__).parent / "matrix.txt"
KEYS = ("none", "wrong", "expired", "revoked", *Scope)
VISITORS = ("nobody", *Role)
NOWHERE = "999999999"  # an id that nothing has
SEGMENTS = {"source": "hubspot", "about": "objection", "kind": "objections", "language": "en"}


def routes(app: FastAPI) -> Iterator[tuple[str, str, bool]]:
    """Yield method, path and whether it is a page, for every route that the application has."""
    yield from _routes(app.routes)


def _routes(found: Iterable[object]) -> Iterator[tuple[str, str, bool]]:
    for route in found:
        if hasattr(route, "original_router"):  # FastAPI keeps routers that were included whole
            yield from _routes(route.original_router.routes)
        elif isinstance(route, Mount):
            yield "GET", f"{route.path}/{{path}}", False
        else:
            assert isinstance(route, Route | APIRoute), type(route)
            for method in sorted((route.methods or {"POST"}) - {"HEAD", "OPTIONS"}):
                yield method, route.path, isinstance(route, PageRoute)


def matrix(app: FastAPI, engine: sa.Engine) -> str:
    """Return the table: a line for each route, a column for each kind of caller."""
    found = sorted(set(routes(app)), key=lambda r: (r[1], r[0]))
    assert len(found) > 100
    width = max(len(path) for _, path, _ in found) + 2
    lines = [_line("", "API: by key", width, KEYS)]
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        secrets = _keys(engine)
        for method, path, page in found:
            if not page:
                lines.append(_line(method, path, width, [_as_key(client, method, path, secrets[k]) for k in KEYS]))
        lines += ["", _line("", "pages: signed in as", width, VISITORS)]
        people = _people(engine)
        for method, path, page in found:
            if page:
                outcomes = [_as_visitor(client, engine, method, path, people.get(v)) for v in VISITORS]
                lines.append(_line(method, path, width, outcomes))
    return "\n".join(lines) + "\n"


def _line(method: str, path: str, width: int, cells: object) -> str:
    return (f"{method:7}{path:{width}}" + "".join(f"{cell!s:10}" for cell in cells)).rstrip()  # type: ignore[attr-defined]


def _keys(engine: sa.Engine) -> dict[str, str | None]:
    now = datetime.now(UTC)
    secrets: dict[str, str | None] = {"none": None, "wrong": "bn_wrong"}
    with write_session(engine) as session:
        for scope in Scope:
            secrets[scope] = create_key(session, name=str(scope), scopes=[scope], now=now)[1]
        old = now - timedelta(days=1)
        secrets["expired"] = create_key(session, name="e", scopes=[Scope.ADMIN], now=old, expires_at=old)[1]
        row, secrets["revoked"] = create_key(session, name="r", scopes=[Scope.ADMIN], now=now)
        revoke_key(session, row.id, now)
    return secrets


def _people(engine: sa.Engine) -> dict[str, int]:
    people = {}
    with write_session(engine) as session:
        for role in Role:
            user = add_user(
                session,
                email=f"{role}@firm.example",
                name=str(role),
                role=role,
                sees_personal=False,
                now=datetime.now(UTC),
            )
            assert user is not None
            people[str(role)] = user.id
    return people


def address_of(path: str) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: SEGMENTS.get(m[1], NOWHERE), path)


def _as_key(client: TestClient, method: str, path: str, secret: str | None) -> str:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    body = {} if method in {"POST", "PUT", "PATCH"} else None
    status = client.request(method, address_of(path), json=body, headers=headers).status_code
    assert status < 500 or path == "/readyz", (method, path, status)
    return str(status) if status in {401, 403} else "in"


def _as_visitor(client: TestClient, engine: sa.Engine, method: str, path: str, user_id: int | None) -> str:
    client.cookies.clear()
    if user_id is not None:
        with write_session(engine) as session:
            user = session.get_one(UserTable, user_id)
            token = open_session(session, user, SessionKind.COOKIE, datetime.now(UTC))
        client.cookies.set(COOKIE, token, domain="testserver.local")
    answer = client.request(method, address_of(path), headers={"Accept": "text/html"})
    assert answer.status_code < 500, (method, path, answer.status_code)
    led = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
    steps = path.startswith("/sign-in/") or path == "/sign-out"  # lead back to the first step, or out
    if led and not steps:
        return "sign in"
    return "403" if answer.status_code == 403 else "in"
