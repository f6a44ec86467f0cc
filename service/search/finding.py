"""Words and meaning together: one ranking by reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.orm import Session

from service.filters import NoteFilters
from service.masks.searching import names_hidden, still_holding, without_names
from service.masks.view import sees_personal
from service.search import queries
from service.search.meaning import MeaningIndex, NearPassage
from service.search.words import Query, Term, parse_query, places

_FUSION = 60  # how much the first places count before the others: the value of the paper
MOST_PLACES = 100
SNIPPET_CHARS = 240


class Way(StrEnum):
    """Why a note was found."""

    WORDS = "words"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class Hit:
    """A note that was found; `passage` where it was found by meaning."""

    note_id: int
    matched: tuple[Way, ...]
    passage: NearPassage | None


@dataclass(frozen=True, slots=True)
class Found:
    """All notes that were found, the best first.

    Attributes:
        exact: False where more notes have the words than are ranked.
    """

    query: Query
    hits: list[Hit]
    exact: bool


def find(session: Session, index: MeaningIndex, text: str, filters: NoteFilters) -> Found:
    """Search notes.

    Raises:
        InvalidInput: If the period of the filters ends before it starts.
    """
    query = parse_query(text)
    notes = queries.filtered_notes(session, filters)
    by_words, exact = _with_words(session, query, filters, notes)
    from models.nearest import knows_any  # here: it loads numpy and the encoder

    # What no note has and the encoder can only spell ("qqxx") is near whatever is spelled alike: that is nothing.
    near = _near(session, index, query, notes) if by_words or knows_any(query.words) else []
    passages = {passage.note_id: passage for passage in near}
    scores: dict[int, float] = {}
    for ranking in (by_words, list(passages)):
        for place, note_id in enumerate(ranking, start=1):
            scores[note_id] = scores.get(note_id, 0.0) + 1 / (_FUSION + place)
    has_words = set(by_words)
    ordered = sorted(scores, key=lambda note_id: (-scores[note_id], -note_id))
    hits = [
        Hit(note_id, _ways(note_id in has_words, note_id in passages), passages.get(note_id)) for note_id in ordered
    ]
    return Found(query, hits, exact)


def _with_words(
    session: Session, query: Query, filters: NoteFilters, notes: queries.Ids | None
) -> tuple[list[int], bool]:
    """Return the notes that have a query's words, the most relevant first, and whether these are all.

    For who may not see them, hidden words are not there: neither are they found, nor do they leave a note out.
    """
    if sees_personal(session):
        found = queries.notes_with_words(session, query, filters, notes)
        return found, len(found) < queries.RANKED
    found = queries.notes_with_words(session, replace(query, excluded=()), filters, notes)
    kept = still_holding(session, query.wanted, "AND", found)
    kept -= _holding(session, query.excluded, "OR", found)
    return [note_id for note_id in found if note_id in kept], len(found) < queries.RANKED


def _holding(session: Session, terms: tuple[Term, ...], joined: str, note_ids: list[int]) -> set[int]:
    """Return those of the notes that hold all terms (`AND`) or any (`OR`), as far as the caller may see."""
    if not terms:
        return set()
    held = queries.notes_holding(session, terms, joined, note_ids)
    return held if sees_personal(session) else still_holding(session, terms, joined, sorted(held))


def _near(session: Session, index: MeaningIndex, query: Query, notes: queries.Ids | None) -> list[NearPassage]:
    """Return what is near in meaning and has what the query insists on."""
    if not query.wanted:
        return []
    if sees_personal(session):
        near = index.near(session, query.meant, notes)
    else:
        near = index.near(session, without_names(session, query.meant), notes)
        hidden = names_hidden(session, query, [(one.note_id, one.start, one.end) for one in near])
        near = [passage for passage in near if passage.note_id not in hidden]
    ids = [passage.note_id for passage in near]
    if query.quoted:
        kept = _holding(session, query.quoted, "AND", ids)
        near = [passage for passage in near if passage.note_id in kept]
    if query.excluded:
        dropped = _holding(session, query.excluded, "OR", ids)
        near = [passage for passage in near if passage.note_id not in dropped]
    return near


def _ways(words: bool, meaning: bool) -> tuple[Way, ...]:
    return ((Way.WORDS,) if words else ()) + ((Way.MEANING,) if meaning else ())


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a note's text, with what is to be marked in it; all offsets are code points into the note's text."""

    text: str
    start: int
    end: int
    highlights: list[tuple[int, int]]


def snippet(text: str, hit: Hit, query: Query) -> Snippet:
    """Return the part of a note that shows best why it was found: most words of the query, else the passage.

    All that a search shows of a note's text is made here.
    """
    marks = places(text, query, MOST_PLACES) if Way.WORDS in hit.matched else []
    if marks:
        start, end = _densest(marks)
    elif hit.passage:
        start, end = hit.passage.start, min(hit.passage.end, hit.passage.start + SNIPPET_CHARS)
        marks = [(start, end)]
    else:
        start = end = 0
    left, right = _widened(text, start, end)
    return Snippet(text[left:right], left, right, marks)


def _densest(marks: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the stretch from one mark to another that holds the most marks and is no longer than a snippet."""
    best = (0, 0, marks[0][0], marks[0][1])
    first = 0
    for last, (_, end) in enumerate(marks):
        while end - marks[first][0] > SNIPPET_CHARS and first < last:
            first += 1
        best = max(best, (last - first + 1, -last, marks[first][0], end))
    return best[2], min(best[3], best[2] + SNIPPET_CHARS)


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a stretch to a snippet's length, to whole words."""
    room = max(0, SNIPPET_CHARS - (end - start)) // 2
    left, right = max(0, start - room), min(len(text), end + room)
    if left:
        blank = max(text.find(" ", left, start), text.find("\n", left, start))
        left = blank + 1 if blank >= 0 else start
    if right < len(text):
        blank = max(text.rfind(" ", end, right), text.rfind("\n", end, right))
        right = blank if blank >= 0 else end
    return left, right
