"""Customers' words for those endpoints that ask for them, read when they are sent: what was erased does not leave."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from service.deliveries.events import EventType
from service.filters import NoteFilters, Period
from service.insights.evidence import list_quotes
from service.insights.measures import About, item_conditions
from service.insights.schemas import quote_output
from service.insights.withholding import are_too_few
from service.outgoing_tables import EventTable
from service.themes.queries import find_theme

QUOTES = 3
_WITH_QUOTES = frozenset({EventType.INSIGHT_NEW, EventType.INSIGHT_RISEN})


def quotes_of_event(session: Session, event: EventTable) -> list[dict[str, Any]] | None:
    """Return a few quotes of the insight that an event is about, of different accounts; None for other events."""
    if event.type not in _WITH_QUOTES:
        return None
    insight, days = event.data["insight"], event.data["period"]
    about = About(insight["about"])
    item: Any = insight["id"]
    if about is About.THEME:
        theme = find_theme(session, item)
        item = theme.id if theme else None
    period = Period(date.fromisoformat(days["start"]), date.fromisoformat(days["end"]))
    if are_too_few(session, about, item_conditions(about, NoteFilters(), period, [item])):
        return []
    quotes, _ = list_quotes(session, about, NoteFilters(), period, item=item, limit=QUOTES)
    return [quote_output(quote).model_dump(mode="json") for quote in quotes]
