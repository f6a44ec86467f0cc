"""Counts of items and notes over days and filters."""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import is_
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import is_sqlite
from service.filters import NoteFilters, Period, dimension_ids, name_key
from service.insights.days import DETAILS_SEEN, NOBODY, ORIGINS_SEEN, Day, Origin, Said, read_days
from service.insights.measures import DETAILS, About, Counts, DealBook, Whole
from service.tables import DealTable, ThemeTable


@dataclass(frozen=True, slots=True)
class Chosen:
    """A day with the notes that filters leave.

    Attributes:
        kept: For each note 1 or 0; None where all are kept.
    """

    day: Day
    kept: bytearray | None

    def picks(self, said: Said) -> bytes | None:
        """Return 1 or 0 for each finding of a kind; None where all are kept."""
        return None if self.kept is None else bytes(map(self.kept.__getitem__, said.notes))


def choose(session: Session, filters: NoteFilters, period: Period) -> list[Chosen]:
    """Return the days of a period with the notes that filters leave."""
    days = read_days(session, period)
    people = {
        name: ids
        for name, ids in (
            ("accounts", dimension_ids(session, filters, "account_id")),
            ("authors", dimension_ids(session, filters, "author_id")),
            ("deals", dimension_ids(session, filters, "deal_id")),
        )
        if ids is not None
    }
    held = _held_items(session, filters)
    origin = (filters.language, filters.kind, filters.source)
    if not people and not held and origin == (None, None, None):
        return [Chosen(day, None) for day in days]
    return [Chosen(day, _kept(day, people, held, origin)) for day in days]


def _held_items(session: Session, filters: NoteFilters) -> list[tuple[About, Any]]:
    """Return the items that a note must hold."""
    items: list[tuple[About, Any]] = []
    if filters.competitor is not None:
        items.append((About.COMPETITOR, name_key(filters.competitor)))
    if filters.objection_type is not None:
        items.append((About.OBJECTION, filters.objection_type.value))
    if filters.theme is not None:
        theme = session.scalar(sa.select(ThemeTable.id).where(ThemeTable.key == filters.theme))
        items.append((About.THEME, theme))
    return items


def _kept(
    day: Day,
    people: dict[str, frozenset[int]],
    held: Sequence[tuple[About, Any]],
    origin: tuple[str | None, str | None, str | None],
) -> bytearray:
    left: Collection[int] = range(len(day.accounts))
    for about, item in held:
        said = day.said[about]
        begin, end, _ = said.spans.get(item, (0, 0, 0))
        left = set(said.notes[begin:end]).intersection(left)
    for name, ids in people.items():
        of_notes = getattr(day, name)
        left = [note for note in left if of_notes[note] in ids]
    if any(origin):
        fitting = {n for n, seen in enumerate(ORIGINS_SEEN.values) if _fits(seen, origin)}
        left = [note for note in left if day.origins[note] in fitting]
    kept = bytearray(len(day.accounts))
    for note in left:
        kept[note] = 1
    return kept


def _fits(seen: Origin, asked: tuple[str | None, str | None, str | None]) -> bool:
    return all(wanted is None or wanted == value for value, wanted in zip(seen, asked, strict=True))


@dataclass(slots=True)
class _Tally:
    """An item's findings over several days, laid one after the other."""

    notes: int = 0
    accounts: array[int] = field(default_factory=lambda: array("q"))
    authors: array[int] = field(default_factory=lambda: array("q"))
    deals: array[int] = field(default_factory=lambda: array("q"))
    details: array[int] = field(default_factory=lambda: array("H"))


@dataclass(frozen=True, slots=True)
class _Sum:
    """What a tally adds up to; the deals are counted anew each time, as they stand then."""

    mentions: int
    notes: int
    accounts: int
    authors: int
    deals: frozenset[int]
    details: Counter[int]


_LAST: dict[About, tuple[list[Day], dict[Any, _Sum]]] = {}
"""The sums of the days that were last asked for whole; days never change, so the same ones have the same sums."""


def count_items(days: Sequence[Chosen], about: About, book: DealBook) -> dict[Any, Counts]:
    """Count all items of a kind.

    Args:
        days: Of one period.
        about: The kind.
        book: The period's deals.

    Returns:
        Counts by item: objection type, competitor's name key, or theme's row id. `details` counts mentions by status,
        relation and so on.
    """
    if any(chosen.kept is not None for chosen in days):
        sums = _add_up(days, about)
    else:
        whole = [chosen.day for chosen in days]
        last, sums = _LAST.get(about, ([], {}))
        if len(last) != len(whole) or not all(map(is_, last, whole)):
            sums = _add_up(days, about)
            _LAST[about] = (whole, sums)
    return {item: _counts(about, of_item, book) for item, of_item in sums.items()}


