"""Synchronisation: all records of a connection, or those changed since a time, page by page.

The cursor is stored with each page: a worker that dies loses none, and another goes on from there. A first
synchronisation is asked for by a person; a reconciliation comes every few hours and makes up for lost events.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.errors import InvalidInput
from service.jobs.queries import finish_job, report_progress, start_job
from service.settings import Settings
from service.source_tables import SyncTable
from service.sources.connections import reconcile_hours
from service.sources.contract import Aside, Connection
from service.sources.faults.queries import set_aside
from service.sources.fetching import queries
from service.sources.fetching.calling import Calls, connect
from service.sources.fetching.contract import (
    CallFailed,
    Fetcher,
    NotAllowed,
    NotAuthorised,
    NotThere,
    Page,
    Refused,
    TryLater,
)
from service.sources.fetching.queries import Claim
from service.sources.fetching.reading import Unreadable, read_page
from service.sources.fetching.storing import store_records
from service.sources.fetching.working import (
    ATTENTION_SECONDS,
    BACK_OFF_SECONDS,
    MAX_ATTEMPTS,
    Fetching,
    api_connections,
    back_off,
    find_api,
)

SLICE_SECONDS = 20.0  # a job of the engine is this long at most, so that a worker that stops need not wait
OVERLAP = timedelta(minutes=15)  # searches of vendors lag behind their changes
DEFAULT_HOURS = "6"
SCHEDULE = "schedule"

_log = structlog.get_logger()

EnqueueSync = Callable[[Session, str, str, Claim], None]


def request_sync(
    session: Session, fetcher: Fetcher, connection: Connection, since: datetime | None, *, by: str, now: datetime
) -> SyncTable:
    """Plan a synchronisation; one that is unfinished already is returned, unless it would read less.

    Args:
        session: An open transaction.
        fetcher: How the source is fetched from.
        connection: Whose records.
        since: Only what changed since; None for all.
        by: Who asks.
        now: The time.
    """
    for running in queries.unfinished_syncs(session, connection):
        if running.since is None or (since is not None and running.since <= since):
            return running
    queries.api_state(session, connection, now)
    return queries.add_sync(session, connection, fetcher.streams[0], since, by=by, now=now)


class Syncing:
    """Walks through the records of connections."""

    def __init__(self, engine: sa.Engine, settings: Settings, fetching: Fetching) -> None:
        self._engine = engine
        self._settings = settings
        self._fetching = fetching

    def claim(self, enqueue: EnqueueSync) -> None:
        """Hand synchronisations that are due to the job engine, in the transaction that marks them as taken up."""
        now = datetime.now(UTC)
        with read_session(self._engine) as session:
            due = queries.has_sync_due(session, now)
            connections = api_connections(session, self._settings, now) if due else []
        if not connections:
            return
        with write_session(self._engine) as session:
            for _fetcher, connection in connections:
                state = queries.api_state(session, connection, now)
                paused = state.paused_until is not None and state.paused_until > now
                claim = None if paused else queries.claim_sync(session, connection, now)
                if claim:
                    enqueue(session, connection.source, connection.name, claim)

    def reconcile(self) -> None:
        """Plan the reconciliations that are due."""
        now = datetime.now(UTC)
        with read_session(self._engine) as session:
            found = api_connections(session, self._settings, now)
            due = [one for one in found if queries.api_seen(session, one[1]) is None or self._due(session, one[1], now)]
        if not due:
            return
        with write_session(self._engine) as session:
            for fetcher, connection in due:
                queries.api_state(session, connection, now)
                since = self._due(session, connection, now)
                if since:
                    request_sync(session, fetcher, connection, since - OVERLAP, by=SCHEDULE, now=now)

    def _due(self, session: Session, connection: Connection, now: datetime) -> datetime | None:
        """Return since when a connection is to be reconciled; None where it is not time, or never is."""
        try:
            hours = reconcile_hours(connection.option("reconcile_hours") or DEFAULT_HOURS)
        except InvalidInput:
            return None
        if not hours or queries.unfinished_syncs(session, connection):
            return None
        last = queries.last_sync(session, connection, done=True)
        since = last.started_at if last else queries.api_seen(session, connection)
        return since if since and now - since >= timedelta(hours=hours) else None

    def run(self, source: str, name: str, claim: Sequence[int]) -> None:
        """Read pages for a while; the rest is claimed again."""
        held = (int(claim[0]), int(claim[1]))
        now = datetime.now(UTC)
        with write_session(self._engine) as session:
            row = queries.claimed_sync(session, held, lock=True)
            found = find_api(session, self._settings, source, name, now)
            if row is None:
                return
            if found is None:
                queries.postpone_sync(row, now, 60.0, "the connection is switched off")
                return
            start_job(session, row.job_id, now)
        fetcher, connection = found
        try:
            with connect() as client:
                api = Calls(self._engine, client, fetcher, connection, self._fetching.memory_of(connection))
                self._read_pages(api, fetcher, connection, held)
        except CallFailed as failure:
            self._failed(connection, held, failure)

    def give_back(self, claim: Sequence[int]) -> None:
        """Have a synchronisation that broke its worker tried again."""
        with write_session(self._engine) as session:
            row = queries.claimed_sync(session, (int(claim[0]), int(claim[1])), lock=True)
            if row is not None:
                self._again(session, row, BACK_OFF_SECONDS, "the worker broke off", datetime.now(UTC))

    def _read_pages(self, api: Calls, fetcher: Fetcher, connection: Connection, held: Claim) -> None:
        end = time.monotonic() + SLICE_SECONDS
        while True:
            with read_session(self._engine) as session:
                row = queries.claimed_sync(session, held)
                if row is None:
                    return
                stream, since, cursor = row.stream, row.since, row.cursor
            page, fault = self._page(api, fetcher, connection, stream, since, cursor)
            with write_session(self._engine) as session:
                row = queries.claimed_sync(session, held, lock=True)
                if row is None:
                    return
                self._store(session, fetcher, connection, row, page, fault)
                if row.state == queries.FETCHING and time.monotonic() > end:
                    queries.postpone_sync(row, datetime.now(UTC), 0)
                if row.state != queries.FETCHING:
                    return

    def _page(
        self,
        api: Calls,
        fetcher: Fetcher,
        connection: Connection,
        stream: str,
        since: datetime | None,
        cursor: str | None,
    ) -> tuple[Page | None, str]:
        """Read a page; None, and why, where the API does not give this stream."""
        try:
            return read_page(api, fetcher, connection, stream, since, cursor), ""
        except (NotAllowed, Refused, NotThere, Unreadable) as failure:
            return None, str(failure)

    def _store(
        self,
        session: Session,
        fetcher: Fetcher,
        connection: Connection,
        row: SyncTable,
        page: Page | None,
        fault: str,
    ) -> None:
        """Store a page and move the cursor, in one transaction."""
        now = datetime.now(UTC)
        row.attempts, row.failure = 0, None
        if page is None:
            row.skipped = {**row.skipped, row.stream: fault[:300]}
            item = Aside("sync_refused", f"{row.stream} can't be listed: {fault}", None, row.stream)
            again = {"since": row.since.isoformat() if row.since else None}
            set_aside(session, row.source, row.connection, item, now, again)
            if fault.startswith("it answered 403"):
                queries.need_attention(session, connection, fault, now)
        else:
            counts = store_records(session, connection, page.records, now, stream=row.stream, history=True)
            row.results = {name: row.results.get(name, 0) + counts[name] for name in {*row.results, *counts}}
            row.records += len([key for key in page.records.changes if key])
            row.cursor = page.cursor
        report_progress(session, row.job_id, row.records, None)
        if page is not None and page.cursor is not None:
            return
        streams = fetcher.streams
        following = streams.index(row.stream) + 1 if row.stream in streams else len(streams)
        row.cursor = None
        if following < len(streams):
            row.stream = streams[following]
        else:
            self._finish(session, row, connection, now)

    def _finish(self, session: Session, row: SyncTable, connection: Connection, now: datetime) -> None:
        row.state, row.finished_at = queries.DONE, now
        result: dict[str, Any] = {"records": row.records, **row.results}
        if row.skipped:
            result["skipped"] = row.skipped
        else:
            queries.all_is_well(session, connection, now)
        report_progress(session, row.job_id, row.records, row.records)
        finish_job(session, row.job_id, now, result=result)
        _log.info("synchronised", source=row.source, connection=row.connection, **row.results)

    def _failed(self, connection: Connection, held: Claim, failure: CallFailed) -> None:
        now, reason = datetime.now(UTC), str(failure)
        with write_session(self._engine) as session:
            row = queries.claimed_sync(session, held, lock=True)
            if isinstance(failure, NotAuthorised):
                queries.need_attention(session, connection, reason, now)
                queries.pause(session, connection, ATTENTION_SECONDS, now)
            if row is None:
                return
            if isinstance(failure, NotAuthorised):
                queries.postpone_sync(row, now, 0, reason)
            elif isinstance(failure, TryLater) and failure.everything:
                queries.postpone_sync(row, now, failure.seconds or BACK_OFF_SECONDS, reason)
            else:
                asked = failure.seconds if isinstance(failure, TryLater) else None
                self._again(session, row, back_off(row.attempts + 1, asked, random.random()), reason, now)  # noqa: S311
        _log.warning("sync_failed", source=connection.source, connection=connection.name, reason=reason)

    def _again(self, session: Session, row: SyncTable, seconds: float, reason: str, now: datetime) -> None:
        row.attempts += 1
        if row.attempts < MAX_ATTEMPTS:
            queries.postpone_sync(row, now, seconds, reason)
            return
        row.state, row.finished_at, row.failure = queries.FAILED, now, reason
        finish_job(session, row.job_id, now, failure=f"Given up after {MAX_ATTEMPTS} tries: {reason}.")
