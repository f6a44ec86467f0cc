"""How connections stand with their APIs, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from service.settings import Settings
from service.source_tables import ConnectionTable, SyncTable
from service.sources.connections import connections_among
from service.sources.fetching import queries
from service.sources.fetching.registry import FETCHERS
from service.sources.registry import SOURCES
from service.sources.schemas import ApiOutput, SyncOutput


def api_outputs(
    session: Session, settings: Settings, rows: Sequence[ConnectionTable], now: datetime
) -> dict[str, list[ApiOutput]]:
    """Return how each connection of a source with an API stands, by source.

    Args:
        rows: All connections of the database, in one query for all sources.
    """
    states = {(row.source, row.connection): row for row in queries.api_states(session)}
    syncs, counts = queries.latest_syncs(session), queries.waiting_by_connection(session)
    found: dict[str, list[ApiOutput]] = {}
    for source, fetcher in FETCHERS.items():
        for connection in connections_among(rows, settings, SOURCES[source], now):
            key = (source, connection.name)
            state, sync, count = states.get(key), syncs.get(key), counts.get(key, {})
            found.setdefault(source, []).append(
                ApiOutput(
                    connection=connection.name,
                    ready=fetcher.connected(connection) and not connection.disabled,
                    attention=state.attention if state else None,
                    attention_at=state.attention_at if state else None,
                    paused_until=state.paused_until
                    if state and state.paused_until and state.paused_until > now
                    else None,
                    waiting=count.get(queries.WAITING, 0) + count.get(queries.FETCHING, 0),
                    failed=count.get(queries.FAILED, 0),
                    sync=_sync(sync) if sync else None,
                )
            )
    return found


def _sync(row: SyncTable) -> SyncOutput:
    names = set(SyncOutput.model_fields) - {"job_id"}
    return SyncOutput.model_validate({"job_id": str(row.job_id), **{name: getattr(row, name) for name in names}})
