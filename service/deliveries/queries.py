"""Endpoints and deliveries in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.deliveries.events import DeliveryState, EventType, address_to, new_event
from service.deliveries.sending import Answer
from service.outgoing_tables import AttemptTable, EndpointTable, EventTable, OutgoingTable, SubscriptionTable

ROTATION = timedelta(days=1)
KEPT = timedelta(days=30)
AT_ONCE_EACH = 2  # deliveries under way to one receiver: a slow one does not hold up the others
OFF_AFTER = timedelta(days=3)  # of nothing but failures

DeliveryRow = tuple[OutgoingTable, EventTable | None]


def list_endpoints(session: Session) -> list[EndpointTable]:
    """Return the endpoints, oldest first."""
    return list(session.scalars(sa.select(EndpointTable).order_by(EndpointTable.id)))


def find_endpoint(session: Session, endpoint_id: int) -> EndpointTable | None:
    """Return an endpoint for update."""
    return session.scalar(sa.select(EndpointTable).where(EndpointTable.id == endpoint_id).with_for_update())


def create_endpoint(session: Session, values: dict[str, Any], secret: str, by: str, now: datetime) -> EndpointTable:
    """Store an endpoint; the caller has checked its address."""
    row = EndpointTable(**values, secret=secret, created_by=by, created_at=now)
    session.add(row)
    session.flush()
    return row


def rotate(row: EndpointTable, secret: str, now: datetime) -> None:
    """Put another secret in force; for a day the one before signs too."""
    row.previous_secret, row.previous_until, row.secret = row.secret, now + ROTATION, secret


def switch_off(row: EndpointTable | SubscriptionTable, reason: str, now: datetime) -> None:
    """Send nothing more to a receiver; what waits stays."""
    row.disabled_at, row.disabled_reason = now, reason


def switch_on(row: EndpointTable | SubscriptionTable) -> None:
    """Send to a receiver again, what waits first."""
    row.disabled_at = row.disabled_reason = None
    if isinstance(row, EndpointTable):
        row.failing_since = None


def delete_endpoint(session: Session, row: EndpointTable) -> None:
    """Forget an endpoint, its secret and its deliveries."""
    session.delete(row)


def request_test(session: Session, endpoint: EndpointTable, by: str, now: datetime) -> DeliveryRow:
    """Have a test event sent to one endpoint, whatever event types it asked for."""
    event = new_event(session, EventType.TEST, {"endpoint": str(endpoint.id), "asked_by": by}, now)
    return address_to(session, event, endpoint, now), event


def claim_due(session: Session, limit: int, now: datetime) -> list[int]:
    """Mark deliveries whose time has come as being sent, few of each receiver at once; return their ids."""
    table = OutgoingTable
    under_way = sa.select(table.endpoint_id, table.subscription_id, sa.literal(0).label("id")).where(
        table.state == DeliveryState.SENDING
    )
    due = (
        sa.select(table.endpoint_id, table.subscription_id, table.id)
        .outerjoin(EndpointTable, EndpointTable.id == table.endpoint_id)
        .outerjoin(SubscriptionTable, SubscriptionTable.id == table.subscription_id)
        .where(table.state == DeliveryState.WAITING, table.next_at <= now)
        .where(EndpointTable.disabled_at.is_(None), SubscriptionTable.disabled_at.is_(None))
    )
    both = sa.union_all(under_way, due).subquery()
    turn = sa.func.row_number().over(partition_by=(both.c.endpoint_id, both.c.subscription_id), order_by=both.c.id)
    placed = sa.select(both.c.id, turn.label("turn")).subquery()
    chosen = sa.select(placed.c.id).where(placed.c.id > 0, placed.c.turn <= AT_ONCE_EACH)
    rows = session.scalars(
        sa.select(table)
        .where(table.id.in_(chosen), table.state == DeliveryState.WAITING)
        .order_by(table.next_at, table.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.state = DeliveryState.SENDING
    return [row.id for row in rows]


def has_due(session: Session, now: datetime) -> bool:
    """Tell whether any delivery's time has come."""
    due = sa.select(OutgoingTable.id).where(OutgoingTable.state == DeliveryState.WAITING, OutgoingTable.next_at <= now)
    return session.scalar(due.limit(1)) is not None


def lock_delivery(session: Session, delivery_id: int) -> OutgoingTable | None:
    """Return a delivery for update."""
    return session.scalar(sa.select(OutgoingTable).where(OutgoingTable.id == delivery_id).with_for_update())


