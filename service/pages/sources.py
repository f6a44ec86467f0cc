"""Where notes come from: connections and how fresh they are, what could not be taken, and setting a source up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from service.database import read_session, write_session
from service.dependencies import Caller, Now, ReadSession, get_engine, get_settings
from service.errors import Conflict, InvalidInput, NotFound
from service.pages.answers import PageRoute, render
from service.pages.forms import read_page
from service.pages.sign_in import AdminVisitor, FormFields, Visitor, may_administer
from service.pages.views import Pager
from service.retention.setting import read_retention
from service.settings import Settings
from service.source_tables import ConnectionTable
from service.sources import queries, routes
from service.sources.faults import routes as fault_routes
from service.sources.faults.queries import count_faults, list_faults
from service.sources.faults.replaying import can_replay
from service.sources.faults.schemas import FaultChoice
from service.sources.registry import SOURCES
from service.sources.schemas import ConnectionChange, Freshness, NewConnection, NewSecret, SourceOutput

router = APIRouter(route_class=PageRoute, include_in_schema=False)
AppSettings = Annotated[Settings, Depends(get_settings)]

NAMES = {
    "hubspot": "HubSpot",
    "salesforce": "Salesforce",
    "flow": "Salesforce Flow",
    "dynamics": "Dynamics 365",
    "sendgrid": "SendGrid",
    "ses": "Amazon SES",
    "standard": "Standard Webhooks",
    "cloudevents": "CloudEvents",
    "generic": "JSON",
    "imap": "IMAP",
}
"""Names that are not the source's own with a capital."""
FAULTS_SHOWN = 20
PAYLOAD_CHARS = 4_000


def source_title(source: str) -> str:
    """Return a source's name as its maker writes it."""
    return NAMES.get(source, source if source == "n8n" else source.capitalize())


@dataclass(frozen=True, slots=True)
class Line:
    """A connection as the page shows it.

    Attributes:
        id: None where the settings name it, or it is known by what it sent alone.
        state: `off`, `failing`, `late`, `fresh`, or `silent` where nothing came yet.
        silence: Seconds since the last note; None where none came.
        failure: Why a mailbox can't be read, or what its API wants mended.
    """

    source: str
    title: str
    name: str
    id: int | None
    state: str
    freshness: Freshness | None
    silence: float | None
    previous_until: datetime | None
    failure: str | None = None


@router.get("/sources")
def get_sources_page(
    request: Request, session: ReadSession, settings: AppSettings, now: Now, visitor: Visitor
) -> Response:
    """Show the connections, what was set aside, and the sources that can be added."""
    return _sources_page(request, session, settings, now, visitor)


def _sources_page(
    request: Request,
    session: Session,
    settings: Settings,
    now: datetime,
    visitor: Caller,
    status: int = 200,
    told: str = "",
) -> Response:
    rows = queries.list_connections(session)
    sources = routes.list_sources(session, rows, settings, now)
    admin = may_administer(visitor)
    return render(
        request,
        "sources.html",
        status,
        told=told,
        lines=_lines(rows, sources, now),
        sources=sorted(sources, key=lambda one: source_title(one.source).lower()),
        waiting=sum(one.waiting_fetches for one in sources),
        title_of=source_title,
        admin=admin,
        retention=read_retention(session, now) if admin else None,
        **(_faults(session, read_page(request.query_params)) if admin else {"faults": [], "pager": None}),
    )


def _lines(rows: Sequence[ConnectionTable], sources: list[SourceOutput], now: datetime) -> list[Line]:
    fresh = {(one.source, f.connection): f for one in sources for f in one.freshness}
    lines = []
    for row in rows:
        one = fresh.pop((row.source, row.name), None)
        state = "off" if row.disabled_at else _state(one)
        lines.append(_line(row.source, row.name, state, one, now, row.id, row.previous_until))
    lines += [_line(source, name, _state(one), one, now) for (source, name), one in fresh.items()]
    failures = {(one.source, box.connection): box.failure for one in sources for box in one.mailboxes if box.failure}
    failures |= {(one.source, api.connection): api.attention for one in sources for api in one.api if api.attention}
    lines = [_with_failure(line, failures) for line in lines]
    order = ("failing", "late", "fresh", "silent", "off")
    return sorted(lines, key=lambda line: (order.index(line.state), line.title.lower(), line.name))


def _with_failure(line: Line, failures: Mapping[tuple[str, str], str]) -> Line:
    failure = failures.get((line.source, line.name)) if line.state != "off" else None
    return replace(line, state="failing", failure=failure) if failure else line


def _state(one: Freshness | None) -> str:
    if one is None or one.last_note_at is None:
        return "silent"
    return "late" if one.late else "fresh"


def _line(
    source: str,
    name: str,
    state: str,
    one: Freshness | None,
    now: datetime,
    row_id: int | None = None,
    previous_until: datetime | None = None,
) -> Line:
    silence = (now - one.last_note_at).total_seconds() if one and one.last_note_at else None
    until = previous_until if previous_until and previous_until > now else None
    return Line(source, source_title(source), name, row_id, state, one, silence, until)


def _faults(session: Session, page: int) -> dict[str, Any]:
    pager = Pager(page, count_faults(session))
    pager = Pager(min(page, pager.pages), pager.total)
    rows = list_faults(session, limit=FAULTS_SHOWN, skip=pager.skipped)
    return {"faults": [(row, can_replay(row)) for row in rows], "pager": pager, "payload_chars": PAYLOAD_CHARS}


