"""Subscriptions in SQL, and which of their messages are due."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.deliveries.events import DeliveryState
from service.filters import Period
from service.outgoing_tables import AnnouncedTable, OutgoingTable, SubscriptionTable, WatchTable
from service.subscriptions.content import MessageKind, window

TOO_LATE = timedelta(days=2)  # a digest that was due while nothing ran is made up for so long


def list_subscriptions(session: Session) -> list[SubscriptionTable]:
    """Return the subscriptions, oldest first."""
    return list(session.scalars(sa.select(SubscriptionTable).order_by(SubscriptionTable.id)))


def find_subscription(session: Session, subscription_id: int, *, lock: bool = False) -> SubscriptionTable | None:
    """Return a subscription.

    Args:
        session: The session.
        subscription_id: Its id.
        lock: Keep others from changing it until the transaction ends.
    """
    query = sa.select(SubscriptionTable).where(SubscriptionTable.id == subscription_id)
    return session.scalar(query.with_for_update() if lock else query)


def create_subscription(session: Session, values: dict[str, Any], by: str, now: datetime) -> SubscriptionTable:
    """Store a subscription, and have the ranking of its notes watched."""
    row = SubscriptionTable(**values, token_secret=secrets.token_hex(32), created_by=by, created_at=now)
    session.add(row)
    session.flush()
    session.add(WatchTable(subscription_id=row.id))
    return row


def take_stock_again(session: Session, subscription_id: int) -> None:
    """Forget what was seen: the ranking of other notes is watched from now on."""
    watch = session.scalar(sa.select(WatchTable).where(WatchTable.subscription_id == subscription_id).with_for_update())
    if watch is not None:
        session.execute(sa.delete(AnnouncedTable).where(AnnouncedTable.watch_id == watch.id))
        watch.ranked_at = watch.claimed_at = None


def delete_subscription(session: Session, row: SubscriptionTable) -> None:
    """Forget a subscription and its deliveries."""
    session.delete(row)


def add_message(
    session: Session,
    row: SubscriptionTable,
    kind: MessageKind,
    period: Period,
    now: datetime,
    places: Sequence[tuple[str, str]] = (),
) -> OutgoingTable:
    """Have a digest or an alert sent; its words are written when it is."""
    data = {"start": period.start.isoformat(), "end": period.end.isoformat(), "places": [list(one) for one in places]}
    delivery = OutgoingTable(
        kind=kind,
        subscription_id=row.id,
        data=data,
        state=DeliveryState.WAITING,
        next_at=now,
        created_at=now,
    )
    session.add(delivery)
    session.flush()
    return delivery


def anything_due(session: Session, now: datetime) -> bool:
    """Tell whether any digest or alert is to be sent now."""
    query = sa.select(SubscriptionTable).where(SubscriptionTable.disabled_at.is_(None))
    rows = list(session.scalars(query))
    return any((row.digest and digest_due(row, now)) or _has_news(session, row, now) for row in rows)


def _has_news(session: Session, row: SubscriptionTable, now: datetime) -> bool:
    return row.alerts and alert_due(row, now) and session.scalar(_waiting(row).limit(1)) is not None


def plan_messages(session: Session, now: datetime) -> int:
    """Have the digests and alerts sent that are due; return how many."""
    query = sa.select(SubscriptionTable).where(SubscriptionTable.disabled_at.is_(None)).order_by(SubscriptionTable.id)
    rows = list(session.scalars(query.with_for_update(skip_locked=True)))
    planned = 0
    for row in rows:
        if row.digest and digest_due(row, now):
            row.digested_on = now
            add_message(session, row, MessageKind.DIGEST, window(local(row, now).date()), now)
            planned += 1
        places = _pending(session, row) if row.alerts and alert_due(row, now) else []
        if places:
            row.alerted_at = now
            today = local(row, now).date()
            add_message(session, row, MessageKind.ALERT, Period(today - timedelta(days=29), today), now, places)
            planned += 1
    return planned


def local(row: SubscriptionTable, now: datetime) -> datetime:
    """Return a time in the subscription's zone."""
    return now.astimezone(ZoneInfo(row.time_zone))


def digest_due(row: SubscriptionTable, now: datetime) -> bool:
    """Tell whether the latest day and hour of the digest came after the subscription, and after its last digest."""
    here = local(row, now)
    due = here.replace(hour=row.hour, minute=0, second=0, microsecond=0)
    due -= timedelta(days=(here.isoweekday() - row.weekday) % 7)
    if due > here:
        due -= timedelta(days=7)
    since = max(row.created_at, row.digested_on) if row.digested_on else row.created_at
    return since < due and here - due < TOO_LATE


def alert_due(row: SubscriptionTable, now: datetime) -> bool:
    """Tell whether no alert was sent on this day yet."""
    return row.alerted_at is None or local(row, row.alerted_at).date() < local(row, now).date()


def _waiting(row: SubscriptionTable) -> sa.Select[AnnouncedTable]:
    return (
        sa.select(AnnouncedTable)
        .join(WatchTable, WatchTable.id == AnnouncedTable.watch_id)
        .where(WatchTable.subscription_id == row.id, AnnouncedTable.sent.is_(False))
        .order_by(AnnouncedTable.id)
    )


def _pending(session: Session, row: SubscriptionTable) -> list[tuple[str, str]]:
    """Return the rises that wait for an alert, and mark them as told."""
    waiting = list(session.scalars(_waiting(row)))
    for one in waiting:
        one.sent = True
    return [(one.about, one.key) for one in waiting]
