"""The days of a period with the notes that filters leave."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import wraps
from itertools import compress
from typing import Any, TypeVar, TypeVarTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.filters import NoteFilters, Period, dimension_ids, name_key
from service.insights.days import ORIGINS_SEEN, Day, Origin, Said, held_days, read_days
from service.insights.measures import About
from service.tables import ThemeTable

MAX_CHOICES = 16  # those last asked for, with what was counted of them

Asked = TypeVarTuple("Asked")
R = TypeVar("R")

_People = tuple[str, frozenset[int]]
_Asked = tuple[str | None, str | None, str | None]


@dataclass(frozen=True, slots=True, eq=False)
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

    @property
    def read(self) -> Sequence[int]:
        """The notes that were read on the day, as indexes."""
        notes = range(self.day.read)
        return notes if self.kept is None else list(compress(notes, self.kept))


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The days of a period as filters leave them, the first first.

    The same choice of the same days is the same object, and neither ever changes: what was counted of one holds for as
    long as it is asked for.

    Attributes:
        counted: What was counted of it (`kept_with_choice`).
    """

    days: tuple[Chosen, ...] = ()
    counted: dict[Any, tuple[Any, Any]] = field(default_factory=dict, repr=False)

    def __iter__(self) -> Iterator[Chosen]:
        return iter(self.days)

    @property
    def whole(self) -> bool:
        """Whether all notes are kept."""
        return all(chosen.kept is None for chosen in self.days)


NOTHING = Choice()


def kept_with_choice(count: Callable[[Choice, *Asked], R]) -> Callable[[Choice, *Asked], R]:
    """Keep what is counted of a choice with it, so that it goes when the choice goes.

    Of the further arguments the first says what is counted; the others may change, and the last ones' result is kept.
    """

    @wraps(count)
    def kept(choice: Choice, *asked: *Asked) -> R:
        key = count, next(iter(asked), None)
        found = choice.counted.get(key)
        if found is None or found[0] != asked:
            found = choice.counted[key] = asked, count(choice, *asked)
        return cast(R, found[1])

    return kept


class _Choices:
    """The choices that were asked for last, of days that are held.

    One with a day that was replaced will not be asked for again: it would keep the replaced days, and what was counted
    of them, beside the new ones.
    """

    def __init__(self) -> None:
        self._choices: OrderedDict[Any, tuple[tuple[Day, ...], Choice]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, asked: Any, days: tuple[Day, ...]) -> Choice | None:
        with self._lock:
            found = self._choices.get(asked)
            if found is None or found[0] != days:
                return None
            self._choices.move_to_end(asked)
            return found[1]

    def put(self, asked: Any, days: tuple[Day, ...], choice: Choice) -> None:
        held = held_days()
        with self._lock:
            self._choices[asked] = days, choice
            self._choices.move_to_end(asked)
            for stale in [key for key, (of, _) in self._choices.items() if key != asked and not held.issuperset(of)]:
                del self._choices[stale]
            while len(self._choices) > MAX_CHOICES:
                self._choices.popitem(last=False)


_CHOICES = _Choices()


def choose(session: Session, filters: NoteFilters, period: Period) -> Choice:
    """Return the days of a period with the notes that filters leave."""
    days = tuple(read_days(session, period))
    dimensions = {"accounts": "account_id", "authors": "author_id", "deals": "deal_id"}
    people = tuple(
        (name, ids)
        for name, column in dimensions.items()
        for ids in [dimension_ids(session, filters, column)]
        if ids is not None
    )
    origin = (filters.language, filters.kind, filters.source)
    items = tuple(_held_items(session, filters))
    asked = (period, people, items, origin)
    choice = _CHOICES.get(asked, days)
    if choice is None:
        choice = _choice(days, people, items, origin)
        _CHOICES.put(asked, days, choice)
    return choice


def _choice(
    days: tuple[Day, ...], people: tuple[_People, ...], held: tuple[tuple[About, Any], ...], origin: _Asked
) -> Choice:
    if not people and not held and origin == (None, None, None):
        return Choice(tuple(Chosen(day, None) for day in days))
    fitting = {n for n, seen in enumerate(ORIGINS_SEEN.values) if _fits(seen, origin)} if any(origin) else None
    return Choice(tuple(Chosen(day, _kept(day, people, held, fitting)) for day in days))


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
    day: Day, people: Sequence[_People], held: Sequence[tuple[About, Any]], fitting: Collection[int] | None
) -> bytearray:
    left: Collection[int] = range(len(day.accounts))
    for about, item in held:
        said = day.said[about]
        begin, end, _ = said.spans.get(item, (0, 0, 0))
        left = set(said.notes[begin:end]).intersection(left)
    for name, ids in people:
        of_notes = getattr(day, name)
        left = [note for note in left if of_notes[note] in ids]
    if fitting is not None:
        left = [note for note in left if day.origins[note] in fitting]
    kept = bytearray(len(day.accounts))
    for note in left:
        kept[note] = 1
    return kept


def _fits(seen: Origin, asked: _Asked) -> bool:
    return all(wanted is None or wanted == value for value, wanted in zip(seen, asked, strict=True))
