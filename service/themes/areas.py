"""The level above themes, and their places on the map: set once, then held still.

A theme's area is the objection type that its passages mostly carry, where at least `MIN_SHARE` of them carry one and it
is the first of them; or what a person chose. An area that is set does not move by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.tables import ObjectionTable, PassageTable, ThemeTable
from service.themes.passages import is_comparable

MIN_SHARE = 0.3

Place = Callable[[Sequence[bytes], Sequence[tuple[float, float] | None]], list[tuple[float, float]]]


def settle_areas(session: Session) -> None:
    """Give an area to the active themes that have none and whose passages tell one."""
    wanted = sa.select(ThemeTable.id).where(
        ThemeTable.state == "active", ThemeTable.area.is_(None), ThemeTable.area_edited.is_(False)
    )
    for theme_id, area in main_objections(session, list(session.scalars(wanted))).items():
        session.execute(sa.update(ThemeTable).where(ThemeTable.id == theme_id).values(area=area))


def main_objections(session: Session, theme_ids: Sequence[int]) -> dict[int, str]:
    """Return the objection type that the passages of each theme mostly carry; themes without one are left out."""
    sizes = {
        row[0]: row[1]
        for row in session.execute(
            sa.select(PassageTable.theme_id, sa.func.count())
            .where(PassageTable.theme_id.in_(theme_ids))
            .group_by(PassageTable.theme_id)
        )
    }
    carried: Any = session.execute(
        sa.select(
            PassageTable.theme_id, ObjectionTable.type, sa.func.count(sa.distinct(PassageTable.id)).label("passages")
        )
        .join(
            ObjectionTable,
            sa.and_(
                ObjectionTable.note_id == PassageTable.note_id,
                ObjectionTable.start < PassageTable.end,
                ObjectionTable.end > PassageTable.start,
            ),
        )
        .where(PassageTable.theme_id.in_(theme_ids))
        .group_by(PassageTable.theme_id, ObjectionTable.type)
        .order_by(sa.desc("passages"), ObjectionTable.type)
    )
    areas: dict[int, str] = {}
    for theme_id, kind, passages in carried:
        if passages >= MIN_SHARE * sizes[theme_id]:
            areas.setdefault(theme_id, kind)
    return areas


def settle_places(session: Session, place: Place) -> None:
    """Give a place on the map to the active themes that have none; the others stay where they are."""
    themes = list(
        session.scalars(
            sa.select(ThemeTable)
            .where(ThemeTable.state == "active", is_comparable(ThemeTable.centroid))
            .order_by(ThemeTable.id)
        )
    )
    places = [None if t.x is None or t.y is None else (t.x, t.y) for t in themes]
    if None not in places:
        return
    for theme, (x, y) in zip(themes, place([t.centroid for t in themes], places), strict=True):
        theme.x, theme.y = x, y
