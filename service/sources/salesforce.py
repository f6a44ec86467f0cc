"""Salesforce outbound messages: SOAP 1.1 behind a secret URL, from the tenant's own organisation.

One acknowledgement covers all notifications of a message, so all are stored in one transaction or none.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring
from python_multipart.multipart import parse_options_header

from service.errors import BadRequest, TooLarge, Unauthorized
from service.imports.columns import known_names
from service.notes.text import html_text, is_html
from service.sources.contract import (
    AccountChange,
    Aside,
    Change,
    Connection,
    DealChange,
    Deleted,
    Delivery,
    Event,
    NoteChange,
    Parsed,
    Reply,
    Setup,
    Skipped,
    Source,
)
from service.sources.proofs import check_url_token
from service.sources.reading import amount, clean_text, currency, iso, moment, note_item, short, wrong_shape

NAME = "salesforce"
MAX_NOTIFICATIONS = 100
MAX_TAGS = 200_000  # a hundred notifications of a thousand fields
SUFFIXES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
ACK = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_PROLOG = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_TEXTS = ("Description", "Comments__c", "Body", "Content", "Text__c")
_CUSTOM = "__c"  # what names of one's own fields end in
_CONTENT_NOTE = "069"
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{8,}={0,2}")
_KINDS = {"Task": "call_note", "Event": "meeting_note"}


def verify(delivery: Delivery, connection: Connection) -> None:
    """Check the secret URL; the organisation stands in the message and is checked when that is read."""
    check_url_token(delivery, connection)
    if not long_id(connection.option("org_id")):
        raise ValueError("the connection names no organisation")


def long_id(value: str | None) -> str:
    """Return an id with 18 characters; one of 15 gets its suffix, which tells the case of its letters.

    Empty where it is no id.
    """
    value = (value or "").strip()
    if not (value.isascii() and value.isalnum()) or len(value) not in {15, 18}:
        return ""
    short = value[:15]
    blocks = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(SUFFIXES[sum(1 << i for i, c in enumerate(block) if c.isupper())] for block in blocks)


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read the notifications of a message.

    Raises:
        BadRequest: If it is not XML, or declares a DTD or entities.
        TooLarge: If it has more tags than any message.
        InvalidInput: If it is no outbound message.
        Unauthorized: If it is of another organisation.
    """
    if delivery.body.count(b"<") > MAX_TAGS:
        raise TooLarge(f"The message holds over {MAX_TAGS} tags.")
    try:
        root = _root(delivery)
    except Exception:  # ParseError, the forbidden DTD, LookupError on an unknown encoding, ValueError ...
        raise BadRequest("The body is not XML without DTD and entities.", code="invalid_xml") from None
    message = next((one for one in root.iter() if _name(one) == "notifications"), None)
    if _name(root) != "Envelope" or message is None:
        raise wrong_shape("body", "is no outbound message")
    organisations = {long_id(one.text) for one in message if _name(one) == "OrganizationId"}
    if organisations != {long_id(connection.option("org_id"))}:
        raise Unauthorized("The message is of another organisation.", code="foreign_organisation")
    notifications = [one for one in message if _name(one) == "Notification"]
    acknowledgement = Reply(200, ACK, "text/xml")
    if len(notifications) > MAX_NOTIFICATIONS:  # without the acknowledgement it would come again for a day
        too_many = Aside("too_many", f"the message holds over {MAX_NOTIFICATIONS} notifications")
        return Parsed([Event([too_many])], acknowledgement)
    return Parsed([_event(one) for one in notifications], acknowledgement)


def _root(delivery: Delivery) -> Element:
    """Parse a message; what the parser can't decode by itself is decoded by the charset that header or prolog name."""
    try:
        root: Element = fromstring(delivery.body, forbid_dtd=True)
    except (ParseError, ValueError, LookupError):
        charset = parse_options_header(delivery.headers.get("content-type", ""))[1].get(b"charset", b"").decode("ascii")
        prolog = _ENCODING.match(delivery.body.replace(b"\x00", b"")[:200])
        named = charset or (prolog[1].decode("ascii") if prolog else "")
        if not named:
            raise
        root = fromstring(_PROLOG.sub("", delivery.body.decode(named), count=1), forbid_dtd=True)
    return root


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _event(notification: Element) -> Event:
    key = next((one.text for one in notification if _name(one) == "Id"), None)
    record = next((one for one in notification if _name(one) == "sObject"), None)
    if record is None:
        return Event([Skipped("the record is gone")], long_id(key) or None)
    kind = next((value for name, value in record.attrib.items() if name.rpartition("}")[2] == "type"), "")
    fields = {_name(one): clean_text("".join(one.itertext())).strip() for one in record}
    return Event(list(_changes(fields, kind.rpartition(":")[2])), long_id(key) or None)


def _changes(fields: dict[str, str], kind: str) -> Iterator[Change]:
    key = long_id(fields.get("Id"))
    if not key:
        yield Aside("no_id", "the record has no Id of 15 or 18 characters", fields)
        return
    at = moment(fields.get("LastModifiedDate")) or moment(fields.get("SystemModstamp"))
    if key.startswith("006") or kind == "Opportunity":
        yield _deal(key, fields, at)
    elif key.startswith("001") and (name := short(fields.get("Name"))):
        yield AccountChange(key, at, name)
    elif key.startswith(("001", "003", "00Q", "005")):
        yield Skipped(f"a record of {kind or key[:3]}")
    elif fields.get("IsDeleted", "").lower() in {"true", "1"}:
        yield Deleted(key, at)
    elif text := _text(key, fields):
        yield NoteChange(_item(key, kind, text, fields), contacts=_contacts(fields))
    elif any(map(_is_text, fields)):
        yield Deleted(key, at, emptied=True)  # later words bring the note back
    else:
        yield Aside("no_text", "the message has no field of text: add Description to its fields", fields, key)


