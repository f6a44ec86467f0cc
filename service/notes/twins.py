"""The same note from two sources: the one that was read first counts, the other one has no findings of its own.

Two notes are one where they came from different sources, nearly word for word alike, about the same account, or by the
same author where no account speaks against it, near in time; and a note has at most one twin in each other source. Each
note is compared when it is read, so whichever comes first; and again when it, or its twin, has changed or is erased.
Notes of few words have to agree in each of them and in their day. A note that people corrected always counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import is_sqlite
from service.filters import name_key
from service.notes.prints import LONG_WORDS, SHORT_WORDS, prints, same_text, words_of
from service.notes.queries import release_twins
from service.notes.tables import NotePrintTable
from service.tables import AccountTable, AuthorTable, CorrectionTable, NoteTable

NEAR = timedelta(hours=36)
NEAR_LONG = timedelta(days=7)
MAX_CANDIDATES = 50
_LOCK = 0x7477696E73  # "twins"


@dataclass(frozen=True, slots=True)
class _Party:
    """Whom a note is about and who wrote it: row ids, and names without case and spaces."""

    account_id: int | None
    account: str | None
    author_id: int | None
    author: str | None


def one_at_a_time(session: Session) -> None:
    """Wait until no other transaction compares notes; before any row is locked, so that two can't wait for each other.

    Two workers that read both notes at once would count both. SQLite lets one write at a time anyway.
    """
    if not is_sqlite(session):
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def settle_twins(session: Session, notes: Sequence[NoteTable]) -> set[int]:
    """Compare notes that are just read with those of other sources, one transaction at a time; the notes are locked.

    Returns:
        The ids of those that another one counts for.
    """
    corrected = set(
        session.scalars(
            sa.select(CorrectionTable.note_id).where(CorrectionTable.note_id.in_([note.id for note in notes]))
        )
    )
    for note in sorted(notes, key=lambda one: one.id):
        words = words_of(note.text)
        _keep_prints(session, note, prints(words))
        followers = _followers(session, note)
        if followers:
            note.duplicate_of = None
            apart = [one.id for one in followers if not _are_one(session, note, words, one)]
            release_twins(session, NoteTable.id.in_(apart))
        else:
            note.duplicate_of = None if note.id in corrected else _original(session, note, words)
        session.flush()
    return {note.id for note in notes if note.duplicate_of is not None}


def _keep_prints(session: Session, note: NoteTable, values: Sequence[int]) -> None:
    session.execute(sa.delete(NotePrintTable).where(NotePrintTable.note_id == note.id))
    if values:
        session.execute(sa.insert(NotePrintTable), [{"note_id": note.id, "print": value} for value in values])


def _followers(session: Session, note: NoteTable) -> list[NoteTable]:
    return list(session.scalars(sa.select(NoteTable).where(NoteTable.duplicate_of == note.id)))


def _original(session: Session, note: NoteTable, words: list[str]) -> int | None:
    """Return the note that counts for this one: the one that did before, else the nearest in time."""
    before = session.get(NoteTable, note.duplicate_of) if note.duplicate_of else None
    living = before is not None and before.deleted_at is None and before.duplicate_of is None
    if before is not None and living and _are_one(session, before, words_of(before.text), note, words):
        return before.id
    mine = sa.select(NotePrintTable.print).where(NotePrintTable.note_id == note.id)
    sharing = sa.select(NotePrintTable.note_id).where(NotePrintTable.print.in_(mine))
    query = sa.select(NoteTable).where(
        NoteTable.id.in_(sharing),
        NoteTable.id != note.id,
        NoteTable.source != note.source,
        NoteTable.occurred_at.between(note.occurred_at - NEAR_LONG, note.occurred_at + NEAR_LONG),
        NoteTable.analysed_revision > 0,
        NoteTable.deleted_at.is_(None),
        NoteTable.duplicate_of.is_(None),
    )
    candidates = list(session.scalars(query.order_by(NoteTable.id.desc()).limit(MAX_CANDIDATES)))
    for other in sorted(candidates, key=lambda one: (abs(one.occurred_at - note.occurred_at), one.id)):
        if _are_one(session, other, words_of(other.text), note, words) and not _has_twin_of(session, other, note):
            return other.id
    return None


def _has_twin_of(session: Session, original: NoteTable, note: NoteTable) -> bool:
    """Tell whether another note of the same source is the twin already: two calls, noted twice each, are two."""
    query = sa.select(NoteTable.id).where(
        NoteTable.duplicate_of == original.id, NoteTable.source == note.source, NoteTable.id != note.id
    )
    return session.scalar(query.limit(1)) is not None


def _are_one(
    session: Session, one: NoteTable, words: list[str], other: NoteTable, other_words: list[str] | None = None
) -> bool:
    if other.deleted_at is not None or one.source == other.source:
        return False
    other_words = words_of(other.text) if other_words is None else other_words
    count = min(len(words), len(other_words))
    return (
        _near(one.occurred_at, other.occurred_at, count)
        and same_text(words, other_words)
        and _same_party(_party(session, one), _party(session, other))
    )


def _near(one: datetime, other: datetime, count: int) -> bool:
    if count < SHORT_WORDS:
        return one.date() == other.date()
    return abs(one - other) <= (NEAR_LONG if count >= LONG_WORDS else NEAR)


def _party(session: Session, note: NoteTable) -> _Party:
    account = session.get(AccountTable, note.account_id) if note.account_id else None
    author = session.get(AuthorTable, note.author_id) if note.author_id else None
    return _Party(
        note.account_id,
        account.name_key if account else None,
        note.author_id,
        name_key(author.name or author.key) if author else None,
    )


def _same_party(one: _Party, other: _Party) -> bool:
    """Tell whether account or author agree; accounts of other names speak against it, whoever wrote."""
    if one.account_id and other.account_id:
        if one.account_id == other.account_id or (one.account and one.account == other.account):
            return True
        if one.account and other.account:
            return False
    return bool(one.author_id and (one.author_id == other.author_id or one.author == other.author))
