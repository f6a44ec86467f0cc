"""Faults in SQL: keeping what can't be taken with what it takes to play it again, listing it, settling it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.source_tables import KeptDeliveryTable, SetAsideTable
from service.sources.contract import Aside

KEPT = timedelta(days=90)
MAX_PAYLOAD_CHARS = 20_000


class FaultState(StrEnum):
    """Whether a fault still asks for somebody."""

    OPEN = "open"
    DISMISSED = "dismissed"
    REPLAYED = "replayed"


def set_aside(
    session: Session,
    source: str,
    connection: str,
    item: Aside,
    now: datetime,
    again: Mapping[str, Any] | None = None,
) -> SetAsideTable:
    """Keep an item that can't be taken.

    Args:
        session: An open transaction.
        source: Whose it is.
        connection: Of which connection.
        item: What it is, and why it can't be taken.
        now: The time.
        again: What is to be asked of the source's API to play it again, where it came from there.
    """
    forget_old(session, now)
    payload = item.payload if isinstance(item.payload, str) else json.dumps(item.payload, ensure_ascii=False)
    row = SetAsideTable(
        source=source,
        connection=connection,
        code=item.code[:100],
        reason=item.reason[:1000],
        external_id=item.external_id,
        payload="" if item.payload is None else payload[:MAX_PAYLOAD_CHARS],
        received_at=now,
        again=dict(again or {}),
    )
    session.add(row)
    return row


def forget_old(session: Session, now: datetime) -> None:
    """Delete what was set aside more than 90 days ago, and the deliveries that were kept for it."""
    session.execute(sa.delete(SetAsideTable).where(SetAsideTable.received_at < now - KEPT))
    still = sa.select(SetAsideTable.id).where(SetAsideTable.kept_id == KeptDeliveryTable.id)
    session.execute(sa.delete(KeptDeliveryTable).where(~still.exists()))


def keep_delivery(session: Session, faults: Sequence[SetAsideTable], row: KeptDeliveryTable) -> None:
    """Keep a delivery of which something could not be taken."""
    session.add(row)
    session.flush()
    for fault in faults:
        fault.kept_id = row.id


def kept_delivery(session: Session, kept_id: int) -> KeptDeliveryTable | None:
    """Return a delivery that is kept."""
    return session.get(KeptDeliveryTable, kept_id)


def find_fault(session: Session, fault_id: int) -> SetAsideTable | None:
    """Return a fault for update."""
    return session.scalar(sa.select(SetAsideTable).where(SetAsideTable.id == fault_id).with_for_update())


def fellows(session: Session, fault: SetAsideTable) -> list[SetAsideTable]:
    """Return the open faults of the same delivery for update, the fault itself among them."""
    same = SetAsideTable.id == fault.id if fault.kept_id is None else SetAsideTable.kept_id == fault.kept_id
    query = sa.select(SetAsideTable).where(same, SetAsideTable.state == FaultState.OPEN).order_by(SetAsideTable.id)
    return list(session.scalars(query.with_for_update()))


def settle(session: Session, faults: Sequence[SetAsideTable], state: FaultState, by: str, now: datetime) -> None:
    """Write down what became of faults, and by whom; what was sent is kept no longer than they need it."""
    for fault in faults:
        fault.state, fault.settled_by, fault.settled_at = state, by, now
        fault.payload, fault.again = "", {}
    for kept_id in {fault.kept_id for fault in faults if fault.kept_id is not None}:
        wanted = sa.select(SetAsideTable.id).where(SetAsideTable.kept_id == kept_id)
        if session.scalar(wanted.where(SetAsideTable.state == FaultState.OPEN).limit(1)) is None:
            session.execute(sa.update(SetAsideTable).where(SetAsideTable.kept_id == kept_id).values(kept_id=None))
            session.execute(sa.delete(KeptDeliveryTable).where(KeptDeliveryTable.id == kept_id))


def forget_notes(session: Session, source: str, external_ids: Sequence[str], now: datetime) -> None:
    """Let what is kept of notes go with them: what was sent, though other faults of the same delivery ask for it."""
    same = (SetAsideTable.source == source, SetAsideTable.external_id.in_(external_ids))
    faults = list(session.scalars(sa.select(SetAsideTable).where(*same).with_for_update())) if external_ids else []
    kept = {fault.kept_id for fault in faults if fault.kept_id is not None}
    settle(session, [one for one in faults if one.state == FaultState.OPEN], FaultState.DISMISSED, "deletion", now)
    session.execute(sa.update(SetAsideTable).where(SetAsideTable.kept_id.in_(kept)).values(kept_id=None))
    session.execute(sa.delete(KeptDeliveryTable).where(KeptDeliveryTable.id.in_(kept)))


def list_faults(
    session: Session,
    source: str | None = None,
    state: FaultState | None = FaultState.OPEN,
    *,
    limit: int,
    before: int | None = None,
    skip: int = 0,
) -> list[SetAsideTable]:
    """Return one page of faults, latest first; of every source and state where none is named."""
    query = sa.select(SetAsideTable).where(*_which(source, state)).order_by(SetAsideTable.id.desc())
    query = query.where(SetAsideTable.id < before) if before else query
    return list(session.scalars(query.limit(limit).offset(skip)))


def count_faults(session: Session, source: str | None = None, state: FaultState | None = FaultState.OPEN) -> int:
    """Count faults; of every source and state where none is named."""
    return session.scalar(sa.select(sa.func.count()).select_from(SetAsideTable).where(*_which(source, state))) or 0


def count_by_source(session: Session) -> dict[str, int]:
    """Return how many open faults each source has."""
    query = sa.select(SetAsideTable.source, sa.func.count()).where(SetAsideTable.state == FaultState.OPEN)
    return {row[0]: row[1] for row in session.execute(query.group_by(SetAsideTable.source))}


def open_ids(session: Session, source: str | None, code: str | None, limit: int | None = None) -> list[int]:
    """Return the ids of open faults, oldest first; of one source and one code where they are named."""
    query = sa.select(SetAsideTable.id).where(*_which(source, FaultState.OPEN)).order_by(SetAsideTable.id)
    return list(session.scalars((query.where(SetAsideTable.code == code) if code else query).limit(limit)))


def _which(source: str | None, state: FaultState | None) -> list[sa.ColumnElement[bool]]:
    asked = ((SetAsideTable.source, source), (SetAsideTable.state, state))
    return [column == value for column, value in asked if value]
