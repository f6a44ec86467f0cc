"""Counts of items and notes over days and filters."""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import is_sqlite
from service.insights.choosing import MAX_CHOICES, Choice
from service.insights.days import DETAILS_SEEN, NOBODY, Said
from service.insights.measures import DETAILS, About, Counts, DealBook, Whole
from service.tables import DealTable


@dataclass(slots=True)
class _Tally:
    """An item's findings over several days, laid one after the other."""

    notes: int = 0
    accounts: array[int] = field(default_factory=lambda: array("q"))
    authors: array[int] = field(default_factory=lambda: array("q"))
    deals: array[int] = field(default_factory=lambda: array("q"))
    details: array[int] = field(default_factory=lambda: array("H"))


@dataclass(frozen=True, slots=True)
class Sum:
    """What a tally adds up to; what became of the deals is looked up at each request, as it stands then."""

    mentions: int
    notes: int
    accounts: int
    authors: int
    deals: frozenset[int]
    details: Counter[int]


@lru_cache(maxsize=len(About) * MAX_CHOICES)
def count_items(choice: Choice, about: About, book: DealBook) -> Mapping[Any, Counts]:
    """Count all items of a kind.

    Args:
        choice: Days of one period.
        about: The kind.
        book: The period's deals.

    Returns:
        Counts by item: objection type, competitor's name key, or theme's row id. `details` counts mentions by status,
        relation and so on.
    """
    return {item: _counts(about, total, book) for item, total in count_said(choice, about).items()}


@lru_cache(maxsize=len(About) * MAX_CHOICES)
def count_said(choice: Choice, about: About) -> Mapping[Any, Sum]:
    """Count all items of a kind, but for what becomes of their deals."""
    tallies: defaultdict[Any, _Tally] = defaultdict(_Tally)
    for chosen in choice:
        said = chosen.day.said[about]
        picks = chosen.picks(said)
        for item, (begin, end, notes) in said.spans.items():
            if picks is None:
                _add(tallies[item], said, begin, end, notes)
            elif any(picks[begin:end]):
                _add_picked(tallies[item], said, begin, end, picks[begin:end])
    return {item: _sum(tally) for item, tally in tallies.items()}


def _sum(tally: _Tally) -> Sum:
    accounts, authors = (len(set(people) - {NOBODY}) for people in (tally.accounts, tally.authors))
    return Sum(len(tally.details), tally.notes, accounts, authors, frozenset(tally.deals), Counter(tally.details))


def _add(tally: _Tally, said: Said, begin: int, end: int, notes: int) -> None:
    tally.notes += notes
    tally.accounts += said.accounts[begin:end]
    tally.authors += said.authors[begin:end]
    tally.deals += said.deals[begin:end]
    tally.details += said.details[begin:end]


def _add_picked(tally: _Tally, said: Said, begin: int, end: int, picks: bytes) -> None:
    tally.notes += len(set(compress(said.notes[begin:end], picks)))
    tally.accounts.extend(compress(said.accounts[begin:end], picks))
    tally.authors.extend(compress(said.authors[begin:end], picks))
    tally.deals.extend(compress(said.deals[begin:end], picks))
    tally.details.extend(compress(said.details[begin:end], picks))


def _counts(about: About, total: Sum, book: DealBook) -> Counts:
    details: dict[str, dict[str, int]] = {
        name: {str(value): 0 for value in values} for name, (_, values) in DETAILS[about].items()
    }
    for number, count in total.details.items():
        for counted, value in zip(details.values(), DETAILS_SEEN.values[number], strict=True):
            if value in counted:
                counted[value] += count
    deals = book.add_up(total.deals)
    return Counts(total.mentions, total.notes, total.accounts, total.authors, deals, details)


@lru_cache(maxsize=len(About) * MAX_CHOICES)
def count_heard(choice: Choice, about: About) -> Mapping[Any, int]:
    """Return for each item of a kind its notes: what a later period is compared with."""
    heard: defaultdict[Any, int] = defaultdict(int)
    for chosen in choice:
        said = chosen.day.said[about]
        picks = chosen.picks(said)
        for item, (begin, end, notes) in said.spans.items():
            heard[item] += notes if picks is None else len(set(compress(said.notes[begin:end], picks[begin:end])))
    return {item: notes for item, notes in heard.items() if notes}


