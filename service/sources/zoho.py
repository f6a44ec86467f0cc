"""Zoho CRM notifications: the proof is a token in the body; mostly ids come, and the text is asked for by API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
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
    NotVerified,
    Parsed,
    Reply,
    Setup,
    Skipped,
    Source,
    acknowledged,
)
from service.sources.proofs import same
from service.sources.reading import (
    amount,
    currency,
    ident,
    iso,
    listed,
    load_object,
    moment,
    note_item,
    part,
    party,
    short,
    text_of,
)

NAME = "zoho"
MAX_IDS = 500
KINDS = {"Calls": "call_note", "Meetings": "meeting_note", "Events": "meeting_note", "Tasks": "call_note"}
MODULES = {"Meetings": "Events"}  # as people call it, and as the API does
_ID = re.compile(r"[0-9]{1,40}")


def verify(delivery: Delivery, connection: Connection) -> None:
    """Check token and channel: both are texts, and nothing else is taken for one."""
    document = load_object(delivery.body)
    token, channel = document.get("token"), document.get("channel_id")
    if not isinstance(token, str) or not any([same(token, secret) for secret in connection.secrets]):
        raise NotVerified("its token is missing or wrong")
    wanted = connection.option("channel_id")
    if wanted and not (isinstance(channel, str) and same(channel.strip(), wanted)):
        raise NotVerified("its channel is another")


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read one notification: an operation on some records of a module."""
    document = load_object(delivery.body)
    module = document.get("module")
    if isinstance(module, dict):
        module = module.get("api_name")
    if not isinstance(module, str) or module not in {*KINDS, "Deals", "Accounts"}:
        return Parsed([Event([Skipped(f"the module {text_of(module)[:40]}")])], Reply(200))
    at, operation = moment(document.get("server_time")), text_of(document.get("operation"))
    values = {}
    affected = document.get("affected_values")
    for one in affected if isinstance(affected, list) else []:
        if isinstance(one, dict) and (key := ident(one.get("record_id"))):
            values[key] = part(one, "values")
    ids = listed(document.get("ids"), "ids", MAX_IDS)
    return Parsed([Event(list(_changes(module, operation, one, values, at))) for one in ids], Reply(200))


def _changes(module: str, operation: str, one: Any, values: dict[str, Any], at: datetime | None) -> Iterator[Change]:
    key = ident(one) or ""
    if not _ID.fullmatch(key):
        yield Aside("bad_id", "an id is not made of digits", one)
        return
    told = values.get(key, {})
    if operation == "delete":
        yield Deleted(key, at) if module in KINDS else Skipped("a deleted deal or account")
    elif operation not in {"insert", "update"}:
        yield Skipped(f"the operation {operation[:40]}")
    elif module == "Accounts":
        name = short(told.get("Account_Name"))
        yield AccountChange(key, at, name) if name else Skipped("an account without its name")
    elif module == "Deals":
        if told:
            yield deal_change(key, told, at, deal_account(told))
        yield FetchWanted(module, key, operation, at)
    elif text_of(told.get("Description")).strip():
        yield _note(module, key, told, at)
        yield FetchWanted(MODULES.get(module, module), key, "links", at)
    elif "Description" in told:
        yield Deleted(key, at, emptied=True)
    else:
        yield FetchWanted(MODULES.get(module, module), key, operation, at)


def _note(module: str, key: str, told: dict[str, Any], at: datetime | None) -> NoteChange:
    deal, account = ident(about(told, "Deals")), about(told, "Accounts")
    links = {"deal": {"id": deal} if deal else None, "account": party(account, account["name"]) if account else None}
    return NoteChange(record_item(module, key, told, at, **links), partial=True, contacts=contacts(told))


def about(record: Mapping[str, Any], module: str) -> dict[str, Any] | None:
    """Return what a record hangs on, where that is of a module: by `$se_module`, a deal where it is not told."""
    found = part(record, "What_Id")
    if not ident(found) or text_of(record.get("$se_module") or "Deals") != module:
        return None
    return {"id": ident(found), "name": short(found.get("name"))}


