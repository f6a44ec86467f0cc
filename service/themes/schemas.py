"""Themes, fits, changes and maps as JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from models.types import ObjectionType
from service.catalog.schemas import Name
from service.field_words import WITHOUT_NUL
from service.insights.schemas import (
    EXAMPLE_MEASURES,
    EXAMPLE_QUOTE,
    ItemPage,
    Label,
    Measures,
    PointOutput,
    QuoteOutput,
    Series,
)
from service.notes.schemas import RowId, trimmed
from service.themes.lifecycle import Life, Nature

OTHER_AREA = "other"
_LABEL = {"en": "lead times on spare parts", "fr": "délais des pièces détachées"}
_THEME = {
    **EXAMPLE_MEASURES,
    "id": "theme-7",
    "label": _LABEL,
    "keywords": {"en": ["lead time", "weeks"], "fr": ["délai", "semaines"]},
    "lifecycle": "established",
    "nature": "structural",
    "nature_by": "rules",
    "area": "service_delivery",
    "locked": False,
    "muted": False,
    "declared": False,
    "merged_into": None,
}


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class DecidedBy(StrEnum):
    """Who said what a theme's nature is."""

    RULES = "rules"
    PERSON = "person"


class ThemeItem(Measures):
    """A theme, its measures, its life and its nature (`service/themes/lifecycle.py` states the rules)."""

    model_config = _example(**_THEME)

    id: str
    label: Label
    keywords: dict[str, list[str]]
    lifecycle: Life
    nature: Nature
    nature_by: DecidedBy
    area: ObjectionType | None = Field(description="the objection type above it; null where there is none")
    locked: bool = Field(description="fits never retire it")
    muted: bool = Field(description="left out of the insights")
    declared: bool = Field(description="a person described it")
    merged_into: str | None = Field(description="where a merged theme's passages are now")


class ThemePage(ItemPage[ThemeItem]):
    """One page of themes; `unassigned` of the period's `passages` have none, both null where they are withheld."""

    model_config = ConfigDict(title="ThemePage")

    unassigned: int | None
    passages: int | None


class EvidenceOutput(BaseModel):
    """The numbers behind a theme's life and nature, over all time up to the period's last month.

    Accounts, authors, teams and segments are counted to three. Shares are in [0, 1].
    """

    notes: int
    months_heard: int
    months_read: int
    months_since_first: int
    presence: float
    accounts: int
    authors: int
    teams: int
    segments: int
    peak_share: float = Field(description="of its notes in its loudest month")
    burstiness: float | None = Field(description="-1 the same every month, 1 all at once; null under three months")
    season_share: float | None = Field(description="of its notes in one season; null under 18 months of notes")
    season_years: int
    recent_share: float = Field(description="of its notes in the last four months")
    recent_share_of_all: float
    late_share: float = Field(description="of its notes in the last three months")
    late_share_of_all: float
    nature_by_rules: Nature


_EVIDENCE = {
    "notes": 61,
    "months_heard": 9,
    "months_read": 9,
    "months_since_first": 9,
    "presence": 1.0,
    "accounts": 3,
    "authors": 3,
    "teams": 2,
    "segments": 3,
    "peak_share": 0.1803,
    "burstiness": -0.52,
    "season_share": None,
    "season_years": 0,
    "recent_share": 0.4426,
    "recent_share_of_all": 0.4612,
    "late_share": 0.3279,
    "late_share_of_all": 0.3401,
    "nature_by_rules": "structural",
}


class ThemeDetail(ThemeItem):
    """A theme with the evidence of its life and nature."""

    model_config = _example(**_THEME, description=None, evidence=_EVIDENCE)

    description: str | None = Field(description="of a declared theme")
    evidence: EvidenceOutput


class SeriesPart(BaseModel):
    """The course of a theme in one team or segment."""

    value: str
    points: list[PointOutput]


class ThemeSeries(Series):
    """The course of a theme; with `split`, also of each team or segment, the loudest first."""

    parts: list[SeriesPart] = Field(default_factory=list)


class FitOutput(BaseModel):
    """A fit: why it ran, what it found, and what it left without a theme."""

    model_config = _example(
        id="3",
        version="themes-1",
        trigger="drift",
        finished_at="2026-09-14T10:20:06Z",
        passages=786,
        assigned=690,
        unassigned=96,
        unassigned_share=0.1221,
        themes=24,
        detail={"continued": 22, "born": 2, "merged": 1, "split": 0, "faded": 1, "retired": 0},
    )

    id: str
    version: str
    trigger: str = Field(description="first, growth, drift, schedule or hand")
    finished_at: datetime
    passages: int
    assigned: int
    unassigned: int
    unassigned_share: float
    themes: int
    detail: dict[str, Any] = Field(
        description="themes continued, born, merged, split, faded, retired; `why` it was due"
    )


