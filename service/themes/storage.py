"""Themes and fits in SQL, as the worker reads and writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import FittedTheme, LivingTheme, ThemeFit
from service.tables import (
    NoteTable,
    PassageTable,
    ThemeEventTable,
    ThemeFitTable,
    ThemePinTable,
    ThemeTable,
)
from service.themes.lineage import Lineage
from service.themes.passages import is_comparable, passage_counts, read_vectors

PLACES = ("centroid", "origin")  # columns that say where a theme lies
MISSED_TO_RETIRE = 2  # fits in a row that do not find a theme


class ThemeState(StrEnum):
    """Whether a theme takes passages. A retired or merged theme keeps its key for ever."""

    ACTIVE = "active"
    MERGED = "merged"
    RETIRED = "retired"


NO_THEME = 0
"""Instead of a theme's number, where a passage was pinned to none."""


class ThemeEventKind(StrEnum):
    """What happened to a theme: by a fit, or by a person."""

    BORN = "born"
    MATCHED = "matched"
    FADED = "faded"
    RETIRED = "retired"
    MERGED = "merged"
    SPLIT = "split"
    DECLARED = "declared"
    EDITED = "edited"
    MOVED = "moved"
    TAKEN_OUT = "taken_out"
    UNDONE = "undone"


def living_themes(session: Session) -> list[LivingTheme]:
    """Return the themes that passages can have, and the aliases of those that a person merged into them."""
    rows = session.execute(
        sa.select(ThemeTable.key, ThemeTable.centroid, ThemeTable.origin)
        .where(is_comparable(ThemeTable.centroid), sa.or_(ThemeTable.state == ThemeState.ACTIVE, _is_alias()))
        .order_by(ThemeTable.id)
    )
    return [LivingTheme(row.key, row.centroid, row.origin) for row in rows]


def _is_alias() -> sa.ColumnElement[bool]:
    return sa.and_(ThemeTable.state == ThemeState.MERGED, ThemeTable.alias.is_(True))


def themes_to_keep(session: Session, note_ids: Sequence[int]) -> dict[tuple[int, int, int], int]:
    """Return the themes of passages that a new reading can't tell: theme by note, start and end.

    Their centroid is of an earlier space of themes, until a fit renews it (`renew_centroids`).
    """
    rows = session.execute(
        sa.select(PassageTable.note_id, PassageTable.start, PassageTable.end, ThemeTable.id)
        .join(ThemeTable, ThemeTable.id == PassageTable.theme_id)
        .where(PassageTable.note_id.in_(note_ids), sa.not_(is_comparable(ThemeTable.centroid)))
    )
    return {(note_id, start, end): theme_id for note_id, start, end, theme_id in rows}


def renew_centroids(
    session: Session,
    mean: Callable[[Sequence[bytes]], bytes],
    describe: Callable[[Sequence[str]], bytes],
) -> None:
    """Give themes whose centroid is of an earlier space one in the present.

    Args:
        mean: Makes a centroid of theme vectors.
        describe: Makes one of a name and a description: of a theme that a person declared.
    """
    old = sa.and_(ThemeTable.state == ThemeState.ACTIVE, sa.not_(is_comparable(ThemeTable.centroid)))
    for theme in session.scalars(sa.select(ThemeTable).where(old).order_by(ThemeTable.id)):
        if theme.description:
            theme.centroid = describe([*dict.fromkeys([theme.label_en, theme.label_fr]), theme.description])
        elif vectors := read_vectors(session, theme.id):
            theme.centroid = mean(vectors)
        theme.origin = theme.centroid


@dataclass(frozen=True, slots=True)
class SavedFit:
    """A fit's themes in storage.

    Attributes:
        theme_ids: Row id of each of the fit's themes, in its order; those merged by a person lead to one row.
        born: Those that are new.
        missed: Active themes that the fit did not find.
    """

    record: ThemeFitTable
    theme_ids: list[int]
    born: set[int]
    missed: list[ThemeTable]


