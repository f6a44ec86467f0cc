"""What a search may find: what stands in hidden words alone is not there for who may not see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.persons import is_ordinary
from service.catalog.queries import read_catalog
from service.masks.view import hidden_text, masked_parts
from service.search.words import Query, Term, fold, places, words_of
from service.tables import NoteTable

_PART = 1_000  # notes that one statement asks for


def still_holding(session: Session, terms: Sequence[Term], joined: str, note_ids: Sequence[int]) -> set[int]:
    """Return those of the notes that hold all terms (`AND`) or any (`OR`) in words that are shown to all.

    Args:
        session: The session.
        terms: What is looked for.
        joined: `AND` or `OR`.
        note_ids: Notes that hold them in all of their words.
    """
    enough = all if joined == "AND" else any
    held = set[int]()
    for note_id, text, masks in _texts(session, note_ids):
        if masks is None:
            continue
        hidden = {word for part in masked_parts(text, masks) for word in words_of(part)}
        if not any(_may_mean(term, hidden) for term in terms):
            held.add(note_id)
            continue
        shown = hidden_text(text, masks)
        if enough(places(shown, Query("", (term,), ()), 1) for term in terms):
            held.add(note_id)
    return held


def _texts(session: Session, note_ids: Sequence[int]) -> Iterator[sa.Row[int, str, list[list[object]] | None]]:
    for begin in range(0, len(note_ids), _PART):
        wanted = NoteTable.id.in_(note_ids[begin : begin + _PART])
        yield from session.execute(sa.select(NoteTable.id, NoteTable.text, NoteTable.masks).where(wanted))


def _may_mean(term: Term, hidden: set[str]) -> bool:
    """Tell whether a hidden word may be one that a term means."""
    wanted = {word for form in term.forms for word in form}
    if not hidden.isdisjoint(wanted):
        return True
    return term.prefix and any(word.startswith(form[-1]) for form in term.forms for word in hidden)


def without_names(session: Session, text: str) -> str:
    """Return a query's words without those that may be persons' names: its meaning leads to nobody.

    Ordinary words and the catalogue's names are none.
    """
    catalog = read_catalog(session)
    listed = [*catalog.us, *(name for one in catalog.competitors for name in (one.name, *one.aliases))]
    firms = {word for name in listed for word in words_of(name)}
    kept = [word for word in text.split() if all(is_ordinary(w) or w in firms for w in words_of(word))]
    return " ".join(kept)


def names_hidden(session: Session, query: Query, stretches: Sequence[tuple[int, int, int]]) -> set[int]:
    """Return the notes of stretches, each `(note_id, start, end)`, in which a hidden word is one of a query's."""
    told = {fold(word) for word in words_of(query.text)}
    texts = {row.id: row for row in _texts(session, [note_id for note_id, _, _ in stretches])}
    found = set[int]()
    for note_id, start, end in stretches:
        row = texts.get(note_id)
        if row is None or row.masks is None:
            found.add(note_id)
            continue
        inside = [mask for mask in row.masks if mask[0] < end and start < mask[1]]
        if any(not told.isdisjoint(words_of(part)) for part in masked_parts(row.text, inside)):
            found.add(note_id)
    return found
