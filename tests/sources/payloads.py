"""How each sender says a note, an edit, and that it is gone; what a case of requests is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.imports.files import mail
from tests.sources.senders import SIGNERS, Request
from tests.sources.test_vendors import soap

AT = 1_757_844_000_000
CONTENT = frozenset({400, 413, 415, 422})
KEPT = frozenset({200})
"""The answer to content that nobody can take, of a sender that would repeat it: acknowledged and kept."""
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


numbers = count(1)


def a_hubspot(key: int, text: str | None, at: int, kind: str = "object.propertyChange") -> dict[str, Any]:
    named = {"propertyName": "hs_note_body", "propertyValue": text} if text is not None else {}
    about = {"objectTypeId": "0-46", "objectId": key, "portalId": 62515, "occurredAt": at}
    return {"eventId": 1, "subscriptionType": kind, "attemptNumber": 0, **about, **named}


def a_record(key: int, at: int, **fields: str) -> bytes:
    return soap({"Id": f"00T{key:012d}", "LastModifiedDate": iso(at), **fields}).replace(
        b"04l000000000000AAA", f"04l{next(numbers):012d}AAA".encode()
    )


def _pipedrive(key: int, action: str, at: int, data: dict[str, Any] | None, previous: Any = None) -> dict[str, Any]:
    meta = {"id": f"e-{next(numbers)}", "action": action, "entity": "note", "entity_id": str(key), "timestamp": iso(at)}
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


def a_cloud(key: int, kind: str, at: int, data: dict[str, Any]) -> dict[str, Any]:
    event = {"specversion": "1.0", "id": f"e{next(numbers)}", "source": "/crm", "type": f"note.{kind}"}
    return {**event, "time": iso(at), "datacontenttype": "application/json", "data": data}


def a_slack(key: int, at: int, **fields: Any) -> dict[str, Any]:
    event = {"type": "message", "channel": "C1", "event_ts": f"{at / 1000:.6f}", **fields}
    return {"type": "event_callback", "event_id": f"Ev{next(numbers)}", "event": event}


def _message(key: int, text: str, at: int) -> bytes:
    return bytes(mail(text, Message_ID=f"<h{key}@firm.example>"))


def _own(key: int, text: str, at: int) -> dict[str, Any]:
    return {"external_id": f"h{key}", "text": text, "updated_at": iso(at)}


def _own_gone(key: int, at: int) -> dict[str, Any]:
    return {"external_id": f"h{key}", "deleted": True, "updated_at": iso(at)}


def _slack_note(key: int, text: str, at: int) -> dict[str, Any]:
    ts = f"{AT // 1000 + key}.000100"
    if at == AT:
        return a_slack(key, at, ts=ts, user="U1", text=text)
    return a_slack(key, at + 1000 * key, subtype="message_changed", message={"ts": ts, "user": "U1", "text": text})


def _slack_gone(key: int, at: int) -> dict[str, Any]:
    return a_slack(key, at + 1000 * key, subtype="message_deleted", deleted_ts=f"{AT // 1000 + key}.000100")


_RELAY = {"edits": False, "json": False}
SENDERS: dict[str, Sender] = {
    "hubspot": Sender(
        202,
        lambda k, t, at: [a_hubspot(k, t, at)],
        lambda k, at: [a_hubspot(k, None, at, "object.deletion")],
        good_content=KEPT,
    ),
    "hubspot v2": Sender(200, _own, _own_gone),
    "salesforce": Sender(
        200,
        lambda k, t, at: a_record(k, at, Description=t),
        lambda k, at: a_record(k, at, IsDeleted="true"),
        json=False,
    ),
    "pipedrive": Sender(
        200,
        lambda k, t, at: _pipedrive(k, "change", at, {"id": k, "content": t, "update_time": iso(at)}),
        lambda k, at: _pipedrive(k, "delete", at, None, {"id": k}),
        good_content=KEPT,
    ),
    "zoho": Sender(
        200,
        lambda k, t, at: _zoho(k, "update", at, {"Description": t}),
        lambda k, at: _zoho(k, "delete", at),
        good_content=KEPT,
    ),
    "dynamics": Sender(
        200, lambda k, t, at: _dynamics(k, "Update", at, t), lambda k, at: _dynamics(k, "Delete", at, None)
    ),
    "standard": Sender(
        202,
        lambda k, t, at: {"type": "note.updated", "timestamp": iso(at), "data": {"id": f"h{k}", "text": t}},
        lambda k, at: {"type": "note.deleted", "timestamp": iso(at), "data": {"id": f"h{k}"}},
        good_content=KEPT,
    ),
    "cloudevents": Sender(
        202,
        lambda k, t, at: a_cloud(k, "updated", at, {"id": f"h{k}", "text": t}),
        lambda k, at: a_cloud(k, "deleted", at, {"id": f"h{k}"}),
    ),
    "slack": Sender(200, _slack_note, _slack_gone),
    "zapier": Sender(202, _own, _own_gone),
    "make": Sender(202, lambda k, t, at: {**_own(k, "", at), "Corps": t}, _own_gone),
    "generic": Sender(202, _own, _own_gone),
    "mail": Sender(202, _message, **_RELAY, good_content=frozenset({200, 202})),
    "mailgun": Sender(200, _message, **_RELAY, good_content=frozenset({406})),
    "postmark": Sender(
        200,
        lambda k, t, at: {"From": "ann@firm.example", "MessageID": f"h{k}", "Subject": "", "TextBody": t},
        edits=False,
        good_content=KEPT,
    ),
    "sendgrid": Sender(200, _message, **_RELAY, good_content=KEPT),
    "ses": Sender(200, _message, **_RELAY, good_content=KEPT),
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
long_numbers = count(9_007_199_254_740_993)  # beyond what a double holds


# slack numbers by time, Salesforce by letters and digits of a fixed length
LONG_IDS = frozenset(SENDERS) - {"slack", "salesforce"}


def sign(name: str, body: Any, **how: Any) -> Request:
    number = next(numbers)
    if name == "standard":
        how.setdefault("key", f"msg_{number}")
    if name == "mailgun":
        how.setdefault("token", f"t{number}")
    return SIGNERS[name](body, **how)


def refused(label: str, *requests: Request) -> Case:
    return Case(label, tuple(Step(one, REFUSED) for one in requests), "never", None)


def single(
    label: str, name: str, body: Any, right: int, mark: str = "none", text: str | None = None, holds: str = ""
) -> Case:
    return Case(label, (Step(sign(name, body), frozenset({right}), holds=holds),), mark, text)
