"""Lays corrections over what was found: what counts is what the analyser says, changed by what people said of it.

Nothing is stored here. A finding is a row of its table as a mapping; a place is where corrections point to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from service.corrections.schemas import ADDITIONS, DENIALS, CorrectionState
from service.tables import CorrectionTable

Row = Mapping[str, Any]
Place = tuple[int, int]
PERSON = "person"
"""The origin of findings that a person added."""
CONTEXT_CHARS = 32
_MAX_OCCURRENCES = 1_000  # of one quote in a text that are compared


@dataclass(frozen=True, slots=True)
class Laid:
    """A finding with its corrections.

    Attributes:
        place: Where its corrections point to; its own span where it has none.
        id: Of its row; None for an addition that has none yet.
        found: As the analyser found it, or last found it; None where it never did.
        row: As it counts; None where a person denied it.
    """

    place: Place
    id: int | None
    found: Row | None
    row: Row | None


def shares_half(a: Place, b: Place) -> bool:
    """Tell whether two spans share at least half of the shorter one (section 5 of the annotation guide)."""
    return overlap(a, b) >= 0.5


def overlap(a: Place, b: Place) -> float:
    """Return the shared part of the shorter span, in [0, 1]."""
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return max(0, shared) / max(1, min(a[1] - a[0], b[1] - b[0]))


def span_of(row: Row) -> Place:
    """Return where a finding stands."""
    return row["start"], row["end"]


def lay_over(found: Sequence[Row], corrections: Iterable[CorrectionTable]) -> list[Laid]:
    """Return the findings of one kind in one note, corrected.

    Each place takes the finding that shares most with it, at least half of the shorter. A denial takes all of them. A
    finding that a person corrected, and that is found no more, stays as it was corrected. Corrections of an addition
    that was undone change nothing.

    Args:
        found: What the analyser found.
        corrections: Of this kind and note; those set aside are passed over.
    """
    left = list(found)
    laid: list[Laid] = []
    for place, group in _by_place(corrections).items():
        matches = sorted(
            (row for row in left if shares_half(span_of(row), place)),
            key=lambda row: overlap(span_of(row), place),
            reverse=True,
        )
        if not any(c.kind in DENIALS for c in group):
            matches = matches[:1]
        taken: list[Row | None] = [*matches] or [_remembered(group)]
        laid += [_laid(place, row, group) for row in taken if row or group[0].kind in ADDITIONS]
        left = [row for row in left if row not in matches]
    laid += [Laid(span_of(row), row["id"], row, row) for row in left]
    return sorted(laid, key=lambda one: one.place)


def _by_place(corrections: Iterable[CorrectionTable]) -> dict[Place, list[CorrectionTable]]:
    """Group corrections by place, additions first, then in the order in which they were made."""
    groups: dict[Place, list[CorrectionTable]] = {}
    for correction in sorted(corrections, key=lambda c: (c.kind not in ADDITIONS, c.id)):
        if correction.state == CorrectionState.APPLIED:
            groups.setdefault((correction.start, correction.end), []).append(correction)
    return groups


def _remembered(group: Sequence[CorrectionTable]) -> Row | None:
    """Return what the corrections of a place say was found there; None where nothing was."""
    for correction in group:
        if correction.found is not None:
            return {"id": group[0].finding_id, **_mark(group[0]), **correction.found}
    return None


def _mark(correction: CorrectionTable) -> dict[str, Any]:
    span = {"start": correction.start, "end": correction.end, "quote": correction.quote}
    return {**span, "score": None, "origin": PERSON}


def _laid(place: Place, found: Row | None, group: Sequence[CorrectionTable]) -> Laid:
    row = dict(found or {"id": group[0].finding_id, **_mark(group[0])})
    if any(c.kind in DENIALS for c in group):
        return Laid(place, row["id"], found, None)
    row |= {"score": None, "corrected": True}
    for correction in group:
        row |= correction.right or {}
    return Laid(place, row["id"], found, row)


def context(text: str, place: Place) -> tuple[str, str]:
    """Return the characters before and after a place."""
    start, end = place
    return text[max(0, start - CONTEXT_CHARS) : start], text[end : end + CONTEXT_CHARS]


def settle(corrections: Sequence[CorrectionTable], text: str) -> None:
    """Move corrections of one kind to where their words stand in a text; set aside those whose words are gone.

    A quote that stands several times is told by the characters around it, and then by its distance (the text quote
    selector of the W3C's Web Annotation Data Model). Two places never become one.
    """
    groups: dict[Place, list[CorrectionTable]] = {}
    for correction in corrections:
        groups.setdefault((correction.start, correction.end), []).append(correction)
    candidates = sorted(
        (
            (_likeness(group[0], text, start), -abs(start - group[0].start), place, start)
            for place, group in groups.items()
            for start in {*_in_place(text, group[0]), *_occurrences(text, group[0].quote)}
        ),
        reverse=True,
    )
    chosen: dict[Place, int] = {}
    for _, _, place, start in candidates:
        if place not in chosen and start not in _starts_of(chosen, place):
            chosen[place] = start
    for place, group in groups.items():
        for correction in group:
            _move(correction, text, chosen.get(place))


def _starts_of(chosen: Mapping[Place, int], place: Place) -> set[int]:
    """Return the starts that places of the same length have taken."""
    return {start for other, start in chosen.items() if other[1] - other[0] == place[1] - place[0]}


def _in_place(text: str, correction: CorrectionTable) -> list[int]:
    return [correction.start] if text.startswith(correction.quote, correction.start) else []


def _occurrences(text: str, quote: str) -> Iterator[int]:
    def every() -> Iterator[int]:
        start = text.find(quote)
        while start >= 0:
            yield start
            start = text.find(quote, start + 1)

    return islice(every(), _MAX_OCCURRENCES)


def _likeness(correction: CorrectionTable, text: str, start: int) -> int:
    """Return how many characters before and after a place are those that the correction remembers."""
    before, after = context(text, (start, start + len(correction.quote)))
    return _common(reversed(before), reversed(correction.prefix)) + _common(after, correction.suffix)


def _common(a: Iterable[str], b: Iterable[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _move(correction: CorrectionTable, text: str, start: int | None) -> None:
    """Put a correction, and the span that it gives, at a new start; set it aside where either is gone."""
    right = None if start is None else _moved(correction.right, text, start - correction.start)
    if start is None or (right is None and correction.right is not None):
        correction.state = CorrectionState.SET_ASIDE
        return
    correction.state = CorrectionState.APPLIED
    correction.start, correction.end = start, start + len(correction.quote)
    correction.prefix, correction.suffix = context(text, (correction.start, correction.end))
    correction.right = right


def _moved(right: dict[str, Any] | None, text: str, by: int) -> dict[str, Any] | None:
    """Return the values with their span moved to where it stands now; None where it stands nowhere."""
    if right is None or "quote" not in right:
        return right
    near = right["start"] + by
    starts = sorted(_occurrences(text, right["quote"]), key=lambda start: abs(start - near))
    if not starts:
        return None
    return right | {"start": starts[0], "end": starts[0] + len(right["quote"])}
