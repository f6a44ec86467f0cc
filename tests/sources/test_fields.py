"""What is stored of a delivery that was acknowledged: every field that the reference of sources maps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.source_tables import KeptDeliveryTable, SetAsideTable
from tests.imports.files import mail
from tests.sources.senders import SIGNERS, Request, notes, send
from tests.sources.test_reference import dynamics, pipedrive
from tests.sources.test_vendors import AT, event, soap

TASK = {
    "Id": "00T5g0000AbCdEf", "Subject": "Call", "Description": "Too dear.", "OwnerId": "0055g00000AbCdE",
    "WhoId": "0035g00000AbCdE", "WhatId": "0065g00000AbCdE", "AccountId": "0015g00000AbCdE",
    "ActivityDate": "2026-08-05", "LastModifiedDate": "2026-09-14T10:00:00.000Z", "CallDisposition": "Voicemail",
}  # fmt: skip
PIPEDRIVE = {
    "id": 7, "content": "<p>Too dear.</p>", "add_time": "2026-08-05T08:00:00Z", "user_id": 55, "deal_id": 104,
    "update_time": "2026-09-14T10:00:00Z", "org_id": {"value": 19, "name": "Harrow"},
}  # fmt: skip
ZOHO = {
    "module": "Calls", "operation": "insert", "server_time": AT, "ids": ["41"],
    "affected_values": [{"record_id": "41", "values": {
        "Description": "Too dear.", "Owner": {"id": "7", "name": "Ann"}, "What_Id": {"id": "33"},
        "Call_Start_Time": "2026-08-05T10:00:00+02:00",
    }}],
}  # fmt: skip
RECORD = dynamics("Create", "{0A-1}", AT, notetext="Too dear.", createdon="/Date(1785916800000+0200)/")
RECORD["InputParameters"][0]["value"]["Attributes"] += [
    {"key": "ownerid", "value": {"LogicalName": "systemuser", "Id": "{U-1}", "Name": "Ann"}},
    {"key": "objectid", "value": {"LogicalName": "account", "Id": "{A-19}", "Name": "Harrow"}},
]
OWN = {
    "external_id": "c-7", "text": "Too dear.", "date": "05/08/2026 10:00", "account": "Harrow", "deal_id": "d-9",
    "amount": "18\u202f000,50\u00a0€", "stage": "Proposal", "owner": "Ann", "segment": "",
}  # fmt: skip
MESSAGE = {
    "type": "message", "channel": "C1", "ts": "1785916800.000100", "event_ts": "1785916800.000100", "user": "U1",
    "text": "Too dear.",
}  # fmt: skip

# of each sender: what it sends, and what the note holds
STORED: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "hubspot": (
        "hubspot",
        [event("<p>Too dear.</p>", objectTypeId="0-47", propertyName="hs_meeting_body", sourceId="userId:77")],
        {"external_id": "0-47:9007199254740993", "kind": "meeting_note", "author": "userId:77"}
        | {"occurred_at": "2025-09-14T10:00:00Z"},
    ),
    "salesforce": (
        "salesforce",
        soap(TASK),
        {"text": "Call\n\nToo dear.\n\nVoicemail", "author": "0055g00000AbCdEAAV", "account": "0015g00000AbCdEAAV"}
        | {"deal": "0065g00000AbCdEAAV", "occurred_at": "2026-08-05T00:00:00Z", "external_id": "00T5g0000AbCdEfEQK"},
    ),
    "pipedrive": (
        "pipedrive",
        pipedrive("create", PIPEDRIVE, "2026-09-14T10:00:00Z"),
        {"external_id": "7", "author": "55", "account": "19", "name": "Harrow", "deal": "104"}
        | {"occurred_at": "2026-08-05T08:00:00Z"},
    ),
    "zoho": ("zoho", ZOHO, {"external_id": "41", "author": "7", "deal": "33", "occurred_at": "2026-08-05T08:00:00Z"}),
    "dynamics": (
        "dynamics",
        RECORD,
        {"external_id": "0a-1", "author": "u-1", "account": "a-19", "name": "Harrow"}
        | {"occurred_at": "2026-08-05T08:00:00Z"},
    ),
    "slack": (
        "slack",
        {"type": "event_callback", "event_id": "Ev1", "event": MESSAGE},
        {"external_id": "C1:1785916800.000100", "author": "U1", "kind": "debrief"}
        | {"occurred_at": "2026-08-05T08:00:00.000100Z"},
    ),
    "own code": (
        "zapier",
        OWN,
        {"external_id": "c-7", "author": "Ann", "name": "Harrow", "deal": "d-9", "amount": 18000.5, "currency": "EUR"}
        | {"stage": "Proposal", "occurred_at": "2026-08-05T10:00:00Z"},
    ),
    "own code, a mapped field that is missing": ("make", {"id": "m", "text": "Too dear."}, {"external_id": "m"}),
    "mail": (
        "mailgun",
        bytes(mail("Too dear.", From="Ann <ann@firm.example>", Message_ID="<m@x>")),
        {"text": "Harrow Foods\n\nToo dear.", "external_id": "m@x", "author": "ann@firm.example", "kind": "email"},
    ),
    "mail, an address as the name of another": (
        "mailgun",
        bytes(mail("Too dear.", From="ann@firm.example <eve@elsewhere.example>", Message_ID="<m@x>")),
        {"text": "Harrow Foods\n\nToo dear.", "author": None},
    ),
}  # fmt: skip


def seen(note: dict[str, Any]) -> dict[str, Any]:
    """Flatten what a note says of persons, accounts and deals."""
    author, account, deal = (note[name] or {} for name in ("author", "account", "deal"))
    return {
        **{name: note[name] for name in ("external_id", "kind", "text", "occurred_at")},
        **{"author": author.get("id"), "account": account.get("id"), "name": account.get("name")},
        **{"deal": deal.get("id"), **{name: deal.get(name) for name in ("amount", "currency", "stage")}},
    }


@pytest.mark.parametrize("name", STORED)
def test_what_is_stored(client: TestClient, name: str) -> None:
    sender, body, right = STORED[name]
    answer = send(client, SIGNERS[sender](body))
    assert answer.status_code in {200, 202}, answer.text
    (note,) = notes(client)
    found = seen(note)
    right = {"text": "Too dear.", **right}
    if "occurred_at" in right:
        found["occurred_at"], right["occurred_at"] = (
            datetime.fromisoformat(one["occurred_at"]) for one in (found, right)
        )
    assert {field: found[field] for field in right} == right


@pytest.mark.parametrize("name", ["hubspot", "salesforce", "zapier"])
def test_an_address_may_end_in_a_slash(client: TestClient, name: str) -> None:
    bodies = {"hubspot": [event("Dear.")], "salesforce": soap(TASK), "zapier": OWN}
    request = SIGNERS[name](bodies[name])
    if name == "hubspot":  # the address is signed
        assert client.post("/v1/webhooks/hubspot/", content=request.body, headers=request.headers).status_code == 401
        return
    slashed = Request(f"{request.path}/", request.headers, request.body)
    assert send(client, slashed).status_code in {200, 202}
    assert len(notes(client)) == 1


def test_what_is_kept_of_a_note_goes_with_it(client: TestClient, engine: sa.Engine) -> None:
    both = [
        {"external_id": "f1", "text": "", "account": "Harrow"},
        {"external_id": "f2", "text": "", "account": "Aubry"},
    ]
    assert send(client, SIGNERS["zapier"](both)).status_code == 202
    assert send(client, SIGNERS["zapier"]({"external_id": "f1", "deleted": True})).status_code == 202
    with engine.connect() as connection:
        faults = connection.execute(
            sa.select(SetAsideTable.external_id, SetAsideTable.state, SetAsideTable.payload, SetAsideTable.kept_id)
        ).all()
        assert connection.scalar(sa.select(sa.func.count()).select_from(KeptDeliveryTable)) == 0
    gone, other = sorted(faults)
    assert tuple(gone) == ("f1", "dismissed", "", None)
    assert (other.state, other.kept_id, "Aubry" in other.payload) == ("open", None, True)
