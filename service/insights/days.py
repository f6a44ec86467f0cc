"""What was said on each day, held in memory in the shape in which it is counted.

No statement counts the accounts, authors and deals of a hundred items over a hundred thousand findings in time, on
either database. So each day is read once and held, packed, until its version changes (`day_versions`): a request asks
for the versions of its days, reads the days that are new or changed, and counts in memory. A token is random and is
never given twice, so that what is held under it can't be taken for anything else; one of a transaction that was rolled
back is just never seen again.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import Period, day_end, day_start
from service.insights.measures import DETAILS, ITEM_COLUMNS, TABLES, About, all_items
from service.insights.tables import DEALS, DayVersionTable
from service.tables import NoteTable, ThemeTable

MAX_HELD = 4_000_000  # notes and findings, about 45 bytes each
NOBODY = 0

T = TypeVar("T", bound=tuple[Any, ...])

Version = tuple[int, ...]
Origin = tuple[str | None, str, str]
Detail = tuple[str, ...]
Pair = tuple[int, About, Any]
"""A theme's row id, and the kind and key of an objection or competitor."""


@dataclass(slots=True)
class Said:
    """The findings of one kind on one day, item by item: columns of equal length.

    They are packed, not lists of objects: Python's memory manager would go through every one again and again.

    Attributes:
        ids: Row id of each finding; within an item they rise.
        notes: The index in its day of its note.
        accounts: Row id of its account; 0 for none.
        authors: The same of its author.
        deals: The same of its deal.
        details: Its values that are counted, such as its status, as an index into `DETAILS_SEEN`.
        spans: For each item where its findings begin and end, and of how many notes they are.
    """

    ids: array[int] = field(default_factory=lambda: array("q"))
    notes: array[int] = field(default_factory=lambda: array("I"))
    accounts: array[int] = field(default_factory=lambda: array("q"))
    authors: array[int] = field(default_factory=lambda: array("q"))
    deals: array[int] = field(default_factory=lambda: array("q"))
    details: array[int] = field(default_factory=lambda: array("H"))
    spans: dict[Any, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Met:
    """A theme's passages and another item's findings that share words: the index in its day of the note of each."""

    passages: array[int] = field(default_factory=lambda: array("I"))
    others: array[int] = field(default_factory=lambda: array("I"))


@dataclass(slots=True, eq=False)
class Day:
    """The notes of a day and what they say; never changed once it is made.

    Attributes:
        read: How many of the notes were read on this day: the first ones. The others were moved to another day by an
            edit, and keep their findings here until they are read again.
        accounts: Row id of each note's account; 0 for none.
        authors: The same of its author.
        deals: The same of its deal.
        origins: Language, kind and source of each note, as an index into `ORIGINS_SEEN`.
        said: Findings by kind.
        met: Findings on the same words, by theme and by kind and item of the other.
    """

    read: int
    accounts: array[int]
    authors: array[int]
    deals: array[int]
    origins: array[int]
    said: dict[About, Said]
    met: dict[Pair, Met] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many notes and findings it holds."""
        pairs = sum(len(met.passages) + len(met.others) for met in self.met.values())
        return len(self.accounts) + sum(len(said.notes) for said in self.said.values()) + pairs


class Seen(Generic[T]):
    """The few different values that there are, each with a number."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}
        self._lock = threading.Lock()

    def number(self, value: T) -> int:
        """Return the number of a value, a new one for a value not seen before."""
        found = self._numbers.get(value)
        if found is None:
            with self._lock:
                found = self._numbers.setdefault(value, len(self.values))
                if found == len(self.values):
                    self.values.append(value)
        return found


DETAILS_SEEN = Seen[Detail]()
ORIGINS_SEEN = Seen[Origin]()


class _Held:
    """The days in memory; the longest unused go first."""

    def __init__(self) -> None:
        self._days: OrderedDict[tuple[date, Version], Day] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[date, Version]) -> Day | None:
        with self._lock:
            day = self._days.get(key)
            if day is not None:
                self._days.move_to_end(key)
            return day

    def put(self, key: tuple[date, Version], day: Day) -> None:
        with self._lock:
            if key not in self._days:
                self._days[key] = day
                self._size += day.size
            while self._size > MAX_HELD and len(self._days) > 1:
                self._size -= self._days.popitem(last=False)[1].size


_HELD = _Held()


def read_days(session: Session, period: Period) -> list[Day]:
    """Return the days of a period on which something was said, the first first, as the session sees them."""
    versions = _versions(session, period)
    days = {day: _HELD.get((day, version)) for day, version in versions.items()}
    for missing, run in groupby(days, key=lambda day: days[day] is None):
        if missing:
            for day, made in _load(session, list(run)).items():
                _HELD.put((day, versions[day]), made)
                days[day] = made
    return [day for day in days.values() if day is not None]


def deals_version(session: Session) -> Version:
    """Return the tokens of what became of deals; to be read before the deals. None at all: no deal was written yet."""
    of_deals = sa.select(DayVersionTable.token).where(DayVersionTable.day == DEALS)
    return tuple(session.scalars(of_deals.order_by(DayVersionTable.token)))


def _versions(session: Session, period: Period) -> dict[date, Version]:
    """Return the tokens of each day. They are read before the days: what is newer than its version is read again."""
    query = (
        sa.select(DayVersionTable.day, DayVersionTable.token)
        .where(DayVersionTable.day.between(period.start, period.end), DayVersionTable.day != DEALS)
        .order_by(DayVersionTable.day, DayVersionTable.token)
    )
    versions: dict[date, list[int]] = {}
    for day, token in session.execute(query):
        versions.setdefault(day, []).append(token)
    return {day: tuple(tokens) for day, tokens in versions.items()}


