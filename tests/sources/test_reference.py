"""A second reading of the reference of sources: what was sent, in order, and the texts of the notes in the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.sources.senders import INGEST_KEY, SIGNERS, Request, multipart, notes, send
from tests.sources.test_vendors import AT, event, soap

LATER = "2026-09-15T10:00:00Z"


@dataclass(frozen=True)
class Told:
    """Requests in order, the answer that each gets, and the texts in the end, in any order."""

    sent: list[Callable[[], Request]]
    texts: list[str]
    answers: tuple[int, ...] = ()


def by(sender: str, body: Any, **how: Any) -> Callable[[], Request]:
    return lambda: SIGNERS[sender](body, **how)


def task(number: str, text: str, at: str = "2026-09-14T10:00:00Z", told: str = "04l000000000001AAA") -> bytes:
    made: bytes = soap({"Id": number, "LastModifiedDate": at, "Description": text})
    return made.replace(b"04l000000000000AAA", told.encode())


def pipedrive(action: str, data: Any, at: str, key: str = "e1", **meta: Any) -> dict[str, Any]:
    about = {"id": key, "action": action, "entity": "note", "entity_id": "7", "timestamp": at, **meta}
    return {"meta": about, "data": data, "previous": None}


def dynamics(message: str, key: str, at: int, **values: str) -> dict[str, Any]:
    pairs = [{"key": name, "value": value} for name, value in {**values, "modifiedon": f"/Date({at})/"}.items()]
    target = {"key": "Target", "value": {"Attributes": pairs}}
    about = {"PrimaryEntityName": "annotation", "PrimaryEntityId": key, "MessageName": message}
    return {**about, "OperationCreatedOn": f"/Date({at}+0000)/", "InputParameters": [target]}


def cloud(**fields: Any) -> dict[str, Any]:
    event = {"specversion": "1.0", "id": "1", "source": "/crm", "type": "note.created", **fields}
    return {name: value for name, value in event.items() if value is not None}


def binary(**headers: str) -> Callable[[], Request]:
    given = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/crm", "ce-type": "note.created", **headers}
    sent = {"authorization": f"Bearer {INGEST_KEY}", "content-type": "application/json"}
    body = json.dumps({"id": "b1", "text": "Binary."}).encode()
    return lambda: Request("/v1/webhooks/cloudevents", sent | {k: v for k, v in given.items() if v}, body)


def slack(key: str, ts: str, text: str) -> dict[str, Any]:
    message = {"type": "message", "channel": "C1", "event_ts": ts, "ts": ts, "user": "U1", "text": text}
    return {"type": "event_callback", "event_id": key, "event": message}


def with_header(request: Callable[[], Request], **headers: str) -> Callable[[], Request]:
    def made() -> Request:
        one = request()
        return Request(one.path, one.headers | {k.replace("_", "-"): v for k, v in headers.items()}, one.body)

    return made


def form(**fields: str) -> Callable[[], Request]:
    headers, body = multipart({name: value.encode() for name, value in fields.items()})
    return lambda: Request("/v1/webhooks/zapier", headers | {"authorization": "Bearer zapier-token"}, body)


BOUNCE = b"""From: Mail Delivery System <MAILER-DAEMON@b.c>
To: ann@firm.example
Message-ID: <m0@x>
Content-Type: multipart/report; report-type=delivery-status; boundary=r

--r

It could not be delivered.
--r
Content-Type: message/delivery-status

