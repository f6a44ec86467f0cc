"""Events of HubSpot, CloudEvents and Slack: odd ones, in every order and form."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.sources.asked.cases import AT, CONTENT, DAY, OK, Asked, Fields, asked, by, keys, to
from tests.sources.payloads import Step, a_hubspot, iso
from tests.sources.senders import INGEST_KEY

CLOUD = "/v1/webhooks/cloudevents"


def cases() -> Iterator[Asked]:
    """Give all cases."""
    for make in (_kinds, _odd_events, _orders, _cloud, _cloud_binary, _cloud_refused, _slack, _slack_kinds, _slack_odd):
        yield from make()


def _kinds() -> Iterator[Asked]:
    for name, kind, part in (
        ("hs_note_body", "46", ""),
        ("hs_call_body", "48", ""),
        ("hs_meeting_body", "47", ""),
        ("hs_internal_meeting_notes", "47", "/internal"),
    ):
        k = next(keys)
        event = a_hubspot(k, "Dear.", AT) | {"propertyName": name, "objectTypeId": f"0-{kind}", "sourceId": "userId:8"}
        note = {"text": "Dear.", "occurred_at": DAY, "author": "userId:8"}
        yield asked(f"hubspot, {name}", by("hubspot", [event], 202), **{f"0-{kind}:{k}{part}": note})
    k = next(keys)
    both = [a_hubspot(one, f"{one}.", AT) | {"eventId": 5} for one in (k, k + 10**7)]
    notes: dict[str, Fields] = {f"0-46:{one}": {"text": f"{one}."} for one in (k, k + 10**7)}
    yield asked("hubspot, one event id of two events", by("hubspot", both, 202), **notes)
    for kind in ("object.creation", "object.restore", "object.merge", "contact.merge", "deal.merge", "ticket.creation"):
        event = {"eventId": 1, "subscriptionType": kind, "portalId": 62515, "occurredAt": AT, "attemptNumber": 0}
        yield asked(f"hubspot, {kind} of nothing", by("hubspot", [event, event | {"objectId": next(keys)}], 202))
    merge = {"subscriptionType": "object.merge", "objectTypeId": "0-1", "portalId": 62515, "occurredAt": AT}
    for ids in (None, "1", [True, {}], [1.5]):
        event = merge | {"objectId": 1, "primaryObjectId": ids, "mergedObjectIds": ids, "newObjectId": ids}
        yield asked(f"hubspot, merges {ids}", by("hubspot", [event], 202))


def _odd_events() -> Iterator[Asked]:
    """Odd ones in a batch do not lose the one beside them."""
    odd: list[dict[str, Any]] = [
        {"portalId": None}, {"portalId": [62515]}, {"occurredAt": None}, {"occurredAt": []}, {"occurredAt": 10**20},
        {"occurredAt": -(10**16)}, {"occurredAt": True}, {"objectId": True}, {"objectId": [1]}, {"objectId": None},
        {"objectId": ""}, {"objectId": 1.5}, {"objectId": "9" * 700}, {"propertyValue": 12},
        {"propertyValue": {"a": 1}}, {"subscriptionType": 7}, {"objectTypeId": "2-333"}, {"objectTypeId": 46},
        {"propertyName": None},
    ]  # fmt: skip
    for change in odd:
        k = next(keys)
        batch = [a_hubspot(next(keys), "Odd.", AT) | change, a_hubspot(k, "Good.", AT)]
        yield asked(f"hubspot, {str(change)[:40]}", by("hubspot", batch, 202), **{f"0-46:{k}": {"text": "Good."}})
    for change in ({"portalId": "62515"}, {"occurredAt": str(AT)}, {"occurredAt": float(AT)}, {"": {"a": [[1]]}}):
        k = next(keys)
        step = by("hubspot", [a_hubspot(k, "Good.", AT) | change], 202)
        yield asked(f"hubspot, {change}", step, **{f"0-46:{k}": {"text": "Good.", "occurred_at": DAY}})


def _orders() -> Iterator[Asked]:
    gone, erased = "object.deletion", "object.privacyDeletion"
    orders: list[tuple[list[tuple[str | None, int, str]], str | None]] = [
        ([("New.", 9, ""), (None, 5, gone)], "New."),
        ([(None, 5, gone), ("Old.", 0, "")], None),
        ([(None, 5, gone), ("New.", 9, "")], "New."),
        ([(None, 5, erased), (None, 5, gone), ("New.", 9, "")], None),
        ([(None, 5, gone), (None, 5, erased), ("New.", 9, "")], None),
        ([("A.", 0, ""), (None, 5, erased), (None, 6, "object.creation"), ("B.", 9, "")], None),
        ([("A.", 9, ""), (None, 5, erased)], None),
        ([("C.", 3, ""), ("B.", 2, ""), ("A.", 1, "")], "C."),
    ]
    for events, text in orders:
        for together in (False, True):
            k = next(keys)
            made = [a_hubspot(k, said, AT + at, kind or "object.propertyChange") for said, at, kind in events]
            steps = [by("hubspot", made, 202)] if together else [by("hubspot", [one], 202) for one in made]
            yield asked(f"hubspot, {events}, {together}", *steps, **{f"0-46:{k}": text and {"text": text}})


def _event(k: str, **change: Any) -> dict[str, Any]:
    about = {"specversion": "1.0", "id": f"ev{next(keys)}", "source": "/crm", "type": "note.created", "time": iso(AT)}
    made = {**about, "datacontenttype": "application/json", "data": {"id": k, "text": "Cloud."}, **change}
    return {name: value for name, value in made.items() if value is not None}


def _structured(event: Any, right: Any = 202, kind: str = "application/cloudevents+json") -> Step:
    return to(CLOUD, event, right, {"Authorization": f"Bearer {INGEST_KEY}", "Content-Type": kind})


def _binary(k: str, right: Any = 202, body: bytes | None = None, kind: str = "application/json", **change: Any) -> Step:
    about = {"specversion": "1.0", "id": f"bi{k}", "source": "/crm", "type": "note.created", "time": iso(AT), **change}
    headers = {f"ce-{name}": value for name, value in about.items() if value is not None}
    sent = json.dumps({"id": k, "text": "Binary."}).encode() if body is None else body
    return to(CLOUD, sent, right, {**headers, "Authorization": f"Bearer {INGEST_KEY}", "Content-Type": kind})


def _cloud() -> Iterator[Asked]:
    for kind in ("Application/CloudEvents+JSON;charset=UTF-8", 'application/cloudevents+json; charset="utf-8"; a=b'):
        k = f"ce{next(keys)}"
        yield asked(f"cloudevents, {kind}", _structured(_event(k), kind=kind), **{k: {"occurred_at": DAY}})
    k = f"ce{next(keys)}"
    bad = [_event(f"{k}c", id=None), _event(f"{k}d", specversion="0.3"), "x"]
    batch = _structured([_event(k), *bad, _event(f"{k}b")], kind="application/cloudevents-batch+json; charset=utf-8")
    yield asked("cloudevents, a batch", batch, **{k: {}, f"{k}b": {}, f"{k}c": None, f"{k}d": None})
    yield asked("cloudevents, no events", _structured([], 202, "application/cloudevents-batch+json"))
    k = f"ce{next(keys)}"
    encoded = base64.b64encode(json.dumps({"id": k, "text": "é."}).encode()).decode()
    step = _structured(_event(k, data=None, data_base64=encoded, traceparent="00-a", partitionkey="7"))
    yield asked("cloudevents, base64 and fields of its own", step, **{k: {"text": "é."}})
    k = f"ce{next(keys)}"
    same = [_structured(_event(k, id=f"same{k}", data={"id": k, "text": text})) for text in ("A.", "B.")]
    yield asked("cloudevents, the same event with other words", *same, **{k: {"text": "A."}})
    for label, later, right in (("edited", "note.updated", {"text": "Cloud."}), ("deleted", "note.deleted", None)):
        k = f"ce{next(keys)}"
        steps = [_event(k, type=later, time=iso(AT + 9000)), _event(k, data={"id": k, "text": "Old."})]
        yield asked(f"cloudevents, {label} first", *(_structured(one) for one in steps), **{k: right})


def _cloud_binary() -> Iterator[Asked]:
    for header, identity in (("%E2%82%AC%20{}", "€ {}"), ("%25{}", "%{}")):
        k = f"ce{next(keys)}"
        again = _structured(_event(f"{k}b", id=identity.format(k), source="/café"))
        first = _binary(k, id=header.format(k), source="/caf%C3%A9")
        yield asked(f"cloudevents, {header} and {identity}", first, again, **{k: {"text": "Binary."}, f"{k}b": None})
    k = f"ce{next(keys)}"
    yield asked("cloudevents, +json", _binary(k, kind="application/vnd.crm+json"), **{k: {"occurred_at": DAY}})
    for name in ("id", "source", "type", "specversion"):
        for value in (None, ""):
            yield asked(f"cloudevents, {name} {value}", _binary("ceno", (400, 415), **{name: value}), ceno=None)
    for body in (b'{"id": "x", "text": ', b"Too dear", b"", b'{"text": "\xe9"}', b'{"text": "x", "a": NaN}'):
        yield asked(f"cloudevents, {body!r}", _binary("ceno", 400, body), ceno=None)


def _cloud_refused() -> Iterator[Asked]:
    for change in ({"specversion": 1.0}, {"specversion": "1.1"}, {"id": 5}, {"type": ["note.created"]}, {"id": None}):
        yield asked(f"cloudevents, {change}", _structured(_event("ceno", **change), 400), ceno=None)
    for kind in ("application/cloudevents", "application/cloudevents+avro", "application/json", "text/plain", ""):
        yield asked(f"cloudevents as {kind!r}", _structured(_event("ceno"), (400, 415), kind), ceno=None)
    yield asked("cloudevents, a batch as one", _structured([_event("ceno")], CONTENT), ceno=None)
    one = _structured(_event("ceno"), CONTENT, "application/cloudevents-batch+json")
    yield asked("cloudevents, one as a batch", one, ceno=None)


def _ts(k: int) -> str:
    return f"{AT // 1000}.{k % 10**6:06d}"


def _sl(k: int, **fields: Any) -> dict[str, Any]:
    event = {"type": "message", "channel": "C77", "ts": _ts(k), "event_ts": _ts(k), "user": "U9", "text": "Slack."}
    told = {name: value for name, value in {**event, **fields}.items() if value is not None}
    return {"type": "event_callback", "event_id": f"Ev{next(keys)}", "team_id": "T1", "event": told}


def _later(k: int, kind: str, **fields: Any) -> dict[str, Any]:
    at = f"{AT // 1000 + 9}.000000"
    return _sl(k, subtype=kind, ts=at, event_ts=at, text=None, user=None, hidden=True, **fields)


def _slack() -> Iterator[Asked]:
    message = {"user": "U9", "text": "Edited.", "edited": {"user": "U9", "ts": f"{AT // 1000 + 9}.000000"}}
    for label in ("then", "first"):
        k = next(keys)
        edit = by("slack", _later(k, "message_changed", message=message | {"ts": _ts(k)}), 200)
        steps = [by("slack", _sl(k), 200), edit]
        note = {"text": "Edited.", "author": "U9"}
        yield asked(f"slack, edited {label}", *steps[:: 1 if label == "then" else -1], **{f"C77:{_ts(k)}": note})
        k = next(keys)
        steps = [by("slack", _sl(k), 200), by("slack", _later(k, "message_deleted", deleted_ts=_ts(k)), 200)]
        yield asked(f"slack, deleted {label}", *steps[:: 1 if label == "then" else -1], **{f"C77:{_ts(k)}": None})
    for sent, text in {
        "5 &lt; 6 &amp; 7": "5 < 6 & 7", "&amp;lt;b&amp;gt;": "&lt;b&gt;", "<@U061F7AUR> hi": "@Ann hi",
        "<@U8|bob> says": "@bob says", "see <#C1|sales>": "see #sales", "<https://x.example>": "https://x.example",
        "<!here> price": "@here price",
    }.items():  # fmt: skip
        k = next(keys)
        yield asked(f"slack, {sent}", by("slack", _sl(k, text=sent), 200), **{f"C77:{_ts(k)}": {"text": text}})


def _slack_kinds() -> Iterator[Asked]:
    bot = {"bot_id": "B1", "subtype": "bot_message", "text": "Bot."}
    for fields in (
        {"bot_id": "B1"}, {"subtype": "channel_topic"}, {"type": "reaction_added"}, {"text": ""},
        {"subtype": "message_changed", "message": {"ts": "1.1", **bot}, "text": None},
    ):  # fmt: skip
        k = next(keys)
        yield asked(
            f"slack, not {fields}", by("slack", _sl(k, **fields), 200), **{f"C77:{_ts(k)}": None, "C77:1.1": None}
        )
    for fields in (
        {"thread_ts": "1757844000.000001"}, {"subtype": "thread_broadcast"}, {"subtype": "file_share", "files": [{}]},
        {"subtype": "me_message"}, {"blocks": [{"type": "rich_text"}]},
    ):  # fmt: skip
        k = next(keys)
        yield asked(f"slack, {fields}", by("slack", _sl(k, **fields), 200), **{f"C77:{_ts(k)}": {"text": "Slack."}})


def _slack_odd() -> Iterator[Asked]:
    for body in (
        {"type": "event_callback", "event_id": "EvX"}, {"type": "app_rate_limited"}, {"a": 1},
        {"type": "url_verification", "challenge": ["x"]}, _sl(1, ts=None), _sl(2, ts=1.5), _sl(3, channel=None),
        _later(4, "message_changed"), _later(5, "message_deleted"), {**_sl(6), "event_id": []},
    ):  # fmt: skip
        yield asked(f"slack, odd {str(body)[:60]}", by("slack", body, (*OK, 400, 422)))
