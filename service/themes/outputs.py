"""From rows of themes to what JSON shows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from models.types import ObjectionType
from service.filters import Period
from service.insights.evidence import read_quotes
from service.insights.items import Item
from service.insights.measures import About
from service.insights.schemas import Label, QuoteOutput, measures, quote_output
from service.insights.words import OBJECTION_TITLES
from service.tables import ThemeChangeTable, ThemeEventTable, ThemeFitTable, ThemeTable
from service.themes import queries
from service.themes.lifecycle import Nature, ThemeMonths, evidence, life, month_number, nature
from service.themes.schemas import (
    OTHER_AREA,
    ChangeKind,
    ChangeOutput,
    DecidedBy,
    Effect,
    EventOutput,
    EvidenceOutput,
    FitOutput,
    MapTheme,
    ThemeDetail,
    ThemeItem,
    ThemeMap,
    Tree,
    TreeArea,
    TreeTheme,
)
from service.themes.storage import ThemeState
from service.thresholds import NONE, Thresholds, thresholds_of

OTHER_LABEL = Label(en="Other matters", fr="Autres sujets")
SAMPLES = 6
_NEVER = ThemeMonths({}, 0, 0)
_THEME_IDS = ("into", "taken", "source", "born")


def theme_items(session: Session, items: list[Item], period: Period) -> list[ThemeItem]:
    """Return measured themes as lists show them."""
    return [ThemeItem(**fields) for fields, _ in _described(session, items, period)]


def theme_detail(session: Session, item: Item, period: Period) -> ThemeDetail:
    """Return a measured theme with its evidence."""
    ((fields, theme),) = _described(session, [item], period)
    return ThemeDetail(**fields, description=theme.description, evidence=evidence_of(session, theme, period))


def evidence_of(session: Session, theme: ThemeTable, period: Period) -> EvidenceOutput:
    """Return the numbers behind a theme's life and nature."""
    months = queries.theme_months(session, [theme.id]).get(theme.id, _NEVER)
    all_notes, last = queries.note_months(session), month_number(period.end.year, period.end.month)
    teams, segments = queries.teams_and_segments(session)
    figures = {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in asdict(evidence(months, all_notes, last)).items()
    }
    by_rules = nature(months, all_notes, last, teams=teams, segments=segments)
    return EvidenceOutput(**figures, nature_by_rules=by_rules)


def _described(session: Session, items: list[Item], period: Period) -> list[tuple[dict[str, Any], ThemeTable]]:
    themes = queries.themes_by_id(session, [item.key for item in items])
    months = queries.theme_months(session, list(themes))
    all_notes, last = queries.note_months(session), month_number(period.end.year, period.end.month)
    teams, segments = queries.teams_and_segments(session)
    keys = queries.keys_of(session, [t.merged_into for t in themes.values() if t.merged_into])
    described = []
    for item in items:
        theme = themes.get(item.key)
        if theme is None:
            continue
        heard = months.get(item.key, _NEVER)
        by_rules = nature(heard, all_notes, last, teams=teams, segments=segments)
        fields = {
            "id": theme.key,
            "label": Label(en=theme.label_en, fr=theme.label_fr),
            "keywords": theme.keywords,
            "lifecycle": life(heard, all_notes, last, retired=theme.state != ThemeState.ACTIVE),
            "nature": Nature(theme.nature) if theme.nature else by_rules,
            "nature_by": DecidedBy.PERSON if theme.nature else DecidedBy.RULES,
            "area": theme.area,
            "locked": theme.locked,
            "muted": theme.muted,
            "declared": theme.description is not None,
            "merged_into": keys.get(theme.merged_into) if theme.merged_into else None,
            **measures(item),
        }
        described.append((fields, theme))
    return described


def fit_output(row: ThemeFitTable) -> FitOutput:
    """Return a fit as JSON has it."""
    left = max(0, row.passages - row.assigned)
    return FitOutput(
        id=str(row.id),
        version=row.version,
        trigger=row.trigger,
        finished_at=row.finished_at,
        passages=row.passages,
        assigned=row.assigned,
        unassigned=left,
        unassigned_share=round(left / row.passages, 4) if row.passages else 0.0,
        themes=row.themes,
        detail=row.detail or {},
    )


