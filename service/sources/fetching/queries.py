"""Fetching in SQL: what waits, what is claimed, how a connection stands with its API, how far a synchronisation is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import insert_ignoring
from service.jobs.queries import JobKind, JobState, add_job
from service.source_tables import ApiStateTable, FetchTable, SyncTable
from service.sources.contract import Connection

_CREDENTIALS = (
    "access_token", "refresh_token", "client_id", "client_secret", "access_key", "access_key_secret", "api_token",
    "base_url", "accounts_url",
)  # fmt: skip
BURST = 10  # calls that need not keep the pace
WAITING, FETCHING, DONE, FAILED = "waiting", "fetching", "done", "failed"
UNFINISHED = (WAITING, FETCHING)
Claim = tuple[int, int]
"""The id of a row, and which of its claims a job has."""


def api_state(session: Session, connection: Connection, now: datetime) -> ApiStateTable:
    """Return how a connection stands with its API, for update; other credentials than before start afresh."""
    key = {"source": connection.source, "connection": connection.name}
    digest = _digest(connection)
    find = sa.select(ApiStateTable).filter_by(**key).with_for_update()
    row = session.scalar(find)
    if row is None:
        statement = insert_ignoring(session, ApiStateTable, tuple(key))
        session.execute(statement.values(**key, credentials=digest, created_at=now))
        row = session.scalars(find).one()
    if row.credentials != digest:
        row.credentials = digest
        row.access_token = row.access_until = row.refresh_token = None
        row.paused_until = row.paced_until = row.attention = row.attention_at = None
    return row


def _digest(connection: Connection) -> str:
    told = json.dumps([connection.secrets[:1], *map(connection.option, _CREDENTIALS)])
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def api_seen(session: Session, connection: Connection) -> datetime | None:
    """Return since when a connection can be fetched from; None before the first call."""
    row = session.get(ApiStateTable, (connection.source, connection.name))
    return row.created_at if row else None


def api_states(session: Session) -> list[ApiStateTable]:
    """Return how all connections stand with their APIs."""
    return list(session.scalars(sa.select(ApiStateTable)))


def reserve_call(session: Session, connection: Connection, calls: tuple[int, float], now: datetime) -> float:
    """Take the next turn to call; return the seconds until then. A burst of 10 goes at once.

    Turns are equally far apart (the generic cell rate algorithm), so that no window of the API's is overdrawn.
    """
    row = api_state(session, connection, now)
    if row.paused_until and row.paused_until > now:
        held = (row.paused_until - now).total_seconds()
        if held > 1:
            return held
    interval = timedelta(seconds=calls[1] / max(1, calls[0] - BURST)) if calls[0] > 2 * BURST else None
    interval = interval or timedelta(seconds=calls[1] / calls[0])
    burst = interval * (BURST if calls[0] > 2 * BURST else 1)
    start = max(row.paced_until or now - burst, now - burst)
    row.paced_until = start + interval
    return max(0.0, (row.paced_until - now).total_seconds())


def pause(session: Session, connection: Connection, seconds: float, now: datetime) -> None:
    """Hold back all calls of a connection."""
    row = api_state(session, connection, now)
    until = now + timedelta(seconds=seconds)
    row.paused_until = max(row.paused_until or until, until)


def need_attention(session: Session, connection: Connection, reason: str, now: datetime) -> None:
    """Tell the operator what is wrong with a connection."""
    row = api_state(session, connection, now)
    if row.attention != reason[:300]:
        row.attention, row.attention_at = reason[:300], now


def all_is_well(session: Session, connection: Connection, now: datetime) -> None:
    """Take back what was said to the operator."""
    row = api_state(session, connection, now)
    if row.attention is not None:
        row.attention = row.attention_at = None


def held_token(session: Session, connection: Connection, now: datetime) -> str | None:
    """Return the access token that is kept, while it is valid."""
    row = api_state(session, connection, now)
    return row.access_token if row.access_until and row.access_until > now else None


def refresh_token(session: Session, connection: Connection) -> str:
    """Return the latest refresh token: the one that came last, else the one that was set."""
    row = session.get(ApiStateTable, (connection.source, connection.name))
    return (row.refresh_token if row else None) or connection.option("refresh_token")


def hold_token(
    session: Session, connection: Connection, token: str, rotated: str | None, seconds: float, now: datetime
) -> None:
    """Keep an access token, and the refresh token that came with it."""
    row = api_state(session, connection, now)
    row.access_token, row.access_until = token, now + timedelta(seconds=seconds)
    row.refresh_token = rotated or row.refresh_token


def forget_token(session: Session, connection: Connection, token: str | None) -> None:
    """Forget an access token that was refused; one that came meanwhile stays."""
    row = session.get(ApiStateTable, (connection.source, connection.name), with_for_update=True)
    if row is not None and row.access_token == token:
        row.access_token = row.access_until = None


def has_due(session: Session, now: datetime) -> bool:
    """Tell whether any record waits to be fetched now."""
    query = sa.select(FetchTable.id).where(FetchTable.state == WAITING, FetchTable.next_at <= now).limit(1)
    return session.scalar(query) is not None


def has_sync_due(session: Session, now: datetime) -> bool:
    """Tell whether any synchronisation is to go on now."""
    query = sa.select(SyncTable.id).where(SyncTable.state == WAITING, SyncTable.next_at <= now).limit(1)
    return session.scalar(query) is not None


def claim_fetches(session: Session, connection: Connection, batch: int, now: datetime) -> list[Claim]:
    """Claim records of one kind that are due, those that wait longest first; one batch of a connection at a time."""
    mine = (FetchTable.source == connection.source, FetchTable.connection == connection.name)
    busy = sa.select(FetchTable.id).where(*mine, FetchTable.state == FETCHING).limit(1)
    if session.scalar(busy) is not None:
        return []
    due = (*mine, FetchTable.state == WAITING, FetchTable.next_at <= now)
    first = sa.select(FetchTable.object_type).where(*due).order_by(FetchTable.next_at, FetchTable.id).limit(1)
    kind = session.scalar(first)
    if kind is None:
        return []
    query = sa.select(FetchTable).where(*due, FetchTable.object_type == kind)
    query = query.order_by(FetchTable.next_at, FetchTable.id).limit(batch).with_for_update(skip_locked=True)
    claims = []
    for row in session.scalars(query):
        row.state, row.claim = FETCHING, row.claim + 1
        claims.append((row.id, row.claim))
    return claims


def claimed_fetches(session: Session, claims: Sequence[Claim], *, lock: bool = False) -> list[FetchTable]:
    """Return those of claimed records that are still this job's."""
    held = dict(claims)
    query = sa.select(FetchTable).where(FetchTable.id.in_(held), FetchTable.state == FETCHING).order_by(FetchTable.id)
    rows = session.scalars(query.with_for_update() if lock else query)
    return [row for row in rows if row.claim == held[row.id]]


