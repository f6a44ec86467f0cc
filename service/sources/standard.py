"""Standard Webhooks (standardwebhooks.com): id, timestamp and HMAC in headers; a note in `data`."""

from __future__ import annotations

import base64
import json
import re

from service.sources import generic
from service.sources.contract import (
    Change,
    Connection,
    Deleted,
    Delivery,
    Event,
    NotVerified,
    Parsed,
    Setup,
    Source,
    acknowledged,
)
from service.sources.proofs import check_clock, hmac_sha256, same
from service.sources.reading import ident, iso, load_object, moment, text_of, wrong_shape

NAME = "standard"
_CREATION = re.compile(r"(?:^|[._-])(?:created?|new|added|logged)$", re.IGNORECASE)
_DELETION = re.compile(r"(?:^|[._-])(?:deleted?|removed|erased|destroyed)$", re.IGNORECASE)


def verify(delivery: Delivery, connection: Connection) -> None:
    """Try every `v1` signature against each secret."""
    headers = delivery.headers
    identity = headers.get("webhook-id") or headers.get("svix-id") or ""
    at = check_clock(headers.get("webhook-timestamp") or headers.get("svix-timestamp"), delivery.received_at)
    if not 0 < len(identity) <= 400:
        raise NotVerified("it has no webhook-id")
    signed = f"{identity}.{at}.".encode() + delivery.body
    signatures = (headers.get("webhook-signature") or headers.get("svix-signature") or "").split()
    expected = [base64.b64encode(hmac_sha256(key_of(secret), signed)).decode() for secret in connection.secrets]
    # a proxy may have joined two headers by a comma
    given = [entry[3:].rstrip(",") for entry in signatures if entry.startswith("v1,")]
    if not any([same(one, other) for one in given for other in expected]):
        raise NotVerified("no v1 signature fits")


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret: base64 after `whsec_`."""
    encoded = secret.removeprefix("whsec_").rstrip("=")
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)


def is_deletion(kind: str) -> bool:
    """Tell whether an event's type says that the thing is gone: `note.deleted`."""
    return _DELETION.search(kind) is not None


def is_creation(kind: str) -> bool:
    """Tell whether an event's type says that the thing is new: `note.created`."""
    return _CREATION.search(kind) is not None


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read one event."""
    document = load_object(delivery.body)
    key = delivery.headers.get("webhook-id") or delivery.headers.get("svix-id")
    data = document.get("data", document)
    if not isinstance(data, dict):
        raise wrong_shape("data", "is no object")
    kind = text_of(document.get("type"))
    found = event_changes(data, kind, document.get("timestamp"), connection, delivery)
    if "note" not in kind.lower() and kind:  # an event of another kind that holds no note: not to be sent again
        return Parsed([Event(found, key)])
    return Parsed([Event(generic.or_refused(found), key)])


def event_changes(
    data: dict[str, object], kind: str, at: object, connection: Connection, delivery: Delivery, fallback_id: str = ""
) -> list[Change]:
    """Turn an event's data into changes, or into a deletion where its type says so."""
    if is_deletion(kind):
        flat = {"external_id", "id", "note_id"} & data.keys()
        key = next((ident(data[name]) for name in ("external_id", "id", "note_id") if name in flat), None)
        if key or fallback_id:
            return [Deleted(key or fallback_id, moment(data.get("deleted_at")) or moment(at))]
    told = iso(moment(at)) or ""
    known = {"updated_at": told, "external_id": fallback_id}
    if is_creation(kind):  # an event of another kind tells when the note was changed, not when it came about
        known["occurred_at"] = told
    return generic.changes(data, connection.source, connection, delivery, **known)


SOURCE = Source(
    name=NAME,
    verify=verify,
    parse=parse,
    refusal=acknowledged,
    options=generic.OPTIONS,
    setup=Setup(
        en="1. binome connections add standard shows a secret (whsec_…).\n"
        "2. Register {url} as an endpoint at the sender, with that secret.\n"
        '3. Send {{"type": "note.created", "timestamp": "…", "data": {{a note}}}}.\n'
        "4. To change the secret: binome connections rotate standard; both count for a day.\n"
        "5. A type that ends in .deleted erases the note of data.id.",
        fr="1. binome connections add standard montre un secret (whsec_…).\n"
        "2. Déclarez {url} chez l'émetteur, avec ce secret.\n"
        '3. Envoyez {{"type": "note.created", "timestamp": "…", "data": {{une note}}}}.\n'
        "4. Pour changer de secret : binome connections rotate standard ; les deux valent un jour.\n"
        "5. Un type qui finit par .deleted efface la note de data.id.",
    ),
    sample=json.dumps(
        {
            "type": "note.created",
            "timestamp": "2026-09-14T10:20:00Z",
            "data": {"id": "call-1042", "text": "They find it too expensive.", "account": {"name": "Harrow Foods"}},
        }
    ),
)
