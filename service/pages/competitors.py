"""The competitors that are followed, and new names to decide on."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from models.types import Standing
from service.catalog import queries
from service.catalog.routes import decide_candidate
from service.catalog.schemas import CandidateDecision
from service.competitors.view import Stand, competitor_stands
from service.database import write_session
from service.dependencies import ReadSession, get_engine
from service.errors import InvalidInput
from service.filters import name_key
from service.insights.items import Frame, measuring_frame
from service.insights.measures import About
from service.pages.answers import PageRoute, render
from service.pages.forms import FilterForm, fault_of, read_form
from service.pages.queries import list_segments, list_teams
from service.pages.saved_filters import saved_panel
from service.pages.sign_in import CuratingVisitor, FormFields, Visitor, may_curate
from service.pages.views import item_address
from service.thresholds import refuse_single, thresholds_of

SHOWN_CANDIDATES = 100
FIRST_CANDIDATES = 8  # the others are folded away
router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/competitors")
def get_competitors_page(request: Request, session: ReadSession, visitor: Visitor) -> Response:
    """Show where the competitors of the catalogue stand, and names that notes use like one."""
    form = read_form(session, request.query_params)
    followed = sorted(queries.read_catalog(session).competitors, key=lambda one: one.name.lower())
    frame = None if form.faults else _frame(session, form)
    names = {name_key(one.name): one.name for one in followed}
    stands = competitor_stands(session, form.filters, frame, names) if frame else {}
    return render(
        request,
        "competitors.html",
        422 if form.faults else 200,
        form=form,
        wrong={fault.field for fault in form.faults},
        teams=list_teams(session),
        segments=list_segments(session),
        saved=saved_panel(session, visitor),
        frame=frame,
        stands=stands,
        thresholds=thresholds_of(session),
        names=names,
        most=max((most_of(stand) for stand in stands.values()), default=1) or 1,
        aliases={name_key(one.name): one.aliases for one in followed},
        followed=followed,
        candidates=queries.list_candidates(session, SHOWN_CANDIDATES),
        first_candidates=FIRST_CANDIDATES,
        curating=may_curate(visitor),
        address_of=lambda name: item_address(About.COMPETITOR, name_key(name)),
    )


def most_of(stand: Stand) -> int:
    """Return the larger number of mentions in which a competitor is ahead of us, or behind."""
    standings = stand.item.standings if stand.item else {}
    return max(standings.get(standing, 0) for standing in (Standing.AHEAD, Standing.BEHIND))


def _frame(session: Session, form: FilterForm) -> Frame | None:
    """Return what the competitors are measured in; None where the filters can't be, and then a fault says why."""
    try:
        refuse_single(thresholds_of(session), account=form.filters.account, author=form.filters.author)
        return measuring_frame(session, form.filters)
    except InvalidInput as error:
        form.faults.append(fault_of(error))
        return None


@router.post("/competitors/decide")
def post_decision(request: Request, fields: FormFields, visitor: CuratingVisitor) -> Response:
    """Follow a name, make it another name of a competitor, or say that it is none."""
    try:
        decision = CandidateDecision(
            name=fields.get("name", ""), decision=fields.get("do", ""), of=fields.get("of") or None
        )
    except ValidationError:
        raise InvalidInput("Name the decision.") from None
    with write_session(get_engine(request)) as session:
        decide_candidate(decision, session, visitor)
    return RedirectResponse("/competitors", 303)
