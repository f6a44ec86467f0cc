"""Counts of items and notes over days and filters."""

from __future__ import annotations

import json
import threading
from array import array
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import ObjectionStatus
from service.database import is_sqlite
from service.insights.choosing import MAX_CHOICES, Choice, kept_with_choice
from service.insights.days import DETAILS_SEEN, NOBODY, PAIRS_SEEN, Pair, Said, Version, deals_version
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
    deals: array[int]
    details: Counter[int]


@kept_with_choice
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


@kept_with_choice
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


Voice = tuple[int, int, int, int]
"""Account, author and deal of a finding, 0 for none, and its details as an index into `DETAILS_SEEN`."""


@kept_with_choice
def voices_of(choice: Choice, about: About) -> Mapping[Any, frozenset[Voice]]:
    """Return for each item of a kind who said it."""
    voices: defaultdict[Any, set[Voice]] = defaultdict(set)
    for chosen in choice:
        said = chosen.day.said[about]
        picks = chosen.picks(said)
        of_findings = list(zip(said.accounts, said.authors, said.deals, said.details, strict=True))
        for item, (begin, end, _) in said.spans.items():
            voices[item].update(
                of_findings[begin:end] if picks is None else compress(of_findings[begin:end], picks[begin:end])
            )
    return {item: frozenset(found) for item, found in voices.items() if found}


def _sum(tally: _Tally) -> Sum:
    accounts, authors = (len(set(people) - {NOBODY}) for people in (tally.accounts, tally.authors))
    return Sum(len(tally.details), tally.notes, accounts, authors, array("q", set(tally.deals)), Counter(tally.details))


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


@kept_with_choice
def count_heard(choice: Choice, about: About) -> Mapping[Any, int]:
    """Return for each item of a kind its notes: what a later period is compared with."""
    heard: defaultdict[Any, int] = defaultdict(int)
    for chosen in choice:
        said = chosen.day.said[about]
        picks = chosen.picks(said)
        for item, (begin, end, notes) in said.spans.items():
            heard[item] += notes if picks is None else len(set(compress(said.notes[begin:end], picks[begin:end])))
    return {item: notes for item, notes in heard.items() if notes}


@kept_with_choice
def count_met(choice: Choice) -> Mapping[Pair, tuple[int, int]]:
    """Return how many passages of a theme share words with another item's findings, and how many of these with them."""
    passages, others = Counter[int](), Counter[int]()
    for chosen in choice:
        met, kept = chosen.day.met, chosen.kept
        if kept is None:
            passages.update(met.pairs)
            others.update(met.others_pairs)
        else:
            passages.update(compress(met.pairs, map(kept.__getitem__, met.passages)))
            others.update(compress(met.others_pairs, map(kept.__getitem__, met.others)))
    return {PAIRS_SEEN.values[number]: (count, others[number]) for number, count in passages.items()}


@kept_with_choice
def count_voices(choice: Choice, about: About, items: tuple[Any, ...]) -> Mapping[Any, Counter[int]]:
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
    """Return for each item its latest findings, the latest first: their row ids, and those of their accounts.

    What reps only expect to hear comes after what customers said.
    """
    found: dict[Any, list[tuple[bool, int, int]]] = {item: [] for item in items}
    for chosen in reversed(choice.days):
        said, kept = chosen.day.said[about], chosen.kept
        for item in [item for item, latest in found.items() if len(latest) < count]:
            begin, end, _ = said.spans.get(item, (0, 0, 0))
            of_day = [n for n in range(end - 1, begin - 1, -1) if kept is None or kept[said.notes[n]]]
            found[item] += [(_is_expected(said, n), said.ids[n], said.accounts[n]) for n in of_day]
    in_order = {item: sorted(latest[:count], key=lambda one: one[0]) for item, latest in found.items()}
    return {item: [(finding, account) for _, finding, account in latest] for item, latest in in_order.items()}


