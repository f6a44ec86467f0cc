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
from operator import itemgetter
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import Period, day_end, day_start
from service.insights.measures import DETAILS, ITEM_COLUMNS, TABLES, About, all_items
from service.insights.tables import DEALS, DayVersionTable
from service.tables import NoteTable, ThemeTable

MAX_HELD = 4_000_000  # notes and findings, about 45 bytes each
DAYS_AT_ONCE = 15  # so that others have their turn, and the rows of a year never stand in memory together
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
    """Themes' passages and other items' findings that share words: columns of equal length for each of the two.

    Attributes:
        passages: The index in its day of the note of each passage, once for each item that it shares words with.
        pairs: Its theme and that item, as an index into `PAIRS_SEEN`.
        others: The index in its day of the note of each other finding, once for each theme.
        others_pairs: That theme and its item, in the same way.
    """

    passages: array[int] = field(default_factory=lambda: array("I"))
    pairs: array[int] = field(default_factory=lambda: array("I"))
    others: array[int] = field(default_factory=lambda: array("I"))
    others_pairs: array[int] = field(default_factory=lambda: array("I"))


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
        met: Findings on the same words.
    """

    read: int
    accounts: array[int]
    authors: array[int]
    deals: array[int]
    origins: array[int]
    said: dict[About, Said]
    met: Met = field(default_factory=Met)

    @property
    def size(self) -> int:
        """How many notes and findings it holds."""
        findings = sum(len(said.notes) for said in self.said.values())
        return len(self.accounts) + findings + len(self.met.passages) + len(self.met.others)


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
PAIRS_SEEN = Seen[Pair]()


class _Held:
    """The days in memory, each in the version that was read last; the longest unused go first.

    A version that was replaced is of no use to later requests. Today's is replaced with every few notes, and a fit
    replaces that of every day.
    """

    def __init__(self) -> None:
        self._days: OrderedDict[date, tuple[Version, Day]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, at: date, version: Version) -> Day | None:
        with self._lock:
            held = self._days.get(at)
            if held is None or held[0] != version:
                return None
            self._days.move_to_end(at)
            return held[1]

    def put(self, at: date, version: Version, day: Day) -> None:
        with self._lock:
            if at in self._days:
                self._size -= self._days.pop(at)[1].size
            self._days[at] = version, day
            self._size += day.size
            while self._size > MAX_HELD and len(self._days) > 1:
                self._size -= self._days.popitem(last=False)[1][1].size

    def days(self) -> set[Day]:
        with self._lock:
            return {day for _, day in self._days.values()}


_HELD = _Held()
_LOADING = threading.Lock()


def read_days(session: Session, period: Period) -> list[Day]:
    """Return the days of a period on which something was said, the first first, as the session sees them."""
    versions = _versions(session, period)
    days = {day: _HELD.get(day, version) for day, version in versions.items()}
    for missing, group in groupby(days, key=lambda day: days[day] is None):
        run = list(group) if missing else []
        for begin in range(0, len(run), DAYS_AT_ONCE):
            days |= _load_once(session, {day: versions[day] for day in run[begin : begin + DAYS_AT_ONCE]})
    return [day for day in days.values() if day is not None]


def _load_once(session: Session, versions: Mapping[date, Version]) -> dict[date, Day]:
    """Return days that follow each other; what another request reads meanwhile is waited for, not read again."""
    with _LOADING:
        made = {day: held for day, version in versions.items() if (held := _HELD.get(day, version))}
        left = [day for day in versions if day not in made]
        if left:
            for day, read in _load(session, left).items():
                _HELD.put(day, versions[day], read)
                made[day] = read
    return made


def held_days() -> set[Day]:
    """Return the days that are held: of each the version that was read last."""
    return _HELD.days()


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
    findings = {about: _read_findings(session, about, span) for about in About}
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
    for at, *note in _rows(session, query):
        notes.setdefault(at.date(), {})[note[0]] = note
    return notes


def _rows(session: Session, query: sa.Select[Any]) -> Sequence[Any]:
    """Carry a query out on the session's connection: the session itself would look at each of many rows once more."""
    return session.connection().execute(query).all()


def _read_findings(session: Session, about: About, span: Period) -> Sequence[Any]:
    table, column = TABLES[about], ITEM_COLUMNS[about]
    details = [value for value, _ in DETAILS[about].values()]
    # Themes by number, not by a query: PostgreSQL would read all passages.
    items = list(session.scalars(sa.select(ThemeTable.id))) if about is About.THEME else all_items(about)
    query = sa.select(column, table.occurred_on, table.note_id, table.id, table.start, table.end, *details)
    return _rows(session, query.where(column.in_(items), table.occurred_on.between(span.start, span.end)))


def _moved_notes(
    session: Session, findings: Iterable[Sequence[Any]], notes: Mapping[date, Mapping[int, Sequence[Any]]]
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


def _meet(places: Mapping[int, int], said: Mapping[About, list[Any]]) -> Met:
    """Find what themes and other items say with the same words."""
    passages: dict[int, list[Any]] = {}
    for theme, _, note_id, _, begin, last, *_ in said[About.THEME]:
        passages.setdefault(note_id, []).append((theme, begin, last))
    met = Met()
    for about in (About.OBJECTION, About.COMPETITOR):
        others: dict[int, list[Any]] = {}
        for item, _, note_id, _, start, end, *_ in said[about]:
            if note_id in passages:
                others.setdefault(note_id, []).append((item, start, end))
        for note_id, found in others.items():
            _meet_in_note(met, places[note_id], about, passages[note_id], found)
    return met


def _meet_in_note(met: Met, place: int, about: About, passages: Sequence[Any], others: Sequence[Any]) -> None:
    number = PAIRS_SEEN.number
    for theme, begin, last in passages:
        for item in {item for item, start, end in others if start < last and begin < end}:
            met.passages.append(place)
            met.pairs.append(number((theme, about, item)))
    for item, start, end in others:
        for theme in {theme for theme, begin, last in passages if start < last and begin < end}:
            met.others.append(place)
            met.others_pairs.append(number((theme, about, item)))


def _pack_kind(day: Day, places: Mapping[int, int], rows: list[Any]) -> Said:
    rows.sort(key=itemgetter(0, 3))
    notes = array("I", [places[row[2]] for row in rows])
    spans = {}
    begin = 0
    for item, group in groupby(rows, key=itemgetter(0)):
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
