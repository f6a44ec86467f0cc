"""Health, readiness, backlog and metrics."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from service import __version__
from service.dependencies import Now, Reader, ReadSession
from service.errors import Unavailable
from service.operation.queries import Backlog, read_backlog
from service.problems import problem_responses

router = APIRouter(tags=["operation"], responses=problem_responses(503))


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


@router.get("/healthz")
def healthz() -> Health:
    """Tell that the process is alive."""
    return Health()


@router.get("/readyz")
def readyz(session: ReadSession, now: Now) -> Health:
    """Tell that notes can be taken in and analysed: the database answers and a worker is ready."""
    if not read_backlog(session, now).workers:
        raise Unavailable("No worker is ready yet.", code="no_worker")
    return Health()


@router.get("/v1/backlog")
def get_backlog(session: ReadSession, now: Now, _caller: Reader) -> BacklogOutput:
    """Read how many notes wait, are being read, were read or failed."""
    backlog = read_backlog(session, now)
    return BacklogOutput(**{name: getattr(backlog, name) for name in BacklogOutput.model_fields})


@router.get("/metrics", response_class=Response)
def metrics(session: ReadSession, now: Now) -> Response:
    """Give the same figures to Prometheus."""
    return Response(_exposition(read_backlog(session, now)), media_type=CONTENT_TYPE_LATEST)


def _exposition(backlog: Backlog) -> bytes:
    registry = CollectorRegistry()
    notes = Gauge("binome_notes", "Notes by state of their analysis.", ["state"], registry=registry)
    for state in ("waiting", "queued", "failed", "analysed"):
        notes.labels(state).set(getattr(backlog, state))
    Gauge("binome_workers_ready", "Workers heard of in the last 20 seconds.", registry=registry).set(backlog.workers)
    return generate_latest(registry)
