"""The forms by which people name the filters of a list, and come back to them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from service.database import write_session
from service.dependencies import Caller, Now, get_engine
from service.errors import InvalidInput, NotFound
from service.pages.answers import PageRoute
from service.pages.forms import read_form
from service.pages.sign_in import FormFields, Visitor, inside
from service.saved_filters import queries
from service.saved_filters.routes import check_sharing, may_share
from service.saved_filters.schemas import KeptFilters, Name, SavedFilterOutput, saved_output

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True, slots=True)
class SavedPanel:
    """What a list shows of saved filters; `sharing` tells whether the visitor may share, and delete shared ones."""

    items: list[SavedFilterOutput]
    sharing: bool


def saved_panel(session: Session, visitor: Caller) -> SavedPanel:
    """Return the filters that a visitor may come back to."""
    rows = queries.list_saved(session, visitor.actor)
    return SavedPanel([saved_output(row, visitor.actor) for row in rows], may_share(visitor))


@router.post("/saved-filters")
def post_saved_filter(request: Request, fields: FormFields, now: Now, visitor: Visitor) -> Response:
    """Keep the filters of the page that the form was on under a name."""
    here = inside(fields.get("here", ""))
    shared = fields.get("shared") == "on"
    check_sharing(visitor, shared)
    with write_session(get_engine(request)) as session:
        form = read_form(session, QueryParams(urlsplit(here).query))
        try:
            name = _NAME.validate_python(fields.get("name", ""))
            kept = KeptFilters.model_validate({**form.values, "about": list(form.about)})
        except ValidationError:
            raise InvalidInput("name: write 1 to 80 characters.") from None
        queries.save(session, owner=visitor.actor, name=name, shared=shared, filters=kept.as_address(), now=now)
    return RedirectResponse(f"{here}#saved", 303)


@router.post("/saved-filters/{saved_id}/delete")
def post_deletion(saved_id: str, request: Request, fields: FormFields, visitor: Visitor) -> Response:
    """Forget saved filters."""
    if not (saved_id.isascii() and saved_id.isdigit() and len(saved_id) < 19):
        raise NotFound("There are no such saved filters.")
    with write_session(get_engine(request)) as session:
        queries.delete(session, int(saved_id), owner=visitor.actor, of_others=may_share(visitor))
    return RedirectResponse(f"{inside(fields.get('here', ''))}#saved", 303)
