"""Health, readiness, backlog, status and metrics."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.auth.scopes import Scope, allows
from service.dependencies import Now, Reader, ReadSession, find_caller, get_settings
from service.errors import Forbidden, Unauthorized, Unavailable
from service.operation.disk import check_free
from service.operation.metrics import exposition
from service.operation.queries import read_backlog
from service.operation.schemas import BacklogOutput, Health, StatusOutput, status_output
from service.operation.status import read_status
from service.problems import problem_responses
from service.settings import Settings

router = APIRouter(tags=["operation"], responses=problem_responses(503))


AppSettings = Annotated[Settings, Depends(get_settings)]


def may_read_metrics(request: Request, session: ReadSession, settings: AppSettings, at: Now) -> None:
    """Let the token of the settings pass, and keys with the scope `admin`."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if settings.metrics_token and secrets.compare_digest(given.encode(), settings.metrics_token.encode()):
        return
    found = find_caller(session, request, given or None, at)
    if found is None:
        raise Unauthorized("Send a key, or the token of BINOME_METRICS_TOKEN: Authorization: Bearer TOKEN.")
    if not allows(list(found.scopes), Scope.ADMIN):
        raise Forbidden("Metrics need the scope admin, or the token of BINOME_METRICS_TOKEN.")


MetricsReader = Annotated[None, Depends(may_read_metrics)]


@router.get("/healthz")
def healthz() -> Health:
    """Tell that the process is alive."""
    return Health()


@router.get("/readyz", responses=problem_responses(507))
def readyz(session: ReadSession, now: Now, settings: AppSettings) -> Health:
    """Tell that notes can be taken in and analysed: the database answers, the disk has room, a worker is ready."""
    check_free(settings)
    if not read_backlog(session, now).workers:
        raise Unavailable("No worker is ready yet.", code="no_worker")
    return Health()


@router.get("/v1/backlog")
def get_backlog(session: ReadSession, now: Now, _caller: Reader) -> BacklogOutput:
    """Read how many notes wait, are being read, were read or failed."""
    backlog = read_backlog(session, now)
    return BacklogOutput(**{name: getattr(backlog, name) for name in BacklogOutput.model_fields})


_METRICS = '# TYPE binome_notes gauge\nbinome_notes{state="done"} 244.0\n'
_EXPOSITION: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Prometheus' text format.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": _METRICS}},
    }
}


@router.get("/metrics", response_class=Response, responses=_EXPOSITION | problem_responses(401, 403))
def metrics(session: ReadSession, settings: AppSettings, now: Now, _caller: MetricsReader) -> Response:
    """Give counts and gauges to Prometheus; the token of `BINOME_METRICS_TOKEN` or a key with the scope `admin` may."""
    found = exposition(session, settings, read_status(session, settings, now), now)
    return Response(found, media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/status")
def get_status(session: ReadSession, settings: AppSettings, now: Now, _caller: Reader) -> StatusOutput:
    """Read the state of the installation in one look: backlog, sources, workers, disk, and what needs a person."""
    return status_output(read_status(session, settings, now))
