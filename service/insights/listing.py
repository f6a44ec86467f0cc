"""What the lists of objections, competitors and themes share over HTTP."""

from __future__ import annotations

from collections.abc import Hashable

from sqlalchemy.orm import Session

from service.filters import NoteFilters, resolve_period
from service.insights.evidence import Step, list_quotes, read_series
from service.insights.items import Item
from service.insights.measures import About, item_conditions
from service.insights.schemas import QuoteOutput, Series, quote_output, series_output
from service.insights.withholding import refuse_too_few
from service.paging import Page, decode_cursor, encode_cursor


def in_order(items: list[Item]) -> list[Item]:
    """Order items by accounts, then authors, then notes, so that one loud account does not win."""
    return sorted(items, key=lambda i: (-i.counts.accounts, -i.counts.authors, -i.counts.notes, str(i.key)))


def quotes_page(
    session: Session, about: About, filters: NoteFilters, item: Hashable, limit: int, cursor: str | None
) -> Page[QuoteOutput]:
    """Return one page of an item's quotes.

    Raises:
        NotFound: If the item is withheld.
    """
    start = min(max(0, decode_cursor(cursor, int)[0]), 2**31) if cursor else 0
    period = resolve_period(session, filters)
    refuse_too_few(session, about, item_conditions(about, filters, period, [item]))
    quotes, total = list_quotes(session, about, filters, period, item=item, limit=limit, after=start)
    following = encode_cursor([start + limit]) if start + limit < total else None
    return Page(items=[quote_output(q) for q in quotes], next=following, total=total)


def series(session: Session, about: About, filters: NoteFilters, item: Hashable, shown: str, by: Step) -> Series:
    """Return an item's course over the filters' period.

    Raises:
        NotFound: If the item is withheld.
    """
    period = resolve_period(session, filters)
    refuse_too_few(session, about, item_conditions(about, filters, period, [item]))
    points = read_series(session, about, filters, period, items=[item], step=by)
    return series_output(shown, period, points[item])