Action: failed
--r--
"""
DEAR = {"id": "s1", "text": "Dear."}
CASES: dict[str, Told] = {
    "salesforce, short and long id are one record": Told(
        [
            by("salesforce", task("00T000000000123", "First.")),
            by("salesforce", task("00T000000000123AAA", "Second.", LATER, "04l000000000002AAA")),
        ],
        ["Second."],
    ),
    "salesforce, a notification repeated in another batch": Told(
        [
            by("salesforce", task("00T000000000124", "First.")),
            by("salesforce", task("00T000000000124", "Never.", LATER)),
        ],
        ["First."],
    ),
    "salesforce, an older edit later": Told(
        [
            by("salesforce", task("00T000000000125", "New.", LATER)),
            by("salesforce", task("00T000000000125", "Old.", told="04l000000000002AAA")),
        ],
        ["New."],
    ),
    "hubspot, tried again": Told([by("hubspot", [event("One.", attemptNumber=n)]) for n in range(3)], ["One."]),
    "hubspot, ids beyond a double": Told(
        [by("hubspot", [event(f"{n}.", objectId=9_007_199_254_740_992 + n) for n in range(2)])], ["0.", "1."]
    ),
    "hubspot, a note and a call of one id": Told(
        [
            by("hubspot", [event("Note.")]),
            by("hubspot", [event("Call.", objectTypeId="0-48", propertyName="hs_call_body")]),
        ],
        ["Note.", "Call."],
    ),
    "hubspot, as the docs name the type": Told(
        [by("hubspot", [{**event("One."), "subscriptionType": None, "eventType": "object.propertyChange"}])], ["One."]
    ),
    "hubspot, words taken out": Told([by("hubspot", [event("One.")]), by("hubspot", [event(None, AT + 1)])], []),
    "pipedrive, a merge": Told(
        [
            by("pipedrive", pipedrive("create", {"id": 7, "content": "One."}, "2026-09-14T10:00:00Z")),
            by("pipedrive", pipedrive("delete", None, LATER, "e2", merged_to_id=8)),
        ],
        [],
    ),
    "pipedrive, tried four times": Told(
        [
            by("pipedrive", pipedrive("create", {"id": 7, "content": "<p>A<br>B</p>"}, LATER, attempt=n))
            for n in range(1, 5)
        ],
        ["A\nB"],
    ),
    "dynamics, only other columns changed": Told(
        [
            by("dynamics", dynamics("Create", "{A-1}", AT, notetext="One.")),
            by("dynamics", dynamics("Update", "{A-1}", AT + 5000, subject="x")),
        ],
        ["One."],
    ),
    "dynamics, one id in two spellings": Told(
        [
            by("dynamics", dynamics("Create", "{0A-1}", AT, notetext="One.")),
            by("dynamics", dynamics("Update", "0a-1", AT + 5000, notetext="Two.")),
        ],
        ["Two."],
    ),
    "dynamics, too large to be told": Told(
        [
            with_header(
                by("dynamics", {"PrimaryEntityName": "annotation", "PrimaryEntityId": "a", "MessageName": "Create"}),
                x_ms_dynamics_msg_size_exceeded="1",
            )
        ],
        [],
    ),
    "standard, an id used again": Told(
        [
            by("standard", {"type": "note.created", "data": DEAR}),
            by("standard", {"type": "note.updated", "timestamp": LATER, "data": {**DEAR, "text": "Never."}}),
        ],
        ["Dear."],
    ),
    "cloudevents, binary": Told([binary()], ["Binary."]),
    "cloudevents, binary without id": Told([binary(**{"ce-id": ""})], [], (400,)),
    "cloudevents, binary of another version": Told([binary(**{"ce-specversion": "0.3"})], [], (400,)),
    "cloudevents, one id of two sources": Told(
        [by("cloudevents", cloud(source=s, data={"id": s, "text": f"{s}."})) for s in ("a", "b")], ["a.", "b."]
    ),
    "cloudevents, data as base64": Told(
        [
            by(
                "cloudevents",
                cloud(datacontenttype="application/json", data_base64="eyJpZCI6ICJiNiIsICJ0ZXh0IjogIlNpeC4ifQ=="),
            )
        ],
        ["Six."],
    ),
    "slack, tried again": Told(
        [
            by("slack", slack("Ev1", "1757844000.000100", "a &amp; b &lt;c&gt;")),
            with_header(by("slack", slack("Ev1", "1757844000.000100", "a &amp; b &lt;c&gt;")), X_Slack_Retry_Num="1"),
        ],
        ["a & b <c>"],
    ),
    "own code, an empty id beside a text": Told([by("zapier", {"external_id": "", "text": "One."})], ["One."]),
    "own code, as a form": Told([form(external_id="f1", text="Form.", amount="18 000,00 €")], ["Form."]),
    "own code, the same again is a repeat": Told([by("zapier", {"external_id": "z", "text": "One."})] * 2, ["One."]),
    "own code, a script in the text": Told(
        [by("zapier", {"external_id": "z", "text": "<p>A</p><script>alert(1)</script><p>B&eacute;</p>"})],
        ["A\nBé"],
    ),
    "own code, every line end": Told([by("zapier", {"external_id": "z", "text": "a\r\nb\rc\u2028d"})], ["a\nb\nc\nd"]),
    "mail, a bounce": Told(
        [by("mail", BOUNCE)],
        [],
    ),
    "mail, a charset that nobody knows": Told(
        [by("mail", b"From: a@b.c\nMessage-ID: <m1@x>\nContent-Type: text/plain; charset=x-none\n\nToo dear.\n")],
        ["Too dear."],
    ),
    "mail, the same again": Told([by("mail", b"From: a@b.c\nMessage-ID: <m2@x>\n\nOnce.\n")] * 2, ["Once."]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_sent_is_what_stands(client: TestClient, name: str) -> None:
    case = CASES[name]
    answers = [send(client, request()).status_code for request in case.sent]
    if case.answers:
        assert tuple(answers) == case.answers
    else:
        assert all(200 <= status < 300 for status in answers), answers
    assert sorted(one["text"].strip() for one in notes(client)) == sorted(case.texts)