@router.post("/sources/faults")
def post_all_faults(
    request: Request, fields: FormFields, settings: AppSettings, now: Now, visitor: AdminVisitor
) -> Response:
    """Play all open faults again, or dismiss them."""
    engine, all_of_them = get_engine(request), FaultChoice()
    if fields.get("do") == "dismiss":
        with write_session(engine) as session:
            fault_routes.post_dismiss_all(all_of_them, session, visitor, now)
        return RedirectResponse("/sources#faults", 303)
    came = fault_routes.post_replay_all(all_of_them, engine, visitor, settings, now)
    if not came.refused:
        return RedirectResponse("/sources#faults", 303)
    with read_session(engine) as session:
        return _sources_page(request, session, settings, now, visitor, 409, "faults_refused")


@router.post("/sources/faults/{fault_id}")
def post_fault(
    fault_id: int, request: Request, fields: FormFields, settings: AppSettings, now: Now, visitor: AdminVisitor
) -> Response:
    """Play a fault again, or dismiss it; why it can't be taken still is told on the page."""
    engine = get_engine(request)
    try:
        if fields.get("do") == "dismiss":
            with write_session(engine) as session:
                fault_routes.post_dismiss(fault_id, session, visitor, now)
        else:
            fault_routes.post_replay(fault_id, engine, visitor, settings, now)
    except Conflict as conflict:
        with read_session(engine) as session:
            return _sources_page(request, session, settings, now, visitor, 409, conflict.detail)
    return RedirectResponse("/sources#faults", 303)


@router.get("/sources/add/{source}")
def get_add_source(
    source: str, request: Request, session: ReadSession, settings: AppSettings, now: Now, visitor: AdminVisitor
) -> Response:
    """Show how a source is set up, with the form that lets it in."""
    return _add_form(request, _found(session, settings, now, visitor, source), {"name": "main"})


def _found(session: Session, settings: Settings, now: datetime, visitor: Caller, source: str) -> SourceOutput:
    for one in routes.get_sources(session, visitor, settings, now).items:
        if one.source == source:
            return one
    raise NotFound("There is no such source.")


def _add_form(request: Request, source: SourceOutput, fields: dict[str, str], fault: str = "") -> Response:
    kind = SOURCES[source.source]
    context: dict[str, Any] = {"source": source, "title": source_title(source.source), "fields": fields}
    context |= {"required": kind.required, "secrets": kind.secret_options}
    return render(request, "add_source.html", 422 if fault else 200, fault=fault, **context)


@router.post("/sources/add/{source}")
def post_add_source(
    source: str,
    request: Request,
    session: ReadSession,
    fields: FormFields,
    settings: AppSettings,
    now: Now,
    visitor: AdminVisitor,
) -> Response:
    """Let a source in; the answer shows its secret this once."""
    shown = _found(session, settings, now, visitor, source)
    given = {name: fields.get(f"option-{name}", "").strip() for name in shown.options}
    try:
        wanted = NewConnection(
            source=source,
            name=fields.get("name", ""),
            secret=fields.get("secret", "").strip() or None,
            options={name: _option(value) for name, value in given.items() if value},
        )
        with write_session(get_engine(request)) as writing:
            made = routes.post_connection(wanted, writing, visitor, settings, now)
    except ValidationError as error:
        return _add_form(request, shown, fields, _fault(str(error.errors()[0]["loc"][0])))
    except InvalidInput as error:
        return _add_form(request, shown, fields, _fault(error.errors[0]["field"]))
    except Conflict:
        return _add_form(request, shown, fields, "wrong_taken")
    return render(request, "secret.html", 201, made=made, title=source_title(source), rotated=False)


def _option(value: str) -> Any:
    if value[:1] not in {"{", "["}:
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise InvalidInput(
            "options: not JSON.", errors=[{"field": "options", "code": "invalid", "message": "not JSON"}]
        ) from None


def _fault(field: str) -> str:
    return f"wrong_{field}" if field in {"name", "secret"} else "wrong_option"


@router.post("/sources/{connection_id}/switch")
def post_switch(
    connection_id: int, request: Request, fields: FormFields, settings: AppSettings, now: Now, visitor: AdminVisitor
) -> Response:
    """Switch a connection off, or on again."""
    change = ConnectionChange(disabled=fields.get("do") == "off")
    with write_session(get_engine(request)) as session:
        routes.patch_connection(connection_id, change, session, visitor, settings, now)
    return RedirectResponse("/sources", 303)


@router.post("/sources/{connection_id}/rotate")
def post_rotate(
    connection_id: int, request: Request, fields: FormFields, settings: AppSettings, now: Now, visitor: AdminVisitor
) -> Response:
    """Put another secret in force; the answer shows it this once."""
    try:
        wanted = NewSecret(secret=fields.get("secret", "").strip() or None)
        with write_session(get_engine(request)) as session:
            made = routes.rotate_connection(connection_id, wanted, session, visitor, settings, now)
    except ValidationError:
        raise InvalidInput("secret: too short or too long.") from None
    return render(request, "secret.html", made=made, title=source_title(made.source), rotated=True)


@router.post("/sources/{connection_id}/remove")
def post_remove(connection_id: int, request: Request, _fields: FormFields, visitor: AdminVisitor) -> Response:
    """Forget a connection; its notes stay."""
    with write_session(get_engine(request)) as session:
        routes.delete_connection(connection_id, session, visitor)
    return RedirectResponse("/sources", 303)
