"""A deal's later outcome counts for earlier notes, whichever CRM tells it; an older message takes none back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.sources.senders import ADMIN, notes
from tests.sources.test_vendors import post, soap

TEXT = "They find it too expensive."
DEAL = "b1b1b1b1-0000-0000-0000-0000000000aa"


def salesforce_note() -> bytes:
    return soap({"Id": "00T000000000001", "Description": TEXT, "WhatId": "006000000000002"})


def salesforce_deal(day: int, state: str) -> bytes:
    fields = {"IsClosed": str(state != "open").lower(), "IsWon": str(state == "won").lower()}
    message = soap({"Id": "006000000000002AAA", "LastModifiedDate": f"2026-09-{day:02}T10:00:00Z", **fields})
    return message.replace(b"04l000000000000", f"04l0000000000{day:02}".encode())  # a notification of its own


def pipedrive_note() -> dict[str, Any]:
    meta = {"id": "n1", "entity": "note", "entity_id": "417", "action": "create", "timestamp": "2026-09-01T10:00:00Z"}
    return {"meta": meta, "data": {"id": 417, "content": TEXT, "deal_id": 104}, "previous": None}


def pipedrive_deal(day: int, state: str) -> dict[str, Any]:
    at = f"2026-09-{day:02}T10:00:00Z"
    meta = {"id": f"d{day}", "entity": "deal", "entity_id": "104", "action": "change", "timestamp": at}
    return {"meta": meta, "data": {"id": 104, "status": state, "update_time": at}, "previous": {}}


def zoho(module: str, key: str, day: int, **values: Any) -> dict[str, Any]:
    return {
        "server_time": 1_788_220_800_000 + day * 86_400_000, "module": module, "operation": "update", "ids": [key],
        "affected_values": [{"record_id": key, "values": values}],
    }  # fmt: skip


def zoho_note() -> dict[str, Any]:
    return zoho("Calls", "21", 0, Description=TEXT, What_Id={"id": "900"})


def zoho_deal(day: int, state: str) -> dict[str, Any]:
    stages = {"won": "Closed Won", "lost": "Closed Lost", "open": "Proposal"}
    return zoho("Deals", "900", day, Stage=stages[state])


def dynamics(entity: str, key: str, day: int, **values: Any) -> dict[str, Any]:
    attributes = [{"key": name, "value": value} for name, value in values.items()]
    return {
        "MessageName": "Update", "PrimaryEntityName": entity, "PrimaryEntityId": key,
        "OperationCreatedOn": f"/Date({1_788_220_800_000 + day * 86_400_000})/",
        "InputParameters": [{"key": "Target", "value": {"Attributes": attributes}}],
    }  # fmt: skip


def dynamics_note() -> dict[str, Any]:
    about = {"LogicalName": "opportunity", "Id": DEAL, "Name": "Rollout"}
    return dynamics("phonecall", "c1c1c1c1-0000-0000-0000-000000000001", 0, description=TEXT, regardingobjectid=about)


def dynamics_deal(day: int, state: str) -> dict[str, Any]:
    return dynamics("opportunity", DEAL, day, statecode={"Value": ["open", "won", "lost"].index(state)})


CRMS = {
    "salesforce": (salesforce_note, salesforce_deal),
    "pipedrive": (pipedrive_note, pipedrive_deal),
    "zoho": (zoho_note, zoho_deal),
    "dynamics": (dynamics_note, dynamics_deal),
}


def counted(client: TestClient, outcome: str) -> int:
    return int(client.get("/v1/notes", params={"outcome": outcome}, headers=ADMIN).json()["total"])


@pytest.mark.parametrize("source", CRMS)
def test_a_later_outcome_counts_for_earlier_notes(client: TestClient, source: str) -> None:
    note, deal = CRMS[source]
    post(client, source, note())
    assert counted(client, "open") == 1
    post(client, source, deal(9, "won"))
    assert (counted(client, "won"), counted(client, "open")) == (1, 0)
    post(client, source, deal(5, "lost"))
    assert counted(client, "won") == 1, "an older message comes late"
    post(client, source, deal(12, "lost"))
    assert (counted(client, "lost"), counted(client, "won")) == (1, 0)
    assert notes(client)[0]["deal"]["outcome"] == "lost"


@pytest.mark.parametrize("source", CRMS)
def test_an_outcome_that_comes_before_the_note_counts_too(client: TestClient, source: str) -> None:
    note, deal = CRMS[source]
    post(client, source, deal(9, "won"))
    post(client, source, note())
    assert counted(client, "won") == 1, json.dumps(notes(client)[0]["deal"])