def save_themes(
    session: Session, fit: ThemeFit, *, trigger: str, now: datetime, why: dict[str, Any] | None = None
) -> SavedFit:
    """Store a fit's themes: continued ones keep their key and a label that a person wrote, new ones are born.

    Args:
        why: The figures for which the fit was due.
    """
    record = ThemeFitTable(
        version=fit.version,
        trigger=trigger,
        passages=len(fit.assignments),
        assigned=sum(index is not None for index in fit.assignments),
        themes=len(fit.themes),
        finished_at=now,
        detail={"why": why or {}},
    )
    session.add(record)
    session.flush()
    themes = {theme.key: theme for theme in session.scalars(sa.select(ThemeTable).order_by(ThemeTable.id))}
    by_id = {theme.id: theme for theme in themes.values()}
    ids: list[int] = []
    born: set[int] = set()
    for found in fit.themes:
        known = themes.get(found.key) if found.key else None
        theme = resolve(known, by_id) if known else None
        if theme is None or known is None:
            theme = _bear(session, found, now)
            born.add(theme.id)
            log_event(session, theme.id, ThemeEventKind.BORN, now, fit_id=record.id)
        elif known is theme:
            _continue(theme, found, now)
            log_event(session, theme.id, ThemeEventKind.MATCHED, now, fit_id=record.id)
        else:
            known.centroid = found.centroid  # an alias: what is found under its key goes where it was merged into
            theme.missed = 0
        ids.append(theme.id)
    kept = {*ids}
    missed = [t for t in themes.values() if t.state == ThemeState.ACTIVE and t.id not in kept]
    return SavedFit(record, ids, born, missed)


def resolve(theme: ThemeTable, by_id: Mapping[int, ThemeTable]) -> ThemeTable | None:
    """Return the active theme that a theme is, or went into; None where that was retired."""
    seen: set[int] = set()
    here: ThemeTable | None = theme
    while here is not None and here.merged_into is not None and here.id not in seen:
        seen.add(here.id)
        here = by_id.get(here.merged_into)
    return here if here is not None and here.state == ThemeState.ACTIVE else None


def settle_missed(session: Session, saved: SavedFit, lineage: Lineage, now: datetime) -> None:
    """Say what became of the themes that a fit did not find, once its passages have been moved.

    A locked theme stays. One whose passages went to another is merged. The others fade, and are retired when a second
    fit in a row does not find them, or when no passage is left.
    """
    sizes = passage_counts(session, [theme.id for theme in saved.missed])
    for theme in saved.missed:
        theme.missed += 1
        theme.updated_at = now
        target = lineage.merged.get(theme.id)
        if theme.locked or theme.state != ThemeState.ACTIVE:
            continue
        if target is not None:
            theme.state, theme.merged_into = ThemeState.MERGED, target
            left = sa.update(PassageTable).where(PassageTable.theme_id == theme.id, PassageTable.pinned.is_(False))
            session.execute(left.values(theme_id=target))
            log_event(session, theme.id, ThemeEventKind.MERGED, now, fit_id=saved.record.id, into=target)
            log_event(session, target, ThemeEventKind.MERGED, now, fit_id=saved.record.id, taken=theme.id)
        elif theme.missed < MISSED_TO_RETIRE and sizes.get(theme.id):
            log_event(session, theme.id, ThemeEventKind.FADED, now, fit_id=saved.record.id, left=sizes[theme.id])
        else:
            theme.state = ThemeState.RETIRED
            rest = sa.update(PassageTable).where(PassageTable.theme_id == theme.id, PassageTable.pinned.is_(False))
            session.execute(rest.values(theme_id=None, similarity=None))
            log_event(session, theme.id, ThemeEventKind.RETIRED, now, fit_id=saved.record.id)
    for theme_id, source in lineage.split.items():
        log_event(session, theme_id, ThemeEventKind.SPLIT, now, fit_id=saved.record.id, source=source)
        log_event(session, source, ThemeEventKind.SPLIT, now, fit_id=saved.record.id, born=theme_id)


def log_sizes(session: Session, fit_id: int) -> None:
    """Write into a fit's events how many passages each theme has, once they have been moved."""
    kinds = (ThemeEventKind.BORN, ThemeEventKind.MATCHED)
    told = sa.select(ThemeEventTable).where(ThemeEventTable.fit_id == fit_id, ThemeEventTable.kind.in_(kinds))
    events = session.scalars(told).all()
    sizes = passage_counts(session, [event.theme_id for event in events])
    for event in events:
        event.detail = {**event.detail, "size": sizes.get(event.theme_id, 0)}


