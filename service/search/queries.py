"""Search in SQL. The index of words is kept by triggers (migration 0011), so that no way to write a note misses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from service.database import is_sqlite
from service.filters import NoteFilters, day_conditions, note_conditions
from service.notes.queries import NoteRow, with_links
from service.search.words import Query, Term, postgresql_match, sqlite_match
from service.tables import NoteTable, PassageTable

RANKED = 2_000  # of more notes with the words, the latest are ranked
_FTS = sa.table("note_words", sa.column("rowid", sa.Integer))
_WORDS = sa.table("note_words", sa.column("note_id", sa.BigInteger), sa.column("words"))
_BATCH = 10_000
# No other source brought the note first; written so that no database looks for these, nearly all notes, by their index.
_FIRST = sa.func.coalesce(NoteTable.duplicate_of, 0) == 0


def notes_with_words(session: Session, query: Query, filters: NoteFilters) -> list[int]:
    """Return ids of the notes that have the words of a query, the most relevant first; `RANKED` at most."""
    if not query.wanted:
        return []
    read = _sqlite_words if is_sqlite(session) else _postgresql_words
    return read(session, query, filters)


def _sqlite_words(session: Session, query: Query, filters: NoteFilters) -> list[int]:
    match = f"({sqlite_match(query.wanted, 'AND')})"
    if query.excluded:
        match += f" NOT ({sqlite_match(query.excluded, 'OR')})"
    statement = (
        sa.select(_FTS.c.rowid, sa.literal_column("bm25(note_words)").label("badness"))
        .where(sa.literal_column("note_words").op("MATCH")(match), _among(sa.literal_column("+rowid"), filters))
        .order_by(_FTS.c.rowid.desc())
        .limit(RANKED)
    )
    rows = [(row.rowid, row.badness) for row in session.execute(statement)]
    return [note_id for note_id, _ in sorted(rows, key=lambda row: (row[1], -row[0]))]


def _postgresql_words(session: Session, query: Query, filters: NoteFilters) -> list[int]:
    match = f"({postgresql_match(query.wanted, 'AND')})"
    if query.excluded:
        match += f" & !({postgresql_match(query.excluded, 'OR')})"
    wanted = sa.cast(match, TSQUERY)
    latest = (
        sa.select(_WORDS.c.note_id, _WORDS.c.words)
        .where(_WORDS.c.words.op("@@")(wanted), _among(_WORDS.c.note_id, filters))
        .order_by(_WORDS.c.note_id.desc())
        .limit(RANKED)
        .subquery()
    )
    rank = sa.func.ts_rank(latest.c.words, wanted, 1)
    return list(session.scalars(sa.select(latest.c.note_id).order_by(rank.desc(), latest.c.note_id.desc())))


def _among(note_id: sa.ColumnElement[int], filters: NoteFilters) -> sa.ColumnElement[bool]:
    """Return the condition that a note is searched: its filters, and that no other source brought it first."""
    if not is_filtered(filters):
        return sa.not_(note_id.in_(sa.select(NoteTable.id).where(NoteTable.duplicate_of.is_not(None))))
    return note_id.in_(sa.select(NoteTable.id).where(*_searched(filters)))


def _searched(filters: NoteFilters) -> list[sa.ColumnElement[bool]]:
    return [_FIRST, *note_conditions(filters), *day_conditions(filters)]


def is_filtered(filters: NoteFilters) -> bool:
    """Tell whether any filter is set."""
    return any(value is not None for name, value in filters if name != "compare")


def filtered_notes(session: Session, filters: NoteFilters) -> list[int]:
    """Return ids of the notes that pass filters."""
    return list(session.scalars(sa.select(NoteTable.id).where(*_searched(filters))))


def notes_holding(session: Session, terms: tuple[Term, ...], joined: str, note_ids: Sequence[int]) -> set[int]:
    """Return those of the notes that have all terms (`AND`) or any (`OR`)."""
    if is_sqlite(session):
        match = sa.literal_column("note_words").op("MATCH")(sqlite_match(terms, joined))
        statement = sa.select(_FTS.c.rowid).where(match, sa.literal_column("+rowid").in_(note_ids))
    else:
        match = _WORDS.c.words.op("@@")(sa.cast(postgresql_match(terms, joined), TSQUERY))
        statement = sa.select(_WORDS.c.note_id).where(match, _WORDS.c.note_id.in_(note_ids))
    return set(session.scalars(statement))


def forget_words(session: Session) -> None:
    """Write the index of words anew where notes were edited or erased since: their words leave its bytes.

    FTS5 only marks what is deleted until then. PostgreSQL's own housekeeping does the same there.
    """
    if not is_sqlite(session) or not session.scalar(sa.text("SELECT stale FROM note_words_state")):
        return
    session.execute(sa.text("INSERT INTO note_words (note_words) VALUES ('optimize')"))
    session.execute(sa.text("UPDATE note_words_state SET stale = 0"))


def passages_after(session: Session, passage_id: int) -> list[int]:
    """Return the ids of passages above one."""
    return list(session.scalars(sa.select(PassageTable.id).where(PassageTable.id > passage_id)))


def passage_vectors(session: Session, first: int, last: int) -> Any:
    """Yield id, note's id and vector of the passages from one id to another, a part at a time."""
    query = sa.select(PassageTable.id, PassageTable.note_id, PassageTable.vector)
    return session.execute(
        query.where(PassageTable.id.between(first, last)).execution_options(yield_per=_BATCH)
    ).partitions()


def standing_passages(session: Session, ids: Sequence[int]) -> list[sa.Row[int, int, int, int, bytes]]:
    """Return id, note's id, start, end and vector of those passages that still stand in their note's text."""
    return list(
        session.execute(
            sa.select(PassageTable.id, PassageTable.note_id, PassageTable.start, PassageTable.end, PassageTable.vector)
            .join(NoteTable, NoteTable.id == PassageTable.note_id)
            .where(
                PassageTable.id.in_(ids),
                NoteTable.analysed_revision == NoteTable.revision,
                _FIRST,
            )
        )
    )


def read_notes(session: Session, note_ids: Sequence[int]) -> dict[int, NoteRow]:
    """Return notes that are not deleted with author, account and deal, by id."""
    rows = session.execute(with_links().where(NoteTable.id.in_(note_ids), NoteTable.deleted_at.is_(None)))
    return {row[0].id: (row[0], row[1], row[2], row[3]) for row in rows}
