"""Which figures of an item are withheld: those on too few accounts or authors, though more of them said the item.

They are taken out before anything is made of the counts, so that no score, reason or trend is built on them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import Outcome
from service.insights.counting import Voice
from service.insights.days import DETAILS_SEEN
from service.insights.measures import TABLES, About, Counts, DealBook, Deals
from service.insights.statistics import Trend
from service.thresholds import Thresholds, Voices, thresholds_of, too_few, voices_by

TREND, MONEY, OUTCOMES = "trend", "money", "outcomes"
"""Names of figures that may be withheld, beside those of `DETAILS`."""


def gather(said: Iterable[Voice]) -> Voices:
    """Return the accounts and authors among findings."""
    voices = Voices()
    for account, author, _, _ in said:
        voices.add(account, author)
    return voices


def cut_trend(trend: Trend) -> Trend:
    """Return a trend without what tells how often the item was said before: only where it goes is left."""
    return replace(trend, previous=0, change=None, p_value=1.0, at_least=1.0)


def cut_counts(
    about: About, counts: Counts, said: Collection[Voice], book: DealBook, thresholds: Thresholds
) -> tuple[Counts, list[str]]:
    """Return the counts of an item without figures that stand on too few, and the names of what is missing.

    Args:
        about: The item's kind.
        counts: Its counts.
        said: Who said it.
        book: The deals of the period.
        thresholds: How many are enough.
    """
    details, missing = {}, []
    for place, (name, shown) in enumerate(counts.details.items()):
        parts = voices_by((DETAILS_SEEN.values[detail][place], account, author) for account, author, _, detail in said)
        hidden = set() if name == "known" else thresholds.hidden_parts({k: v for k, v in parts.items() if k in shown})
        details[name] = {value: count for value, count in shown.items() if value not in hidden}
        missing += [name] if hidden else []
    deals, without = _cut_deals(counts.deals, said, book, thresholds)
    return replace(counts, details=details, deals=deals), [*missing, *without]


def _cut_deals(
    deals: Deals, said: Collection[Voice], book: DealBook, thresholds: Thresholds
) -> tuple[Deals, list[str]]:
    groups = {number: group for group, number in book.groups.items()}
    entered = [(groups[book.deals[deal][0]], book.deals[deal][1], a, b) for a, b, deal, _ in said if deal in book.deals]
    sums = voices_by((group, account, author) for group, amount, account, author in entered if amount and group[1])
    few = {group for group, voices in sums.items() if thresholds.hide_voices(voices)}
    closed = voices_by((group[0], account, author) for group, _, account, author in entered if group[0] != Outcome.OPEN)
    unknown = any(thresholds.hide_voices(voices) for voices in closed.values())
    money = {o: {c: amount for c, amount in s.items() if (o, c) not in few} for o, s in deals.money.items()}
    kept = {currency: count for currency, count in deals.open.items() if (Outcome.OPEN, currency) not in few}
    won, lost = (0, 0) if unknown else (deals.won, deals.lost)
    return Deals(money, won, lost, kept), [*([MONEY] if few else []), *([OUTCOMES] if unknown else [])]


def others_are_too_few(
    said: Collection[Voice], every: Mapping[int, frozenset[tuple[int, int]]], book: DealBook, thresholds: Thresholds
) -> bool:
    """Tell whether the closed deals without an item stand on too few, so that their rate is withheld.

    Args:
        said: Who said the item.
        every: Accounts and authors of each deal of the period.
        book: The deals of the period.
        thresholds: How many are enough.
    """
    still_open = {number for (outcome, _), number in book.groups.items() if outcome == Outcome.OPEN}
    own = {deal for _, _, deal, _ in said}
    others = Voices()
    for deal, voices in every.items():
        if deal in own or deal not in book.deals or book.deals[deal][0] in still_open:
            continue
        for account, author in voices:
            others.add(account, author)
        if not thresholds.hide_voices(others):
            return False
    return True


def are_too_few(session: Session, about: About, conditions: Sequence[sa.ColumnElement[bool]]) -> bool:
    """Tell whether findings of a kind are withheld; none at all are too, where there are thresholds."""
    thresholds = thresholds_of(session)
    if not thresholds.are_set:
        return False
    table: Any = TABLES[about]
    accounts, authors = (sa.func.count(sa.distinct(column)) for column in (table.account_id, table.author_id))
    counted = session.execute(sa.select(accounts, authors).where(*conditions)).one()
    return thresholds.hide(counted[0], counted[1])


def refuse_too_few(session: Session, about: About, conditions: Sequence[sa.ColumnElement[bool]]) -> None:
    """Refuse what is asked of findings of a kind that come from too few.

    Raises:
        NotFound: If they are withheld.
    """
    if are_too_few(session, about, conditions):
        raise too_few()
