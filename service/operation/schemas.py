"""The state of the installation as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from service import __version__
from service.database import head_revision
from service.operation.status import Attention, Status
from service.operation.words import ATTENTION


class Health(BaseModel):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "version": __version__}]})

    status: str = "ok"
    version: str = __version__


class BacklogOutput(BaseModel):
    """How far the reading is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"waiting": 0, "queued": 12, "failed": 1, "analysed": 244, "workers": 1}]}
    )

    waiting: int = Field(description="notes taken in and not yet given to a worker")
    queued: int = Field(description="notes with a worker")
    failed: int = Field(description="notes that can't be read; GET /v1/notes?state=failed lists them")
    analysed: int
    workers: int = Field(description="workers that are ready")


class SourceStateOutput(BaseModel):
    """How fresh a connection is."""

    source: str
    connection: str
    last_note_at: datetime | None
    late: bool = Field(description="silent for over four of its usual gaps, and an hour")


class AttentionOutput(BaseModel):
    """Something that a person should look at."""

    code: str
    count: int
    text: dict[str, str] = Field(description="what it is and what to do, in English and French")


class StatusOutput(BaseModel):
    """The state of the installation; `attention` is empty where everything is in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": __version__,
                    "schema_revision": "0015",
                    "backlog": {"waiting": 0, "queued": 12, "failed": 0, "analysed": 244, "workers": 1},
                    "oldest_waiting_seconds": 3.2,
                    "sources": [
                        {
                            "source": "hubspot",
                            "connection": "main",
                            "last_note_at": "2026-10-29T10:20:00Z",
                            "late": False,
                        }
                    ],
                    "set_aside": 0,
                    "failed_jobs": 0,
                    "last_fit_at": "2026-10-29T08:00:00Z",
                    "last_report": "2026-09",
                    "last_report_at": "2026-10-02T02:00:00Z",
                    "free_mib": 74500,
                    "database": "sqlite",
                    "database_bytes": 41943040,
                    "attention": [],
                }
            ]
        }
    )

    version: str
    schema_revision: str
    backlog: BacklogOutput
    oldest_waiting_seconds: float | None
    sources: list[SourceStateOutput]
    set_aside: int
    failed_jobs: int = Field(description="long work that failed in the last week")
    last_fit_at: datetime | None
    last_report: str | None = Field(description="month of the report that was built last")
    last_report_at: datetime | None
    free_mib: int = Field(description="free disk of the data folder, in MiB")
    database: str
    database_bytes: int | None
    attention: list[AttentionOutput]


def status_output(status: Status) -> StatusOutput:
    """Return the state as JSON has it."""
    told = asdict(status) | {"attention": [attention_output(one) for one in status.attention]}
    return StatusOutput(version=__version__, schema_revision=head_revision(), **told)


def attention_output(one: Attention) -> AttentionOutput:
    """Say what it is and what to do."""
    english, french = ATTENTION[one.code]
    return AttentionOutput(
        code=one.code, count=one.count, text={"en": english.format(n=one.count), "fr": french.format(n=one.count)}
    )
