"""Pipedrive webhooks v2: basic auth; notes carry their text, activities do not, deals their value and status."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from service.sources.contract import (
    API_OPTIONS,
    AccountChange,
    Aside,
    Change,
    Connection,
    DealChange,
    Deleted,
    Delivery,
    Event,
    FetchWanted,
    NoteChange,
    Parsed,
    Reply,
    Setup,
    Skipped,
    Source,
    acknowledged,
)
from service.sources.proofs import check_basic
from service.sources.reading import (
    amount,
    currency,
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

NAME = "pipedrive"
_LINKS = frozenset({"org_id", "deal_id", "add_time"})


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read one event."""
    document = load_object(delivery.body)
    meta = part(document, "meta")
    if not meta:
        raise wrong_shape("meta", "is missing")
    return Parsed([Event(list(_changes(meta, document)), ident(meta.get("id")))], Reply(200))


def _changes(meta: dict[str, Any], document: dict[str, Any]) -> Iterator[Change]:
    entity, action = text_of(meta.get("entity") or meta.get("object")), text_of(meta.get("action"))
    data, previous = part(document, "data"), part(document, "previous")
    key = ident(meta.get("entity_id")) or ident(data.get("id")) or ident(previous.get("id"))
    if entity == "organization" and key and (name := short(data.get("name"))):
        at = moment(data.get("update_time")) or moment(meta.get("timestamp"))
        yield AccountChange(key, at, name)
        return
    if entity not in {"note", "activity", "deal"}:
        yield Skipped(f"an event of {entity[:40] or 'an unknown object'}")
        return
    if key is None:
        yield Aside("no_id", "the event names no record", document)
        return
    at = moment(data.get("update_time")) or moment(meta.get("timestamp"))
    if action in {"delete", "deleted"}:
        at = moment(meta.get("timestamp")) or moment(previous.get("update_time"))
        yield Skipped("a deleted deal") if entity == "deal" else Deleted(note_id(entity, key), at)
    elif action not in {"create", "change", "added", "updated"}:
        yield Skipped(f"the action {action[:40]}")
    elif entity == "deal":
        yield deal_change(key, data, at, _organisation(data))
    else:
        yield _note(entity, key, data, meta, at)


def note_id(entity: str, key: str) -> str:
    """Return the id of a record's note: notes and activities are counted apart."""
    return key if entity == "note" else f"{entity}:{key}"


def _note(entity: str, key: str, data: dict[str, Any], meta: dict[str, Any], at: datetime | None) -> Change:
    text = rich_text(data.get("content" if entity == "note" else "note"))
    if entity == "activity" and not text.strip():
        return FetchWanted("activity", key, "no_text", at)
    if not text.strip():
        return (
            Deleted(note_id(entity, key), at, emptied=True)
            if "content" in data
            else FetchWanted("note", key, "no_text", at)
        )
    author = next((one for name in ("user_id", "owner_id") if (one := ident(data.get(name)))), None)
    names = part(data, "user").get("name") if author else None
    writer = party(author or meta.get("user_id"), names)
    note = record_note(entity, key, text, data, at, writer, _organisation(data))
    return note if data.keys() >= _LINKS else replace(note, partial=True)  # what is not told stays as it is


def _organisation(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return whom a record is about: by id, and by name where an object beside it tells that."""
    given = data.get("org_id")
    name = given.get("name") if isinstance(given, dict) else part(data, "organization").get("name")
    return party(given, name) if ident(given) else None


def record_note(
    entity: str,
    key: str,
    text: str,
    data: Mapping[str, Any],
    at: datetime | None,
    author: dict[str, Any] | None,
    account: dict[str, Any] | None,
) -> NoteChange:
    """Return a record's note."""
    person, deal = ident(data.get("person_id")), ident(data.get("deal_id"))
    item = note_item(
        NAME,
        note_id(entity, key),
        text,
        kind="call_note",
        occurred_at=iso(moment(data.get("add_time")) or at),
        updated_at=iso(at),
        author=author,
        account=account,
        deal={"id": deal} if deal else None,
    )
    return NoteChange(item, contacts=(person,) if person else ())


def deal_change(
    key: str, data: Mapping[str, Any], at: datetime | None, account: dict[str, Any] | None = None
) -> DealChange:
    """Return what a deal's values say."""
    status = text_of(data.get("status"))
    return DealChange(
        key,
        at,
        amount=amount(data.get("value")),
        currency=currency(data.get("currency")),
        stage=ident(data.get("stage_id")),
        outcome=status if status in {"open", "won", "lost"} else None,
        account=account,
    )


SOURCE = Source(
    name=NAME,
    verify=check_basic,
    parse=parse,
    refusal=acknowledged,
    options={"api_token": "a user's API token, for fetching by API", **API_OPTIONS},
    secret_options=frozenset({"api_token"}),
    setup=Setup(
        en="1. binome connections add pipedrive --secret 'user:password' (choose both).\n"
        "2. In Pipedrive: Settings, Tools, Webhooks, Create; version 2.\n"
        "3. Event action *, event object note; the same again for activity, deal and organization.\n"
        "4. Endpoint {url}; HTTP auth with that user and password.\n"
        "5. An endpoint that fails is banned for 30 minutes and those events are lost: a fetch by API makes up for it. "
        "Give the connection the option api_token (Personal preferences, API).",
        fr="1. binome connections add pipedrive --secret 'utilisateur:motdepasse' (à choisir).\n"
        "2. Dans Pipedrive : Paramètres, Outils, Webhooks, Créer ; version 2.\n"
        "3. Action *, objet note ; de même pour activity, deal et organization.\n"
        "4. Adresse {url} ; authentification HTTP avec cet utilisateur et ce mot de passe.\n"
        "5. Une adresse en panne est bannie 30 minutes et ces événements sont perdus : la lecture par API y supplée. "
        "Donnez à la connexion l'option api_token (préférences personnelles, API).",
    ),
    sample=json.dumps(
        {
            "meta": {
                "id": "6f3f1c56-1f2b-4e9c-9f0b-1c2d3e4f5a6b",
                "version": "2.0",
                "action": "create",
                "entity": "note",
                "entity_id": "417",
                "timestamp": "2026-09-14T10:20:01.000Z",
                "user_id": "77",
                "attempt": 1,
            },
            "data": {
                "id": 417,
                "content": "<p>They find it too expensive.</p>",
                "add_time": "2026-09-14T10:20:00Z",
                "update_time": "2026-09-14T10:20:00Z",
                "user_id": 77,
                "org_id": 19,
                "person_id": 5,
                "deal_id": 104,
            },
            "previous": None,
        }
    ),
)
