"""Tables of long work and of the processes that do it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table


class JobTable(Table):
    """Long work that somebody asked for; the job engine takes it up, its progress is read here."""

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    params: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="waiting", index=True)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    result: Mapped[dict[str, Any] | None]
    failure: Mapped[str | None]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    traceparent: Mapped[str | None]


class WorkerTable(Table):
    """A worker process and its last sign of life."""

    __tablename__ = "workers"
    executor_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime] = mapped_column(index=True)
