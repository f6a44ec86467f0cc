"""How a digest or an alert leaves: written when it is sent, by mail or to a chat's webhook."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from service.deliveries.sending import Answer, post
from service.filters import Period
from service.outgoing_tables import OutgoingTable, SubscriptionTable
from service.settings import Settings
from service.subscriptions.content import Message, MessageKind, compose
from service.subscriptions.links import unsubscribe_link
from service.subscriptions.mail import as_mail, send_mail
from service.subscriptions.rendering import as_slack, as_teams
from service.subscriptions.schemas import Channel

_CHATS = {Channel.SLACK: as_slack, Channel.TEAMS: as_teams}
_GONE = frozenset({404, 410})  # Slack and Teams answer so for webhooks that were taken away


def write_message(
    session: Session, row: SubscriptionTable, kind: MessageKind, data: dict[str, object], settings: Settings
) -> Message:
    """Write the message that a delivery is about: `start`, `end` and, for an alert, `places`."""
    period = Period(date.fromisoformat(str(data["start"])), date.fromisoformat(str(data["end"])))
    given = data.get("places") or []
    assert isinstance(given, list)
    places = {(str(about), str(key)) for about, key in given}
    return compose(
        session,
        row,
        kind,
        period,
        settings,
        unsubscribe_url=unsubscribe_link(settings, row),
        places=places if kind is MessageKind.ALERT else None,
    )


def prepare(session: Session, delivery: OutgoingTable, settings: Settings, now: datetime) -> Callable[[], Answer]:
    """Read all that a message says, and return what sends it."""
    row = session.get_one(SubscriptionTable, delivery.subscription_id)
    message = write_message(session, row, MessageKind(delivery.kind), delivery.data, settings)
    if message.kind is MessageKind.ALERT and not message.entries:
        return lambda: Answer(None, "nothing is left to tell: what rose is heard no more", for_good=True)
    name, address, channel = row.name, row.address, Channel(row.channel)
    if channel is not Channel.EMAIL:
        body = json.dumps(_CHATS[channel](message, name), ensure_ascii=False).encode()
        return lambda: _to_chat(address, body, settings)
    if not settings.smtp_url:
        return lambda: Answer(None, "no mail server is set: BINOME_SMTP_URL", for_good=True)
    mail = as_mail(
        message,
        name,
        sender=settings.mail_sender,
        address=address,
        key=f"binome-{message.kind}-{delivery.id}-{int(delivery.created_at.timestamp())}",
        now=now,
        one_click=message.unsubscribe_url.startswith("https://"),
    )
    return lambda: send_mail(settings, mail)


def _to_chat(address: str, body: bytes, settings: Settings) -> Answer:
    answer = post(address, {"content-type": "application/json"}, body, allow_private=settings.outgoing_private_allowed)
    return replace(answer, for_good=True) if answer.status in _GONE else answer