_NOTE: tuple[Any, ...] = (
    NoteTable.id,
    NoteTable.account_id,
    NoteTable.author_id,
    NoteTable.deal_id,
    NoteTable.language,
    NoteTable.kind,
    NoteTable.source,
)


def _load(session: Session, days: Sequence[date]) -> dict[date, Day]:
    """Read days that follow each other."""
    span = Period(days[0], days[-1])
    notes = _read_notes(session, span)
    findings = {about: list(_read_findings(session, about, span)) for about in About}
    moved = _moved_notes(session, findings.values(), notes)
    said: dict[date, dict[About, list[Any]]] = {day: {about: [] for about in About} for day in days}
    for about, rows in findings.items():
        for row in rows:
            if row[1] in said:
                said[row[1]][about].append(row)
    return {day: _pack(notes.get(day, {}), said[day], moved) for day in days}


def _read_notes(session: Session, span: Period) -> dict[date, dict[int, Sequence[Any]]]:
    """Return the notes that were read, by day and id."""
    query = sa.select(NoteTable.occurred_at, *_NOTE).where(
        NoteTable.occurred_at.between(day_start(span.start), day_end(span.end)),
        NoteTable.analysed_revision > 0,
        NoteTable.deleted_at.is_(None),
        NoteTable.duplicate_of.is_(None),
    )
    notes: dict[date, dict[int, Sequence[Any]]] = {}
    for at, *note in session.execute(query):
        notes.setdefault(at.date(), {})[note[0]] = note
    return notes


def _read_findings(session: Session, about: About, span: Period) -> Iterable[Any]:
    table, column = TABLES[about], ITEM_COLUMNS[about]
    details = [value for value, _ in DETAILS[about].values()]
    # Themes by number, not by a query: PostgreSQL would read all passages.
    items = list(session.scalars(sa.select(ThemeTable.id))) if about is About.THEME else all_items(about)
    return session.execute(
        sa.select(column, table.occurred_on, table.note_id, table.id, table.start, table.end, *details).where(
            column.in_(items), table.occurred_on.between(span.start, span.end)
        )
    )


def _moved_notes(
    session: Session, findings: Iterable[list[Any]], notes: Mapping[date, Mapping[int, Sequence[Any]]]
) -> dict[int, Sequence[Any]]:
    """Return the notes, by id, that have findings on a day that is not theirs any more."""
    nowhere: Mapping[int, Sequence[Any]] = {}
    ids = sorted({row[2] for rows in findings for row in rows if row[2] not in notes.get(row[1], nowhere)})
    found: dict[int, Sequence[Any]] = {}
    for begin in range(0, len(ids), 1000):
        query = sa.select(*_NOTE).where(NoteTable.id.in_(ids[begin : begin + 1000]))
        found |= {note[0]: note for note in session.execute(query)}
    return found


def _pack(
    notes: Mapping[int, Sequence[Any]], said: Mapping[About, list[Any]], moved: Mapping[int, Sequence[Any]]
) -> Day:
    """Put a day together; a finding whose note is gone meanwhile is passed over."""
    ids = {row[2] for rows in said.values() for row in rows}
    placed = [*notes.values(), *(moved[note_id] for note_id in sorted(ids - notes.keys()) if note_id in moved)]
    places = {note[0]: place for place, note in enumerate(placed)}
    day = Day(
        read=len(notes),
        accounts=array("q", [note[1] or NOBODY for note in placed]),
        authors=array("q", [note[2] or NOBODY for note in placed]),
        deals=array("q", [note[3] or NOBODY for note in placed]),
        origins=array("H", [ORIGINS_SEEN.number((note[4], note[5], note[6])) for note in placed]),
        said={},
    )
    present = {about: [row for row in rows if row[2] in places] for about, rows in said.items()}
    for about, rows in present.items():
        day.said[about] = _pack_kind(day, places, rows)
    day.met = _meet(places, present)
    return day


def _meet(places: Mapping[int, int], said: Mapping[About, list[Any]]) -> dict[Pair, Met]:
    """Find what themes and other items say with the same words."""
    passages: dict[int, list[Any]] = {}
    for row in said[About.THEME]:
        passages.setdefault(row[2], []).append(row)
    met: dict[Pair, Met] = {}
    counted: set[tuple[Pair, int]] = set()
    for about in (About.OBJECTION, About.COMPETITOR):
        for item, _, note_id, _, start, end, *_ in said[about]:
            themes = set()
            for theme, _, _, passage_id, begin, last, *_ in passages.get(note_id, ()):
                if start < last and begin < end:
                    pair = (theme, about, item)
                    shared = met.setdefault(pair, Met())
                    if (pair, passage_id) not in counted:
                        counted.add((pair, passage_id))
                        shared.passages.append(places[note_id])
                    if theme not in themes:
                        themes.add(theme)
                        shared.others.append(places[note_id])
    return met


def _pack_kind(day: Day, places: Mapping[int, int], rows: list[Any]) -> Said:
    rows.sort(key=lambda row: (row[0], row[3]))
    notes = array("I", [places[row[2]] for row in rows])
    spans = {}
    begin = 0
    for item, group in groupby(rows, key=lambda row: row[0]):
        end = begin + sum(1 for _ in group)
        spans[item] = (begin, end, len(set(notes[begin:end])))
        begin = end
    return Said(
        ids=array("q", [row[3] for row in rows]),
        notes=notes,
        accounts=array("q", map(day.accounts.__getitem__, notes)),
        authors=array("q", map(day.authors.__getitem__, notes)),
        deals=array("q", map(day.deals.__getitem__, notes)),
        details=array("H", [DETAILS_SEEN.number(tuple(map(str, row[6:]))) for row in rows]),
        spans=spans,
    )