def count_voices(choice: Choice, about: About, items: Collection[Any]) -> dict[Any, Counter[int]]:
    """Return for each item its notes by account; those without one under 0."""
    voices: dict[Any, Counter[int]] = {item: Counter() for item in items}
    for chosen in choice:
        said, kept = chosen.day.said[about], chosen.kept
        for item in items:
            begin, end, _ = said.spans.get(item, (0, 0, 0))
            notes = {note for note in said.notes[begin:end] if kept is None or kept[note]}
            voices[item].update(map(chosen.day.accounts.__getitem__, notes))
    return voices


def latest_findings(
    choice: Choice, about: About, items: Collection[Any], count: int
) -> dict[Any, list[tuple[int, int]]]:
    """Return for each item its latest findings, the latest first: their row ids, and those of their accounts."""
    found: dict[Any, list[tuple[int, int]]] = {item: [] for item in items}
    for chosen in reversed(choice.days):
        said, kept = chosen.day.said[about], chosen.kept
        for item in [item for item, latest in found.items() if len(latest) < count]:
            begin, end, _ = said.spans.get(item, (0, 0, 0))
            of_day = [n for n in range(end - 1, begin - 1, -1) if kept is None or kept[said.notes[n]]]
            found[item] += [(said.ids[n], said.accounts[n]) for n in of_day]
    return {item: latest[:count] for item, latest in found.items()}


@lru_cache(maxsize=2 * MAX_CHOICES)
def notes_by_account(choice: Choice) -> Counter[int]:
    """Count the notes that were read by account; those without one under 0."""
    notes: Counter[int] = Counter()
    for chosen in choice:
        notes.update(map(chosen.day.accounts.__getitem__, chosen.read))
    return notes


@dataclass(frozen=True, slots=True)
class _People:
    """Who was read: authors, the deals of the notes that are kept, and those of all."""

    authors: frozenset[int]
    deals: frozenset[int]
    all_deals: frozenset[int]


@lru_cache(maxsize=MAX_CHOICES)
def _people(choice: Choice) -> _People:
    authors, deals, all_deals = set[int](), set[int](), set[int]()
    for chosen in choice:
        day, notes = chosen.day, chosen.read
        authors.update(map(day.authors.__getitem__, notes))
        deals.update(map(day.deals.__getitem__, notes))
        all_deals.update(day.deals)
    return _People(*(frozenset(ids - {NOBODY}) for ids in (authors, deals, all_deals)))


def count_whole(session: Session, choice: Choice) -> Whole:
    """Count the notes that were read, and their accounts, authors and deals."""
    people, by_account = _people(choice), notes_by_account(choice)
    book = _read_deals(session, people.all_deals)
    accounts = len(by_account.keys() - {NOBODY})
    return Whole(by_account.total(), accounts, len(people.authors), book.add_up(people.deals), book, by_account)


def _read_deals(session: Session, ids: Collection[int]) -> DealBook:
    """Read deals as they stand now: a later outcome counts for all their notes."""
    rows = session.execute(
        sa.select(DealTable.id, DealTable.outcome, DealTable.currency, DealTable.amount)
        .where(DealTable.id.in_(_listed(session, ids)))
        .order_by(DealTable.id)
    )
    return _book(tuple(map(tuple, rows)))


@lru_cache(maxsize=MAX_CHOICES)
def _book(rows: tuple[tuple[Any, ...], ...]) -> DealBook:
    """Return the same book as long as the deals stand as they did: what was added up of it holds."""
    book = DealBook()
    for deal_id, outcome, currency, amount in rows:
        book.enter(deal_id, outcome, currency, amount)
    return book


def _listed(session: Session, ids: Collection[int]) -> Any:
    """Return ids as the right side of an `in`, sent as one value: there may be tens of thousands."""
    listed = sorted(ids)
    if is_sqlite(session):
        return sa.select(sa.func.json_each(json.dumps(listed)).table_valued("value").c.value)
    return sa.select(sa.func.unnest(sa.literal(listed, sa.ARRAY(sa.BigInteger))))
