"""Requests that only one vendor sends, or that only one vendor's rules refuse."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace

from tests.imports.files import mail
from tests.sources.payloads import (
    AT,
    SENDERS,
    Case,
    Step,
    a_cloud,
    a_hubspot,
    a_record,
    a_slack,
    refused,
    sign,
    single,
)
from tests.sources.senders import INGEST_KEY, PUBLIC_URL, Request


def _of_hubspot() -> Iterator[Case]:
    batch = [5, None, {}, a_hubspot(901, "Kept mark901x.", AT), a_hubspot(902, "no", AT) | {"portalId": 1}]
    yield single("hubspot: bad items in a batch", "hubspot", batch, 202, "mark901x", "Kept mark901x.")
    for kind in ("object.associationChange", "contact.propertyChange", "company.creation", "x", "deal.deletion", ""):
        yield single(f"hubspot: {kind}", "hubspot", [{"subscriptionType": kind, "portalId": 62515, "objectId": 1}], 202)
    yield single("hubspot: 101 events", "hubspot", [a_hubspot(1, "no mark902x", AT)] * 101, 200, "mark902x")
    edits = [a_hubspot(903, f"{n} mark903x", AT + n) for n in (2, 3, 1)]
    yield single("hubspot: unsorted edits", "hubspot", edits, 202, "mark903x", "3 mark903x")
    erased = [a_hubspot(904, None, AT, "object.privacyDeletion"), a_hubspot(904, "no mark904x", AT + 10**6)]
    yield single("hubspot: erased for good", "hubspot", erased, 202, "mark904x")
    key = {"X-Api-Key": INGEST_KEY}
    own, events = b'{"external_id": "h910", "text": "mark910x"}', sign("hubspot", batch).body
    keyed = Request("/v1/webhooks/hubspot", key, own)
    yield Case("hubspot: a workflow's key", (Step(keyed, frozenset({200})),), "mark910x", "mark910x")
    for label, request in {
        "events by a key": replace(keyed, body=events),
        "wrong key": replace(keyed, headers={"X-Api-Key": "x"}),
        "key and wrong signature": replace(keyed, headers={**key, "X-HubSpot-Signature": "0" * 64}),
    }.items():
        yield refused(f"hubspot: {label}", request)
    for shift, right in ((-301, 401), (301, 401), (-200, 200), (200, 200)):  # v2 signs no clock, but may tell one
        told = {"X-HubSpot-Request-Timestamp": str(int((time.time() + shift) * 1000))}
        flow = sign("hubspot v2", {"external_id": f"v2{shift}", "text": f"mark92{shift}x"})
        late = replace(flow, headers=flow.headers | told)
        text = f"mark92{shift}x" if right == 200 else None
        yield Case(f"hubspot: v2 {shift} s off", (Step(late, frozenset({right})),), f"mark92{shift}x", text)
    yield single("hubspot: events by v2", "hubspot v2", [a_hubspot(905, "no mark905x", AT)], 401, "mark905x")


def _of_salesforce() -> Iterator[Case]:
    yield single(
        "salesforce: Ack",
        "salesforce",
        a_record(906, AT, Description="mark906x"),
        200,
        "mark906x",
        "mark906x",
        "<Ack>true",
    )
    foreign = a_record(907, AT, Description="mark907x").replace(b"00D000000000062EAA", b"00D000000000063EAA")
    yield single("salesforce: another organisation", "salesforce", foreign, 401, "mark907x")
    gone = re.sub(b"<sObject.*</sObject>", b"", a_record(908, AT))
    yield single("salesforce: the record is gone", "salesforce", gone, 200, holds="<Ack>true")
    for body in (b"<a/>", b"<a>", b'<?xml version="1.0"?><!DOCTYPE a><a/>', b"{}", b"<a>&nbsp;</a>"):
        yield Case(f"salesforce: {body!r}", (Step(sign("salesforce", body), frozenset({400, 422})),))
    yield single("salesforce: tags without end", "salesforce", b"<a>" * 4_000_000, 413)


def _of_crms() -> Iterator[Case]:
    for entity in ("person", "deal", "lead", "", "organization"):
        meta = {"id": entity, "action": "change", "entity": entity, "entity_id": "1"}
        yield single(f"pipedrive: {entity}", "pipedrive", {"meta": meta, "data": {"id": 1, "value": "x"}}, 200)
    for module in ("Leads", "Notes", "", "Deals"):
        yield single(f"zoho: {module}", "zoho", {"module": module, "operation": "insert", "ids": ["1"]}, 200)
    yield single(
        "zoho: ids of a path", "zoho", {"module": "Calls", "operation": "insert", "ids": ["../1", None, 2.5]}, 200
    )
    for entity in ("account", "opportunity", "systemuser"):
        yield single(f"dynamics: {entity}", "dynamics", {"PrimaryEntityName": entity, "MessageName": "Update"}, 200)


def _of_gong() -> Iterator[Case]:
    call = {"callData": {"metaData": {"id": "7782342274025937895"}}, "isTest": False}
    yield single("gong: a call", "gong", call, 200)
    yield single("gong: a test", "gong", {"isTest": True}, 200)
    yield single("gong: no call", "gong", {}, 200, holds="set_aside")
    wrong = {"exp": int(time.time()) - 600, "webhook_url": f"{PUBLIC_URL}/v1/webhooks/zoho", "body_sha256": "0" * 64}
    for claim, value in [*wrong.items(), *((name, None) for name in wrong)]:
        yield refused(f"gong: {claim} {value}", sign("gong", call, **{claim: value}))
    yield refused("gong: another key", sign("gong", call, secret="other"))
    none = ".".join(
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({"alg": "none"}, wrong)
    )
    for token in (f"{none}.", "a.b.c", "", "é", "Bearer"):
        yield refused(f"gong: {token[:9]}", replace(sign("gong", call), headers={"Authorization": f"Bearer {token}"}))


def _of_events() -> Iterator[Case]:
    for kind in ("invoice.paid", "", "user.created"):
        yield single(f"standard: {kind}", "standard", {"type": kind, "data": {"id": "1"}}, 202 if kind else 200)
    event = a_cloud(1, "created", AT, {"id": "h911", "text": "mark911x"})
    for name in ("id", "source", "type", "specversion"):
        for value in (None, "", 7):
            yield single(f"cloudevents: {name} {value}", "cloudevents", {**event, name: value}, 400, "mark911x")
    two = [a_cloud(n, "created", AT, {"text": f"mark91{n}x of one"}) | {"id": "1", "source": f"/{n}"} for n in (2, 3)]
    for n, one in enumerate(two, start=2):
        yield single(f"cloudevents: id of source {n}", "cloudevents", one, 202, f"mark91{n}x", f"mark91{n}x of one")
    for kind, right in (("+avro", 415), ("-batch+protobuf", 415), ("+xml", 415), ("-batch+json", 422)):
        request = sign("cloudevents", event)
        request.headers["Content-Type"] = f"application/cloudevents{kind}"
        yield Case(f"cloudevents: {kind}", (Step(request, frozenset({right})),), "mark911x")


def _of_slack() -> Iterator[Case]:
    challenge = {"type": "url_verification", "challenge": "c<>&é"}
    yield single("slack: challenge", "slack", challenge, 200, holds="c<>&")
    yield refused("slack: challenge unsigned", sign("slack", challenge, secret="x"))
    for subtype in ("bot_message", "channel_join", "message_replied"):
        yield single(
            f"slack: {subtype}",
            "slack",
            a_slack(1, AT, ts="1.1", subtype=subtype, text="mark914x"),
            200,
            "mark914x",
        )


def _of_mail() -> Iterator[Case]:
    away = bytes(mail("mark915x", Auto_Submitted="auto-replied"))
    for name in ("mail", "mailgun", "sendgrid"):
        yield single(f"{name}: an automatic reply", name, away, SENDERS[name].ok, "mark915x")
    pair = [bytes(mail(f"mark916x {n}", Message_ID="<same@x>")) for n in (1, 2)]
    yield Case(
        "mail: other content, same id",
        tuple(Step(sign("mail", one), frozenset({202})) for one in pair),
        "mark916x",
        "*2",
    )


def _of_own_code() -> Iterator[Case]:
    amounts = {
        "external_id": "h917",
        "text": "mark917x",
        "date": "03/02/2026",
        "amount": "18\u202f000,00\u00a0€",
        "owner": "",
    }
    yield single("zapier: local style", "zapier", amounts | {"deal_id": "d"}, 202, "mark917x", "mark917x")
    for body, right in (
        ([], 422),
        ([5], 202),
        ({"text": ""}, 422),
        ({"text": "  "}, 422),
        ([amounts | {"external_id": "h918", "text": "Slow."}, {}], 202),
    ):
        yield single(f"make: {str(body)[:20]}", "make", body, right)


VENDORS = (_of_hubspot, _of_salesforce, _of_crms, _of_gong, _of_events, _of_slack, _of_mail, _of_own_code)
