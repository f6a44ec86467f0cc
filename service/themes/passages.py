"""Passages in SQL, as a fit reads and moves them: a sample with its words, the rest only by where it lies."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import THEME_DIMS, Language, ThemePassage
from service.masks.view import hidden_text
from service.tables import AccountTable, NoteTable, PassageTable, ThemeTable

MOST_FITTED = 50_000  # passages that a fit reads with their words: of more, the others only take the nearest theme
FEW_DRAWN = 10  # passages of a theme below which a draw may miss it: with ten awaited, one draw in 20,000 has none
HASH_DIGITS = 8  # of a content hash, that draw lots
UPDATE_ROWS = 5_000  # passages moved in one transaction: writers wait for a fraction of a second at most
VECTOR_BYTES = 2 * THEME_DIMS


@dataclass(frozen=True, slots=True)
class PassagePlace:
    """Where a passage lies, and the theme that it has.

    Attributes:
        row_id: Of its row.
        vector: As in `Passage.theme_vector`.
        theme: Key of its theme, empty where it has none; `theme_id` is that theme's row id.
        pinned: Whether a person put it where it is.
        day: That of its note.
    """

    row_id: int
    vector: bytes
    theme: str
    theme_id: int | None
    pinned: bool
    day: date


@dataclass(frozen=True, slots=True)
class Sample:
    """The passages that a fit reads with their words: those up to a row, of notes drawn by lot where there are many.

    Attributes:
        newest: Highest row id of all passages when the fit began.
        bound: Content hash below which a note is drawn; None where all are. A hash is as good as a lot, and the same
            on each database and in each order; as notes come, those still drawn are among those that were.
        small: Row ids of the themes of which too few passages are drawn for the fit to know them: it reads all theirs.
    """

    newest: int
    bound: str | None
    small: frozenset[int] = frozenset()

    def drawn(self) -> sa.ColumnElement[bool]:
        """Tell whether a passage, beside its note, is drawn."""
        drawn = sa.true() if self.bound is None else NoteTable.content_hash < self.bound
        return sa.and_(PassageTable.id <= self.newest, drawn)

    def contains(self) -> sa.ColumnElement[bool]:
        """Tell whether a passage, beside its note, is of the sample."""
        of_small = sa.and_(PassageTable.id <= self.newest, PassageTable.theme_id.in_(self.small))
        return sa.or_(self.drawn(), of_small)


def is_comparable(vector: sa.SQLColumnExpression[bytes]) -> sa.ColumnElement[bool]:
    """Tell whether a stored vector lies in the present space of themes, not in none or in an earlier one."""
    return sa.func.length(vector) == VECTOR_BYTES


def draw_sample(session: Session) -> Sample:
    """Say which passages a fit reads with their words: about `MOST_FITTED`, and those of small themes."""
    newest, total = newest_passage(session), count_passages(session)
    if total <= MOST_FITTED:
        return Sample(newest, None)
    bound = f"{16**HASH_DIGITS * MOST_FITTED // total:0{HASH_DIGITS}x}"
    small = (theme for theme, count in passage_counts(session, None).items() if count * MOST_FITTED < FEW_DRAWN * total)
    return Sample(newest, bound, frozenset(small))


def read_passages(session: Session, sample: Sample) -> tuple[list[PassagePlace], list[ThemePassage]]:
    """Return the passages of a sample, in an order that does not depend on when their notes came in.

    Their words are those that everybody may see: names and keywords of themes are made of them.
    """
    rows = session.execute(
        sa.select(
            *_PLACE,
            PassageTable.start,
            PassageTable.end,
            PassageTable.language,
            PassageTable.vector,
            NoteTable.text,
            NoteTable.masks,
            AccountTable.key,
        )
        .join(NoteTable, NoteTable.id == PassageTable.note_id)
        .outerjoin(AccountTable, AccountTable.id == PassageTable.account_id)
        .outerjoin(ThemeTable, ThemeTable.id == PassageTable.theme_id)
        .where(_is_placed(), sample.contains())
        .order_by(NoteTable.source, NoteTable.external_id, PassageTable.start, PassageTable.id)
    )
    places, passages = [], []
    for row in rows:
        places.append(_place(row))
        words = hidden_text(row.text, row.masks)[row.start : row.end]
        told = Language(row.language), row.vector, row.theme_vector, row.key or "", row.theme or "", row.occurred_on
        passages.append(ThemePassage(words, *told))
    return places, passages


def rest_by_day(session: Session, sample: Sample, after: int) -> array[int]:
    """Return the row ids of the passages that are not drawn, or came since; those of small themes among them.

    They are moved day by day: who counts meanwhile reads again the days that changed, not all of them each time.

    Args:
        session: The session.
        sample: What the fit read.
        after: Row id up to which all were returned; 0 at first.
    """
    rest = (
        sa.select(PassageTable.id)
        .join(NoteTable, NoteTable.id == PassageTable.note_id)
        .where(_is_placed(), sa.not_(sample.drawn()), PassageTable.id > after)
        .order_by(PassageTable.occurred_on, PassageTable.id)
    )
    return array("q", session.scalars(rest.execution_options(yield_per=UPDATE_ROWS)))


def read_places(session: Session, ids: Sequence[int]) -> list[PassagePlace]:
    """Return passages by their row ids, those that are still of their notes as they stand."""
    rows = session.execute(
        sa.select(*_PLACE)
        .join(NoteTable, NoteTable.id == PassageTable.note_id)
        .outerjoin(ThemeTable, ThemeTable.id == PassageTable.theme_id)
        .where(_is_placed(), PassageTable.id.in_(ids))
        .order_by(PassageTable.occurred_on, PassageTable.id)
    )
    return [_place(row) for row in rows]


_PLACE = (
    PassageTable.id,
    PassageTable.theme_vector,
    PassageTable.theme_id,
    PassageTable.pinned,
    PassageTable.occurred_on,
    ThemeTable.key.label("theme"),
)


def _place(row: Any) -> PassagePlace:
    return PassagePlace(row.id, row.theme_vector, row.theme or "", row.theme_id, row.pinned, row.occurred_on)


def _is_placed() -> sa.ColumnElement[bool]:
    """Tell whether a passage is of its note as it stands, and lies in the space of themes."""
    return sa.and_(NoteTable.analysed_revision == NoteTable.revision, is_comparable(PassageTable.theme_vector))


def move_passages(session: Session, rows: Sequence[tuple[int, int | None, float | None]]) -> None:
    """Set theme and similarity of passages: `(row id, theme id, similarity)`.

    Rows gone meanwhile are passed over, and those that a person pinned.
    """
    free = sa.select(PassageTable.id).where(
        PassageTable.id.in_([row[0] for row in rows]), PassageTable.pinned.is_(False)
    )
    present = set(session.scalars(free))
    values = [
        {"id": row_id, "theme_id": theme_id, "similarity": similarity}
        for row_id, theme_id, similarity in rows
        if row_id in present
    ]
    if values:
        session.execute(sa.update(PassageTable), values)


def read_vectors(session: Session, theme_id: int) -> list[bytes]:
    """Return where a theme's passages lie, in an order that does not depend on when their notes came in."""
    vectors = session.scalars(
        sa.select(PassageTable.theme_vector)
        .join(NoteTable, NoteTable.id == PassageTable.note_id)
        .where(_is_placed(), PassageTable.theme_id == theme_id)
        .order_by(NoteTable.source, NoteTable.external_id, PassageTable.start, PassageTable.id)
    )
    return list(vectors)


def passage_counts(session: Session, ids: Sequence[int] | None) -> dict[int, int]:
    """Return how many passages each theme has; None asks for all themes."""
    wanted = PassageTable.theme_id.is_not(None) if ids is None else PassageTable.theme_id.in_(ids)
    query = sa.select(PassageTable.theme_id, sa.func.count()).where(wanted)
    return {theme_id: count for theme_id, count in session.execute(query.group_by(PassageTable.theme_id)) if theme_id}


def count_passages(session: Session) -> int:
    """Return how many passages are stored."""
    return session.scalar(sa.select(sa.func.count()).select_from(PassageTable)) or 0


def newest_passage(session: Session) -> int:
    """Return the highest row id of all passages; 0 where there is none."""
    return session.scalar(sa.select(sa.func.max(PassageTable.id))) or 0


def unassigned_since(session: Session, newest: int) -> tuple[int, int]:
    """Return of the passages that came after one how many have no theme, and how many there are."""
    themed = sa.func.count(PassageTable.theme_id)
    total, with_theme = session.execute(sa.select(sa.func.count(), themed).where(PassageTable.id > newest)).one()
    return total - with_theme, total
