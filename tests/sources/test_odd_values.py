"""Values that senders write in ways of their own: what is unset, days without marks, proofs of other types."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.sources.registry import SOURCES
from tests.sources.senders import ADMIN, INGEST_KEY, ORG, SIGNERS, notes, send
from tests.sources.test_vendors import post, soap, texts

EVENT = {"specversion": "1.0", "id": "e1", "source": "/crm", "type": "note.created"}
JSON = {"datacontenttype": "application/json"}


def test_merge_fields_that_a_flow_has_not_set(client: TestClient) -> None:
    unset: dict[str, Any] = {
        "author": {"id": "", "name": ""},
        "account": {"id": "", "name": "Harrow", "segment": ""},
        "deal": {"id": "", "amount": "", "currency": "", "stage": "", "outcome": ""},
        **{name: "" for name in ("kind", "language", "occurred_at", "updated_at")},
    }
    answer = client.post(
        "/v1/notes",
        json={"external_id": "f1", "text": "<p>Too dear</p>", **unset},
        headers={"Authorization": f"Bearer {INGEST_KEY}"},
    )
    assert answer.status_code == 202, answer.text
    (note,) = notes(client)
    assert (note["text"], note["author"], note["account"]["name"], note["deal"]) == ("Too dear", None, "Harrow", None)


@pytest.mark.parametrize(
    ("spoilt", "field"),
    [({"text": ""}, "text"), ({"colour": ""}, "colour"), ({"deal": {"id": "", "amount": 5}}, "deal.id")],
)
def test_what_is_needed_may_not_be_unset(client: TestClient, spoilt: dict[str, Any], field: str) -> None:
    answer = client.post("/v1/notes", json={"external_id": "f1", "text": "Dear.", **spoilt}, headers=ADMIN)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("written", "day"), [("20260203", "2026-02-03"), ("46056", "2026-02-03"), ("1770105600", "2026-02-03"), ("5", "")]
)
def test_a_day_of_digits_alone(client: TestClient, written: str, day: str) -> None:
    answer = send(client, SIGNERS["zapier"]({"external_id": "d", "text": "Dear.", "date": written}))
    assert answer.status_code == (202 if day else 422)
    assert [note["occurred_at"][:10] for note in notes(client)] == [day] * bool(day)


@pytest.mark.parametrize("channel", [1000001, ["1000001"], None])
def test_a_channel_of_zoho_is_a_text(client: TestClient, channel: Any) -> None:
    body = {"module": "Calls", "operation": "delete", "ids": ["1"], "channel_id": channel}
    assert send(client, SIGNERS["zoho"](body)).status_code == 401


def test_a_message_that_names_a_second_organisation(client: TestClient) -> None:
    message = soap({"Id": "00T000000000001", "Description": "Never."})
    told = message.replace(
        b"</n:OrganizationId>", b"</n:OrganizationId><n:OrganizationId>00D000000000063EAA</n:OrganizationId>"
    )
    assert told != message
    answer = send(client, SIGNERS["salesforce"](told))
    assert answer.status_code == 401
    assert "Ack" not in answer.text
    assert texts(client) == []
    assert ORG.encode() in told


def test_every_v1_signature_is_tried(client: TestClient) -> None:
    request = SIGNERS["standard"]({"type": "note.created", "data": {"id": "a", "text": "Dear."}})
    right = request.headers["webhook-signature"].split()[-1]
    many = replace(request, headers={**request.headers, "webhook-signature": "v1,AAAA " * 400 + right})
    assert send(client, many).status_code == 202


@pytest.mark.parametrize(
    ("fields", "answer", "found"),
    [
        ({**JSON, "data_base64": "eyJ0ZXh0IjogIlRvbyBkZWFyLiJ9"}, 202, ["Too dear."]),
        ({"datacontenttype": "text/plain", "data_base64": "VG9vIGRlYXIu"}, 202, ["Too dear."]),
        ({**JSON, "data_base64": "VG9vIGRlYXIu"}, 400, []),
        ({**JSON, "data_base64": 5}, 400, []),
        ({**JSON, "data_base64": "eyJ0ZXh0IjogIkEuIn0=", "data": {"text": "B."}}, 400, []),
        ({"datacontenttype": "application/pdf", "data_base64": base64.b64encode(b"%PDF\xff\xfe").decode()}, 400, []),
        ({**JSON, "data": []}, 202, []),
    ],
)
def test_bytes_within_an_event(client: TestClient, fields: dict[str, Any], answer: int, found: list[str]) -> None:
    assert send(client, SIGNERS["cloudevents"](EVENT | fields)).status_code == answer
    assert texts(client) == found


@pytest.mark.parametrize("identity", ["\x80", "é", "€ 5"])
def test_an_id_of_postmark_that_is_not_ascii(client: TestClient, identity: str) -> None:
    message = json.loads(SOURCES["postmark"].sample) | {"MessageID": identity}
    for _ in range(2):
        post(client, "postmark", message)
    assert len(texts(client)) == 1