def find_delivery(session: Session, delivery_id: int) -> DeliveryRow | None:
    """Return a delivery with its event."""
    query = sa.select(OutgoingTable, EventTable).outerjoin(EventTable, EventTable.id == OutgoingTable.event_id)
    row = session.execute(query.where(OutgoingTable.id == delivery_id)).one_or_none()
    return (row[0], row[1]) if row else None


def event_of(session: Session, row: OutgoingTable) -> EventTable | None:
    """Return the event that a delivery brings; None for a digest or an alert."""
    return session.get(EventTable, row.event_id) if row.event_id else None


def list_attempts(session: Session, delivery_id: int) -> list[AttemptTable]:
    """Return the tries of a delivery, first to last."""
    query = sa.select(AttemptTable).where(AttemptTable.delivery_id == delivery_id).order_by(AttemptTable.id)
    return list(session.scalars(query))


def list_deliveries(
    session: Session, conditions: Sequence[sa.ColumnElement[bool]], limit: int, before: int | None
) -> tuple[list[DeliveryRow], int]:
    """Return one page of deliveries, latest first, and how many there are."""
    joined = sa.select(OutgoingTable, EventTable).outerjoin(EventTable, EventTable.id == OutgoingTable.event_id)
    page = joined.where(*conditions).order_by(OutgoingTable.id.desc()).limit(limit)
    if before is not None:
        page = page.where(OutgoingTable.id < before)
    count = sa.select(sa.func.count()).select_from(OutgoingTable)
    count = count.outerjoin(EventTable, EventTable.id == OutgoingTable.event_id).where(*conditions)
    return [(row[0], row[1]) for row in session.execute(page)], session.scalar(count) or 0


def receiver_names(session: Session) -> dict[tuple[str, int], str]:
    """Return how receivers are called, by kind and id: endpoints by their addresses, subscriptions by their names."""
    endpoints = session.execute(sa.select(EndpointTable.id, EndpointTable.url))
    subscribed = session.execute(sa.select(SubscriptionTable.id, SubscriptionTable.name))
    return {("endpoint", id_): url for id_, url in endpoints} | {("to", id_): name for id_, name in subscribed}


def receiver_of(row: OutgoingTable, names: Mapping[tuple[str, int], str]) -> str:
    """Return how the receiver of a delivery is called; nothing where it is forgotten."""
    return names.get(("endpoint", row.endpoint_id) if row.endpoint_id else ("to", row.subscription_id or 0), "")


def send_again(row: OutgoingTable, now: datetime) -> None:
    """Have a delivery sent once more, with the same event key, and tried as often as a fresh one."""
    row.state, row.attempts, row.next_at = DeliveryState.WAITING, 0, now
    row.finished_at = row.failure = None


def record_attempt(
    session: Session, row: OutgoingTable, answer: Answer, started_at: datetime, duration_ms: int, delay: float | None
) -> None:
    """Write down a try.

    Args:
        session: The session.
        row: The delivery, locked.
        answer: What came of it.
        started_at: When it began.
        duration_ms: How long it took.
        delay: Seconds until the next; None where there is none.
    """
    session.add(
        AttemptTable(
            delivery_id=row.id,
            started_at=started_at,
            duration_ms=duration_ms,
            status_code=answer.status,
            failure=answer.failure,
        )
    )
    ended_at = started_at + timedelta(milliseconds=duration_ms)
    row.attempts += 1
    row.status_code, row.failure = answer.status, answer.failure
    if answer.failure is None:
        row.state, row.finished_at = DeliveryState.DELIVERED, ended_at
    elif delay is None:
        row.state, row.finished_at = DeliveryState.FAILED, ended_at
    else:
        row.state, row.next_at = DeliveryState.WAITING, ended_at + timedelta(seconds=delay)


def note_health(endpoint: EndpointTable, answer: Answer, *, last_try: bool, now: datetime) -> None:
    """Keep in mind how an endpoint does; one that is gone, or that failed for days, is switched off."""
    if answer.failure is None:
        endpoint.failing_since = None
        return
    endpoint.failing_since = endpoint.failing_since or now
    if answer.status == 410:
        switch_off(endpoint, "gone", now)
    elif last_try and now - endpoint.failing_since > OFF_AFTER:
        switch_off(endpoint, "failing", now)


def forget_old(session: Session, now: datetime) -> None:
    """Delete events and deliveries of more than 30 days ago, those that wait for a receiver that is off too."""
    table = OutgoingTable
    session.execute(sa.delete(table).where(table.created_at < now - KEPT, table.state != DeliveryState.SENDING))
    kept = sa.select(table.event_id).where(table.event_id.is_not(None))
    session.execute(sa.delete(EventTable).where(EventTable.happened_at < now - KEPT, EventTable.id.not_in(kept)))
