"""Playing again what could not be taken, once its cause is mended: a mapping, an option, a right of the API.

A delivery was proved when it came; it is read with the connection as it is now, and stored as of when it came, so that
nothing newer is overwritten. A record of an API is asked for anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.errors import Conflict, NotFound, Problem
from service.filters import name_key
from service.settings import Settings
from service.source_tables import KeptDeliveryTable, SetAsideTable
from service.sources import queries
from service.sources.connections import connections_of
from service.sources.contract import (
    AccountChange,
    Change,
    Connection,
    DealChange,
    Deleted,
    Delivery,
    FetchWanted,
    NoteChange,
    Parsed,
    Source,
)
from service.sources.faults import queries as faults
from service.sources.faults.keeping import keep
from service.sources.faults.queries import FaultState
from service.sources.fetching.syncing import request_sync
from service.sources.fetching.working import find_api
from service.sources.intake import parsed
from service.sources.reading import moment
from service.sources.registry import SOURCES
from service.sources.storing import store_changes


def can_replay(row: SetAsideTable) -> bool:
    """Tell whether a fault can be played again: what was sent is kept, or an API can be asked for it."""
    return row.state == FaultState.OPEN and (row.kept_id is not None or bool(row.again))


def replay(engine: sa.Engine, settings: Settings, fault_id: int, *, by: str, now: datetime) -> Counter[str]:
    """Play a fault again, with the others of its delivery; those that come of it anew are faults of their own.

    Returns:
        How many items had each result.

    Raises:
        NotFound: If there is no such fault.
        Conflict: If it is settled, or can't be taken still; the message says why.
    """
    with read_session(engine) as session:
        fault = _open_fault(session, fault_id)
        kept = faults.kept_delivery(session, fault.kept_id) if fault.kept_id else None
        connection = _connection(session, settings, fault, now)
        changes = _read_again(session, SOURCES[fault.source], connection, kept) if kept else []
    counts: Counter[str] = Counter()
    with write_session(engine) as session:
        fault = _open_fault(session, fault_id)
        settled = faults.fellows(session, fault)
        if kept is None:
            _ask_again(session, settings, connection, fault.again, by, now)
            counts["to_fetch"] += 1
        else:
            keep(
                session, connection, _delivery(session, kept), store_changes(session, connection, changes, counts, now)
            )
        faults.settle(session, settled, FaultState.REPLAYED, by, now)
    return counts


def _open_fault(session: Session, fault_id: int) -> SetAsideTable:
    fault = faults.find_fault(session, fault_id)
    if fault is None:
        raise NotFound(f"There is no fault {fault_id}.")
    if fault.state != FaultState.OPEN:
        raise Conflict(f"The fault {fault_id} is {fault.state} already.")
    if not can_replay(fault):
        raise Conflict("What was sent is not kept: have the sender send it again, then dismiss this.")
    return fault


def _connection(session: Session, settings: Settings, fault: SetAsideTable, now: datetime) -> Connection:
    """Return the connection that a fault is of, as it is now; a key's holder has the options of the first one."""
    source = SOURCES.get(fault.source)
    found = connections_of(session, settings, source, now) if source else []
    named = next((one for one in found if one.name == fault.connection), None)
    if named is None and source and source.keys:
        options = next((one.options for one in found if not one.disabled), {})
        return Connection(fault.source, fault.connection, (), options)
    if named is None or named.disabled:
        raise Conflict(f"The connection {fault.connection} of {fault.source} is gone, or switched off.")
    return named


def _read_again(session: Session, source: Source, connection: Connection, kept: KeptDeliveryTable) -> list[Change]:
    try:
        found: Parsed = parsed(source, _delivery(session, kept), connection)
    except Problem as problem:
        raise Conflict(f"It can't be taken still: {problem.detail}") from None
    if found.refusal:
        raise Conflict(f"It can't be taken still: {found.refusal.detail}")
    return list(_dated((change for event in found.events for change in event.changes), kept.received_at))


def _delivery(session: Session, kept: KeptDeliveryTable) -> Delivery:
    return Delivery(
        method=kept.method,
        url="",
        headers=kept.headers,
        query=(),
        token="",
        body=kept.body,
        received_at=kept.received_at,
        known_author=lambda address: queries.knows_author(session, address),
        known_account=lambda name: queries.knows_account(session, name_key(name)),
    )


def _dated(changes: Iterator[Change], at: datetime) -> Iterator[Change]:
    """Give changes with the time at which they came, where they have none of their own."""
    for change in changes:
        if isinstance(change, NoteChange) and moment(change.item.get("updated_at")) is None:
            yield replace(change, item={**change.item, "updated_at": at.isoformat()})
        elif isinstance(change, DealChange | AccountChange | Deleted | FetchWanted) and change.at is None:
            yield replace(change, at=at)
        else:
            yield change


def _ask_again(
    session: Session, settings: Settings, connection: Connection, again: dict[str, Any], by: str, now: datetime
) -> None:
    found = find_api(session, settings, connection.source, connection.name, now)
    if found is None:
        raise Conflict(f"The connection {connection.name} of {connection.source} has no credentials for its API.")
    if "object_id" in again:
        wanted = FetchWanted(str(again["object_type"]), str(again["object_id"]), "replay")
        queries.request_fetch(session, connection.source, connection.name, wanted, now)
    else:
        request_sync(session, *found, moment(again.get("since")), by=by, now=now)


def replay_all(
    engine: sa.Engine, settings: Settings, ids: list[int], *, by: str, now: datetime
) -> tuple[int, int, Counter[str]]:
    """Play faults again, oldest first.

    Returns:
        How many were played, how many can't be taken still, and what came of them.
    """
    played = refused = 0
    results: Counter[str] = Counter()
    for fault_id in ids:
        try:
            results += replay(engine, settings, fault_id, by=by, now=now)
            played += 1
        except Conflict:
            with read_session(engine) as session:
                row = faults.find_fault(session, fault_id)
                still_open = row is not None and row.state == FaultState.OPEN
            refused += still_open  # else it went along with another of its delivery
            played += not still_open
        except NotFound:
            continue
    return played, refused, results


def dismiss(session: Session, ids: list[int], *, by: str, now: datetime) -> int:
    """Dismiss those of faults that are open, and forget what was sent; return how many they were."""
    rows = [row for fault_id in ids if (row := faults.find_fault(session, fault_id)) and row.state == FaultState.OPEN]
    faults.settle(session, rows, FaultState.DISMISSED, by, now)
    return len(rows)
