"""Long work as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from service.jobs.queries import JobKind, JobState
from service.tables import JobTable


class JobOutput(BaseModel):
    """Long work that somebody asked for; `done` of `total` steps are behind it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: JobKind
    state: JobState
    done: int
    total: int | None
    result: dict[str, Any] | None
    failure: str | None
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def job_output(job: JobTable) -> JobOutput:
    """Return a job as JSON has it."""
    names = set(JobOutput.model_fields) - {"id"}
    return JobOutput.model_validate({"id": str(job.id), **{name: getattr(job, name) for name in names}})
