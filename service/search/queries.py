"""Search in SQL. The index of words is kept by triggers (migration 0011), so that no way to write a note misses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
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
Ids = str
"""Ids of many notes as one text, comma-separated: as rows of a result they take longer than all else of a search."""
_FIRST = NoteTable.duplicate_of.is_(None)  # no other source brought the note first


def notes_with_words(session: Session, query: Query, filters: NoteFilters, notes: Ids | None = None) -> list[int]:
    """Return ids of the notes that have the words of a query, the most relevant first; `RANKED` at most.

    Args:
        session: Reads.
        query: What to look for.
        filters: What the notes pass.
        notes: The same notes, if they are known: SQLite need not find them twice.
    """
    if not query.wanted:
        return []
    if is_sqlite(session):
        return _sqlite_words(session, query, filtered_notes(session, filters) if notes is None else notes)
    return _postgresql_words(session, query, filters)


def _sqlite_words(session: Session, query: Query, notes: Ids | None) -> list[int]:
    match = f"({sqlite_match(query.wanted, 'AND')})"
    if query.excluded:
        match += f" NOT ({sqlite_match(query.excluded, 'OR')})"
    note_id = sa.literal_column("+rowid", sa.Integer)
    statement = (
        sa.select(_FTS.c.rowid, sa.literal_column("bm25(note_words)").label("badness"))
        .where(
            sa.literal_column("note_words").op("MATCH")(match),
            _no_duplicate(note_id) if notes is None else _one_of(session, note_id, notes),
        )
        .order_by(_FTS.c.rowid.desc())
        .limit(RANKED)
    )
    rows = session.execute(statement).all()
    return [note_id for note_id, _ in sorted(rows, key=lambda row: (row[1], -row[0]))]


def _postgresql_words(session: Session, query: Query, filters: NoteFilters) -> list[int]:
    match = f"({postgresql_match(query.wanted, 'AND')})"
    if query.excluded:
        match += f" & !({postgresql_match(query.excluded, 'OR')})"
    wanted = sa.cast(match, TSQUERY)
    # The planner knows how common the words are and how many notes pass: it goes from the words to the notes, or back
    # from the latest note. Ids alone are sorted, without the words, which are a hundred times as long.
    latest = (
        sa.select(_WORDS.c.note_id)
        .where(_WORDS.c.words.op("@@")(wanted), _among(_WORDS.c.note_id, filters))
        .order_by(_WORDS.c.note_id.desc())
        .limit(RANKED)
    )
    rank = sa.func.ts_rank(_WORDS.c.words, wanted, 1)
    ranked = sa.select(_WORDS.c.note_id).where(_WORDS.c.note_id.in_(latest))
    return list(session.scalars(ranked.order_by(rank.desc(), _WORDS.c.note_id.desc())))


def _among(note_id: sa.ColumnElement[int], filters: NoteFilters) -> sa.ColumnElement[bool]:
    """Return the condition that a note is searched: its filters, and that no other source brought it first."""
    return note_id.in_(_searched(filters)) if is_filtered(filters) else _no_duplicate(note_id)


def _no_duplicate(note_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return sa.not_(note_id.in_(sa.select(NoteTable.id).where(NoteTable.duplicate_of.is_not(None))))


def _searched(filters: NoteFilters) -> sa.Select[int]:
    return sa.select(NoteTable.id).where(_FIRST, *note_conditions(filters), *day_conditions(filters))


def _one_of(session: Session, column: sa.SQLColumnExpression[int], ids: Ids) -> sa.ColumnElement[bool]:
    """Return the condition that a column has one of many ids, as one parameter: thousands take long to put in."""
    if is_sqlite(session):
        values = sa.func.json_each(f"[{ids}]").table_valued(sa.column("value", sa.Integer))
        return column.in_(sa.select(values.c.value))
    return column == sa.any_(sa.cast(sa.literal(f"{{{ids}}}", sa.Text), ARRAY(sa.BigInteger)))


def _listed(ids: Iterable[int]) -> Ids:
    return ",".join(map(str, ids))


def is_filtered(filters: NoteFilters) -> bool:
    """Tell whether any filter is set."""
    return any(value is not None for name, value in filters if name != "compare")


def filtered_notes(session: Session, filters: NoteFilters) -> Ids | None:
    """Return the notes that pass filters, and that no other source brought first; None where no filter is set."""
    if not is_filtered(filters):
        return None
    searched = _searched(filters).subquery()
    return session.scalar(sa.select(sa.func.aggregate_strings(sa.cast(searched.c.id, sa.Text), ","))) or ""


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
    """Return id, note's id, start, end and vector of those passages that still stand in their note's text.

    In two statements: no statistics tell PostgreSQL that nearly all notes were read, so that it joins by reading all.
    """
    connection = session.connection()
    columns = (PassageTable.id, PassageTable.note_id, PassageTable.start, PassageTable.end, PassageTable.vector)
    passages = connection.execute(sa.select(*columns).where(_one_of(session, PassageTable.id, _listed(ids)))).all()
    read = sa.select(NoteTable.id).where(NoteTable.analysed_revision == NoteTable.revision, _FIRST)
    notes = {row.note_id for row in passages}
    standing = set(connection.scalars(read.where(_one_of(session, NoteTable.id, _listed(notes)))).all())
    return [row for row in passages if row.note_id in standing]


def read_notes(session: Session, note_ids: Sequence[int]) -> dict[int, NoteRow]:
    """Return notes that are not deleted with author, account and deal, by id."""
    rows = session.execute(with_links().where(NoteTable.id.in_(note_ids), NoteTable.deleted_at.is_(None)))
    return {row[0].id: (row[0], row[1], row[2], row[3]) for row in rows}