def event_outputs(session: Session, rows: list[ThemeEventTable]) -> list[EventOutput]:
    """Return events as JSON has them, other themes by their public ids."""
    keys = queries.keys_of(session, {row.detail[n] for row in rows for n in _THEME_IDS if row.detail.get(n)})
    return [
        EventOutput(
            kind=row.kind,
            at=row.happened_at,
            by=row.actor,
            fit_id=str(row.fit_id) if row.fit_id else None,
            change_id=str(row.change_id) if row.change_id else None,
            detail={n: keys.get(v, v) if n in _THEME_IDS else v for n, v in row.detail.items()},
        )
        for row in rows
    ]


def change_outputs(
    session: Session, rows: list[ThemeChangeTable], *, preview: bool = False, quotes: bool = False
) -> list[ChangeOutput]:
    """Return changes as JSON has them.

    Args:
        preview: They are about to be taken back.
        quotes: Add some of the passages that they moved, for who makes the change.
    """
    born = {row.id: _born(row) for row in rows}
    ids = {row.theme_id for row in rows} | {row.detail["into"] for row in rows if "into" in row.detail}
    keys = queries.keys_of(session, ids | {theme_id for theme_id in born.values() if theme_id})
    shown: dict[int, list[QuoteOutput]] = {}
    for row in rows if quotes else []:
        moved = queries.passages_of_change(session, row.id, SAMPLES)
        shown[row.id] = [quote_output(q) for q in read_quotes(session, About.THEME, moved)]
    return [
        ChangeOutput(
            id=None if preview else str(row.id),
            kind=ChangeKind(row.kind),
            theme_id=keys[row.theme_id],
            preview=preview,
            effect=_effect(row, NONE if quotes else thresholds_of(session)),
            into=keys.get(row.detail.get("into", 0)),
            born=keys.get(born[row.id] or 0),
            before=row.detail.get("before", {}) if row.kind == ChangeKind.EDIT else {},
            after=row.detail.get("after", {}),
            quotes=shown.get(row.id, []),
            made_by=row.made_by,
            made_at=row.made_at,
            undone_by=row.undone_by,
            undone_at=row.undone_at,
        )
        for row in rows
    ]


def _effect(row: ThemeChangeTable, thresholds: Thresholds) -> Effect | None:
    """Return what a change touched; whose authors it is about was not kept."""
    effect = Effect(**row.detail.get("effect", {"passages": 0, "notes": 0, "accounts": 0}))
    return None if effect.passages and thresholds.hide(effect.accounts, 0) else effect


def _born(row: ThemeChangeTable) -> int | None:
    return row.theme_id if row.kind == ChangeKind.DECLARE else row.detail.get("born")


def tree_output(session: Session, unassigned: int) -> Tree:
    """Return areas and their themes, the largest first; what has no area comes last."""
    areas: dict[str, list[TreeTheme]] = {}
    shown, withheld = _shown_themes(session)
    for theme, passages, notes in shown:
        areas.setdefault(theme.area or OTHER_AREA, []).append(_sized(theme, passages, notes))
    found = [
        TreeArea(area=area, label=area_label(area), passages=sum(t.passages for t in themes), themes=themes)
        for area, themes in areas.items()
    ]
    found.sort(key=lambda a: (a.area == OTHER_AREA, -a.passages, a.area))
    return Tree(areas=found, unassigned=unassigned, withheld=withheld)


def _shown_themes(session: Session) -> tuple[list[tuple[ThemeTable, int, int]], int]:
    """Return the active themes that are shown, and how many are withheld."""
    hidden, themes = queries.withheld_themes(session), queries.sized_themes(session)
    shown = [sized for sized in themes if sized[0].id not in hidden]
    return shown, len(themes) - len(shown)


def map_output(session: Session) -> ThemeMap:
    """Return the themes that have a place on the map."""
    shown, withheld = _shown_themes(session)
    themes = [
        MapTheme(**_sized(theme, passages, notes).model_dump(), x=theme.x, y=theme.y, area=theme.area or OTHER_AREA)
        for theme, passages, notes in shown
        if theme.x is not None and theme.y is not None
    ]
    return ThemeMap(themes=themes, withheld=withheld)


def _sized(theme: ThemeTable, passages: int, notes: int) -> TreeTheme:
    label = Label(en=theme.label_en, fr=theme.label_fr)
    return TreeTheme(id=theme.key, label=label, passages=passages, notes=notes, muted=theme.muted)


def area_label(area: str) -> Label:
    """Return an area's name."""
    return OTHER_LABEL if area == OTHER_AREA else OBJECTION_TITLES[ObjectionType(area)]
