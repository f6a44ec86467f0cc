"""What Prometheus reads: what processes counted, and gauges of the state as the database has it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from service import __version__
from service.database import head_revision
from service.operation import queries
from service.operation.counts import counted
from service.operation.disk import free_mib
from service.operation.status import Status
from service.settings import Settings

MIB = 1024**2


class _Collected(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        """Return the metrics that were put together."""
        return self._families


def exposition(session: Session, settings: Settings, status: Status, now: datetime) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collected([*counted(session), *_state(session, settings, status, now)]))
    return generate_latest(registry)


def _state(session: Session, settings: Settings, status: Status, now: datetime) -> Iterator[Metric]:
    backlog = status.backlog
    notes = GaugeMetricFamily("binome_notes", "Notes by state of their analysis.", labels=["state"])
    for state in ("waiting", "queued", "failed", "analysed"):
        notes.add_metric([state], getattr(backlog, state))
    yield notes
    age = status.oldest_waiting_seconds or 0.0
    yield GaugeMetricFamily("binome_backlog_age_seconds", "Age of the note that waits longest.", age)
    yield GaugeMetricFamily("binome_workers_ready", "Workers heard of in the last 20 seconds.", backlog.workers)
    yield GaugeMetricFamily("binome_set_aside", "What could not be taken from sources.", status.set_aside)
    fresh = GaugeMetricFamily(
        "binome_source_last_note_seconds", "Age of the last note of a connection.", labels=["source", "connection"]
    )
    late = GaugeMetricFamily(
        "binome_source_late", "1 where a connection is silent for longer than usual.", labels=["source", "connection"]
    )
    for one in status.sources:
        late.add_metric([one.source, one.connection], int(one.late))
        if one.last_note_at:
            fresh.add_metric([one.source, one.connection], (now - one.last_note_at).total_seconds())
    yield fresh
    yield late
    if status.last_fit_at:
        since = (now - status.last_fit_at).total_seconds()
        yield GaugeMetricFamily("binome_last_fit_seconds", "Age of the last fit of the themes.", since)
    waiting = GaugeMetricFamily("binome_deliveries_waiting", "Webhooks, mails and messages that wait to be sent.")
    waiting.add_metric([], queries.count_waiting_deliveries(session))
    yield waiting
    yield GaugeMetricFamily("binome_disk_free_bytes", "Free bytes of the data folder's disk.", free_mib(settings) * MIB)
    if status.database_bytes is not None:
        yield GaugeMetricFamily("binome_database_bytes", "Size of the database.", status.database_bytes)
    yield from _pool(session)
    yield InfoMetricFamily("binome_build", "Version and schema.", {"version": __version__, "schema": head_revision()})


def _pool(session: Session) -> Iterator[Metric]:
    pool = session.get_bind().engine.pool
    if isinstance(pool, sa.QueuePool):
        in_use = "Connections to the database that requests hold now."
        yield GaugeMetricFamily("binome_database_connections_in_use", in_use, pool.checkedout())
        yield GaugeMetricFamily("binome_database_connections_kept", "Connections that are kept open.", pool.size())
