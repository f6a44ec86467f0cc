"""Who saw and changed what, for administrators."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams
from starlette.responses import Response

from service.audit import queries
from service.audit.queries import Wanted
from service.auth.queries import list_keys
from service.dependencies import ReadSession
from service.filters import day_start
from service.pages.answers import PageRoute, render
from service.pages.sign_in import AdminVisitor
from service.users.queries import list_users

SHOWN = 50
FIELDS = ("actor", "from", "to", "changes")
router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/audit")
def get_audit_page(request: Request, session: ReadSession, visitor: AdminVisitor) -> Response:
    """Show the log, the latest first; what can't be a filter filters nothing."""
    fields = {name: request.query_params.get(name, "") for name in FIELDS}
    wanted = _wanted(fields)
    rows = queries.list_events(session, wanted, limit=SHOWN + 1, before=_before(request.query_params))
    older = {**_set(fields), "before": rows[SHOWN - 1].id} if len(rows) > SHOWN else None
    return render(
        request,
        "audit.html",
        fields=fields,
        rows=rows[:SHOWN],
        total=queries.count_events(session, wanted),
        names=_names(session),
        older=urlencode(older) if older else "",
        export=urlencode(_exported(wanted)),
    )


def _wanted(fields: dict[str, str]) -> Wanted:
    start, end = _day(fields["from"]), _day(fields["to"])
    return Wanted(
        actor=fields["actor"][:100] or None,
        since=day_start(start) if start else None,
        until=day_start(end + timedelta(days=1)) if end else None,
        changes={"only": True, "none": False}.get(fields["changes"]),
    )


def _exported(wanted: Wanted) -> dict[str, str]:
    """Return the same filters as the API names them."""
    values: dict[str, Any] = {
        "actor": wanted.actor,
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
        "changes": None if wanted.changes is None else str(wanted.changes).lower(),
    }
    return {name: value for name, value in values.items() if value is not None}


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 9000 else None


def _before(params: QueryParams) -> int | None:
    text = params.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _set(fields: dict[str, str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _names(session: Session) -> dict[str, str]:
    """Return how those are called that the log knows by id."""
    keys = {f"key:{key.id}": key.name for key in list_keys(session)}
    return {f"user:{user.id}": user.name for user in list_users(session)} | keys
