"""What is special about each vendor: order, deletion, merges, answers, published vectors."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lxml import etree

from service.errors import Problem
from service.source_tables import FetchTable
from service.sources.contract import Connection, Delivery
from service.sources.hubspot import decoded_uri
from service.sources.registry import SOURCES
from service.sources.salesforce import long_id
from service.tables import DealTable
from tests.sources.senders import ADMIN, INGEST_KEY, NOW, ORG, SIGNERS, notes, send

AT = 1_757_844_000_000


def event(text: str | None, at: int = AT, kind: str = "object.propertyChange", **fields: Any) -> dict[str, Any]:
    return {
        "eventId": 1,
        "subscriptionType": kind,
        "objectTypeId": "0-46",
        "objectId": 9007199254740993,
        "portalId": 62515,
        "occurredAt": at,
        "propertyName": "hs_note_body",
        "propertyValue": text,
        **fields,
    }


def texts(client: TestClient) -> list[str]:
    return [one["text"] for one in notes(client)]


def post(client: TestClient, source: str, body: Any, **how: Any) -> Any:
    answer = send(client, SIGNERS[source](body, **how))
    assert answer.status_code < 300, answer.text
    return answer


def test_hubspot_published_vectors() -> None:
    vector = "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"
    signed = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy" + "GET" + "https://www.example.com/webhook_uri"
    assert hashlib.sha256(signed.encode()).hexdigest() == vector
    delivery = Delivery("GET", "https://www.example.com/webhook_uri", {"x-hubspot-signature": vector}, [], "", b"", NOW)
    SOURCES["hubspot"].verify(delivery, Connection("hubspot", "main", ("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",)))
    assert decoded_uri("https://a.b/c?d=%2Fe%20f%3a") == "https://a.b/c?d=/e%20f:"


def test_hubspot_v1_never_counts(client: TestClient) -> None:
    request = SIGNERS["hubspot"]([event("x")])
    v1 = hashlib.sha256(b"hubspot-secret" + request.body).hexdigest()
    with_v1 = {"X-HubSpot-Signature": v1, "X-HubSpot-Signature-Version": "v1"}
    for headers in (request.headers | with_v1 | {"X-HubSpot-Signature-v3": "wrong"}, with_v1):
        assert client.post(request.path, content=request.body, headers=headers).status_code == 401


def test_hubspot_edits_unsorted_in_one_batch_and_the_secret_before(client: TestClient) -> None:
    post(client, "hubspot", [event("Third.", AT + 2), event("First.", AT), event("Second.", AT + 1)])
    assert texts(client) == ["Third."]
    post(client, "hubspot", [event("Older.", AT + 1)], secret="hubspot-before")
    assert texts(client) == ["Third."]
    (note,) = notes(client)
    assert note["external_id"] == "0-46:9007199254740993"


def test_hubspot_deletion_first_and_restoring(client: TestClient, engine: sa.Engine) -> None:
    post(client, "hubspot", [event(None, AT + 5, "object.deletion")])
    post(client, "hubspot", [event("Late.", AT + 5)])
    assert texts(client) == []
    post(client, "hubspot", [event(None, AT + 6, "object.restore"), event("Born again.", AT + 7)])
    assert texts(client) == ["Born again."]
    post(client, "hubspot", [event(None, AT + 1, "object.privacyDeletion"), event("No.", AT + 99)])
    assert texts(client) == []
    with engine.connect() as connection:
        assert connection.scalar(sa.select(FetchTable.state)) == "waiting"


def test_hubspot_bad_items_do_not_lose_the_rest(client: TestClient) -> None:
    batch = [
        5,
        None,
        event("Kept.\x00\ud800"),
        event("Foreign.", portalId=7),
        {"subscriptionType": "x.y", "portalId": 62515},
    ]
    post(client, "hubspot", batch)
    assert texts(client) == ["Kept.?"]
    faults = client.get("/v1/sources/faults", headers=ADMIN).json()["items"]
    assert sorted(one["code"] for one in faults) == ["foreign_portal", "no_id", "shape", "shape"]
    for wrong in ([], [event("x")] * 101):
        assert post(client, "hubspot", wrong).json() == {"result": "set_aside", "code": "invalid_input"}
    assert texts(client) == ["Kept.?"]


def test_hubspot_deal_s_outcome(client: TestClient, engine: sa.Engine) -> None:
    deal = {"objectTypeId": "0-3", "objectId": 104}
    post(
        client,
        "hubspot",
        [
            event("closedwon", AT + 2, propertyName="dealstage", **deal),
            event("1200.5", AT + 1, propertyName="amount", **deal),
        ],
    )
    with engine.connect() as connection:
        row = connection.execute(sa.select(DealTable.amount, DealTable.outcome)).one()
    assert tuple(row) == (1200.5, "won")


ENVELOPE = (
    '<?xml version="1.0" encoding="{encoding}"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
    '<e:Body><n:notifications xmlns:n="http://soap.sforce.com/2005/09/outbound"><n:OrganizationId>{org}'
    "</n:OrganizationId>{records}</n:notifications></e:Body></e:Envelope>"
)


def soap(*records: dict[str, str], org: str = ORG, encoding: str = "UTF-8") -> bytes:
    parts = []
    for number, record in enumerate(records):
        fields = "".join(f"<s:{name}>{value}</s:{name}>" for name, value in record.items())
        body = f'<n:sObject xmlns:s="urn:x">{fields}</n:sObject>' if record else ""
        parts.append(f"<n:Notification><n:Id>04l00000000000{number:x}AAA</n:Id>{body}</n:Notification>")
    return ENVELOPE.format(org=org, records="".join(parts), encoding=encoding).encode(encoding)


def test_salesforce_ack_and_encodings(client: TestClient, engine: sa.Engine) -> None:
    task = {"Id": "00T000000000001", "Description": "Prix élevé", "WhatId": "006000000000002"}
    opportunity = {"Id": "006000000000002AAA", "Amount": "500", "IsClosed": "true", "IsWon": "false"}
    answer = post(client, "salesforce", soap(task, opportunity, {}, org=ORG[:15], encoding="iso-8859-1"))
    assert answer.headers["content-type"].startswith("text/xml")
    assert etree.fromstring(answer.content).findtext(".//{*}Ack") == "true"
    (note,) = notes(client)
    assert (note["text"], note["external_id"]) == ("Prix élevé", "00T000000000001EAA")
    assert note["deal"]["outcome"] == "lost"


def test_salesforce_ids() -> None:
    assert long_id("0013000000IZ3Ab") == long_id(long_id("0013000000IZ3Ab"))
    assert long_id("00D000000000062") == ORG
    assert long_id("short") == ""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (soap({}, org="00D000000000099AAA"), 401),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 400),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', 400),
        (b"<a/>", 422),
        (b"\xff", 400),
    ],
)
def test_salesforce_refuses(client: TestClient, body: bytes, status: int) -> None:
    answer = send(client, SIGNERS["salesforce"](body))
    assert answer.status_code == status
    assert "Ack" not in answer.text


def test_pipedrive_deletion_and_deal(client: TestClient, engine: sa.Engine) -> None:
    created = json.loads(SOURCES["pipedrive"].sample)
    post(client, "pipedrive", created)
    won = {"meta": {"id": "e2", "entity": "deal", "entity_id": "104", "action": "change"}, "data": {"status": "won"}}
    post(client, "pipedrive", won)
    assert notes(client)[0]["deal"]["outcome"] == "won"
    gone = {**created["meta"], "id": "e3", "action": "delete", "timestamp": "2026-09-15T00:00:00Z"}
    post(client, "pipedrive", {"meta": gone, "data": None, "previous": {"id": 417}})
    assert texts(client) == []


def test_zoho_wants_texts_as_proof(client: TestClient) -> None:
    for token in (5, None, True, ["zoho-token-1"], {"a": 1}):
        body = {"module": "Calls", "operation": "delete", "ids": ["1"], "token": token}
        assert send(client, SIGNERS["zoho"](body)).status_code == 401


def test_gong_binds_url_and_body(client: TestClient) -> None:
    body = json.loads(SOURCES["gong"].sample)
    for claims in ({"webhook_url": "https://elsewhere.example"}, {"body_sha256": "0" * 64}):
        assert send(client, SIGNERS["gong"](body, **claims)).status_code == 401
    assert post(client, "gong", {**body, "isTest": True}).json() == {"results": {"skipped": 1}}


def test_standard_repeats_by_id_and_deletes(client: TestClient) -> None:
    body = json.loads(SOURCES["standard"].sample)
    post(client, "standard", body, key="a")
    assert post(client, "standard", body, key="a").json() == {"results": {"duplicate": 1}}
    post(
        client,
        "standard",
        {"type": "note.deleted", "timestamp": body["timestamp"], "data": {"id": "call-1042"}},
        key="b",
    )
    assert texts(client) == []


def test_cloudevents_of_the_sdk(client: TestClient) -> None:
    attributes = {"id": "1", "source": "/crm", "type": "note.created", "specversion": "1.0"}
    attributes["datacontenttype"] = "application/json"
    for number, convert in enumerate((to_binary, to_structured)):
        made = CloudEvent(attributes | {"id": str(number)}, {"id": f"n{number}", "text": "Too expensive."})
        message = convert(made, JSONFormat())
        headers = {**message.headers, "Authorization": f"Bearer {INGEST_KEY}"}
        answer = client.post("/v1/webhooks/cloudevents", content=message.body, headers=headers)
        assert answer.status_code == 202, answer.text
    assert len(notes(client)) == 2


def test_cloudevents_batches_and_refusals(client: TestClient) -> None:
    headers = {"Authorization": f"Bearer {INGEST_KEY}", "Content-Type": "application/cloudevents-batch+json"}
    good = json.loads(SOURCES["cloudevents"].sample)
    answer = client.post("/v1/webhooks/cloudevents", json=[good, {"id": "2"}, 5], headers=headers)
    assert answer.status_code == 202
    assert answer.json() == {"results": {"created": 1, "set_aside": 2}}
    for spoilt, kind, status in (
        ({**good, "specversion": "0.3"}, "application/cloudevents+json", 400),
        ({**good, "id": ""}, "application/cloudevents+json", 400),
        ({**good, "data_base64": "*"}, "application/cloudevents+json", 400),
        (good, "application/cloudevents+avro", 415),
        (good, "application/json", 415),
    ):
        sent = client.post("/v1/webhooks/cloudevents", json=spoilt, headers=headers | {"Content-Type": kind})
        assert sent.status_code == status, (kind, sent.text)
    encoded = base64.b64encode(json.dumps({"id": "b", "text": "Slow."}).encode()).decode()
    event_ = {key: value for key, value in good.items() if key != "data"} | {"id": "b", "data_base64": encoded}
    kind = {"Content-Type": "application/cloudevents+json"}
    assert client.post("/v1/webhooks/cloudevents", json=event_, headers=headers | kind).status_code == 202
    handshake = client.options("/v1/webhooks/cloudevents", headers={"WebHook-Request-Origin": "eventemitter.example"})
    assert handshake.headers["WebHook-Allowed-Origin"] == "eventemitter.example"
    assert client.options("/v1/webhooks/cloudevents").status_code == 405


def test_slack_challenge_edit_and_deletion(client: TestClient) -> None:
    answer = post(client, "slack", {"type": "url_verification", "challenge": "c"})
    assert answer.json() == {"challenge": "c"}
    assert (
        send(client, SIGNERS["slack"]({"type": "url_verification", "challenge": "c"}, secret="other-one")).status_code
        == 401
    )
    first = json.loads(SOURCES["slack"].sample)
    post(client, "slack", first)
    assert texts(client) == ["@Ann they find it too expensive & slow"]
    assert post(client, "slack", first).json() == {"results": {"duplicate": 1}}
    gone = {"type": "message", "subtype": "message_deleted", "channel": "C061EG9SL", "event_ts": "1757844100.0"}
    body = {"type": "event_callback", "event_id": "Ev2", "event": {**gone, "deleted_ts": first["event"]["ts"]}}
    post(client, "slack", body)
    assert texts(client) == []


def test_local_numbers_and_a_mapping(client: TestClient) -> None:
    post(client, "zapier", {"id": "1", "text": "Cher.", "deal_id": "d", "montant": "18\u202f000,00 €", "client": ""})
    post(client, "make", {"id": 2, "Corps": "Trop lent.", "date": "03/02/2026"})
    first, second = notes(client)
    assert (first["deal"]["amount"], first["deal"]["currency"], first["account"]) == (18000.0, "EUR", None)
    assert (second["text"], second["occurred_at"]) == ("Trop lent.", "2026-02-03T00:00:00Z")


def test_mailgun_token_counts_once(client: TestClient) -> None:
    raw = SOURCES["mail"].sample
    post(client, "mailgun", raw)
    assert notes(client)[0]["author"]["id"] == "ann@firm.example"
    assert post(client, "mailgun", raw).json() == {"results": {"duplicate": 1}}
    assert send(client, SIGNERS["mailgun"](raw.replace("expensive", "slow"))).status_code == 401
    assert send(client, SIGNERS["mailgun"]("no mail", token="z9")).status_code == 406


def test_mail_of_unknown_people_has_no_author(client: TestClient) -> None:
    raw = SOURCES["mail"].sample
    post(client, "mail", raw.encode())
    post(client, "mail", raw.replace("expensive", "slow").encode())
    first, second = notes(client)
    assert first["author"] is None
    assert second["external_id"].startswith(first["external_id"] + "~")
    reply = raw.replace("Subject:", "Auto-Submitted: auto-replied\r\nSubject:").replace("w37", "w38")
    assert post(client, "mail", reply.encode()).json() == {"results": {"skipped": 1}}


def test_connections_are_managed_and_secrets_not_shown(client: TestClient) -> None:
    made = client.post("/v1/connections", json={"source": "slack", "name": "two"}, headers=ADMIN)
    assert made.status_code == 201, made.text
    secret, path = made.json()["secret"], f"/v1/connections/{made.json()['id']}"
    assert secret not in client.get("/v1/connections", headers=ADMIN).text
    body = {"type": "url_verification", "challenge": "c"}
    post(client, "slack", body, secret=secret)
    rotated = client.post(f"{path}/rotate", json={}, headers=ADMIN).json()["secret"]
    post(client, "slack", body, secret=secret)
    post(client, "slack", body, secret=rotated)
    client.patch(path, json={"disabled": True}, headers=ADMIN)
    assert send(client, SIGNERS["slack"](body, secret=rotated)).status_code == 410
    assert client.delete(path, headers=ADMIN).status_code == 204
    assert send(client, SIGNERS["slack"](body, secret=rotated)).status_code == 401
    for wrong in ({"source": "nobody"}, {"source": "salesforce"}, {"source": "slack", "options": {"x": 1}}):
        assert client.post("/v1/connections", json=wrong, headers=ADMIN).status_code == 422
    assert client.get("/v1/connections").status_code == 401


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)


@pytest.mark.parametrize("name", ["hubspot", "pipedrive", "zoho", "dynamics", "gong", "slack", "generic", "postmark"])
@hypothesis_settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_parsers_raise_only_problems(name: str, data: st.DataObject) -> None:
    """Any value in any place of a sample."""
    document = json.loads(SOURCES[name].sample)
    target = document
    while isinstance(target, dict | list) and target:
        places = list(target) if isinstance(target, dict) else range(len(target))
        place = data.draw(st.sampled_from(list(places)))
        if not isinstance(target[place], dict | list) or data.draw(st.booleans()):
            target[place] = data.draw(JSONS)
            break
        target = target[place]
    headers = {"x-hubspot-signature-v3": "proved"}
    delivery = Delivery("POST", "https://x.example", headers, [], "", json.dumps(document).encode(), NOW)
    with suppress(Problem):
        SOURCES[name].parse(delivery, Connection(name, "main", ("secret",)))