def _is_text(name: str) -> bool:
    """Tell whether a field holds the text of a record, a field of one's own (`Notes__c`) too."""
    return name in _TEXTS or (name.endswith(_CUSTOM) and known_names([name.removesuffix(_CUSTOM)]) == {"text"})


def _text(key: str, fields: dict[str, str]) -> str:
    """Return what a record says, after its subject; empty where it says nothing."""
    names = [*_TEXTS, *filter(_is_text, fields)]
    text = next((fields[name] for name in names if fields.get(name)), "")
    if key.startswith(_CONTENT_NOTE) and _BASE64.fullmatch(text):
        with suppress(binascii.Error, ValueError):
            text = clean_text(base64.b64decode(text, validate=True).decode())
    subject = fields.get("Subject") or fields.get("Title") or ""
    return "\n\n".join(part for part in (subject, html_text(text) if is_html(text) else text) if part)


def _contacts(fields: dict[str, str]) -> tuple[str, ...]:
    who = long_id(fields.get("WhoId"))
    return (who,) if who else ()


def _item(key: str, kind: str, text: str, fields: dict[str, str]) -> dict[str, Any]:
    at = moment(fields.get("LastModifiedDate")) or moment(fields.get("SystemModstamp"))
    happened = next(
        (
            found
            for name in ("StartDateTime", "ActivityDateTime", "ActivityDate", "CreatedDate")
            if (found := moment(fields.get(name)))
        ),
        None,
    )
    about = long_id(fields.get("WhatId") or fields.get("ParentId"))
    account = long_id(fields.get("AccountId") or fields.get("Account__c"))
    account = account or (about if about.startswith("001") else "")
    disposition = fields.get("CallDisposition", "")
    owner = long_id(fields.get("OwnerId"))
    return note_item(
        NAME,
        key,
        f"{text}\n\n{disposition}" if disposition else text,
        kind=_KINDS.get(kind) or ("meeting_note" if key.startswith("00U") else "call_note"),
        occurred_at=iso(happened),
        updated_at=iso(at),
        author={"id": owner} if owner else None,
        account={"id": account} if account else None,
        deal={"id": about} if about.startswith("006") else None,
    )


def _deal(key: str, fields: dict[str, str], at: Any) -> DealChange:
    closed, won = (fields.get(name, "").lower() in {"true", "1"} for name in ("IsClosed", "IsWon"))
    told = "IsClosed" in fields or "IsWon" in fields
    stage = fields.get("StageName", "")
    outcome = ("won" if won else "lost" if closed else "open") if told else None
    if outcome is None:
        outcome = {"closed won": "won", "closed lost": "lost"}.get(stage.lower())
    account = long_id(fields.get("AccountId"))
    return DealChange(
        key,
        at,
        amount(fields.get("Amount")),
        currency(fields.get("CurrencyIsoCode")),
        stage[:200] or None,
        outcome,
        {"id": account} if account else None,
    )


SOURCE = Source(
    name=NAME,
    busy=503,
    verify=verify,
    parse=parse,
    required=("org_id",),
    options={"org_id": "the organisation's id, 15 or 18 characters: Setup, Company Information"},
    media_type="text/xml",
    setup=Setup(
        en="1. binome connections add salesforce --option org_id=00D… shows a secret URL: {url}/SECRET.\n"
        "2. Setup, Workflow Actions, Outbound Messages: new, for Task (and Event, Opportunity), with that URL.\n"
        "3. Fields: Id, Subject, Description, ActivityDate, CreatedDate, LastModifiedDate, OwnerId, WhoId, WhatId, "
        "AccountId; for Opportunity StageName, Amount, IsClosed, IsWon, AccountId, "
        "LastModifiedDate; for Account Name, LastModifiedDate.\n"
        "4. No session id is needed.\n"
        "5. Start it from a flow on create and edit; Delivery Status shows what waits.",
        fr="1. binome connections add salesforce --option org_id=00D… montre une URL secrète : {url}/SECRET.\n"
        "2. Configuration, Actions de workflow, Messages sortants : nouveau, pour Tâche (et Événement, Opportunité).\n"
        "3. Champs : Id, Subject, Description, ActivityDate, CreatedDate, LastModifiedDate, OwnerId, WhoId, WhatId, "
        "AccountId ; pour Opportunité StageName, Amount, IsClosed, IsWon, AccountId, "
        "LastModifiedDate ; pour Compte Name, LastModifiedDate.\n"
        "4. L'identifiant de session n'est pas nécessaire.\n"
        "5. Déclenchez-le d'un flux à la création et à la modification ; le statut d'envoi montre ce qui attend.",
    ),
    sample='<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D000000000062EAA'
    "</OrganizationId><ActionId>04k000000000001AAA</ActionId><SessionId/><Notification>"
    '<Id>04l000000000001AAA</Id><sObject xsi:type="sf:Task" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
    "<sf:Id>00T000000000001AAA</sf:Id><sf:Subject>Call</sf:Subject>"
    "<sf:Description>They find it too expensive.</sf:Description>"
    "<sf:LastModifiedDate>2026-09-14T10:20:00.000Z</sf:LastModifiedDate>"
    "</sObject></Notification></notifications></soapenv:Body></soapenv:Envelope>",
)
