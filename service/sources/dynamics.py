"""Dynamics 365 and Dataverse web hooks: the message that a plug-in step gets, as JSON, behind a key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from service.imports.values import parse_currency
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
    NotVerified,
    Parsed,
    Reply,
    Setup,
    Skipped,
    Source,
)
from service.sources.proofs import bearer, same
from service.sources.reading import (
    amount,
    ident,
    iso,
    load_object,
    moment,
    note_item,
    part,
    party,
    rich_text,
    short,
    text_of,
    wrong_shape,
)

NAME = "dynamics"
MESSAGES = {"Create", "Update", "Delete", "Upsert"}
TEXTS = {
    "annotation": "notetext",
    "phonecall": "description",
    "appointment": "description",
    "task": "description",
    "email": "description",
}
_KINDS = {"appointment": "meeting_note", "email": "email"}


def verify(delivery: Delivery, connection: Connection) -> None:
    """Take the key in the query (`code`), in another parameter or in a header: as it was registered."""
    given = [delivery.token, bearer(delivery) or "", *(value for _, value in delivery.query)]
    given += delivery.headers.values()
    if not any([same(one, secret) for one in given for secret in connection.secrets]):
        raise NotVerified("its key is missing or wrong")
    organisation = connection.option("organization").lower()
    if organisation and not same(delivery.headers.get("x-ms-dynamics-organization", "").lower(), organisation):
        raise NotVerified("its organization is another")


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read one message."""
    document = load_object(delivery.body)
    headers = delivery.headers
    entity = text_of(document.get("PrimaryEntityName")) or headers.get("x-ms-dynamics-entity-name", "")
    message = text_of(document.get("MessageName")) or headers.get("x-ms-dynamics-request-name", "")
    if not entity or not message:
        raise wrong_shape("PrimaryEntityName", "or MessageName is missing")
    entity = entity.strip().lower()
    cut = "x-ms-dynamics-msg-size-exceeded" in headers
    return Parsed([Event(list(_changes(document, entity, message, cut)))], Reply(200))


def _changes(document: dict[str, Any], entity: str, message: str, cut: bool) -> Iterator[Change]:
    target = part(_entry(document.get("InputParameters"), "Target"))
    key = (ident(document.get("PrimaryEntityId")) or ident(target.get("Id")) or "").strip("{}").lower()
    at = moment(document.get("OperationCreatedOn"))
    if entity not in TEXTS and entity not in {"opportunity", "account"}:
        yield Skipped(f"a record of {entity[:40]}")
    elif message not in MESSAGES:
        yield Skipped(f"the message {message[:40]}")
    elif not key or set(key) <= {"0", "-"}:
        yield Aside("no_id", "the message names no record", document)
    elif message == "Delete":
        yield Deleted(key, at) if entity in TEXTS else Skipped("a deleted deal or account")
    else:
        values = _values(document, target)
        at = moment(values.get("modifiedon")) or at
        if entity == "account":
            name = short(values.get("name"))
            yield AccountChange(key, at, name) if name else Skipped("an account without its name")
        elif cut:
            yield Aside("oversize", "Dynamics left out the text (over 256 KB): import it as a file", document, key)
        elif entity == "opportunity":
            yield _deal(key, values, at)
        else:
            yield _note(entity, key, values, at, message)


def _entry(entries: Any, name: str) -> Any:
    """Return a value of a list of `{"key", "value"}`."""
    for one in entries if isinstance(entries, list) else []:
        if isinstance(one, dict) and one.get("key") == name:
            return one.get("value")
    return None


