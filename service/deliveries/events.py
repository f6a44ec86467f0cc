"""What happens that others want to know of, announced in one place."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.outgoing_tables import EndpointTable, EventTable, OutgoingTable


class EventType(StrEnum):
    """What can happen.

    `data` of each: `insight.*` has `insight`, `period` and `previous`; `report.finished` has what the report says of
    itself; `theme.emerging` has `theme`; `source.silent` has `source`, `connection` and `last_note_at`.
    """

    INSIGHT_NEW = "insight.new"
    INSIGHT_RISEN = "insight.risen"
    REPORT_FINISHED = "report.finished"
    THEME_EMERGING = "theme.emerging"
    SOURCE_SILENT = "source.silent"
    TEST = "endpoint.test"


class DeliveryKind(StrEnum):
    """What a delivery brings."""

    WEBHOOK = "webhook"
    DIGEST = "digest"
    ALERT = "alert"


class DeliveryState(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


def announce(
    session: Session, event_type: EventType, data: Mapping[str, Any], *, now: datetime | None = None
) -> EventTable:
    """Tell every endpoint that asked for it that something happened.

    Call it inside the transaction of what happened: both are kept or neither. Nothing is sent here; workers post it
    soon after the commit, at least once, with the event's key as `webhook-id`:

        with write_session(engine) as session:
            report = store_report(session, ...)
            announce(session, EventType.REPORT_FINISHED, {"report": report.id, "url": "/reports/2026-09"})

    Args:
        session: The session of the transaction.
        event_type: What happened.
        data: JSON values: ids, figures, names of things. Never the words of a note: they would outlive its erasure.
        now: When it happened; the present moment if left out.

    Returns:
        The event, with its `key`.
    """
    at = now or datetime.now(UTC)
    event = new_event(session, event_type, data, at)
    for endpoint in session.scalars(sa.select(EndpointTable).where(EndpointTable.disabled_at.is_(None))):
        if not endpoint.event_types or event_type in endpoint.event_types:
            address_to(session, event, endpoint, at)
    return event


def new_event(session: Session, event_type: EventType, data: Mapping[str, Any], now: datetime) -> EventTable:
    """Store an event that nobody is told of yet."""
    event = EventTable(key=f"msg_{secrets.token_hex(16)}", type=event_type, data=dict(data), happened_at=now)
    session.add(event)
    session.flush()
    return event


def address_to(session: Session, event: EventTable, endpoint: EndpointTable, now: datetime) -> OutgoingTable:
    """Have an event delivered to one endpoint."""
    row = OutgoingTable(
        kind=DeliveryKind.WEBHOOK,
        event_id=event.id,
        endpoint_id=endpoint.id,
        data={},
        state=DeliveryState.WAITING,
        next_at=now,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row
