"""The competitors that are followed, and new names to decide on."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.catalog import queries
from service.catalog.routes import decide_candidate
from service.catalog.schemas import CandidateDecision
from service.database import write_session
from service.dependencies import ReadSession, get_engine
from service.errors import InvalidInput
from service.filters import name_key
from service.insights.measures import About
from service.pages.answers import PageRoute, render
from service.pages.sign_in import CuratingVisitor, FormFields, Visitor, may_curate
from service.pages.views import item_address

SHOWN_CANDIDATES = 100
router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/competitors")
def get_competitors_page(request: Request, session: ReadSession, visitor: Visitor) -> Response:
    """Show the competitors of the catalogue, and names that notes use like one."""
    followed = sorted(queries.read_catalog(session).competitors, key=lambda one: one.name.lower())
    return render(
        request,
        "competitors.html",
        followed=[(one, item_address(About.COMPETITOR, name_key(one.name))) for one in followed],
        candidates=queries.list_candidates(session, SHOWN_CANDIDATES),
        curating=may_curate(visitor),
        address_of=lambda name: item_address(About.COMPETITOR, name_key(name)),
    )


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
