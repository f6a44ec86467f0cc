"""The state of the installation, for who runs it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service import __version__
from service.database import head_revision
from service.dependencies import Now, ReadSession, get_settings
from service.jobs.queries import list_jobs
from service.operation.schemas import attention_output
from service.operation.status import read_status
from service.pages.answers import PageRoute, render
from service.pages.queries import list_failed_notes
from service.pages.sign_in import Visitor
from service.pages.sources import source_title
from service.settings import Settings
from service.sources import routes as sources
from service.themes.outputs import fit_output
from service.themes.queries import list_fits

SHOWN_JOBS = 8
SHOWN_FAILURES = 20
router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/status")
def get_status_page(
    request: Request,
    session: ReadSession,
    settings: Annotated[Settings, Depends(get_settings)],
    now: Now,
    visitor: Visitor,
) -> Response:
    """Show the backlog, what failed, silent sources, the last fit of themes, and long work."""
    status = read_status(session, settings, now)
    fits, _ = list_fits(session, limit=1, before=None)
    jobs, _ = list_jobs(session, limit=SHOWN_JOBS, before=None)
    late = [
        (source_title(one.source), fresh, (now - fresh.last_note_at).total_seconds())
        for one in sources.get_sources(session, visitor, settings, now).items
        for fresh in one.freshness
        if fresh.late and fresh.last_note_at
    ]
    return render(
        request,
        "status.html",
        backlog=status.backlog,
        state=status,
        attention=[attention_output(one) for one in status.attention],
        schema=head_revision(),
        failed=list_failed_notes(session, SHOWN_FAILURES),
        faults=status.set_aside,
        late=late,
        fit=fit_output(fits[0]) if fits else None,
        jobs=jobs,
        now=now,
        version=__version__,
    )
