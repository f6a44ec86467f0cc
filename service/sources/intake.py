"""A delivery's way: unpack, prove, read, store, answer. Nothing that a sender can send is answered 5xx."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from service.auth.queries import find_key
from service.auth.scopes import Scope, allows
from service.database import read_session, write_session
from service.errors import (
    BadRequest,
    Gone,
    InvalidInput,
    NotFound,
    Problem,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)
from service.filters import name_key
from service.operation.pressure import Pressure
from service.settings import Settings
from service.sources import queries
from service.sources.connections import connections_of
from service.sources.contract import (
    Aside,
    Connection,
    ContactErased,
    Deleted,
    Delivery,
    NotVerified,
    Parsed,
    Reply,
    Source,
)
from service.sources.faults.keeping import REDACTED, keep
from service.sources.faults.queries import MAX_PAYLOAD_CHARS, set_aside
from service.sources.proofs import bearer
from service.sources.registry import SOURCES
from service.sources.storing import store_deliveries
from service.start import base_url

GZIP = 31  # zlib's window size that stands for gzip
MAX_MEMBERS = 100

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request to the endpoint of a source."""

    source: str
    token: str
    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


def public_url(settings: Settings) -> str:
    """Return the address that senders call: of the settings, never of a request's headers."""
    return settings.public_url.rstrip("/") or base_url(settings)


def receive(engine: sa.Engine, settings: Settings, incoming: Incoming, now: datetime, pressure: Pressure) -> Reply:
    """Take in a delivery; it is stored when this returns.

    Raises:
        NotFound: If there is no such source.
        Unauthorized: If it is not proved, or the source has no connection.
        Problem: 400, 406, 410, 413, 415 or 422, where its content can't be taken; 429, 503 or 507, where it holds no
            deletion and is to come again later.
    """
    source = SOURCES.get(incoming.source)
    if source is None or source.polled:
        names = ", ".join(sorted(name for name, one in SOURCES.items() if not one.polled))
        raise NotFound(f"Nobody posts as {incoming.source[:100]!r}: the sources are {names}.")
    with read_session(engine) as session:
        delivery = Delivery(
            method=incoming.method,
            url=public_url(settings) + incoming.path,
            headers=incoming.headers,
            query=incoming.query,
            token=incoming.token,
            body=incoming.body,
            received_at=now,
            known_author=lambda address: queries.knows_author(session, address),
            known_account=lambda name: queries.knows_account(session, name_key(name)),
        )
        connections = connections_of(session, settings, source, now)
        delivery, connection = _proved(source, delivery, connections, settings, session)
        try:
            found: Parsed | Problem = parsed(source, delivery, connection)
        except Problem as problem:
            found = problem
    if isinstance(found, Problem):
        return _refuse(engine, source, connection, delivery, found)
    with _turn(source, found, pressure), write_session(engine) as session:
        counts = store_deliveries(session, connection, [(delivery, found.events)], now)
    if found.refusal:
        return _refuse(engine, source, connection, delivery, found.refusal)
    reply = found.reply or source.reply
    return reply if reply.content is not None else replace(reply, content=json.dumps({"results": dict(counts)}))


@contextmanager
def _turn(source: Source, found: Parsed, pressure: Pressure) -> Iterator[None]:
    """Keep a turn at writing; refuse in the way that makes this sender come again."""
    changes = [change for event in found.events for change in event.changes]
    urgent = any(isinstance(change, Deleted | ContactErased) for change in changes)
    try:
        with pressure.turn(urgent=urgent):
            yield
    except TooMany as problem:
        if source.busy == HTTPStatus.TOO_MANY_REQUESTS:
            raise
        later = Unavailable(problem.detail, code=problem.code)
        later.retry_after = problem.retry_after
        raise later from None


def _proved(
    source: Source, delivery: Delivery, connections: Sequence[Connection], settings: Settings, session: Session
) -> tuple[Delivery, Connection]:
    """Return the delivery with the body that was signed, unpacked, and the connection that it is of."""
    unpacked: Delivery | None = None
    fault: Problem | None = None
    try:
        unpacked = replace(delivery, body=unpack(delivery, settings.max_body_bytes))
    except Problem as problem:
        fault = problem
    bodies = [delivery] if unpacked is None or unpacked.body is delivery.body else [delivery, unpacked]
    connection = _key_holder(source, delivery, connections, session)
    reason = ""
    for candidate in connections if connection is None else []:
        reason = _why_not(source, candidate, bodies)
        if not reason:
            connection = candidate
            break
    if fault is not None:  # what can't be unpacked may have been signed unpacked: say what is wrong with it
        raise fault
    if connection is None:
        raise _unproved(source, connections, reason)
    if connection.disabled:
        raise Gone(f"The connection {connection.name} is switched off.")
    assert unpacked is not None
    return unpacked, connection


