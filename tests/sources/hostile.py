"""Requests as senders, and those who pretend to be them, send them: what each source's reference says of the answer.

A case is one or more requests with the answers that are right, and the text that the note has in the end, if any. Notes
are told apart by a number in their text.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.imports.files import mail
from tests.sources.senders import CLOCKED, INGEST_KEY, PUBLIC_URL, SIGNERS, Request
from tests.sources.test_vendors import soap

AT = 1_757_844_000_000
CONTENT = frozenset({400, 413, 415, 422})
REFUSED = frozenset({401})


@dataclass(frozen=True)
class Step:
    """A request and the right answers to it."""

    request: Request
    right: frozenset[int]
    method: str = "POST"
    holds: str = ""


@dataclass(frozen=True)
class Case:
    """Steps of one case; `text` is that of its note in the end, None where there must be none."""

    name: str
    steps: tuple[Step, ...]
    mark: str = ""
    text: str | None = None


@dataclass(frozen=True)
class Sender:
    """How a source says a note, an edit, and that it is gone; `key` numbers the note, `at` is milliseconds."""

    ok: int
    note: Callable[[int, str, int], Any]
    gone: Callable[[int, int], Any] | None = None
    edits: bool = True
    json: bool = True
    good_content: frozenset[int] = CONTENT


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat().replace("+00:00", "Z")


_events = count(1)


def _hubspot(key: int, text: str | None, at: int, kind: str = "object.propertyChange") -> dict[str, Any]:
    named = {"propertyName": "hs_note_body", "propertyValue": text} if text is not None else {}
    about = {"objectTypeId": "0-46", "objectId": key, "portalId": 62515, "occurredAt": at}
    return {"eventId": 1, "subscriptionType": kind, "attemptNumber": 0, **about, **named}


def _record(key: int, at: int, **fields: str) -> bytes:
    return soap({"Id": f"00T{key:012d}", "LastModifiedDate": iso(at), **fields}).replace(
        b"04l000000000000AAA", f"04l{next(_events):012d}AAA".encode()
    )


def _pipedrive(key: int, action: str, at: int, data: dict[str, Any] | None, previous: Any = None) -> dict[str, Any]:
    meta = {"id": f"e-{next(_events)}", "action": action, "entity": "note", "entity_id": str(key), "timestamp": iso(at)}
    return {"meta": meta, "data": data, "previous": previous}


def _zoho(key: int, operation: str, at: int, values: dict[str, Any] | None = None) -> dict[str, Any]:
    told = {"affected_values": [{"record_id": str(key), "values": values}]} if values else {}
    return {"module": "Calls", "operation": operation, "server_time": at, "ids": [str(key)], **told}


def _dynamics(key: int, message: str, at: int, text: str | None) -> dict[str, Any]:
    values = [{"key": "notetext", "value": text}, {"key": "modifiedon", "value": f"/Date({at})/"}]
    target = {"Attributes": values} if text is not None else {"LogicalName": "annotation", "Id": str(key)}
    about = {"PrimaryEntityName": "annotation", "PrimaryEntityId": f"{{0000-{key}}}", "MessageName": message}
    made = {"OperationCreatedOn": f"/Date({at}+0000)/"}
    return {**about, **made, "InputParameters": [{"key": "Target", "value": target}]}


def _cloud(key: int, kind: str, at: int, data: dict[str, Any]) -> dict[str, Any]:
    event = {"specversion": "1.0", "id": f"e{next(_events)}", "source": "/crm", "type": f"note.{kind}"}
    return {**event, "time": iso(at), "datacontenttype": "application/json", "data": data}


def _slack(key: int, at: int, **fields: Any) -> dict[str, Any]:
    event = {"type": "message", "channel": "C1", "event_ts": f"{at / 1000:.6f}", **fields}
    return {"type": "event_callback", "event_id": f"Ev{next(_events)}", "event": event}


def _message(key: int, text: str, at: int) -> bytes:
    return bytes(mail(text, Message_ID=f"<h{key}@firm.example>"))


def _own(key: int, text: str, at: int) -> dict[str, Any]:
    return {"external_id": f"h{key}", "text": text, "updated_at": iso(at)}


def _own_gone(key: int, at: int) -> dict[str, Any]:
    return {"external_id": f"h{key}", "deleted": True, "updated_at": iso(at)}


def _slack_note(key: int, text: str, at: int) -> dict[str, Any]:
    ts = f"{AT // 1000 + key}.000100"
    if at == AT:
        return _slack(key, at, ts=ts, user="U1", text=text)
    return _slack(key, at + 1000 * key, subtype="message_changed", message={"ts": ts, "user": "U1", "text": text})


def _slack_gone(key: int, at: int) -> dict[str, Any]:
    return _slack(key, at + 1000 * key, subtype="message_deleted", deleted_ts=f"{AT // 1000 + key}.000100")


_RELAY = {"edits": False, "json": False}
SENDERS: dict[str, Sender] = {
    "hubspot": Sender(
        202, lambda k, t, at: [_hubspot(k, t, at)], lambda k, at: [_hubspot(k, None, at, "object.deletion")]
    ),
    "hubspot v2": Sender(200, _own, _own_gone),
    "salesforce": Sender(
        200, lambda k, t, at: _record(k, at, Description=t), lambda k, at: _record(k, at, IsDeleted="true"), json=False
    ),
    "pipedrive": Sender(
        200,
        lambda k, t, at: _pipedrive(k, "change", at, {"id": k, "content": t, "update_time": iso(at)}),
        lambda k, at: _pipedrive(k, "delete", at, None, {"id": k}),
    ),
    "zoho": Sender(
        200, lambda k, t, at: _zoho(k, "update", at, {"Description": t}), lambda k, at: _zoho(k, "delete", at)
    ),
    "dynamics": Sender(
        200, lambda k, t, at: _dynamics(k, "Update", at, t), lambda k, at: _dynamics(k, "Delete", at, None)
    ),
    "standard": Sender(
        202,
        lambda k, t, at: {"type": "note.updated", "timestamp": iso(at), "data": {"id": f"h{k}", "text": t}},
        lambda k, at: {"type": "note.deleted", "timestamp": iso(at), "data": {"id": f"h{k}"}},
    ),
    "cloudevents": Sender(
        202,
        lambda k, t, at: _cloud(k, "updated", at, {"id": f"h{k}", "text": t}),
        lambda k, at: _cloud(k, "deleted", at, {"id": f"h{k}"}),
    ),
    "slack": Sender(200, _slack_note, _slack_gone),
    "zapier": Sender(202, _own, _own_gone),
    "make": Sender(202, lambda k, t, at: {**_own(k, "", at), "Corps": t}, _own_gone),
    "generic": Sender(202, _own, _own_gone),
    "mail": Sender(202, _message, **_RELAY, good_content=CONTENT | {202}),
    "mailgun": Sender(200, _message, **_RELAY, good_content=frozenset({406})),
    "postmark": Sender(
        200,
        lambda k, t, at: {"From": "ann@firm.example", "MessageID": f"h{k}", "Subject": "", "TextBody": t},
        edits=False,
        good_content=CONTENT | {200},
    ),
    "sendgrid": Sender(200, _message, **_RELAY, good_content=CONTENT | {200}),
}
SIGNED_BODY = frozenset({"hubspot", "hubspot v2", "standard", "slack"})
PROOFS = {
    "hubspot": ("X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"),
    "hubspot v2": ("X-HubSpot-Signature",),
    "standard": ("webhook-signature", "webhook-timestamp", "webhook-id"),
    "slack": ("X-Slack-Signature", "X-Slack-Request-Timestamp"),
    "pipedrive": ("Authorization",),
    "postmark": ("Authorization",),
    **{name: ("authorization",) for name in ("cloudevents", "zapier", "make", "generic", "mail")},
}
_numbers = count(9_007_199_254_740_993)  # beyond what a double holds


# slack numbers by time, Salesforce by letters and digits of a fixed length
LONG_IDS = frozenset(SENDERS) - {"slack", "salesforce"}


def sign(name: str, body: Any, **how: Any) -> Request:
    number = next(_events)
    if name == "standard":
        how.setdefault("key", f"msg_{number}")
    if name == "mailgun":
        how.setdefault("token", f"t{number}")
    return SIGNERS[name](body, **how)


def cases() -> Iterator[Case]:
    """Give all cases."""
    for name, sender in SENDERS.items():
        for make in (_life, _proofs, _tampered, _clocks, _contents, _wrappings, _methods):
            for case in make(name, sender):
                yield replace(case, name=f"{name}: {case.name}")
    for vendor in (_of_hubspot, _of_salesforce, _of_crms, _of_gong, _of_events, _of_slack, _of_mail, _of_own_code):
        yield from vendor()


def _case(name: str, sender: Sender, label: str, what: str, text: str | None, first: str = "") -> Case:
    """Build a case from letters: `a` the note, `b` a newer text, `d` its deletion in between."""
    key = next(_numbers if name in LONG_IDS else _events)
    mark = f"mark{key}x"
    bodies: dict[str, Callable[[], Any]] = {
        "a": lambda: sender.note(key, f"First {mark}.", AT),
        "b": lambda: sender.note(key, f"Second {mark}.", AT + 9_000),
    }
    if sender.gone:
        gone = sender.gone
        bodies["d"] = lambda: gone(key, AT + 5_000)
    steps = tuple(Step(sign(name, bodies[one]()), frozenset({sender.ok})) for one in what)
    return Case(label, steps, mark, text.format(mark) if text else None)


def _life(name: str, sender: Sender) -> Iterator[Case]:
    first, second = "First {}.", "Second {}."
    yield _case(name, sender, "valid", "a", first)
    yield _case(name, sender, "twice", "aa", first)
    if sender.edits:
        yield _case(name, sender, "edited", "ab", second)
        yield _case(name, sender, "reordered", "ba", second)
        yield _case(name, sender, "edit repeated", "abab", second)
    if sender.gone:
        yield _case(name, sender, "deleted", "ad", None)
        yield _case(name, sender, "deleted twice", "add", None)
        yield _case(name, sender, "deleted before it came", "da", None)
        yield _case(name, sender, "deleted, then an old edit", "ada", None)
    exact = _case(name, sender, "same bytes again", "a", first)
    yield replace(exact, steps=exact.steps * 2)


def _refused(label: str, *requests: Request) -> Case:
    return Case(label, tuple(Step(one, REFUSED) for one in requests), "never", None)


def _proofs(name: str, sender: Sender) -> Iterator[Case]:
    body = sender.note(next(_events), "never", AT)
    wrong = {"pipedrive": "binôme:wrong", "postmark": "postmark:wrong", "standard": "whsec_" + "A" * 43 + "="}
    yield _refused("wrong secret", sign(name, body, secret=wrong.get(name, "wrong-secret")))
    if name == "zoho":
        for token in (None, 5, True, ["zoho-token-1"], {"a": 1}, "", "zoho-token-1 ", "ZOHO-TOKEN-1", "é\ud800"):
            yield _refused(
                f"token {token!r}", Request("/v1/webhooks/zoho", {}, json.dumps({**body, "token": token}).encode())
            )
        other = {**body, "token": "zoho-token-1", "channel_id": "7"}
        yield _refused("another channel", Request("/v1/webhooks/zoho", {}, json.dumps(other).encode()))
    if name in {"salesforce", "sendgrid", "dynamics"}:
        request = sign(name, body)
        bare = request.path.split("?")[0].removesuffix("/salesforce-token")
        for path in (bare, f"{bare}/x", f"{bare}?token=", f"{bare}?code=%FF", f"{bare}/%00", f"{bare}?token=a&token=b"):
            yield _refused(f"at {path}", replace(request, path=path))
    for header in PROOFS.get(name, ()):
        request = sign(name, body)
        value = request.headers[header]
        odd = {
            "missing": None,
            "empty": "",
            "cut": value[:-4],
            "longer": f"{value}A",
            "no text": "\u2603é",
            "nul": "a\tb",
        }
        for label, given in odd.items():
            headers = {key: one for key, one in request.headers.items() if key != header}
            yield _refused(
                f"{header} {label}", replace(request, headers=headers | ({header: given} if given is not None else {}))
            )


def _tampered(name: str, sender: Sender) -> Iterator[Case]:
    body = sender.note(next(_events), "never", AT)
    if name in SIGNED_BODY:
        request = sign(name, body)
        yield _refused("a byte more", replace(request, body=request.body + b" "))
        yield _refused("another text", replace(request, body=request.body.replace(b"never", b"nevEr")))
        yield _refused("no body", replace(request, body=b""))
    if name.startswith("hubspot"):
        request = sign(name, body)
        yield _refused("another query", replace(request, path=request.path.split("?")[0] + "?team=sud"))
    if name == "mailgun":
        request = sign(name, sender.note(2, "taken", AT), token="used")
        again = sign(name, sender.note(1, "another", AT), token="used")
        yield Case("token used again", (Step(request, frozenset({200})), Step(again, REFUSED)), "another", None)
        for field in (b'name="token"', b'name="signature"', b'name="timestamp"'):
            yield _refused(
                f"without {field!r}", replace(request, body=sign(name, body).body.replace(field, b'name="x"'))
            )


def _clocks(name: str, sender: Sender) -> Iterator[Case]:
    if name not in CLOCKED:
        return
    for shift in (-86_400, -330, 330, 86_400):
        yield _refused(f"{shift} s off", sign(name, sender.note(next(_events), "never", AT), shift=shift))
    for shift in (-270, 270):
        case = _case(name, sender, f"{shift} s off", "a", "First {}.")
        key = int(case.mark[4:-1])
        request = sign(name, sender.note(key, f"First {case.mark}.", AT), shift=shift)
        yield replace(case, steps=(Step(request, frozenset({sender.ok})),))
    for header in PROOFS.get(name, ()):
        if "timestamp" in header.lower():
            for value in ("0", "-1", "1e12", "NaN", "9" * 40, "１７５７", "0x10", f"{time.time():.3f}", " ", "now"):
                request = sign(name, sender.note(next(_events), "never", AT))
                yield _refused(f"timestamp {value!r}", replace(request, headers={**request.headers, header: value}))


BOMB = gzip.compress(bytes(34 * 2**20))
BROKEN = {
    "empty": b"",
    "a brace": b"{",
    "cut": b'{"text": "Too dear"',
    "latin-1": b'{"text": "\xe9"}',
    "NaN": b'{"text": "x", "a": NaN}',
    "deep": b"[" * 20_000,
    "deep objects": b'{"a":' * 300 + b"1" + b"}" * 300,
    "many digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "a number": b"5",
    "null": b"null",
    "a text": b'"x"',
    "an empty list": b"[]",
    "XML with a DTD": b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    "bytes": bytes(range(256)),
}


def _contents(name: str, sender: Sender) -> Iterator[Case]:
    for label, body in BROKEN.items():
        try:
            request = sign(name, body)
        except UnicodeDecodeError:  # the vendor's own client signs text alone
            continue
        right = sender.good_content | (REFUSED if name in {"zoho", "hubspot v2", "hubspot"} else frozenset())
        right |= {202} if name == "cloudevents" and label == "never" else frozenset()
        yield Case(label, (Step(request, right),), "never", None)
    if sender.json:
        key = next(_numbers if name in LONG_IDS else _events)
        mark = f"mark{key}x"
        text = f"Zeros\u0000 and \ud800 {mark}\u2028<b>dear</b> &amp; slow"
        yield Case(
            "zeros and surrogates", (Step(sign(name, sender.note(key, text, AT)), frozenset({sender.ok})),), mark, "*"
        )
        body = sender.note(key + 10**6, "Fields.", AT)
        (body[0] if isinstance(body, list) else body)["unknown"] = {"a": [None, {"b": 1}]}
        yield Case("unknown fields", (Step(sign(name, body), frozenset({sender.ok})),), "none", None)


def _wrappings(name: str, sender: Sender) -> Iterator[Case]:
    request = _case(name, sender, "", "a", None).steps[0].request
    packed = {**request.headers, "Content-Encoding": "gzip"}
    case = _case(name, sender, "packed", "a", "First {}.")
    plain = case.steps[0].request
    headers = {**plain.headers, "Content-Encoding": "gzip"}
    yield replace(
        case, steps=(Step(replace(plain, body=gzip.compress(plain.body), headers=headers), frozenset({sender.ok})),)
    )
    good = CONTENT | REFUSED
    yield Case("packed badly", (Step(replace(request, body=b"\x1f\x8bno", headers=packed), good),))
    yield Case("a bomb", (Step(replace(request, body=BOMB, headers=packed), frozenset({413})),))
    yield Case("brotli", (Step(replace(request, headers={**packed, "Content-Encoding": "br"}), frozenset({415})),))
    long = {**request.headers, "Content-Length": str(2**40)}
    yield Case("a terabyte is announced", (Step(replace(request, body=b"", headers=long), frozenset({413})),))
    header = {**request.headers, "X-Long": "x" * 20_000}
    yield Case("a long header", (Step(replace(request, headers=header), frozenset({sender.ok, 400, 431})),))
    lower = _case(name, sender, "names in small letters", "a", "First {}.")
    small = lower.steps[0].request
    small = replace(small, headers={key.lower(): value for key, value in small.headers.items()})
    yield replace(lower, steps=(Step(small, frozenset({sender.ok})),))


def _methods(name: str, sender: Sender) -> Iterator[Case]:
    request = sign(name, sender.note(next(_events), "never", AT))
    for method in ("GET", "PUT", "DELETE"):
        yield Case(method, (Step(request, frozenset({405}), method),), "never", None)


def _one(
    label: str, name: str, body: Any, right: int, mark: str = "none", text: str | None = None, holds: str = ""
) -> Case:
    return Case(label, (Step(sign(name, body), frozenset({right}), holds=holds),), mark, text)


def _of_hubspot() -> Iterator[Case]:
    batch = [5, None, {}, _hubspot(901, "Kept mark901x.", AT), _hubspot(902, "no", AT) | {"portalId": 1}]
    yield _one("hubspot: bad items in a batch", "hubspot", batch, 202, "mark901x", "Kept mark901x.")
    for kind in ("object.associationChange", "contact.propertyChange", "company.creation", "x", "deal.deletion", ""):
        yield _one(f"hubspot: {kind}", "hubspot", [{"subscriptionType": kind, "portalId": 62515, "objectId": 1}], 202)
    yield _one("hubspot: 101 events", "hubspot", [_hubspot(1, "no mark902x", AT)] * 101, 422, "mark902x")
    edits = [_hubspot(903, f"{n} mark903x", AT + n) for n in (2, 3, 1)]
    yield _one("hubspot: unsorted edits", "hubspot", edits, 202, "mark903x", "3 mark903x")
    erased = [_hubspot(904, None, AT, "object.privacyDeletion"), _hubspot(904, "no mark904x", AT + 10**6)]
    yield _one("hubspot: erased for good", "hubspot", erased, 202, "mark904x")
    key = {"X-Api-Key": INGEST_KEY}
    own, events = b'{"external_id": "h910", "text": "mark910x"}', sign("hubspot", batch).body
    keyed = Request("/v1/webhooks/hubspot", key, own)
    yield Case("hubspot: a workflow's key", (Step(keyed, frozenset({200})),), "mark910x", "mark910x")
    for label, request in {
        "events by a key": replace(keyed, body=events),
        "wrong key": replace(keyed, headers={"X-Api-Key": "x"}),
        "key and wrong signature": replace(keyed, headers={**key, "X-HubSpot-Signature": "0" * 64}),
    }.items():
        yield _refused(f"hubspot: {label}", request)
    yield _one("hubspot: events by v2", "hubspot v2", [_hubspot(905, "no mark905x", AT)], 401, "mark905x")


def _of_salesforce() -> Iterator[Case]:
    yield _one(
        "salesforce: Ack",
        "salesforce",
        _record(906, AT, Description="mark906x"),
        200,
        "mark906x",
        "mark906x",
        "<Ack>true",
    )
    foreign = _record(907, AT, Description="mark907x").replace(b"00D000000000062EAA", b"00D000000000063EAA")
    yield _one("salesforce: another organisation", "salesforce", foreign, 401, "mark907x")
    gone = re.sub(b"<sObject.*</sObject>", b"", _record(908, AT))
    yield _one("salesforce: the record is gone", "salesforce", gone, 200, holds="<Ack>true")
    for body in (b"<a/>", b"<a>", b'<?xml version="1.0"?><!DOCTYPE a><a/>', b"{}", b"<a>&nbsp;</a>"):
        yield Case(f"salesforce: {body!r}", (Step(sign("salesforce", body), frozenset({400, 422})),))


def _of_crms() -> Iterator[Case]:
    for entity in ("person", "deal", "lead", "", "organization"):
        meta = {"id": entity, "action": "change", "entity": entity, "entity_id": "1"}
        yield _one(f"pipedrive: {entity}", "pipedrive", {"meta": meta, "data": {"id": 1, "value": "x"}}, 200)
    for module in ("Leads", "Notes", "", "Deals"):
        yield _one(f"zoho: {module}", "zoho", {"module": module, "operation": "insert", "ids": ["1"]}, 200)
    yield _one(
        "zoho: ids of a path", "zoho", {"module": "Calls", "operation": "insert", "ids": ["../1", None, 2.5]}, 200
    )
    for entity in ("account", "opportunity", "systemuser"):
        yield _one(f"dynamics: {entity}", "dynamics", {"PrimaryEntityName": entity, "MessageName": "Update"}, 200)


def _of_gong() -> Iterator[Case]:
    call = {"callData": {"metaData": {"id": "7782342274025937895"}}, "isTest": False}
    yield _one("gong: a call", "gong", call, 200)
    yield _one("gong: a test", "gong", {"isTest": True}, 200)
    yield _one("gong: no call", "gong", {}, 422)
    wrong = {"exp": int(time.time()) - 600, "webhook_url": f"{PUBLIC_URL}/v1/webhooks/zoho", "body_sha256": "0" * 64}
    for claim, value in [*wrong.items(), *((name, None) for name in wrong)]:
        yield _refused(f"gong: {claim} {value}", sign("gong", call, **{claim: value}))
    yield _refused("gong: another key", sign("gong", call, secret="other"))
    none = ".".join(
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({"alg": "none"}, wrong)
    )
    for token in (f"{none}.", "a.b.c", "", "é", "Bearer"):
        yield _refused(f"gong: {token[:9]}", replace(sign("gong", call), headers={"Authorization": f"Bearer {token}"}))


def _of_events() -> Iterator[Case]:
    for kind in ("invoice.paid", "", "user.created"):
        yield _one(f"standard: {kind}", "standard", {"type": kind, "data": {"id": "1"}}, 202 if kind else 422)
    event = _cloud(1, "created", AT, {"id": "h911", "text": "mark911x"})
    for name in ("id", "source", "type", "specversion"):
        for value in (None, "", 7):
            yield _one(f"cloudevents: {name} {value}", "cloudevents", {**event, name: value}, 400, "mark911x")
    two = [_cloud(n, "created", AT, {"text": f"mark91{n}x of one"}) | {"id": "1", "source": f"/{n}"} for n in (2, 3)]
    for n, one in enumerate(two, start=2):
        yield _one(f"cloudevents: id of source {n}", "cloudevents", one, 202, f"mark91{n}x", f"mark91{n}x of one")
    for kind, right in (("+avro", 415), ("-batch+protobuf", 415), ("+xml", 415), ("-batch+json", 422)):
        request = sign("cloudevents", event)
        request.headers["Content-Type"] = f"application/cloudevents{kind}"
        yield Case(f"cloudevents: {kind}", (Step(request, frozenset({right})),), "mark911x")


def _of_slack() -> Iterator[Case]:
    challenge = {"type": "url_verification", "challenge": "c<>&é"}
    yield _one("slack: challenge", "slack", challenge, 200, holds="c<>&")
    yield _refused("slack: challenge unsigned", sign("slack", challenge, secret="x"))
    for subtype in ("bot_message", "channel_join", "message_replied"):
        yield _one(
            f"slack: {subtype}", "slack", _slack(1, AT, ts="1.1", subtype=subtype, text="mark914x"), 200, "mark914x"
        )


def _of_mail() -> Iterator[Case]:
    away = bytes(mail("mark915x", Auto_Submitted="auto-replied"))
    for name in ("mail", "mailgun", "sendgrid"):
        yield _one(f"{name}: an automatic reply", name, away, SENDERS[name].ok, "mark915x")
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
    yield _one("zapier: local style", "zapier", amounts | {"deal_id": "d"}, 202, "mark917x", "mark917x")
    for body, right in (
        ([], 422),
        ([5], 202),
        ({"text": ""}, 422),
        ({"text": "  "}, 422),
        ([amounts | {"external_id": "h918", "text": "Slow."}, {}], 202),
    ):
        yield _one(f"make: {str(body)[:20]}", "make", body, right)
