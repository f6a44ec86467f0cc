"""Saved filters over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from service.auth.scopes import Scope, allows
from service.dependencies import Caller, Now, Reader, ReadSession, WriteSession
from service.errors import Forbidden
from service.paging import Cursor, Limit, Page, page_of
from service.problems import problem_responses
from service.saved_filters import queries
from service.saved_filters.schemas import NewSavedFilter, SavedFilterOutput, saved_output

router = APIRouter(prefix="/v1/saved-filters", tags=["saved filters"], responses=problem_responses(503))

SavedId = Annotated[int, Path(ge=1, le=2**62, description="The `id` of saved filters.", examples=[1])]


@router.get("")
def get_saved_filters(
    session: ReadSession, caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> Page[SavedFilterOutput]:
    """List the caller's saved filters and the shared ones, by name."""
    rows = queries.list_saved(session, caller.actor)
    return page_of(rows, lambda row: saved_output(row, caller.actor), limit, cursor)


@router.post("", status_code=201, responses=problem_responses(409))
def post_saved_filter(body: NewSavedFilter, session: WriteSession, caller: Reader, now: Now) -> SavedFilterOutput:
    """Keep filters under a name, for oneself or for all."""
    check_sharing(caller, body.shared)
    filters = body.filters.as_address()
    row = queries.save(session, owner=caller.actor, name=body.name, shared=body.shared, filters=filters, now=now)
    return saved_output(row, caller.actor)


@router.delete("/{saved_id}", status_code=204, responses=problem_responses(404))
def delete_saved_filter(saved_id: SavedId, session: WriteSession, caller: Reader) -> None:
    """Forget saved filters."""
    queries.delete(session, saved_id, owner=caller.actor, of_others=may_share(caller))


def may_share(caller: Caller) -> bool:
    """Tell whether a caller may share filters, and delete those that others share."""
    return allows(caller.scopes, Scope.CURATE)


def check_sharing(caller: Caller, shared: bool) -> None:
    """Refuse to share for who may not.

    Raises:
        Forbidden: If the scope is missing.
    """
    if shared and not may_share(caller):
        raise Forbidden("Sharing filters needs the scope curate: save them for yourself.")