def finish_fetch(row: FetchTable, now: datetime, failure: str | None = None, *, failed: bool = False) -> None:
    """Say that a record is fetched, gone, or can't be."""
    row.state, row.updated_at = FAILED if failed else DONE, now
    row.failure = failure[:500] if failure else None


def postpone_fetch(row: FetchTable, now: datetime, seconds: float, failure: str, *, counts: bool = True) -> None:
    """Have a record tried again later."""
    row.state, row.updated_at, row.next_at = WAITING, now, now + timedelta(seconds=seconds)
    row.failure, row.attempts = failure[:500], row.attempts + counts


def add_sync(
    session: Session, connection: Connection, stream: str, since: datetime | None, *, by: str, now: datetime
) -> SyncTable:
    """Plan a synchronisation, with a job that tells its progress."""
    params = {"source": connection.source, "connection": connection.name}
    if since:
        params["since"] = since.isoformat()
    job = add_job(session, JobKind.SYNC_SOURCE, by=by, now=now, params=params)
    job.state = JobState.QUEUED  # its pages are claimed here, not by the relay of jobs
    row = SyncTable(
        source=connection.source,
        connection=connection.name,
        job_id=job.id,
        since=since,
        stream=stream,
        next_at=now,
        results={},
        skipped={},
        started_at=now,
    )
    session.add(row)
    session.flush()
    return row