class EventOutput(BaseModel):
    """What happened to a theme: by a fit (`fit_id`) or a person (`change_id`); other themes by their ids."""

    model_config = _example(
        kind="merged",
        at="2026-09-14T10:20:06Z",
        by="marketing",
        fit_id=None,
        change_id="5",
        detail={"taken": "theme-9"},
    )

    kind: str
    at: datetime
    by: str
    fit_id: str | None
    change_id: str | None
    detail: dict[str, Any]


class TreeTheme(BaseModel):
    """A theme in the tree, with all its passages and notes."""

    id: str
    label: Label
    passages: int
    notes: int
    muted: bool


class TreeArea(BaseModel):
    """An area with its themes, the largest first."""

    area: str
    label: Label
    passages: int
    themes: list[TreeTheme]


class Tree(BaseModel):
    """Two levels that hold still: areas, and themes in them."""

    model_config = _example(
        areas=[
            {
                "area": "service_delivery",
                "label": {"en": "Service and delivery", "fr": "Service et livraison"},
                "passages": 61,
                "themes": [{"id": "theme-7", "label": _LABEL, "passages": 61, "notes": 58, "muted": False}],
            }
        ],
        unassigned=96,
        withheld=0,
    )

    areas: list[TreeArea]
    unassigned: int
    withheld: int = Field(description="themes that too few accounts or authors spoke of")


class MapTheme(TreeTheme):
    """A theme on the map; near ones are alike in meaning."""

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    area: str


class ThemeMap(BaseModel):
    """The themes on a plane; a theme stays where it is once it is placed."""

    model_config = _example(
        themes=[
            {
                "id": "theme-7",
                "label": _LABEL,
                "passages": 61,
                "notes": 58,
                "muted": False,
                "x": 0.31,
                "y": 0.72,
                "area": "service_delivery",
            }
        ],
        withheld=0,
    )

    themes: list[MapTheme]
    withheld: int = Field(description="themes that too few accounts or authors spoke of")


class PartialLabel(BaseModel):
    """A name in one language or both."""

    model_config = ConfigDict(extra="forbid")

    en: Name | None = None
    fr: Name | None = None


class Edit(BaseModel):
    """What to change of a theme; what is left out stays. `area` and `nature` take null: none, and as the rules say."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"label": {"fr": "délais des pièces"}, "locked": True}]}
    )

    label: PartialLabel | None = None
    area: ObjectionType | None = None
    locked: bool | None = Field(None, strict=True)
    muted: bool | None = Field(None, strict=True)
    nature: Nature | None = None


class Merge(BaseModel):
    """The theme to merge into."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"into": "theme-3"}]})

    into: Annotated[str, Field(strict=True, min_length=1, max_length=100, pattern=WITHOUT_NUL)]


class Split(BaseModel):
    """How to split: `passages` to take out (at most 1,000), or none for the smaller of two matters found."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"label": {"en": "air freight", "fr": "fret aérien"}}]}
    )

    passages: list[RowId] | None = Field(None, min_length=1, max_length=1_000)
    label: Label | None = None


class Declaration(BaseModel):
    """A theme in a marketer's words; `label` where the name differs by language."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "EU data hosting",
                    "description": "Customers ask where the data is hosted and refuse hosting outside the EU.",
                    "label": {"en": "EU data hosting", "fr": "hébergement des données en UE"},
                }
            ]
        },
    )

    name: Name
    description: Annotated[
        str, BeforeValidator(trimmed), StringConstraints(strict=True, min_length=1, max_length=1_000)
    ]
    label: PartialLabel | None = None


class PassageMove(BaseModel):
    """The passage to put into the theme: its `id` in the theme's evidence."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"passage_id": "41"}]})

    passage_id: RowId


class ChangeKind(StrEnum):
    """What a person did to themes."""

    EDIT = "edit"
    MERGE = "merge"
    SPLIT = "split"
    DECLARE = "declare"
    MOVE = "move"
    TAKE_OUT = "take_out"


class Effect(BaseModel):
    """What a change touches."""

    passages: int
    notes: int
    accounts: int


class ChangeOutput(BaseModel):
    """A change of themes, made or shown before it is (`preview`: then `id` is null and nothing is stored).

    `effect` is null in lists where there are thresholds and it is not known that enough accounts and authors are behind
    it.

    `before` and `after` belong to an edit, `into` to a merge; `born` names the theme that a split or a declaration
    makes, `quotes` some of the passages moved.
    """

    model_config = _example(
        id="5",
        kind="merge",
        theme_id="theme-9",
        preview=False,
        effect={"passages": 14, "notes": 13, "accounts": 9},
        into="theme-7",
        born=None,
        before={},
        after={},
        quotes=[EXAMPLE_QUOTE],
        made_by="marketing",
        made_at="2026-09-15T09:00:00Z",
        undone_by=None,
        undone_at=None,
    )

    id: str | None
    kind: ChangeKind
    theme_id: str
    preview: bool
    effect: Effect | None
    into: str | None
    born: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    quotes: list[QuoteOutput]
    made_by: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None