def contacts(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the contact that a record is about."""
    contact = ident(part(record, "Who_Id"))
    return (contact,) if contact else ()


def deal_account(deal: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return whose deal it is."""
    account = part(deal, "Account_Name")
    return party(account, account.get("name")) if ident(account) else None


def record_item(
    module: str, key: str, told: Mapping[str, Any], at: datetime | None, **links: dict[str, Any] | None
) -> dict[str, Any]:
    """Return a record's note, in the note format."""
    owner = part(told, "Owner")
    happened = moment(told.get("Call_Start_Time")) or moment(told.get("Start_DateTime"))
    return note_item(
        NAME,
        key,
        text_of(told.get("Description")),
        kind=KINDS[module],
        occurred_at=iso(happened or moment(told.get("Created_Time")) or at),
        updated_at=iso(at),
        author=party(owner, owner.get("name")) if ident(owner) else None,
        **links,
    )


def deal_change(
    key: str, told: Mapping[str, Any], at: datetime | None, account: dict[str, Any] | None = None
) -> DealChange:
    """Return what a deal's values say."""
    stage = short(told.get("Stage"))
    outcome = {"closed won": "won", "closed lost": "lost", "closed-lost to competition": "lost"}.get(
        (stage or "").lower()
    )
    value, code = amount(told.get("Amount")), currency(told.get("Currency"))
    return DealChange(key, at, value, code, stage, outcome, account)


SOURCE = Source(
    name=NAME,
    verify=verify,
    parse=parse,
    refusal=acknowledged,
    options={
        "channel_id": "the channel's number, as you chose it",
        "refresh_token": "a refresh token of a self client, with client_id and client_secret: for fetching by API",
        "client_id": "the self client's id",
        "client_secret": "the self client's secret",
        "access_token": "or an access token, which Zoho ends after an hour",
        "accounts_url": "where tokens are given: https://accounts.zoho.com if left out; .eu, .in and so on elsewhere",
        **API_OPTIONS,
    },
    secret_options=frozenset({"access_token", "refresh_token", "client_secret"}),
    setup=Setup(
        en="1. binome connections add zoho --option channel_id=1000001 shows a token, at most 50 characters.\n"
        "2. POST /crm/v8/actions/watch with channel_id, token, notify_url {url}.\n"
        '3. events: ["Calls.all", "Events.all", "Tasks.all", "Deals.all"].\n'
        "4. return_affected_field_values: true, so that the text comes along where Zoho allows it.\n"
        "5. Channels expire within a week: renew them on schedule.\n"
        "6. For fetching: in the API console, a self client with the scopes ZohoCRM.modules.calls.READ, events.READ, "
        "tasks.READ and deals.READ; give its refresh_token, client_id and client_secret as options, and outside the US "
        "base_url (https://www.zohoapis.eu) and accounts_url (https://accounts.zoho.eu).",
        fr="1. binome connections add zoho --option channel_id=1000001 montre un jeton de 50 caractères au plus.\n"
        "2. POST /crm/v8/actions/watch avec channel_id, token, notify_url {url}.\n"
        '3. events : ["Calls.all", "Events.all", "Tasks.all", "Deals.all"].\n'
        "4. return_affected_field_values : true, pour recevoir le texte quand Zoho le permet.\n"
        "5. Un canal expire dans la semaine : renouvelez-le régulièrement.\n"
        "6. Pour la lecture par API : dans la console API, un « self client » avec les droits "
        "ZohoCRM.modules.calls.READ, events.READ, tasks.READ et deals.READ ; donnez en options refresh_token, "
        "client_id et client_secret et, hors des États-Unis, base_url (https://www.zohoapis.eu) et accounts_url "
        "(https://accounts.zoho.eu).",
    ),
    sample=json.dumps(
        {
            "server_time": 1757844000000,
            "module": "Calls",
            "operation": "insert",
            "ids": ["3652397000000649013"],
            "affected_values": [
                {
                    "record_id": "3652397000000649013",
                    "values": {"Description": "They find it too expensive.", "Owner": {"id": "77", "name": "R. M."}},
                }
            ],
            "resource_uri": "https://www.zohoapis.com/crm/v8/Calls",
            "channel_id": "1000001",
            "token": "TOKEN",
        }
    ),
)
