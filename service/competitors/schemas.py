"""Competitors as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from models.types import Relation, Standing
from service.insights.breakdown import Dimension
from service.insights.measures import About
from service.insights.schemas import (
    EXAMPLE_MEASURES,
    EXAMPLE_PARTS,
    EXAMPLE_QUOTE,
    Label,
    Measures,
    PartOutput,
    QuoteOutput,
)
from service.insights.statistics import Direction

EXAMPLE_COMPETITOR: dict[str, Any] = {
    **EXAMPLE_MEASURES,
    "id": "zendesk",
    "name": "Zendesk",
    "known": True,
    "relations": {"incumbent": 12, "evaluating": 14, "lost_to": 5, "won_against": 1, "mentioned": 2},
    "standings": {"ahead": 15, "behind": 8, "neutral": 11},
}


class CompetitorItem(Measures):
    """A competitor, its measures, where it stands and how it does on the points made about it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_COMPETITOR]})

    id: str
    name: str
    known: bool
    relations: dict[Relation, int] = Field(description="mentions; those that are withheld are left out")
    standings: dict[Standing, int] = Field(description="mentions; those that are withheld are left out")


class PointOutput(BaseModel):
    """What is spoken of in the same passages as a competitor, and how the competitor stands on it."""

    about: About
    id: str
    title: Label
    accounts: int
    notes: dict[Standing, int] = Field(description="in which the competitor is ahead of us, behind, or neither")
    previous: int | None = Field(description="notes in the period before; null where that is withheld")
    direction: Direction
    quotes: dict[Standing, list[QuoteOutput]] = Field(description="the latest, one an account")


class CompetitorView(CompetitorItem):
    """A competitor with the points on which it is ahead or behind, in customers' words, and where it is met."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **EXAMPLE_COMPETITOR,
                    "win_rate_interval": [0.0822, 0.6411],
                    "accounts_by_relation": {
                        "incumbent": 5,
                        "evaluating": 6,
                        "lost_to": 2,
                        "won_against": 1,
                        "mentioned": 2,
                    },
                    "points": [
                        {
                            "about": "objection",
                            "id": "price",
                            "title": {"en": "Price", "fr": "Prix"},
                            "accounts": 4,
                            "notes": {"ahead": 5, "behind": 1, "neutral": 0},
                            "previous": 1,
                            "direction": "steady",
                            "quotes": {"ahead": [EXAMPLE_QUOTE], "behind": [], "neutral": []},
                        }
                    ],
                    "points_withheld": 0,
                    **EXAMPLE_PARTS,
                }
            ]
        }
    )

    win_rate_interval: tuple[float, float] | None = Field(description="95 % interval of outcomes.win_rate")
    accounts_by_relation: dict[Relation, int] = Field(description="one account may stand in several")
    points: list[PointOutput]
    points_withheld: int = Field(description="points that too few accounts or authors are behind")
    parts: dict[Dimension, list[PartOutput]]
    parts_withheld: dict[Dimension, int] = Field(description="parts that too few accounts or authors are behind")
