"""What workers count, added up in the database: there is one place to read metrics, and workers come and go."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import Metric
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.database import is_sqlite
from service.operation.instruments import PROCESS
from service.operation.tables import CountTable

_Key = tuple[str, str]


class UnsavedCounts:
    """What this process counted and has not yet added to the database."""

    def __init__(self) -> None:
        self._saved = _samples()

    def save(self, session: Session) -> dict[_Key, float]:
        """Add it; give what it returns to `done` once the transaction is committed."""
        counted = _samples()
        for (name, labels), value in sorted(counted.items()):
            more = value - self._saved.get((name, labels), 0.0)
            if more:
                _add(session, name, labels, more)
        return counted

    def done(self, saved: dict[_Key, float]) -> None:
        """Remember what is saved."""
        self._saved = saved


def _samples() -> dict[_Key, float]:
    return {
        (sample.name, json.dumps(sample.labels, sort_keys=True)): sample.value
        for family in PROCESS.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def _add(session: Session, name: str, labels: str, more: float) -> None:
    insert: Any = sqlite.insert(CountTable) if is_sqlite(session) else postgresql.insert(CountTable)
    statement = insert.values(name=name, labels=labels, value=more)
    summed = {"value": CountTable.value + statement.excluded.value}
    session.execute(statement.on_conflict_do_update(index_elements=["name", "labels"], set_=summed))


def counted(session: Session) -> list[Metric]:
    """Return what this process and, from the database, all workers counted, told apart by the label `process`."""
    stored: dict[str, list[tuple[dict[str, str], float]]] = {}
    for row in session.execute(sa.select(CountTable.name, CountTable.labels, CountTable.value)):
        stored.setdefault(row.name, []).append((json.loads(row.labels), row.value))
    families = []
    for own in PROCESS.collect():
        family = Metric(own.name, own.documentation, own.type)
        for sample in own.samples:
            if not sample.name.endswith("_created"):
                family.add_sample(sample.name, {**sample.labels, "process": "service"}, sample.value)
        names = {own.name, *(f"{own.name}_{part}" for part in ("total", "bucket", "sum", "count"))}
        for name in sorted(names & stored.keys()):
            for labels, value in stored[name]:
                family.add_sample(name, {**labels, "process": "workers"}, value)
        families.append(family)
    return families