def unfinished_syncs(session: Session, connection: Connection) -> list[SyncTable]:
    """Return the synchronisations of a connection that wait or run."""
    query = sa.select(SyncTable).where(SyncTable.state.in_(UNFINISHED)).order_by(SyncTable.id)
    query = query.where(SyncTable.source == connection.source, SyncTable.connection == connection.name)
    return list(session.scalars(query))


def last_sync(session: Session, connection: Connection, *, done: bool = False) -> SyncTable | None:
    """Return the latest synchronisation of a connection, or the latest that was done."""
    query = sa.select(SyncTable).where(SyncTable.source == connection.source, SyncTable.connection == connection.name)
    query = query.where(SyncTable.state == DONE) if done else query
    return session.scalar(query.order_by(SyncTable.id.desc()).limit(1))


def latest_syncs(session: Session) -> dict[tuple[str, str], SyncTable]:
    """Return the latest synchronisation of each connection."""
    latest = sa.select(sa.func.max(SyncTable.id)).group_by(SyncTable.source, SyncTable.connection)
    rows = session.scalars(sa.select(SyncTable).where(SyncTable.id.in_(latest)))
    return {(row.source, row.connection): row for row in rows}


def claim_sync(session: Session, connection: Connection, now: datetime) -> Claim | None:
    """Claim the synchronisation of a connection that is due."""
    query = sa.select(SyncTable).where(SyncTable.state == WAITING, SyncTable.next_at <= now).order_by(SyncTable.id)
    query = query.where(SyncTable.source == connection.source, SyncTable.connection == connection.name)
    row = session.scalar(query.limit(1).with_for_update(skip_locked=True))
    if row is None:
        return None
    row.state, row.claim = FETCHING, row.claim + 1
    return row.id, row.claim


def claimed_sync(session: Session, claim: Claim, *, lock: bool = False) -> SyncTable | None:
    """Return a synchronisation while it is this job's."""
    row = session.get(SyncTable, claim[0], with_for_update=lock or None)
    return row if row is not None and row.state == FETCHING and row.claim == claim[1] else None


def postpone_sync(row: SyncTable, now: datetime, seconds: float, failure: str | None = None) -> None:
    """Have a synchronisation go on later."""
    row.state, row.next_at, row.failure = WAITING, now + timedelta(seconds=seconds), failure


def waiting_by_connection(session: Session) -> dict[tuple[str, str], dict[str, int]]:
    """Return how many records wait, are being fetched or failed, by source and connection."""
    query = (
        sa.select(FetchTable.source, FetchTable.connection, FetchTable.state, sa.func.count())
        .where(FetchTable.state != DONE)
        .group_by(FetchTable.source, FetchTable.connection, FetchTable.state)
    )
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for source, connection, state, count in session.execute(query):
        counts.setdefault((source, connection), {})[state] = count
    return counts


def forget_fetched(session: Session, before: datetime) -> None:
    """Forget records that were fetched, and synchronisations but the latest that was done, before a time."""
    session.execute(sa.delete(FetchTable).where(FetchTable.state == DONE, FetchTable.updated_at < before))
    latest: Any = sa.select(sa.func.max(SyncTable.id)).where(SyncTable.state == DONE)
    latest = latest.group_by(SyncTable.source, SyncTable.connection)
    old = sa.delete(SyncTable).where(SyncTable.finished_at < before, SyncTable.id.not_in(latest))
    session.execute(old.execution_options(synchronize_session=False))
