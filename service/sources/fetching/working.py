"""The worker's part of fetching: takes up what is due, fetches and stores it, and plans the next try.

Everything may run twice: what is fetched is stored under its own id and version, and a job that lost its claim to a
later one stores notes but says nothing of the rows.
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
from service.settings import Settings
from service.source_tables import FetchTable
from service.sources.connections import connections_among
from service.sources.contract import Aside, Connection
from service.sources.faults.queries import set_aside
from service.sources.fetching import queries
from service.sources.fetching.calling import Calls, connect
from service.sources.fetching.contract import CallFailed, Fetcher, NotAllowed, NotAuthorised, Records, TryLater
from service.sources.fetching.queries import Claim
from service.sources.fetching.reading import read_records
from service.sources.fetching.registry import FETCHERS
from service.sources.fetching.storing import store_records
from service.sources.queries import list_connections
from service.sources.registry import SOURCES

MAX_ATTEMPTS = 60  # two days and a half: an outage of a vendor's is over by then
BACK_OFF_SECONDS = 5.0
MAX_BACK_OFF_SECONDS = 3_600.0
ATTENTION_SECONDS = 3_600.0  # refused credentials are tried again after this, or as soon as others are set
UNREADY_SECONDS = 300.0
MAX_UNREADY = 24  # the better part of a day
MEMORY_SECONDS = 1_800.0
KEPT = timedelta(days=30)

_log = structlog.get_logger()

EnqueueFetch = Callable[[Session, str, str, list[Claim]], None]


def back_off(attempts: int, asked: float | None, jitter: float) -> float:
    """Return the seconds until the next try.

    Args:
        attempts: Failures so far, at least 1.
        asked: What the API asks for.
        jitter: In [0, 1]: up to half of the back-off is added, so that not all come back at once.
    """
    doubled = BACK_OFF_SECONDS * 2.0 ** min(attempts - 1, 12)
    return max(min(doubled, MAX_BACK_OFF_SECONDS) * (1 + jitter / 2), asked or 0.0)


def api_connections(session: Session, settings: Settings, now: datetime) -> list[tuple[Fetcher, Connection]]:
    """Return the connections that can be fetched from: switched on, with credentials."""
    rows = list_connections(session)
    return [
        (fetcher, connection)
        for fetcher in FETCHERS.values()
        for connection in connections_among(rows, settings, SOURCES[fetcher.source], now)
        if not connection.disabled and fetcher.connected(connection)
    ]


def find_api(
    session: Session, settings: Settings, source: str, name: str, now: datetime
) -> tuple[Fetcher, Connection] | None:
    """Return a connection that can be fetched from by source and name."""
    found = [one for one in api_connections(session, settings, now) if one[1].source == source and one[1].name == name]
    return found[0] if found else None


class Fetching:
    """Fetches records that are waited for."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._memory: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}

    def claim(self, enqueue: EnqueueFetch) -> None:
        """Hand records that are due to the job engine, in the transaction that marks them as being fetched."""
        now = datetime.now(UTC)
        with read_session(self._engine) as session:
            due = queries.has_due(session, now)
            connections = api_connections(session, self._settings, now) if due else []
        if not connections:
            return
        with write_session(self._engine) as session:
            for fetcher, connection in connections:
                state = queries.api_state(session, connection, now)
                if state.paused_until and state.paused_until > now:
                    continue
                claims = queries.claim_fetches(session, connection, fetcher.batch, now)
                if claims:
                    enqueue(session, connection.source, connection.name, claims)

    def run(self, source: str, name: str, claims: Sequence[Sequence[int]]) -> None:
        """Fetch records of one kind and store them."""
        held = [(int(one[0]), int(one[1])) for one in claims]
        with read_session(self._engine) as session:
            rows = queries.claimed_fetches(session, held)
            found = find_api(session, self._settings, source, name, datetime.now(UTC))
            told = {row.object_id: row.version_ms for row in rows}
            stream = rows[0].object_type if rows else ""
        if not rows:
            return
        if found is None:  # switched off meanwhile: they wait until it is on again
            self._postpone(held, 60.0, "the connection is switched off", counts=False)
            return
        fetcher, connection = found
        try:
            with connect() as client:
                api = Calls(self._engine, client, fetcher, connection, self.memory_of(connection))
                records, faults = read_records(api, fetcher, connection, stream, sorted(told))
        except CallFailed as failure:
            self._failed(connection, held, failure)
        else:
            self._store(connection, held, stream, records, faults, told)

    def give_back(self, claims: Sequence[Sequence[int]]) -> None:
        """Count records that broke their worker as tried in vain."""
        held = [(int(one[0]), int(one[1])) for one in claims]
        self._postpone(held, BACK_OFF_SECONDS, "the worker broke off")

    def memory_of(self, connection: Connection) -> dict[str, Any]:
        """Return what is remembered of a connection's API for half an hour."""
        key = (connection.source, connection.name)
        made, memory = self._memory.get(key, (0.0, {}))
        if time.monotonic() - made > MEMORY_SECONDS or not memory:
            memory = {}
            self._memory[key] = (time.monotonic(), memory)
        return memory

    def _store(
        self,
        connection: Connection,
        held: Sequence[Claim],
        stream: str,
        records: Records,
        faults: dict[str, str],
        told: dict[str, int],
    ) -> None:
        now = datetime.now(UTC)
        with write_session(self._engine) as session:
            counts = store_records(session, connection, records, now, stream=stream, told_ms=told)
            for row in queries.claimed_fetches(session, held, lock=True):
                self._settle(session, connection, row, records, faults, now)
            queries.all_is_well(session, connection, now)
        _log.info("fetched", source=connection.source, connection=connection.name, **counts)

    def _settle(
        self,
        session: Session,
        connection: Connection,
        row: FetchTable,
        records: Records,
        faults: dict[str, str],
        now: datetime,
    ) -> None:
        """Write down what came of one record."""
        key = row.object_id
        if key in faults:
            _give_up(session, connection, row, faults[key], now)
        elif key in records.unready and row.attempts + 1 >= MAX_UNREADY:
            queries.finish_fetch(row, now, "it never became complete")
        elif key in records.unready:
            delay = max(UNREADY_SECONDS, back_off(row.attempts + 1, None, random.random()))  # noqa: S311
            _try_again(session, connection, row, delay, "it is not complete yet", now)
        elif key in records.gone:
            queries.finish_fetch(row, now, "gone: the API knows no such record")
        else:
            queries.finish_fetch(row, now)

    def _failed(self, connection: Connection, held: Sequence[Claim], failure: CallFailed) -> None:
        """Put records back after a call that failed."""
        now, reason = datetime.now(UTC), str(failure)
        asked = failure.seconds if isinstance(failure, TryLater) else None
        with write_session(self._engine) as session:
            if isinstance(failure, NotAuthorised):
                queries.need_attention(session, connection, reason, now)
                queries.pause(session, connection, ATTENTION_SECONDS, now)
            elif isinstance(failure, NotAllowed):
                queries.need_attention(session, connection, reason, now)
            for row in queries.claimed_fetches(session, held, lock=True):
                if isinstance(failure, NotAuthorised):
                    queries.postpone_fetch(row, now, 0, reason, counts=False)
                elif isinstance(failure, NotAllowed):
                    queries.postpone_fetch(row, now, ATTENTION_SECONDS, reason, counts=False)
                elif isinstance(failure, TryLater) and failure.everything:
                    queries.postpone_fetch(row, now, asked or BACK_OFF_SECONDS, reason, counts=False)
                else:
                    delay = back_off(row.attempts + 1, asked, random.random())  # noqa: S311
                    _try_again(session, connection, row, delay, reason, now)
        _log.warning("fetch_failed", source=connection.source, connection=connection.name, reason=reason)

    def _postpone(self, held: Sequence[Claim], seconds: float, reason: str, *, counts: bool = True) -> None:
        now = datetime.now(UTC)
        with write_session(self._engine) as session:
            for row in queries.claimed_fetches(session, held, lock=True):
                queries.postpone_fetch(row, now, seconds, reason, counts=counts)


def _try_again(
    session: Session, connection: Connection, row: FetchTable, seconds: float, reason: str, now: datetime
) -> None:
    if row.attempts + 1 >= MAX_ATTEMPTS:
        _give_up(session, connection, row, f"given up after {MAX_ATTEMPTS} tries: {reason}", now)
    else:
        queries.postpone_fetch(row, now, seconds, reason)


def _give_up(session: Session, connection: Connection, row: FetchTable, reason: str, now: datetime) -> None:
    queries.finish_fetch(row, now, reason, failed=True)
    item = Aside("fetch_failed", f"{row.object_type} can't be fetched: {reason}", None, row.object_id)
    again = {"object_type": row.object_type, "object_id": row.object_id}
    set_aside(session, connection.source, connection.name, item, now, again)