def _bear(session: Session, found: FittedTheme, now: datetime) -> ThemeTable:
    return add_theme(session, found.label, found.keywords, found.centroid, now)


def add_theme(
    session: Session, label: Mapping[str, str], keywords: dict[str, Any], centroid: bytes, now: datetime
) -> ThemeTable:
    """Store a new theme; rows are never deleted, so that a key is never given twice."""
    number = (session.scalar(sa.select(sa.func.max(ThemeTable.id))) or 0) + 1
    theme = ThemeTable(
        id=number,
        key=f"theme-{number}",
        label_en=label["en"],
        label_fr=label["fr"],
        label_edited=False,
        keywords=keywords,
        centroid=centroid,
        origin=centroid,
        state=ThemeState.ACTIVE,
        created_at=now,
        updated_at=now,
        locked=False,
        muted=False,
        area_edited=False,
        alias=False,
        missed=0,
    )
    session.add(theme)
    session.flush()
    return theme


def _continue(theme: ThemeTable, found: FittedTheme, now: datetime) -> None:
    if not theme.label_edited:
        theme.label_en, theme.label_fr = found.label["en"], found.label["fr"]
    theme.keywords = found.keywords
    theme.centroid = found.centroid
    theme.missed = 0
    theme.updated_at = now


def log_event(
    session: Session,
    theme_id: int,
    kind: ThemeEventKind,
    now: datetime,
    *,
    fit_id: int | None = None,
    change_id: int | None = None,
    by: str = "fit",
    **detail: Any,
) -> None:
    """Write down what happened to a theme; row ids of other themes stand in `into`, `taken`, `source` and `born`."""
    session.add(
        ThemeEventTable(
            theme_id=theme_id,
            fit_id=fit_id,
            change_id=change_id,
            kind=kind,
            detail=detail,
            actor=by,
            happened_at=now,
        )
    )


def pin_again(session: Session, note_ids: Sequence[int]) -> None:
    """Put the passages of notes that were just read again where people pinned them, by their words, or to no theme."""
    pins = session.execute(
        sa.select(ThemePinTable.note_id, ThemePinTable.theme_id, ThemePinTable.quote).where(
            ThemePinTable.note_id.in_(note_ids)
        )
    ).all()
    if not pins:
        return
    themes = {theme.id: theme for theme in session.scalars(sa.select(ThemeTable))}
    wanted = {(pin.note_id, pin.quote): _pinned_to(pin.theme_id, themes) for pin in pins}
    rows = session.execute(
        sa.select(PassageTable.id, PassageTable.note_id, PassageTable.start, PassageTable.end, NoteTable.text)
        .join(NoteTable, NoteTable.id == PassageTable.note_id)
        .where(PassageTable.note_id.in_({pin.note_id for pin in pins}))
    )
    values = []
    for row in rows:
        theme_id = wanted.get((row.note_id, row.text[row.start : row.end]))
        if theme_id is not None:
            values.append({"id": row.id, "theme_id": theme_id or None, "pinned": True})
    if values:
        session.execute(sa.update(PassageTable), values)


def _pinned_to(theme_id: int | None, themes: Mapping[int, ThemeTable]) -> int | None:
    """Return the theme that a pin leads to now, `NO_THEME` where it is to none; None where its theme is no more."""
    theme = resolve(themes[theme_id], themes) if theme_id else None
    return theme.id if theme else None if theme_id else NO_THEME


def theme_ids_by_key(session: Session) -> dict[str, int]:
    """Return the row id of each theme that takes passages, by its key; a merged theme's key leads to where it went."""
    themes = {theme.id: theme for theme in session.scalars(sa.select(ThemeTable))}
    found = {theme.key: resolve(theme, themes) for theme in themes.values()}
    return {key: theme.id for key, theme in found.items() if theme}


def last_fit(session: Session) -> ThemeFitTable | None:
    """Return the latest fit."""
    return session.scalar(sa.select(ThemeFitTable).order_by(ThemeFitTable.id.desc()).limit(1))
