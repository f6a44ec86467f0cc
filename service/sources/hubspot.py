"""HubSpot: batches of subscription events (signature v3), and workflow actions (v2, v3 or a key) with an own body.

An event tells one property: texts are taken as they come, everything else is asked for by API. v1 signatures know
neither time nor address and are never enough.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from service.errors import Problem, Unauthorized
from service.imports.columns import known_names
from service.sources import generic
from service.sources.contract import (
    API_OPTIONS,
    AccountChange,
    Aside,
    Change,
    Connection,
    ContactErased,
    ContactsMerged,
    DealChange,
    Deleted,
    Delivery,
    Event,
    FetchWanted,
    NoteChange,
    NotVerified,
    Parsed,
    Reply,
    Setup,
    Skipped,
    Source,
    acknowledged,
)
from service.sources.proofs import check_clock, hmac_sha256, same
from service.sources.reading import (
    amount,
    ident,
    iso,
    listed,
    load_body,
    moment,
    note_item,
    part,
    rich_text,
    short,
    text_of,
)

NAME = "hubspot"
MAX_EVENTS = 100
_DECODED = {
    "3A": ":", "2F": "/", "3F": "?", "40": "@", "21": "!", "24": "$", "27": "'",
    "28": "(", "29": ")", "2A": "*", "2C": ",", "3B": ";",
}  # fmt: skip
_ENCODED = re.compile(f"%({'|'.join(_DECODED)})", re.IGNORECASE)

NOTE_TYPES = {"0-46": "call_note", "0-47": "meeting_note", "0-48": "call_note", "0-49": "email"}
_TYPES = {
    "note": "0-46", "meeting": "0-47", "call": "0-48", "email": "0-49",
    "deal": "0-3", "contact": "0-1", "company": "0-2",
}  # fmt: skip
TEXTS = {"hs_note_body": "", "hs_call_body": "", "hs_meeting_body": "", "hs_internal_meeting_notes": "/internal"}
TRANSCRIPT = "/transcript"
"""What the id of a call's transcript ends in: it is a note beside the rep's own words on the call."""
TRANSCRIPT_IDS = ("hs_call_transcription_id", "hs_call_transcript_id")
_SUFFIXES = {"0-47": ("", "/internal"), "0-48": ("", TRANSCRIPT)}
_LINKS = frozenset({"hubspot_owner_id", "hs_timestamp", *TRANSCRIPT_IDS})
_DEAL_PROPERTIES = frozenset({"amount", "dealstage", "hs_is_closed_won", "hs_is_closed_lost", "deal_currency_code"})


def verify(delivery: Delivery, connection: Connection) -> None:
    """Check the signature: v3 where it is there, else v2."""
    headers = delivery.headers
    if "x-hubspot-signature-v3" in headers:
        at = check_clock(headers.get("x-hubspot-request-timestamp"), delivery.received_at, unit=1000)
        signed = f"{delivery.method}{decoded_uri(delivery.url)}".encode() + delivery.body + at.encode()
        given = headers["x-hubspot-signature-v3"]
        expected = [base64.b64encode(hmac_sha256(secret, signed)).decode() for secret in connection.secrets]
    elif headers.get("x-hubspot-signature-version", "v2").strip().lower() == "v2" and "x-hubspot-signature" in headers:
        if "x-hubspot-request-timestamp" in headers:  # not signed by v2, but one that is told has to be fresh
            check_clock(headers["x-hubspot-request-timestamp"], delivery.received_at, unit=1000)
        given = headers["x-hubspot-signature"].lower()
        start = f"{delivery.method}{delivery.url}".encode()
        expected = [
            hashlib.sha256(secret.encode() + start + delivery.body).hexdigest() for secret in connection.secrets
        ]
    else:
        raise NotVerified("it has no signature v3 or v2")
    if not any([same(given, one) for one in expected]):
        raise NotVerified("its signature is wrong: check the client secret and BINOME_PUBLIC_URL")


def decoded_uri(uri: str) -> str:
    """Decode those characters that HubSpot decodes before it signs."""
    return _ENCODED.sub(lambda match: _DECODED[match[1].upper()], uri)


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read a batch of events, or the body of a workflow action."""
    document = load_body(delivery.body)
    if isinstance(document, dict) and "subscriptionType" not in document and "eventType" not in document:
        document = _of_custom_action(document)
        return Parsed([Event(generic.or_refused(generic.changes(document, NAME, connection, delivery)))], Reply(200))
    batch = [document] if isinstance(document, dict) else document
    if "x-hubspot-signature-v3" not in delivery.headers:
        raise Unauthorized("Events are proved by signature v3: v2, which knows no time, is for workflow actions.")
    events = sorted(listed(batch, "body", MAX_EVENTS), key=_at_ms)  # deals go by the order in which things happened
    portal = connection.option("portal_id")
    return Parsed([Event(list(_changes(event, portal))) for event in events])