def _values(document: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of the record: what the post images show, and what the message sets."""
    values: dict[str, Any] = {}
    images = document.get("PostEntityImages")
    records = [part(one, "value") for one in images if isinstance(one, dict)] if isinstance(images, list) else []
    for record in [*records, target]:
        attributes = record.get("Attributes")
        for one in attributes if isinstance(attributes, list) else []:
            if isinstance(one, dict) and isinstance(one.get("key"), str):
                values[one["key"]] = one.get("value")
    return values


def _note(entity: str, key: str, values: dict[str, Any], at: datetime | None, message: str) -> Change:
    name = TEXTS[entity]
    text = rich_text(values.get(name))
    if not text.strip():
        if values.get("isdocument") is True:
            return Skipped("an attachment without text")
        cleared = name in values and message != "Create"
        return Deleted(key, at, emptied=True) if cleared else Skipped("a message without text")
    owner = part(values.get("ownerid"))
    about = part(values.get("objectid")) or part(values.get("regardingobjectid"))
    kind, record = text_of(about.get("LogicalName")).lower(), _guid(about.get("Id"))
    item = note_item(
        NAME,
        key,
        text,
        kind=_KINDS.get(entity, "call_note"),
        occurred_at=iso(moment(values.get("createdon")) or (at if message == "Create" else None)),
        updated_at=iso(at),
        author=party(_guid(owner.get("Id")), owner.get("Name")) if _guid(owner.get("Id")) else None,
        account=party(record, about.get("Name")) if kind == "account" else None,
        deal={"id": record} if kind == "opportunity" and record else None,
    )
    return NoteChange(item, partial=True, contacts=(record,) if kind in {"contact", "lead"} and record else ())


def _guid(value: Any) -> str | None:
    return (ident(value) or "").strip("{}").lower() or None


def _deal(key: str, values: dict[str, Any], at: datetime | None) -> DealChange:
    state = values.get("statecode")
    state = state.get("Value") if isinstance(state, dict) else state
    outcomes = {0: "open", 1: "won", 2: "lost"}
    owner = part(values.get("parentaccountid")) or part(values.get("customerid"))
    account = party(_guid(owner.get("Id")), owner.get("Name")) if owner.get("LogicalName") == "account" else None
    value = values.get("actualvalue") if values.get("actualvalue") is not None else values.get("estimatedvalue")
    return DealChange(
        key,
        at,
        amount=amount(value),
        stage=short(values.get("stepname")),
        outcome=outcomes.get(state) if type(state) is int else None,
        account=account,
        currency=parse_currency(text_of(part(values.get("transactioncurrencyid")).get("Name"))),
    )


SOURCE = Source(
    name=NAME,
    busy=503,
    verify=verify,
    parse=parse,
    options={"organization": "the organization's host name, as the header x-ms-dynamics-organization has it"},
    setup=Setup(
        en="1. binome connections add dynamics shows a key.\n"
        "2. Plug-in Registration Tool: Register New Web Hook, endpoint {url}, authentication WebhookKey with the key.\n"
        "3. Register asynchronous steps: Create, Update, Delete of annotation, phonecall, appointment, task; "
        "Update of opportunity.\n"
        "4. Add a post image with notetext or description, ownerid, objectid or regardingobjectid, "
        "createdon, modifiedon.\n"
        "5. Asynchronous, so that Dynamics does not wait for Binôme.",
        fr="1. binome connections add dynamics montre une clé.\n"
        "2. Plug-in Registration Tool : Register New Web Hook, adresse {url}, authentification WebhookKey.\n"
        "3. Étapes asynchrones : Create, Update, Delete de annotation, phonecall, appointment, task ; "
        "Update de opportunity.\n"
        "4. Ajoutez une post-image : notetext ou description, ownerid, objectid ou regardingobjectid, "
        "createdon, modifiedon.\n"
        "5. Asynchrone, pour que Dynamics n'attende pas Binôme.",
    ),
    sample=json.dumps(
        {
            "MessageName": "Create",
            "PrimaryEntityName": "annotation",
            "PrimaryEntityId": "d1f2a3b4-0000-4c5d-8e9f-a1b2c3d4e5f6",
            "OperationCreatedOn": "/Date(1757844000000+0000)/",
            "InputParameters": [
                {
                    "key": "Target",
                    "value": {
                        "LogicalName": "annotation",
                        "Attributes": [
                            {"key": "notetext", "value": "<p>They find it too expensive.</p>"},
                            {"key": "createdon", "value": "/Date(1757844000000)/"},
                            {
                                "key": "objectid",
                                "value": {"LogicalName": "account", "Id": "a-19", "Name": "Harrow Foods"},
                            },
                        ],
                    },
                }
            ],
            "PostEntityImages": [],
        }
    ),
)
