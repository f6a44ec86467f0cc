"""Long work as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from service.jobs.queries import JobKind, JobState
from service.jobs.tables import JobTable


class JobOutput(BaseModel):
    """Long work that somebody asked for; `done` of `total` steps are behind it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "3",
                    "kind": "fit_themes",
                    "state": "done",
                    "done": 786,
                    "total": 786,
                    "result": {"themes": 24, "passages": 786},
                    "failure": None,
                    "requested_by": "dashboard",
                    "created_at": "2026-09-14T10:20:00Z",
                    "started_at": "2026-09-14T10:20:01Z",
                    "finished_at": "2026-09-14T10:20:06Z",
                }
            ]
        }
    )

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
