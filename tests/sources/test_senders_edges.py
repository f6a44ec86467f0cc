"""Rare deliveries: entities without tags, encodings, v2 for events, what is left of a deleted message, secrets."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.source_tables import KeptDeliveryTable
from service.sources.contract import Connection, Delivery, NoteChange
from service.sources.faults.keeping import keep
from service.sources.queries import link_contacts
from service.sources.registry import SOURCES
from service.sources.storing import store_changes
from tests.imports.files import mail
from tests.sources.senders import ADMIN, ORG, SIGNERS, multipart, notes, send
from tests.sources.test_vendors import AT, event, post, soap, texts
from tests.work import note


def test_html_fields_may_hold_entities_alone(client: TestClient) -> None:
    post(client, "hubspot", [event("Prix &eacute;lev&eacute;\nR&amp;D, 5 &lt; 6")])
    pipedrive = json.loads(SOURCES["pipedrive"].sample)
    pipedrive["data"]["content"] = "Slow &amp; dear"
    post(client, "pipedrive", pipedrive)
    dynamics = json.loads(SOURCES["dynamics"].sample)
    dynamics["InputParameters"][0]["value"]["Attributes"][0]["value"] = "A&nbsp;&lt;p&gt;"
    post(client, "dynamics", dynamics)
    assert texts(client) == ["Prix élevé\nR&D, 5 < 6", "Slow & dear", "A\u00a0<p>"]


def test_hubspot_events_need_v3(client: TestClient) -> None:
    assert send(client, SIGNERS["hubspot v2"]([event("x")])).status_code == 401
    assert send(client, SIGNERS["hubspot v2"](event("x"))).status_code == 401
    assert send(client, SIGNERS["hubspot v2"]({"external_id": "w", "text": "Slow."})).status_code == 200
    assert texts(client) == ["Slow."]


def test_hubspot_privacy_deletion_of_a_contact_alone_asks_for_erasure(client: TestClient) -> None:
    company = event(None, AT, "object.privacyDeletion", objectTypeId="0-2")
    assert post(client, "hubspot", [company]).json() == {"results": {"skipped": 1}}
    contact = event(None, AT, "contact.privacyDeletion", objectTypeId=None)
    assert post(client, "hubspot", [contact]).json() == {"results": {"set_aside": 1}}


def test_hubspot_merged_contacts_are_erased_with_the_one_that_is_left(client: TestClient, engine: sa.Engine) -> None:
    for number in range(1, 5):
        post(client, "hubspot", [event(f"Note {number}.", objectId=number)])
    with write_session(engine) as session:
        for number, contact in ((1, "101"), (2, "102"), (3, "103"), (4, "104")):
            link_contacts(session, "hubspot", f"0-46:{number}", [contact])
    merge = {"objectTypeId": "0-1", "objectId": 102}
    first = event(None, AT, "object.merge", primaryObjectId=102, mergedObjectIds=[101], **merge)
    again = event(None, AT + 1, "contact.merge", primaryObjectId=102, mergedObjectIds=[103], newObjectId=900, **merge)
    assert post(client, "hubspot", [again, first]).json() == {"results": {"merged": 2}}
    post(client, "hubspot", [event(None, AT + 9, "contact.privacyDeletion", objectTypeId="0-1", objectId=900)])
    assert texts(client) == ["Note 4."]


@pytest.mark.parametrize("together", [True, False])
def test_hubspot_contact_that_is_merged_into_an_erased_one_is_erased_too(
    client: TestClient, engine: sa.Engine, together: bool
) -> None:
    post(client, "hubspot", [event("Note 1.", objectId=1)])
    with write_session(engine) as session:
        link_contacts(session, "hubspot", "0-46:1", ["101"])
    erasure = event(None, AT + 1, "contact.privacyDeletion", objectTypeId="0-1", objectId=102)
    merge = event(
        None, AT + 2, "object.merge", objectTypeId="0-1", objectId=102, primaryObjectId=102, mergedObjectIds=[101]
    )
    for batch in ([erasure, merge],) if together else ([erasure], [merge]):
        post(client, "hubspot", batch)
    assert texts(client) == []
    post(client, "hubspot", [event("It must not come back.", AT + 999_999, objectId=1)])
    assert texts(client) == []


def test_hubspot_words_that_come_back_a_millisecond_later(client: TestClient) -> None:
    for number, order in ((1, (0, 1)), (2, (1, 0))):
        edits = [event(None, AT + 7, objectId=number), event("Back.", AT + 8, objectId=number)]
        for place in order:
            post(client, "hubspot", [edits[place]])
    assert texts(client) == ["Back.", "Back."]


def test_mailgun_token_of_a_refused_message_is_used_up(client: TestClient) -> None:
    sign = SIGNERS["mailgun"]
    assert [send(client, sign("no message", token="t1")).status_code for _ in range(2)] == [406, 406]
    assert send(client, sign(SOURCES["mail"].sample, token="t1")).status_code == 401
    assert notes(client) == []


def test_standard_signature_in_a_second_header(client: TestClient) -> None:
    body = {"type": "note.created", "data": {"external_id": "a", "text": "Too dear."}}
    for number, joined in enumerate((False, True)):
        request = SIGNERS["standard"](body, key=f"m{number}")
        right = request.headers.pop("webhook-signature").split()[-1]
        values = [f"v1,AAAA, {right}"] if joined else ["v1,AAAA", right]
        headers = [*request.headers.items(), *(("webhook-signature", value) for value in values)]
        assert client.post(request.path, content=request.body, headers=headers).status_code == 202


def test_gzip_of_several_members(client: TestClient) -> None:
    request = SIGNERS["hubspot"]([event("Packed.")])
    half = len(request.body) // 2
    packed = gzip.compress(request.body[:half]) + gzip.compress(request.body[half:])
    headers = request.headers | {"Content-Encoding": "gzip"}
    assert client.post(request.path, content=packed, headers=headers).status_code == 202
    assert client.post(request.path, content=packed + b"rest", headers=headers).status_code == 400
    assert texts(client) == ["Packed."]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "windows-1252", "shift_jis"])
def test_salesforce_in_other_encodings(client: TestClient, encoding: str) -> None:
    text = "\u65e5\u672c" if encoding == "shift_jis" else "Prix élevé"
    post(client, "salesforce", soap({"Id": "00T000000000001", "Description": text}, encoding=encoding))
    assert texts(client) == [text]


def test_salesforce_encoding_of_the_header_alone(client: TestClient) -> None:
    body = soap({"Id": "00T000000000001", "Description": "Prix élevé"}, encoding="iso-8859-1").split(b"?>", 1)[1]
    request = SIGNERS["salesforce"](body)
    assert send(client, request).status_code == 400
    request.headers["Content-Type"] = "text/xml; charset=nonsense"
    assert send(client, request).status_code == 400
    request.headers["Content-Type"] = "text/xml; charset=ISO-8859-1"
    assert send(client, request).status_code == 200
    assert texts(client) == ["Prix élevé"]


def test_salesforce_dtd_in_another_encoding(client: TestClient) -> None:
    document = f'<?xml version="1.0" encoding="utf-16-le"?><!DOCTYPE a [<!ENTITY x "y">]><a>{ORG}&x;</a>'
    assert send(client, SIGNERS["salesforce"](document.encode("utf-16-le"))).status_code == 400


def slack_edit(number: int, **message: Any) -> dict[str, Any]:
    first = json.loads(SOURCES["slack"].sample)["event"]
    at = f"17578441{number:02}.000100"
    changed = {"type": "message", "subtype": "message_changed", "channel": first["channel"], "event_ts": at}
    return {
        "type": "event_callback",
        "event_id": f"Ev{number}",
        "event": {**changed, "message": {"user": first["user"], "ts": first["ts"], **message}},
    }


def test_slack_text_is_no_html_and_a_tombstone_deletes(client: TestClient) -> None:
    post(client, "slack", json.loads(SOURCES["slack"].sample))
    post(client, "slack", slack_edit(1, text="The &lt;b&gt; button &amp; 5 &lt; 6"))
    assert texts(client) == ["The <b> button & 5 < 6"]
    post(client, "slack", slack_edit(2, subtype="tombstone", text="This message was deleted."))
    assert texts(client) == []
    post(client, "slack", slack_edit(1, text="Late.") | {"event_id": "Ev3"})
    assert texts(client) == []


def test_standard_event_of_another_kind_is_acknowledged(client: TestClient) -> None:
    paid = {"type": "invoice.paid", "timestamp": "2026-09-14T10:20:00Z", "data": {"id": "1", "amount": 3}}
    assert post(client, "standard", paid).json() == {"results": {"set_aside": 1}}
    empty = send(client, SIGNERS["standard"](paid | {"type": "note.created"}, key="msg_2"))
    assert (empty.status_code, empty.json()["result"]) == (200, "set_aside")
    assert notes(client) == []


def test_secret_in_a_refused_body_is_not_kept(client: TestClient) -> None:
    assert send(client, SIGNERS["zoho"]({"module": "Calls", "ids": []})).status_code == 200
    (fault,) = client.get("/v1/sources/faults", headers=ADMIN).json()["items"]
    assert "zoho-token-1" not in fault["payload"]
    assert "Calls" in fault["payload"]


def test_two_senders_may_number_their_events_alike(client: TestClient) -> None:
    made = client.post("/v1/connections", json={"source": "standard", "name": "two"}, headers=ADMIN).json()
    first = SIGNERS["standard"]({"type": "note.created", "data": {"external_id": "a", "text": "Too dear."}})
    second = SIGNERS["standard"](
        {"type": "note.created", "data": {"external_id": "b", "text": "Too slow."}}, secret=made["secret"]
    )
    assert [send(client, request).status_code for request in (first, second, second)] == [202, 202, 202]
    assert sorted(texts(client)) == ["Too dear.", "Too slow."]


@pytest.mark.parametrize("merged", [False, True])
def test_hubspot_note_about_an_erased_contact_is_not_taken(client: TestClient, engine: sa.Engine, merged: bool) -> None:
    if merged:
        merge = event(None, AT, "object.merge", objectTypeId="0-1", primaryObjectId=102, mergedObjectIds=[101])
        post(client, "hubspot", [merge])
    erased = 102 if merged else 101
    post(client, "hubspot", [event(None, AT + 1, "contact.privacyDeletion", objectTypeId="0-1", objectId=erased)])
    connection = Connection("hubspot", "main", ("secret-of-hubspot",), {})
    late = NoteChange(note("0-46:7", "Zanzibar words.", source="hubspot"), contacts=("101",))
    other = NoteChange(note("0-46:8", "Other words.", source="hubspot"), contacts=("103",))
    with write_session(engine) as session:
        counts: Counter[str] = Counter()
        faults = store_changes(session, connection, [late, other], counts, datetime.now(UTC))
        keep(session, connection, Delivery("POST", "", {}, [], "", b"Zanzibar words.", datetime.now(UTC)), faults)
        assert [fault.code for fault in faults] == ["erased_contact"]
        bodies = session.scalars(sa.select(KeptDeliveryTable.body)).all()
    assert not any(b"Zanzibar" in body for body in bodies)
    assert texts(client) == ["Other words."]


@pytest.mark.parametrize(("kind", "fresh"), [("note.created", False), ("note.updated", True)])
def test_a_note_without_a_date_came_about_when_its_event_says_so(client: TestClient, kind: str, fresh: bool) -> None:
    event = {"specversion": "1.0", "id": "e1", "source": "/crm", "type": kind, "time": "2026-09-14T10:20:00Z"}
    post(client, "cloudevents", {**event, "data": {"id": "n1", "text": "Too dear."}})
    assert (notes(client)[0]["occurred_at"] != event["time"]) is fresh


def test_cloudevents_text_in_its_own_charset(client: TestClient) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/crm", "ce-type": "note.created"}
    request = SIGNERS["cloudevents"]("Trop élevé.".encode("latin-1"))
    for charset in ("iso-8859-1", "klingon"):
        kind = f"text/plain; charset={charset}"
        sent = replace(request, headers={**request.headers, **headers, "ce-id": charset, "Content-Type": kind})
        assert send(client, sent).status_code == 202
    assert [note["text"] for note in notes(client)] == ["Trop élevé.", "Trop \ufffdlev\ufffd."]


def test_n8n_items_are_unwrapped(client: TestClient) -> None:
    post(client, "generic", [{"json": {"id": "n2", "text": "Too dear."}, "pairedItem": {"item": 0}}])
    assert [note["external_id"] for note in notes(client)] == ["n2"]


@pytest.mark.parametrize(
    ("date", "told"), [("Mon, 14 Sep 2037 10:20:00 +0000", False), ("Mon, 14 Sep 2026 10:20:00 +0000", True)]
)
def test_a_mail_is_not_of_later_than_it_came(client: TestClient, date: str, told: bool) -> None:
    raw = SOURCES["mail"].sample.replace("Mon, 14 Sep 2026 10:20:00 +0000", date)
    post(client, "mail", raw.encode())
    assert notes(client)[0]["occurred_at"].startswith("2026-09-14" if told else str(datetime.now(UTC).year))
    assert not notes(client)[0]["occurred_at"].startswith("2037")


@pytest.mark.parametrize("secret", ["%00", "%00dynamics-key", "%FF", "%ED%A0%80", "a&code=b", ""])
def test_an_odd_secret_in_the_address_is_a_wrong_one(client: TestClient, secret: str) -> None:
    answer = send(client, SIGNERS["dynamics"](json.loads(SOURCES["dynamics"].sample), secret=secret))
    assert answer.status_code == 401
    assert texts(client) == []


@pytest.mark.parametrize(
    "secret", ["%00", "%FF", "%2F", "a/b", "a%2Fb", "..%2F..", "x" * 5_000, "%0A", "salesforce-token/x"]
)
@pytest.mark.parametrize("name", ["salesforce", "ses"])
def test_an_odd_secret_in_the_path_is_a_wrong_one(client: TestClient, name: str, secret: str) -> None:
    assert send(client, SIGNERS[name](SOURCES[name].sample.encode(), secret=secret)).status_code == 401
    assert texts(client) == []


def test_a_secret_with_a_slash_opens_its_address(client: TestClient) -> None:
    made = client.post(
        "/v1/connections", json={"source": "sendgrid", "name": "b", "secret": "abc/d+e=="}, headers=ADMIN
    )
    assert made.status_code == 201, made.text
    headers, body = multipart({"email": mail("Too dear.")})
    for written in ("abc/d+e==", "abc%2Fd%2Be%3D%3D", "abc/d+e==/"):
        answer = client.post(f"/v1/webhooks/sendgrid/{written}", content=body, headers=headers)
        assert answer.status_code == 200, (written, answer.text)
    assert len(texts(client)) == 1


def test_a_source_of_any_name_is_not_found(client: TestClient) -> None:
    for name in ("x" * 500, "%00", "hub spot", "HUBSPOT"):
        assert client.post(f"/v1/webhooks/{name}", content=b"{}").status_code == 404
        assert (
            client.request("OPTIONS", f"/v1/webhooks/{name}", headers={"WebHook-Request-Origin": "a"}).status_code
            == 404
        )
