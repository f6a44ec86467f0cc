"""Slack Events: signed requests; a message of a channel is a note, its edit and its deletion too."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from service.sources.contract import (
    Aside,
    Change,
    Connection,
    Deleted,
    Delivery,
    Event,
    NoteChange,
    NotVerified,
    Parsed,
    Reply,
    Setup,
    Skipped,
    Source,
)
from service.sources.proofs import check_clock, hmac_sha256, same
from service.sources.reading import ident, iso, literal_text, load_object, moment, note_item, part, text_of, wrong_shape

NAME = "slack"
_MARK = re.compile(r"<([^<>]{1,2000})>")
_MESSAGES = frozenset({"", "thread_broadcast", "file_share", "me_message"})


def verify(delivery: Delivery, connection: Connection) -> None:
    """Check the signature of a request (version v0)."""
    at = check_clock(delivery.headers.get("x-slack-request-timestamp"), delivery.received_at)
    signed = f"v0:{at}:".encode() + delivery.body
    given = delivery.headers.get("x-slack-signature", "")
    if not any([same(given, f"v0={hmac_sha256(secret, signed).hex()}") for secret in connection.secrets]):
        raise NotVerified("its signature is missing or wrong")


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read one event; a verification of the URL is answered with its challenge."""
    document = load_object(delivery.body)
    kind = text_of(document.get("type"))
    if kind == "url_verification":
        challenge = document.get("challenge")
        if not isinstance(challenge, str):
            raise wrong_shape("challenge", "is missing")
        return Parsed([], Reply(200, json.dumps({"challenge": challenge})))
    event = part(document, "event")
    if kind != "event_callback":
        return Parsed([Event([Skipped(f"the type {kind[:40]}")])], Reply(200))
    return Parsed([Event(list(_changes(event, connection)), ident(document.get("event_id")))], Reply(200))


def _changes(event: dict[str, Any], connection: Connection) -> Iterator[Change]:
    subtype = text_of(event.get("subtype"))
    channel = ident(event.get("channel"))
    if event.get("type") != "message":
        yield Skipped(f"an event {text_of(event.get('type'))[:40]}")
    elif channel is None:
        yield Aside("no_channel", "the message has no channel", event)
    elif subtype == "message_deleted":
        gone = ident(event.get("deleted_ts")) or ident(part(event, "previous_message").get("ts"))
        at = moment(event.get("event_ts")) or moment(event.get("ts"))
        yield Deleted(f"{channel}:{gone}", at) if gone else Aside("no_id", "the deletion names no message", event)
    elif subtype == "message_changed":
        yield _message(part(event, "message"), channel, event.get("event_ts") or event.get("ts"), connection)
    elif subtype in _MESSAGES:
        yield _message(event, channel, None, connection)
    else:
        yield Skipped(f"a message of subtype {subtype[:40]}")


def _message(message: dict[str, Any], channel: str, changed: Any, connection: Connection) -> Change:
    at = ident(message.get("ts"))
    if message.get("bot_id") or message.get("subtype") == "bot_message":
        return Skipped("a bot's message")
    if at is None or moment(at) is None:
        return Aside("no_id", "the message has no ts", message)
    if message.get("subtype") == "tombstone":  # what is left of a deleted message that has replies
        return Deleted(f"{channel}:{at}", moment(changed))
    users = connection.options.get("users")
    text = readable(text_of(message.get("text")), users if isinstance(users, dict) else {})
    if not text.strip():
        return Deleted(f"{channel}:{at}", moment(changed)) if changed else Skipped("a message without words")
    author = ident(message.get("user"))
    edited = moment(part(message, "edited").get("ts")) or moment(changed) or moment(at)
    item = note_item(
        NAME,
        f"{channel}:{at}",
        literal_text(text),
        kind="debrief",
        occurred_at=iso(moment(at)),
        updated_at=iso(edited),
        author={"id": author} if author else None,
    )
    return NoteChange(item)


def readable(text: str, users: Mapping[str, Any]) -> str:
    """Return a message as people see it: entities decoded, links by their label, names for ids where they are known."""
    return html.unescape(_MARK.sub(lambda match: _shown(match[1], users), text))


def _shown(mark: str, users: Mapping[str, Any]) -> str:
    target, _, label = mark.partition("|")
    if target.startswith("@"):
        return f"@{users.get(target[1:]) or label or target[1:]}"
    if target.startswith(("#", "!")):
        return f"{target[0] if target[0] == '#' else '@'}{label or target[1:]}"
    return label or target


SOURCE = Source(
    name=NAME,
    verify=verify,
    parse=parse,
    options={"users": 'names for mentions: {"U024BE7LH": "Ann"}'},
    setup=Setup(
        en="1. api.slack.com/apps: make an app; Basic Information shows its signing secret.\n"
        "2. binome connections add slack --secret SIGNING_SECRET.\n"
        "3. Event Subscriptions: Request URL {url}; Slack verifies it at once.\n"
        "4. Subscribe to message.channels (or message.groups) and invite the app to the debrief channel only.\n"
        "5. Bots' messages are left out.",
        fr="1. api.slack.com/apps : créez une application ; Basic Information montre son secret de signature.\n"
        "2. binome connections add slack --secret SECRET.\n"
        "3. Event Subscriptions : Request URL {url} ; Slack la vérifie aussitôt.\n"
        "4. Abonnez message.channels (ou message.groups) et n'invitez l'application que dans le canal voulu.\n"
        "5. Les messages des robots sont laissés de côté.",
    ),
    sample=json.dumps(
        {
            "type": "event_callback",
            "event_id": "Ev08MFMKH6",
            "event_time": 1757844000,
            "event": {
                "type": "message",
                "channel": "C061EG9SL",
                "user": "U024BE7LH",
                "text": "<@U061F7AUR> they find it too expensive &amp; slow",
                "ts": "1757844000.000100",
                "event_ts": "1757844000.000100",
            },
        }
    ),
)
