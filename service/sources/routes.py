"""Webhooks, connections and the state of sources over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from service.dependencies import ANY_QUERY, Admin, Now, Reader, ReadSession, WriteSession, get_engine, get_settings
from service.errors import Conflict, MethodNotAllowed, NotFound
from service.notes.routes import raw_body
from service.operation.pressure import get_pressure
from service.paging import Cursor, Limit, Page, page_of
from service.problems import problem_responses
from service.settings import Settings
from service.source_tables import ConnectionTable, SourceActivityTable
from service.sources import imap, queries
from service.sources.connections import (
    check_connection,
    check_secret,
    configured,
    merged_options,
    new_secret,
    shown_options,
    taken,
)
from service.sources.contract import Source
from service.sources.faults import queries as faults
from service.sources.fetching.progress import api_outputs
from service.sources.freshness import is_late
from service.sources.intake import Incoming, public_url, receive
from service.sources.record_links import link_options
from service.sources.registry import SOURCES
from service.sources.salesforce import ACK
from service.sources.schemas import (
    ConnectionChange,
    ConnectionCreated,
    ConnectionOutput,
    Freshness,
    MailboxOutput,
    NewConnection,
    NewSecret,
    SourceOutput,
)

router = APIRouter(prefix="/v1", tags=["sources"], responses=problem_responses(503))

SourceName = Annotated[str, Path(description="The source's name.", examples=["hubspot"])]
ConnectionId = Annotated[int, Path(ge=1, le=2**62, description="The connection's `id`.", examples=[1])]
AppSettings = Annotated[Settings, Depends(get_settings)]
Body = Annotated[bytes, Depends(raw_body)]
LISTS = frozenset({"webhook-signature", "svix-signature"})  # lists parted by spaces: a second header goes on with it


def _example(source: Source) -> dict[str, Any]:
    value = json.loads(source.sample) if source.media_type.endswith("json") else source.sample
    return {"summary": source.name, "value": value}


def _webhook_body() -> dict[str, Any]:
    content: dict[str, Any] = {}
    for source in (one for one in SOURCES.values() if not one.polled):
        media = content.setdefault(source.media_type, {"schema": {}, "examples": {}})
        media["examples"][source.name] = _example(source)
    return {"requestBody": {"required": True, "content": content}, ANY_QUERY: True}


_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Stored.",
        "content": {"application/json": {"example": {"results": {"created": 1}}}},
    },
    200: {
        "description": "Stored, in the form that this sender expects.",
        "content": {
            "application/json": {
                "examples": {
                    "stored": {"value": {"results": {"created": 1}}},
                    "slack": {"summary": "Slack's check of the address", "value": {"challenge": "3eZbrw1aBm2rZgRN"}},
                    "mail": {"summary": "A message set aside", "value": {"result": "set_aside", "code": "no_message"}},
                }
            },
            "text/xml": {"schema": {"type": "string"}, "example": ACK},
        },
    },
    **problem_responses(400, 401, 404, 406, 410, 413, 415, 422, 429, 503, 507),
}


@router.post("/webhooks/{source}/", include_in_schema=False)  # no sender follows a redirect
@router.post(
    "/webhooks/{source}",
    status_code=202,
    response_class=Response,
    openapi_extra=_webhook_body(),
    responses=_ACCEPTED,
)
def post_webhook(
    source: SourceName,
    request: Request,
    body: Body,
    settings: AppSettings,
    engine: Annotated[sa.Engine, Depends(get_engine)],
    now: Now,
) -> Response:
    """Take in a delivery of a source, proved as its sender proves itself; stored before the answer leaves."""
    return _received(source, "", request, body, settings, engine, now)


@router.post(
    "/webhooks/{source}/{token:path}",  # a secret may hold a slash, and an odd one is a wrong one
    status_code=202,
    response_class=Response,
    openapi_extra=_webhook_body(),
    responses=_ACCEPTED,
)
def post_webhook_at_secret_url(
    source: SourceName,
    token: Annotated[str, Path(description="The connection's secret.")],
    request: Request,
    body: Body,
    settings: AppSettings,
    engine: Annotated[sa.Engine, Depends(get_engine)],
    now: Now,
) -> Response:
    """Take in a delivery at a URL that only its sender knows (Salesforce, SendGrid, Gong)."""
    return _received(source, token.removesuffix("/"), request, body, settings, engine, now)


def _received(
    source: str, token: str, request: Request, body: bytes, settings: Settings, engine: sa.Engine, now: datetime
) -> Response:
    raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw_path.split(b"?")[0].decode("latin-1")
    query = request.scope.get("query_string", b"").decode("latin-1")
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        if name.lower() in LISTS and name.lower() in headers:
            headers[name.lower()] += f" {value}"
        headers.setdefault(name.lower(), value)
    incoming = Incoming(
        source=source,
        token=token,
        method=request.method,
        path=f"{path}?{query}" if query else path,
        query=request.query_params.multi_items(),
        headers=headers,
        body=body,
    )
    reply = receive(engine, settings, incoming, now, get_pressure(request))
    return Response(reply.content, status_code=reply.status, media_type=reply.media_type)


@router.options(
    "/webhooks/{source}",
    response_class=Response,
    responses={200: {"description": "The sender may post."}, **problem_responses(404, 405)},
    openapi_extra={ANY_QUERY: True},
)
def allow_origin(source: SourceName, request: Request) -> Response:
    """Answer the handshake of CloudEvents: the sender that asks may post."""
    if source not in SOURCES or SOURCES[source].polled:
        raise NotFound(f"There is no source {source[:100]!r}.")
    origin = request.headers.get("webhook-request-origin", "").strip()
    if source != "cloudevents" or not origin or not origin.isascii() or not origin.isprintable():
        raise MethodNotAllowed("Only a handshake of CloudEvents is answered here.")
    headers = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*", "Allow": "POST, OPTIONS"}
    return Response(status_code=200, headers=headers)


@router.get("/sources")
def get_sources(
    session: ReadSession, _caller: Reader, settings: AppSettings, now: Now, limit: Limit = 50, cursor: Cursor = None
) -> Page[SourceOutput]:
    """List the sources: which are open, how fresh they are, what waits or is set aside, how to set them up."""
    sources = list_sources(session, queries.list_connections(session), settings, now)
    return page_of(sources, lambda source: source, limit, cursor)


def list_sources(
    session: Session, rows: Sequence[ConnectionTable], settings: Settings, now: datetime
) -> list[SourceOutput]:
    """Return the sources, by one query for each thing that is told of all of them.

    Args:
        rows: All connections of the database.
    """
    aside, waiting = faults.count_by_source(session), queries.waiting_by_source(session)
    active = queries.activity(session)
    apis = api_outputs(session, settings, rows, now)
    boxes = [MailboxOutput.model_validate(row, from_attributes=True) for row in queries.mailboxes(session)]
    return [
        SourceOutput(
            source=source.name,
            url=None if source.polled else _url(settings, source.name),
            connections=len([row for row in rows if row.source == source.name and not row.disabled_at])
            + len(configured(settings, source)),
            freshness=[_freshness(row, now) for row in active if row.source == source.name],
            mailboxes=boxes if source.name == imap.NAME else [],
            api=apis.get(source.name, []),
            set_aside=aside.get(source.name, 0),
            waiting_fetches=waiting.get(source.name, 0),
            options={**source.options, **link_options(source.name)},
            setup=_setup(source, settings),
            sample=None if source.polled else source.sample,
            media_type=None if source.polled else source.media_type,
        )
        for source in SOURCES.values()
    ]


def _freshness(row: SourceActivityTable, now: datetime) -> Freshness:
    return Freshness(
        connection=row.connection,
        deliveries=row.deliveries,
        notes=row.notes,
        last_delivery_at=row.last_delivery_at,
        last_note_at=row.last_note_at,
        usual_gap_seconds=row.gap_seconds,
        late=is_late(row, now),
    )


@router.get("/connections")
def get_connections(
    session: ReadSession, _caller: Admin, settings: AppSettings, limit: Limit = 50, cursor: Cursor = None
) -> Page[ConnectionOutput]:
    """List connections, oldest first, without their secrets."""
    rows = queries.list_connections(session)
    return page_of(rows, lambda row: ConnectionOutput(**_shown(row, settings)), limit, cursor)


@router.post("/connections", status_code=201, responses=problem_responses(409))
def post_connection(
    body: NewConnection, session: WriteSession, _caller: Admin, settings: AppSettings, now: Now
) -> ConnectionCreated:
    """Let a sender in; the answer shows the secret this once, and how to set the sender up."""
    secret = body.secret or new_secret(body.source)
    source = check_connection(body.source, secret, body.options)
    if queries.named_connection(session, body.source, body.name):
        raise Conflict(f"{body.source} has a connection {body.name!r} already: choose another name.")
    if taken(session, body.source, secret):
        raise Conflict(f"Another connection of {body.source} has this secret.")
    row = queries.create_connection(session, body.source, body.name, secret, dict(body.options), now)
    return ConnectionCreated(**_shown(row, settings), secret=secret, setup=_setup(source, settings))


@router.patch("/connections/{connection_id}", responses=problem_responses(404))
def patch_connection(
    connection_id: ConnectionId,
    body: ConnectionChange,
    session: WriteSession,
    _caller: Admin,
    settings: AppSettings,
    now: Now,
) -> ConnectionOutput:
    """Change options, or switch a connection off (its sender is answered 410) and on again."""
    row = _connection(session, connection_id)
    if body.options is not None:
        options = merged_options(row.source, row.options, body.options)
        check_connection(row.source, row.secret, options)
        row.options = options
    if body.disabled is not None:
        row.disabled_at = now if body.disabled else None
    return ConnectionOutput(**_shown(row, settings))


@router.post("/connections/{connection_id}/rotate", responses=problem_responses(404))
def rotate_connection(
    connection_id: ConnectionId,
    body: NewSecret,
    session: WriteSession,
    _caller: Admin,
    settings: AppSettings,
    now: Now,
) -> ConnectionCreated:
    """Put another secret in force; the one before counts for a day more."""
    row = _connection(session, connection_id)
    secret = body.secret or new_secret(row.source)
    check_secret(row.source, secret)
    queries.rotate(session, row, secret, now)
    return ConnectionCreated(**_shown(row, settings), secret=secret, setup=_setup(SOURCES[row.source], settings))


@router.delete("/connections/{connection_id}", status_code=204, responses=problem_responses(404))
def delete_connection(connection_id: ConnectionId, session: WriteSession, _caller: Admin) -> None:
    """Forget a connection and its secret; its notes stay."""
    queries.delete_connection(session, _connection(session, connection_id))


def _connection(session: WriteSession, connection_id: int) -> ConnectionTable:
    row = queries.find_connection(session, connection_id)
    if row is None:
        raise NotFound(f"There is no connection {connection_id}.")
    return row


def _url(settings: Settings, source: str) -> str:
    return f"{public_url(settings)}/v1/webhooks/{source}"


def _mailbox_url(options: Mapping[str, Any]) -> str:
    """Return where a mailbox is, without its user."""
    return f"imap://{options.get('host', '')}/{quote(imap.folder_of(options))}"


def _setup(source: Source, settings: Settings) -> dict[str, str]:
    url = _url(settings, source.name)
    return {
        language: text.replace("{url}", url).replace("{{", "{").replace("}}", "}")
        for language, text in (("en", source.setup.en), ("fr", source.setup.fr))
    }


def _shown(row: ConnectionTable, settings: Settings) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "source": row.source,
        "name": row.name,
        "url": _mailbox_url(row.options) if SOURCES[row.source].polled else _url(settings, row.source),
        "options": shown_options(row.source, row.options),
        "created_at": row.created_at,
        "previous_until": row.previous_until,
        "disabled": row.disabled_at is not None,
    }
