"""Taking a person's change of themes back."""

from __future__ import annotations

import base64
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.errors import Conflict, NotFound
from service.tables import PassageTable, ThemeChangeTable, ThemeMoveTable, ThemePinTable, ThemeTable
from service.themes.schemas import ChangeKind
from service.themes.storage import PLACES, ThemeEventKind, ThemeState, log_event

_OF_ONE_PASSAGE = {ChangeKind.MOVE, ChangeKind.TAKE_OUT}


def undo_change(session: Session, change_id: int, *, by: str, now: datetime) -> ThemeChangeTable:
    """Take a change back: passages that are still where it put them return.

    Raises:
        NotFound: If there is no such change.
        Conflict: If it is undone already, or a later change stands on it.
    """
    change = session.get(ThemeChangeTable, change_id, with_for_update=True)
    if change is None:
        raise NotFound(f"There is no change {change_id}.")
    if change.undone_at is not None:
        raise Conflict(f"Change {change_id} is undone already.", code="undone_already")
    _check_last(session, change)
    theme = session.get_one(ThemeTable, change.theme_id, with_for_update=True)
    target = change.detail.get("into") or change.detail.get("born") or theme.id
    if change.kind == ChangeKind.TAKE_OUT:
        target = None
    if change.kind != ChangeKind.EDIT:
        _bring_back(session, change, target)
    _restore(session, change, theme, now)
    change.undone_by, change.undone_at = by, now
    theme.updated_at = now
    for theme_id in change.detail["themes"]:
        log_event(session, theme_id, ThemeEventKind.UNDONE, now, change_id=change.id, by=by, what=change.kind)
    session.flush()
    return change


def _check_last(session: Session, change: ThemeChangeTable) -> None:
    """Refuse to undo what a later change stands on."""
    later = session.scalars(
        sa.select(ThemeChangeTable)
        .where(ThemeChangeTable.id > change.id, ThemeChangeTable.undone_at.is_(None))
        .order_by(ThemeChangeTable.id.desc())
    )
    for other in later:
        if _stands_on(other, change):
            raise Conflict(
                f"Change {other.id} came later and stands on this one: undo it first.", code="undo_later_first"
            )


def _stands_on(later: ThemeChangeTable, change: ThemeChangeTable) -> bool:
    shared = set(later.detail["themes"]) & set(change.detail["themes"])
    if ChangeKind.EDIT in (later.kind, change.kind):
        same = later.kind == change.kind and later.theme_id == change.theme_id
        return same and bool(later.detail["after"].keys() & change.detail["after"].keys())
    if {later.kind, change.kind} <= _OF_ONE_PASSAGE:
        return bool(later.detail["passage"] == change.detail["passage"])
    return bool(shared)


def _bring_back(session: Session, change: ThemeChangeTable, target: int | None) -> None:
    moves = sa.select(ThemeMoveTable.from_theme_id, ThemeMoveTable.was_pinned)
    groups = session.execute(moves.where(ThemeMoveTable.change_id == change.id).distinct()).all()
    for source, was_pinned in groups:
        here = ThemeMoveTable.from_theme_id == source if source else ThemeMoveTable.from_theme_id.is_(None)
        ids = sa.select(ThemeMoveTable.passage_id).where(
            ThemeMoveTable.change_id == change.id, here, ThemeMoveTable.was_pinned == was_pinned
        )
        session.execute(
            sa.update(PassageTable)
            .where(PassageTable.id.in_(ids), PassageTable.theme_id == target)
            .values(theme_id=source, pinned=was_pinned)
            .execution_options(synchronize_session=False)
        )


def _restore(session: Session, change: ThemeChangeTable, theme: ThemeTable, now: datetime) -> None:
    """Set the themes themselves back."""
    detail = change.detail
    if change.kind == ChangeKind.EDIT:
        for name, value in detail["before"].items():
            setattr(theme, name, value)
    elif change.kind == ChangeKind.MERGE:
        theme.state, theme.merged_into, theme.alias, theme.missed = ThemeState.ACTIVE, None, False, 0
    elif change.kind == ChangeKind.SPLIT:
        part = session.get_one(ThemeTable, detail["born"], with_for_update=True)
        part.state, part.merged_into, part.locked, part.updated_at = ThemeState.MERGED, theme.id, False, now
        theme.locked = detail["before"]["locked"]
        theme.centroid, theme.origin = (base64.b64decode(detail["before"].get(name, "")) for name in PLACES)
        rest = sa.update(PassageTable).where(PassageTable.theme_id == part.id)
        session.execute(rest.values(theme_id=theme.id).execution_options(synchronize_session=False))
    elif change.kind == ChangeKind.DECLARE:
        theme.state, theme.locked = ThemeState.RETIRED, False
        rest = sa.update(PassageTable).where(PassageTable.theme_id == theme.id)
        session.execute(rest.values(theme_id=None, similarity=None).execution_options(synchronize_session=False))
    else:
        pin = ThemePinTable.id == detail["pin"]
        if detail["pinned"] is None:
            session.execute(sa.delete(ThemePinTable).where(pin))
        else:
            session.execute(sa.update(ThemePinTable).where(pin).values(theme_id=detail["pinned"] or None))
