"""Themes and fits in SQL, as the worker reads and writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import FittedTheme, Language, LivingTheme, ThemeFit, ThemePassage
from service.tables import AccountTable, NoteTable, PassageTable, ThemeEventTable, ThemeFitTable, ThemeTable

UPDATE_ROWS = 5_000  # passages moved in one transaction: writers wait for a fraction of a second at most


class ThemeState(StrEnum):
    """Whether fits still find a theme. A retired theme keeps its key for ever."""

    ACTIVE = "active"
    RETIRED = "retired"


class ThemeEventKind(StrEnum):
    """What happened to a theme."""

    BORN = "born"
    MATCHED = "matched"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage and its row."""

    row_id: int
    passage: ThemePassage


def living_themes(session: Session) -> list[LivingTheme]:
    """Return the themes that passages can have."""
    rows = session.execute(
        sa.select(ThemeTable.key, ThemeTable.centroid)
        .where(ThemeTable.state == ThemeState.ACTIVE)
        .order_by(ThemeTable.id)
    )
    return [LivingTheme(row.key, row.centroid) for row in rows]


def read_passages(session: Session) -> list[StoredPassage]:
    """Return all passages, in an order that does not depend on when their notes came in."""
    rows = session.execute(
        sa.select(
            PassageTable.id,
            PassageTable.start,
            PassageTable.end,
            PassageTable.language,
            PassageTable.vector,
            NoteTable.text,
            AccountTable.key,
        )
        .join(NoteTable, NoteTable.id == PassageTable.note_id)
        .outerjoin(AccountTable, AccountTable.id == PassageTable.account_id)
        .where(NoteTable.analysed_revision == NoteTable.revision)
        .order_by(NoteTable.source, NoteTable.external_id, PassageTable.start, PassageTable.id)
    )
    return [
        StoredPassage(
            row.id,
            ThemePassage(row.text[row.start : row.end], Language(row.language), row.vector, row.key or ""),
        )
        for row in rows
    ]


def save_themes(session: Session, fit: ThemeFit, *, trigger: str, now: datetime) -> list[int]:
    """Store a fit's themes: continued ones keep their key and a label that a person wrote, new ones are born.

    Returns:
        The row id of each of the fit's themes, in its order.
    """
    record = ThemeFitTable(
        version=fit.version,
        trigger=trigger,
        passages=len(fit.assignments),
        assigned=sum(index is not None for index in fit.assignments),
        themes=len(fit.themes),
        finished_at=now,
    )
    session.add(record)
    session.flush()
    living = {
        theme.key: theme
        for theme in session.scalars(
            sa.select(ThemeTable).where(ThemeTable.state == ThemeState.ACTIVE).order_by(ThemeTable.id)
        )
    }
    ids = []
    for found in fit.themes:
        theme = living.pop(found.key, None) if found.key else None
        if theme is None:
            theme = _bear(session, found, now)
            _log_event(session, theme, record, ThemeEventKind.BORN, now, size=found.size)
        else:
            _continue(theme, found, now)
            _log_event(session, theme, record, ThemeEventKind.MATCHED, now, size=found.size)
        ids.append(theme.id)
    for theme in living.values():
        theme.state = ThemeState.RETIRED
        theme.updated_at = now
        _log_event(session, theme, record, ThemeEventKind.RETIRED, now)
    return ids


def _bear(session: Session, found: FittedTheme, now: datetime) -> ThemeTable:
    number = (session.scalar(sa.select(sa.func.max(ThemeTable.id))) or 0) + 1
    theme = ThemeTable(
        id=number,
        key=f"theme-{number}",
        label_en=found.label["en"],
        label_fr=found.label["fr"],
        keywords=found.keywords,
        centroid=found.centroid,
        state=ThemeState.ACTIVE,
        created_at=now,
        updated_at=now,
    )
    session.add(theme)
    session.flush()
    return theme


def _continue(theme: ThemeTable, found: FittedTheme, now: datetime) -> None:
    if not theme.label_edited:
        theme.label_en, theme.label_fr = found.label["en"], found.label["fr"]
    theme.keywords = found.keywords
    theme.centroid = found.centroid
    theme.updated_at = now


def _log_event(
    session: Session, theme: ThemeTable, fit: ThemeFitTable, kind: ThemeEventKind, now: datetime, **detail: int
) -> None:
    session.add(
        ThemeEventTable(theme_id=theme.id, fit_id=fit.id, kind=kind, detail=detail, actor="fit", happened_at=now)
    )


def move_passages(session: Session, rows: Sequence[tuple[int, int | None, float | None]]) -> None:
    """Set theme and similarity of passages: `(row id, theme id, similarity)`; rows gone meanwhile are passed over."""
    present = set(session.scalars(sa.select(PassageTable.id).where(PassageTable.id.in_([row[0] for row in rows]))))
    values = [
        {"id": row_id, "theme_id": theme_id, "similarity": similarity}
        for row_id, theme_id, similarity in rows
        if row_id in present
    ]
    if values:
        session.execute(sa.update(PassageTable), values)


def theme_ids_by_key(session: Session) -> dict[str, int]:
    """Return the row id of each theme, by its key."""
    return {row.key: row.id for row in session.execute(sa.select(ThemeTable.key, ThemeTable.id))}


def last_fit(session: Session) -> ThemeFitTable | None:
    """Return the latest fit."""
    return session.scalar(sa.select(ThemeFitTable).order_by(ThemeFitTable.id.desc()).limit(1))


def count_passages(session: Session) -> int:
    """Return how many passages are stored."""
    return session.scalar(sa.select(sa.func.count()).select_from(PassageTable)) or 0