def _add_up(days: Sequence[Chosen], about: About) -> dict[Any, _Sum]:
    tallies: defaultdict[Any, _Tally] = defaultdict(_Tally)
    for chosen in days:
        said = chosen.day.said[about]
        picks = chosen.picks(said)
        for item, (begin, end, notes) in said.spans.items():
            if picks is None:
                _add(tallies[item], said, begin, end, notes)
            elif any(picks[begin:end]):
                _add_picked(tallies[item], said, begin, end, picks[begin:end])
    return {item: _sum(tally) for item, tally in tallies.items()}


def _sum(tally: _Tally) -> _Sum:
    accounts, authors = (len(set(people) - {NOBODY}) for people in (tally.accounts, tally.authors))
    return _Sum(len(tally.details), tally.notes, accounts, authors, frozenset(tally.deals), Counter(tally.details))


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


def _counts(about: About, total: _Sum, book: DealBook) -> Counts:
    details: dict[str, dict[str, int]] = {
        name: {str(value): 0 for value in values} for name, (_, values) in DETAILS[about].items()
    }
    for number, count in total.details.items():
        for counted, value in zip(details.values(), DETAILS_SEEN.values[number], strict=True):
            if value in counted:
                counted[value] += count
    deals = book.add_up(total.deals)
    return Counts(total.mentions, total.notes, total.accounts, total.authors, deals, details)


def count_heard(days: Sequence[Chosen], about: About) -> dict[Any, int]:
    """Return for each item of a kind its notes: what a later period is compared with."""
    heard: defaultdict[Any, int] = defaultdict(int)
    for chosen in days:
        said = chosen.day.said[about]
        picks = chosen.picks(said)
        for item, (begin, end, notes) in said.spans.items():
            heard[item] += notes if picks is None else len(set(compress(said.notes[begin:end], picks[begin:end])))
    return {item: notes for item, notes in heard.items() if notes}


def count_voices(days: Sequence[Chosen], about: About, items: Collection[Any]) -> dict[Any, Counter[int]]:
    """Return for each item its notes by account; those without one under 0."""
    voices: dict[Any, Counter[int]] = {item: Counter() for item in items}
    for chosen in days:
        said, kept = chosen.day.said[about], chosen.kept
        for item in items:
            begin, end, _ = said.spans.get(item, (0, 0, 0))
            notes = {note for note in said.notes[begin:end] if kept is None or kept[note]}
            voices[item].update(map(chosen.day.accounts.__getitem__, notes))
    return voices


def latest_findings(
    days: Sequence[Chosen], about: About, items: Collection[Any], count: int
) -> dict[Any, list[tuple[int, int]]]:
    """Return for each item its latest findings, the latest first: their row ids, and those of their accounts."""
    found: dict[Any, list[tuple[int, int]]] = {item: [] for item in items}
    for chosen in reversed(days):
        said, kept = chosen.day.said[about], chosen.kept
        for item in [item for item, latest in found.items() if len(latest) < count]:
            begin, end, _ = said.spans.get(item, (0, 0, 0))
            of_day = [n for n in range(end - 1, begin - 1, -1) if kept is None or kept[said.notes[n]]]
            found[item] += [(said.ids[n], said.accounts[n]) for n in of_day]
    return {item: latest[:count] for item, latest in found.items()}


def notes_by_account(days: Sequence[Chosen]) -> Counter[int]:
    """Count the notes that were read by account; those without one under 0."""
    notes: Counter[int] = Counter()
    for chosen in days:
        notes.update(map(chosen.day.accounts.__getitem__, _read(chosen)))
    return notes


def _read(chosen: Chosen) -> Sequence[int]:
    notes = range(chosen.day.read)
    return notes if chosen.kept is None else list(compress(notes, chosen.kept))


def count_whole(session: Session, days: Sequence[Chosen]) -> Whole:
    """Count the notes that were read, and their accounts, authors and deals."""
    authors, deals, all_deals = set[int](), set[int](), set[int]()
    for chosen in days:
        day, notes = chosen.day, _read(chosen)
        authors.update(map(day.authors.__getitem__, notes))
        deals.update(map(day.deals.__getitem__, notes))
        all_deals.update(day.deals)
    book = _read_deals(session, all_deals - {NOBODY})
    by_account = notes_by_account(days)
    people = len(by_account.keys() - {NOBODY}), len(authors - {NOBODY})
    return Whole(by_account.total(), *people, book.add_up(deals), book, by_account)


def _read_deals(session: Session, ids: Collection[int]) -> DealBook:
    """Read deals as they stand now: a later outcome counts for all their notes."""
    rows = session.execute(
        sa.select(DealTable.id, DealTable.outcome, DealTable.currency, DealTable.amount).where(
            DealTable.id.in_(_listed(session, ids))
        )
    )
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