def _of_custom_action(document: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a workflow action of one's own, with the id of the record that it runs for."""
    fields, record = document.get("inputFields"), part(document, "object")
    if not isinstance(fields, dict):
        return document
    key = ident(record.get("objectId"))
    return {"external_id": key, **fields} if key and "external_id" not in known_names(list(fields)) else fields


def _at_ms(event: Any) -> int:
    at = event.get("occurredAt") if isinstance(event, dict) else None
    return at if type(at) is int else 0


def _changes(event: Any, portal: str) -> Iterator[Change]:
    if not isinstance(event, dict):
        yield Aside("shape", "an event is no object", event)
        return
    if portal and ident(event.get("portalId")) != portal:
        yield Aside("foreign_portal", f"the event is of portal {ident(event.get('portalId'))}", event)
        return
    kind = text_of(event.get("subscriptionType") or event.get("eventType"))
    family, _, action = kind.partition(".")
    object_type = ident(event.get("objectTypeId")) or _TYPES.get(family, "")
    key, at = ident(event.get("objectId")), moment(event.get("occurredAt"))
    if action == "associationChange":
        yield from _association(event, at)
    elif action == "merge":
        yield from _merge(event, object_type, at)
    elif key is None:
        reason = "the event has no objectId"
        yield Aside("no_id", reason, event) if action else Skipped(reason)
    elif action in {"deletion", "privacyDeletion"}:
        yield from _deletion(object_type, key, at, final=action == "privacyDeletion")
    elif action == "propertyChange":
        yield from _property(event, object_type, key, at)
    elif action in {"creation", "restore"} and (object_type in NOTE_TYPES or object_type == "0-3"):
        yield FetchWanted(object_type, key, action, at)
    else:
        yield Skipped(f"{kind[:60] or 'an event without type'} of {object_type or 'an unknown object'}")


def note_id(object_type: str, key: str) -> str:
    """Return the id of an object's note."""
    return f"{object_type}:{key}"


def _property(event: dict[str, Any], object_type: str, key: str, at: datetime | None) -> Iterator[Change]:
    name, value = text_of(event.get("propertyName")), event.get("propertyValue")
    if object_type == "0-3":
        if name in _DEAL_PROPERTIES:
            yield _deal(key, name, value, at)
        yield FetchWanted(object_type, key, "change", at)
    elif object_type == "0-2" and name == "name" and (called := short(value)):
        yield AccountChange(key, at, called)
    elif object_type in NOTE_TYPES and name in TEXTS:
        external_id = note_id(object_type, key) + TEXTS[name]
        text = rich_text(value)
        if not text.strip():
            yield Deleted(external_id, at, emptied=True)  # later words bring the note back
            return
        author = text_of(event.get("sourceId"))
        yield NoteChange(
            note_item(
                NAME,
                external_id,
                text,
                kind=NOTE_TYPES[object_type],
                occurred_at=iso(at),
                updated_at=iso(at),
                author={"id": author} if re.fullmatch(r"userId:\d{1,30}", author) else None,
            ),
            partial=True,
        )
        yield FetchWanted(object_type, key, "links", at)
    elif object_type in NOTE_TYPES and name in _LINKS:
        yield FetchWanted(object_type, key, "change", at)
    else:
        yield Skipped(f"property {name[:60]} of {object_type or 'an unknown object'}")


def _deal(key: str, name: str, value: Any, at: datetime | None) -> DealChange:
    text = text_of(value).strip()
    if name == "amount":
        return DealChange(key, at, amount=amount(value))
    if name == "deal_currency_code":
        return DealChange(key, at, currency=text if re.fullmatch(r"[A-Z]{3}", text) else None)
    if name == "dealstage":
        outcome = {"closedwon": "won", "closedlost": "lost"}.get(text)
        return DealChange(key, at, stage=text[:200] or None, outcome=outcome)
    if text.lower() != "true":
        return DealChange(key, at)
    return DealChange(key, at, outcome="won" if name == "hs_is_closed_won" else "lost")


def _deletion(object_type: str, key: str, at: datetime | None, *, final: bool) -> Iterator[Change]:
    if object_type in NOTE_TYPES:
        for suffix in _SUFFIXES.get(object_type, ("",)):
            yield Deleted(note_id(object_type, key) + suffix, at, final)
    elif final and object_type in {"0-1", ""}:
        yield ContactErased(key)
    else:
        yield Skipped(f"deletion of {object_type or 'an unknown object'}")


def _merge(event: dict[str, Any], object_type: str, at: datetime | None) -> Iterator[Change]:
    primary = ident(event.get("newObjectId")) or ident(event.get("primaryObjectId"))
    listed_ids = event.get("mergedObjectIds")
    if primary is None:
        yield Aside("no_id", "the merge names no object", event)
        return
    # where a new object is made, the primary one is merged too
    ids = {ident(one) for one in [event.get("primaryObjectId"), *(listed_ids if isinstance(listed_ids, list) else [])]}
    merged = sorted(one for one in ids if one and one != primary)
    if object_type in NOTE_TYPES:
        for key in merged:
            yield from _deletion(object_type, key, at, final=False)
    if object_type in NOTE_TYPES or object_type == "0-3":
        yield FetchWanted(object_type, primary, "merge", at)
    elif object_type == "0-1" and merged:
        yield ContactsMerged(tuple(merged), primary)
    else:
        yield Skipped(f"merge of {object_type or 'an unknown object'}")


def _association(event: dict[str, Any], at: datetime | None) -> Iterator[Change]:
    kind = text_of(event.get("associationType")).lower().partition("_to_")
    for name, end in zip(kind[::2], ("from", "to"), strict=True):
        object_type = ident(event.get(f"{end}ObjectTypeId")) or _TYPES.get(name.removesuffix("s"), "")
        key = ident(event.get(f"{end}ObjectId"))
        if object_type in NOTE_TYPES and key:
            yield FetchWanted(object_type, key, "links", at)
    yield Skipped("an association")


def refusal(problem: Problem, delivery: Delivery) -> Problem | Reply:
    """Acknowledge events, which come again for a day; a workflow does not repeat a refusal, but shows it."""
    return acknowledged(problem, delivery) if "x-hubspot-signature-v3" in delivery.headers else problem


SOURCE = Source(
    name=NAME,
    verify=verify,
    parse=parse,
    refusal=refusal,
    keys=True,
    signed_by="x-hubspot-signature",
    options={
        "portal_id": "the account's number (Hub ID): events of others are set aside",
        "access_token": "a private app's token, for fetching by API",
        "refresh_token": "or a public app's refresh token, with client_id",
        "client_id": "the public app's client id",
        "client_secret": "the public app's client secret, where it is not the connection's secret",
        **API_OPTIONS,
        **generic.OPTIONS,
    },
    secret_options=frozenset({"access_token", "refresh_token", "client_secret"}),
    setup=Setup(
        en="1. In HubSpot, make a private or public app with the scopes crm.objects.contacts.read (for notes, calls, "
        "meetings and e-mails too), crm.objects.companies.read, crm.objects.deals.read, crm.objects.owners.read and "
        "sales-email-read; for transcripts of calls crm.extensions_calling_transcripts.read.\n"
        "2. Webhooks: target URL {url}.\n"
        "3. Subscribe to creation, property change (hs_note_body, hs_call_body, hs_meeting_body, "
        "hs_internal_meeting_notes, amount, dealstage), deletion and merge.\n"
        "4. Copy the client secret and the access token: binome connections add hubspot --option portal_id=HUB_ID "
        "--option access_token=TOKEN (a public app: refresh_token and client_id).\n"
        "5. BINOME_PUBLIC_URL is the address as HubSpot calls it: it is part of the signature.",
        fr="1. Dans HubSpot, créez une application avec les droits crm.objects.contacts.read (notes, appels, réunions "
        "et e-mails en dépendent), crm.objects.companies.read, crm.objects.deals.read, crm.objects.owners.read et "
        "sales-email-read ; pour les transcriptions d'appels crm.extensions_calling_transcripts.read.\n"
        "2. Webhooks : URL cible {url}.\n"
        "3. Abonnez création, modification de propriété (hs_note_body, hs_call_body, hs_meeting_body, "
        "hs_internal_meeting_notes, amount, dealstage), suppression et fusion.\n"
        "4. Copiez le secret client et le jeton d'accès : binome connections add hubspot --option portal_id=HUB_ID "
        "--option access_token=JETON (application publique : refresh_token et client_id).\n"
        "5. BINOME_PUBLIC_URL est l'adresse que HubSpot appelle : elle fait partie de la signature.",
    ),
    sample=json.dumps(
        [
            {
                "eventId": 3816279340,
                "subscriptionType": "object.propertyChange",
                "objectTypeId": "0-46",
                "objectId": 90071992547409931,
                "portalId": 62515,
                "occurredAt": 1757844000000,
                "propertyName": "hs_note_body",
                "propertyValue": "<p>They find it too expensive.</p>",
                "changeSource": "CRM_UI",
                "sourceId": "userId:77",
                "attemptNumber": 0,
            }
        ]
    ),
)