def _is_expected(said: Said, place: int) -> bool:
    return ObjectionStatus.ANTICIPATED in DETAILS_SEEN.values[said.details[place]]


@kept_with_choice
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


@kept_with_choice
def _people(choice: Choice) -> _People:
    authors, deals, all_deals = set[int](), set[int](), set[int]()
    for chosen in choice:
        day, notes = chosen.day, chosen.read
        authors.update(map(day.authors.__getitem__, notes))
        deals.update(map(day.deals.__getitem__, notes))
        all_deals.update(day.deals)
    return _People(*(frozenset(ids - {NOBODY}) for ids in (authors, deals, all_deals)))


@kept_with_choice
def deal_voices(choice: Choice) -> Mapping[int, frozenset[tuple[int, int]]]:
    """Return for each deal of the notes that are kept the accounts and authors of these."""
    voices: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
    for chosen in choice:
        day = chosen.day
        for note in chosen.read:
            voices[day.deals[note]].add((day.accounts[note], day.authors[note]))
    return {deal: frozenset(who) for deal, who in voices.items() if deal != NOBODY}


def count_whole(session: Session, choice: Choice) -> Whole:
    """Count the notes that were read, and their accounts, authors and deals."""
    people, by_account = _people(choice), notes_by_account(choice)
    book = _deals_now(session, people.all_deals)
    accounts = len(by_account.keys() - {NOBODY})
    return Whole(by_account.total(), accounts, len(people.authors), book.add_up(people.deals), book, by_account)


class _Books:
    """The deals that were read last, by their version and ids."""

    def __init__(self) -> None:
        self._books: OrderedDict[tuple[Version, frozenset[int]], DealBook] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[Version, frozenset[int]]) -> DealBook | None:
        with self._lock:
            return self._books.get(key)

    def put(self, key: tuple[Version, frozenset[int]], book: DealBook) -> None:
        with self._lock:
            self._books[key] = book
            while len(self._books) > MAX_CHOICES:
                self._books.popitem(last=False)


_BOOKS = _Books()


def _deals_now(session: Session, ids: frozenset[int]) -> DealBook:
    """Return deals as they stand now, a later outcome for all their notes; read again only when one has changed."""
    key = (deals_version(session), ids)
    book = _BOOKS.get(key)
    if book is None:
        book = _read_deals(session, ids)
        if key[0]:
            _BOOKS.put(key, book)
    return book


def _read_deals(session: Session, ids: frozenset[int]) -> DealBook:
    deal = DealTable.__table__.c
    query = sa.select(deal.id, deal.outcome, deal.currency, deal.amount).where(_listed(session, deal.id, ids))
    # By the connection: the session would look at each of ten thousand rows once more.
    rows = session.connection().execute(query.order_by(deal.id))
    return _book(tuple(map(tuple, rows)))


@lru_cache(maxsize=MAX_CHOICES)
def _book(rows: tuple[tuple[Any, ...], ...]) -> DealBook:
    """Return the same book as long as the deals stand as they did: what was added up of it holds."""
    book = DealBook()
    for deal_id, outcome, currency, amount in rows:
        book.enter(deal_id, outcome, currency, amount)
    return book


def _listed(session: Session, column: sa.ColumnElement[int], ids: frozenset[int]) -> sa.ColumnElement[bool]:
    """Return that a column is one of some ids, which are sent as one value: there may be tens of thousands."""
    if is_sqlite(session):
        return column.in_(sa.select(sa.func.json_each(_as_json(ids)).table_valued("value").c.value))
    # `any` looks the array up; joined with `unnest`, PostgreSQL takes it for ten rows and searches for each.
    return column == sa.any_(sa.literal(_in_order(ids), sa.ARRAY(sa.BigInteger)))


@lru_cache(maxsize=MAX_CHOICES)
def _in_order(ids: frozenset[int]) -> list[int]:
    return sorted(ids)


@lru_cache(maxsize=MAX_CHOICES)
def _as_json(ids: frozenset[int]) -> str:
    return json.dumps(_in_order(ids))
