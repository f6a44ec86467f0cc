"""The filters of a request, as routes ask for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from service.dependencies import ReadSession
from service.filters import Filters, resolve_names
from service.thresholds import refuse_single


def _single_filters(session: ReadSession, filters: Annotated[Filters, Query()]) -> Filters:
    return resolve_names(session, filters)


def _filters(request: Request, filters: Annotated[Filters, Depends(_single_filters)]) -> Filters:
    refuse_single(request.app.state.settings.thresholds, account=filters.account, author=filters.author)
    return filters


FilterQuery = Annotated[Filters, Depends(_filters)]
SingleFilterQuery = Annotated[Filters, Depends(_single_filters)]
"""Of lists of notes, which are of one account and one author each: all filters, whatever the thresholds."""
