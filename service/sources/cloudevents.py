"""CloudEvents 1.0 over HTTP: binary, structured and batch mode, with a bearer token; a note in `data`.

The required attributes are asked for here: the Python SDK invents a missing id and can't read batches.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any
from urllib.parse import unquote

from python_multipart.multipart import parse_options_header

from service.errors import BadRequest, UnsupportedMedia
from service.sources import generic
from service.sources.contract import Aside, Change, Connection, Delivery, Event, Parsed, Setup, Source
from service.sources.proofs import check_token
from service.sources.reading import clean, clean_text, ident, listed, load_body, text_of, wrong_shape
from service.sources.standard import event_changes

NAME = "cloudevents"
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
REQUIRED = ("id", "source", "type")


class _Malformed(Exception):
    """An event that is none; the message says why."""


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read one event, or a batch.

    Raises:
        BadRequest: If the event is malformed.
        UnsupportedMedia: If it is no CloudEvent, or of a format that is not JSON.
    """
    kind = delivery.media_type
    try:
        if kind == BATCH:
            return _batch(load_body(delivery.body), delivery, connection)
        if kind == STRUCTURED:
            document = load_body(delivery.body)
            if not isinstance(document, dict):
                raise wrong_shape("body", "is no object")
            return Parsed([_event(document, delivery, connection)])
        if kind.startswith("application/cloudevents") or not _is_binary(delivery):
            raise UnsupportedMedia(f"Send {STRUCTURED}, {BATCH}, or binary mode with ce- headers.")
        return Parsed([_event(_from_headers(delivery), delivery, connection)])
    except _Malformed as error:
        raise BadRequest(f"The event {error}.", code="invalid_event") from None


def _is_binary(delivery: Delivery) -> bool:
    return any(name.startswith("ce-") for name in delivery.headers)


def _batch(document: Any, delivery: Delivery, connection: Connection) -> Parsed:
    if document == []:
        return Parsed([])
    events, faults = [], 0
    for item in listed(document, "body"):
        try:
            if not isinstance(item, dict):
                raise _Malformed("is no object")
            events.append(_event(item, delivery, connection))
        except _Malformed as error:
            faults += 1
            events.append(Event([Aside("invalid_event", f"the event {error}", item)]))
    if faults == len(events):
        raise BadRequest("None of the events is well-formed.", code="invalid_event")
    return Parsed(events)


def _from_headers(delivery: Delivery) -> dict[str, Any]:
    """Return the event of binary mode: percent-encoded attributes in headers, data in the body."""
    event: dict[str, Any] = {
        name.removeprefix("ce-"): clean_text(unquote(value.strip(), errors="replace"))
        for name, value in delivery.headers.items()
        if name.startswith("ce-")
    }
    kind = delivery.media_type
    if kind in {"", "application/json", "text/json"} or kind.endswith("+json"):
        event["data"] = load_body(delivery.body)
    elif kind.startswith("text/"):
        event["data"] = clean_text(_text(delivery))
    else:
        raise UnsupportedMedia("The data is neither JSON nor text.")
    return event


def _text(delivery: Delivery) -> str:
    """Decode a text by the charset that its type names."""
    _, options = parse_options_header(delivery.headers.get("content-type", ""))
    try:
        return delivery.body.decode(options.get(b"charset", b"utf-8").decode("ascii", "replace"), "replace")
    except LookupError:
        return delivery.body.decode("utf-8", "replace")


def _event(event: dict[str, Any], delivery: Delivery, connection: Connection) -> Event:
    for name in REQUIRED:
        if not isinstance(event.get(name), str) or not event[name].strip():
            raise _Malformed(f"lacks {name}")
    if event.get("specversion") != "1.0":
        raise _Malformed("is not of specversion 1.0")
    key = hashlib.sha256(json.dumps([event["source"], event["id"]]).encode()).hexdigest()
    return Event(_changes(event, delivery, connection), key)


def _changes(event: dict[str, Any], delivery: Delivery, connection: Connection) -> list[Change]:
    data = event.get("data")
    if "data_base64" in event:
        if data is not None:
            raise _Malformed("has both data and data_base64")
        data = _decoded(event["data_base64"], text_of(event.get("datacontenttype")))
    named = f"{event['source']}#{ident(event.get('subject')) or event['id']}"  # two sources may number alike
    fallback = named if len(named) <= 400 else hashlib.sha256(named.encode()).hexdigest()
    if isinstance(data, str):
        data = {"text": data, "external_id": fallback}
    if data is None:
        data = {}
    if isinstance(data, list) and data:
        return [change for one in data for change in generic.changes(one, NAME, connection, delivery)]
    if not isinstance(data, dict):
        return [Aside("shape", "data is no object", data)]
    return event_changes(data, text_of(event["type"]), event.get("time"), connection, delivery, fallback)


def _decoded(encoded: Any, kind: str) -> Any:
    """Read bytes that an event holds: JSON, or a text where its type does not say that it is JSON."""
    try:
        content = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise _Malformed("has data_base64 that is not base64")
    try:
        return clean(load_body(content))
    except BadRequest:
        if "json" in kind.lower():
            raise _Malformed("has data_base64 that is not JSON") from None
    try:
        return clean_text(content.decode())
    except UnicodeDecodeError:
        raise _Malformed("has data_base64 that is neither JSON nor text") from None


SOURCE = Source(
    name=NAME,
    verify=check_token,
    parse=parse,
    keys=True,
    options=generic.OPTIONS,
    media_type=STRUCTURED,
    setup=Setup(
        en="1. Make a key: binome keys create events --scope ingest.\n"
        "2. Subscribe {url} as an HTTP sink, with Authorization: Bearer KEY.\n"
        "3. Binary, structured and batch mode of CloudEvents 1.0 are read.\n"
        "4. data is a note; without an id it is SOURCE#SUBJECT of the event, else SOURCE#ID.\n"
        "5. The handshake (OPTIONS with WebHook-Request-Origin) is answered.",
        fr="1. Créez une clé : binome keys create events --scope ingest.\n"
        "2. Abonnez {url} comme destination HTTP, avec Authorization: Bearer CLÉ.\n"
        "3. Les modes binaire, structuré et par lots de CloudEvents 1.0 sont lus.\n"
        "4. data est une note ; sans identifiant, c'est SOURCE#SUJET de l'événement, sinon SOURCE#ID.\n"
        "5. La poignée de main (OPTIONS avec WebHook-Request-Origin) est assurée.",
    ),
    sample=json.dumps(
        {
            "specversion": "1.0",
            "id": "e-1",
            "source": "/crm",
            "type": "com.example.note.created",
            "time": "2026-09-14T10:20:00Z",
            "datacontenttype": "application/json",
            "data": {"id": "call-1042", "text": "They find it too expensive."},
        }
    ),
)