def _why_not(source: Source, connection: Connection, bodies: Sequence[Delivery]) -> str:
    """Return why a delivery is not proved; empty where it is. Any exception of a verifier means "not verified"."""
    reason = "it can't be checked"
    for delivery in bodies:
        try:
            source.verify(delivery, connection)
        except NotVerified as error:
            reason = str(error)
        except Exception:
            reason = "its proof is malformed"
        else:
            return ""
    return reason


def _unproved(source: Source, connections: Sequence[Connection], reason: str) -> Unauthorized:
    if not connections and (not source.keys or source.signed_by):
        detail = f"The source {source.name} is closed: no connection is set up (binome connections add {source.name})."
        return Unauthorized(detail, code="not_connected")
    return Unauthorized(f"This delivery is not verified: {reason or 'it has no valid key or token'}.")


def _key_holder(
    source: Source, delivery: Delivery, connections: Sequence[Connection], session: Session
) -> Connection | None:
    """Return who sends with an API key that may ingest; options are those of the connection of the key's name."""
    signed = source.signed_by is not None and any(name.startswith(source.signed_by) for name in delivery.headers)
    given = bearer(delivery) or delivery.headers.get("x-api-key", "").strip()
    secret = given if source.keys and not signed else None
    key = find_key(session, secret, delivery.received_at) if secret else None
    if key is None or not allows(list(key.scopes), Scope.INGEST):
        return None
    open_ones = [one for one in connections if not one.disabled]
    meant = [one for one in open_ones if one.name == key.name] or open_ones
    return Connection(source.name, key.name, (), meant[0].options if meant else {})


def unpack(delivery: Delivery, most: int) -> bytes:
    """Undo `Content-Encoding`, within a bound.

    Raises:
        UnsupportedMedia: If the encoding is neither gzip nor deflate.
        TooLarge: If more than `most` bytes come out.
        BadRequest: If the body is not packed so.
    """
    encodings = [one.strip().lower() for one in delivery.headers.get("content-encoding", "").split(",")]
    encodings = [one for one in encodings if one not in {"", "identity"}]
    if not encodings:
        return delivery.body
    if len(encodings) > 1 or encodings[0] not in {"gzip", "x-gzip", "deflate"}:
        raise UnsupportedMedia("Content-Encoding is gzip, deflate or none.")
    windows = [GZIP] if "gzip" in encodings[0] else [15, -15]  # some senders leave the zlib header out of deflate
    for window in windows:
        try:
            return _inflate(delivery.body, window, most)
        except zlib.error:
            continue
    raise BadRequest(f"The body is not {encodings[0]}.", code="invalid_encoding")


def _inflate(body: bytes, window: int, most: int) -> bytes:
    content = bytearray()
    rest = body
    for _ in range(MAX_MEMBERS):
        unpacker = zlib.decompressobj(window)
        content += unpacker.decompress(rest, most + 1 - len(content))
        if len(content) > most:
            raise TooLarge(f"The body is over {most} bytes when unpacked: send it in parts.")
        if not unpacker.eof:
            raise zlib.error("cut off")
        rest = unpacker.unused_data
        if not rest:
            return bytes(content)
        if window != GZIP:  # only gzip is made of members that follow each other (RFC 1952)
            break
    raise zlib.error("something follows")


def parsed(source: Source, delivery: Delivery, connection: Connection) -> Parsed:
    """Read a delivery that is proved.

    Raises:
        Problem: If it can't be read; nothing else is raised, whatever was sent.
    """
    if not delivery.body:
        raise BadRequest("The body is empty.", code="empty_body")
    try:
        return source.parse(delivery, connection)
    except Problem:
        raise
    except Exception as error:  # whatever a sender sends is the content's fault, and no reason to send it again
        _log.error("source_unreadable", source=source.name, error=type(error).__name__)
        raise InvalidInput("The body can't be read.", code="unreadable") from None


def _refuse(engine: sa.Engine, source: Source, connection: Connection, delivery: Delivery, problem: Problem) -> Reply:
    """Keep a refused body for the operator, and answer as the sender wants to hear it."""
    if isinstance(problem, Unauthorized):
        raise problem
    payload = delivery.body[:MAX_PAYLOAD_CHARS].decode("utf-8", "replace").replace("\x00", "")
    for secret in connection.secrets:
        payload = payload.replace(secret, REDACTED)
    with write_session(engine) as session:
        item = Aside(problem.code, problem.detail, payload)
        fault = set_aside(session, source.name, connection.name, item, delivery.received_at)
        keep(session, connection, delivery, [fault])
        queries.note_activity(session, source.name, connection.name, 0, delivery.received_at)
    refusal: Callable[[Problem, Delivery], Problem | Reply] | None = source.refusal
    answer = refusal(problem, delivery) if refusal else problem
    if isinstance(answer, Problem):
        raise answer
    return answer
