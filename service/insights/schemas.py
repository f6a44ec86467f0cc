"""Items, their measures and quotes as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from models.types import Language
from service.filters import Outcome, Period
from service.insights.breakdown import Dimension, Part, Parts
from service.insights.evidence import Point, Quote
from service.insights.items import Item
from service.insights.measures import About
from service.insights.statistics import Direction
from service.insights.withholding import TREND
from service.paging import Page

Value = TypeVar("Value", bound=str)
Entry = TypeVar("Entry")

EXAMPLE_MEASURES: dict[str, Any] = {
    "mentions": 34,
    "notes": 26,
    "accounts": 11,
    "authors": 6,
    "share": 0.3023,
    "trend": {
        "direction": "rising",
        "previous": 6,
        "change": 3.2829,
        "p_value": 0.00455,
        "significant": True,
        "at_least": 1.4964,
    },
    "money": {
        "open": [{"currency": "EUR", "amount": 362000}],
        "won": [],
        "lost": [{"currency": "GBP", "amount": 34000}],
    },
    "outcomes": {
        "won": 2,
        "lost": 5,
        "win_rate": 0.2857,
        "win_rate_without": 0.6154,
        "difference": [-0.6113, 0.1236],
        "enough_data": True,
    },
    "withheld": [],
}
EXAMPLE_QUOTE: dict[str, Any] = {
    "id": "41",
    "note_id": "17",
    "start": 24,
    "end": 56,
    "quote": "we are 20% above the other quote",
    "date": "2026-09-14",
    "account": "Harrow Foods",
    "team": "north",
    "language": "en",
    "outcome": "open",
    "detail": {"type": "price", "status": "open", "score": 0.93},
    "record_url": "https://app.hubspot.com/contacts/62515/record/0-48/1042",
}
EXAMPLE_REASON: dict[str, Any] = {
    "part": "reach",
    "points": 21.82,
    "value": 0.3887,
    "text": {
        "en": "Heard at 11 accounts of 36, by 6 reps, in 26 notes",
        "fr": "Entendu chez 11 comptes sur 36, par 6 commerciaux, dans 26 notes",
    },
}


class TrendOutput(BaseModel):
    """The period against the one before, by notes; `steady` unless significant after correction.

    Where too few accounts or authors said the item before, and there is a threshold, only `direction` and
    `significant` are told.
    """

    direction: Direction
    previous: int | None
    change: float | None = Field(description="relative change of the share of notes; null where it was nil")
    p_value: float | None
    significant: bool
    at_least: float | None = Field(
        1.0, description="how many times its share has grown at least, with 95 % confidence; 1 where it may not have"
    )


class Amount(BaseModel):
    """A sum in one currency."""

    currency: str
    amount: float


class Money(BaseModel):
    """Amounts of the deals touched, each deal once."""

    open: list[Amount]
    won: list[Amount]
    lost: list[Amount]


class Outcomes(BaseModel):
    """Closed deals with the item; rates only from five closed deals on."""

    won: int
    lost: int
    win_rate: float | None
    win_rate_without: float | None
    difference: tuple[float, float] | None = Field(description="95 % interval of win_rate - win_rate_without")
    enough_data: bool


class Measures(BaseModel):
    """What is measured of every item."""

    mentions: int
    notes: int
    accounts: int
    authors: int
    share: float = Field(ge=0, le=1, description="of the period's notes that were read")
    trend: TrendOutput
    money: Money
    outcomes: Outcomes
    withheld: list[str] = Field(
        default_factory=list, description="figures left out because too few accounts or authors are behind them"
    )


class Label(BaseModel):
    """A name in both languages."""

    en: str
    fr: str


class PeriodOutput(BaseModel):
    """Days, both included."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"start": "2026-07-01", "end": "2026-09-30"}]})

    start: date
    end: date


class QuoteOutput(BaseModel):
    """A customer's words; `start` and `end` are code points in the note's text."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_QUOTE]})

    id: str
    note_id: str
    start: int
    end: int
    quote: str
    date: date
    account: str | None
    team: str | None
    language: Language | None
    outcome: Outcome | None = Field(description="of the note's deal")
    detail: dict[str, Any] = Field(description="status; or relation and standing; or similarity")
    record_url: str | None = Field(None, description="the note's record at its source, where that can be told")
    before: str = Field("", description="what the sentence of an objection says before it")
    after: str = Field("", description="what it says after it")


class PointOutput(BaseModel):
    """A week or month of a series."""

    label: str
    start: date
    mentions: int | None = Field(description="null, as the others, where too few accounts or authors are behind it")
    notes: int | None
    accounts: int | None


class Series(BaseModel):
    """The course of an item over a period."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "price",
                    "period": {"start": "2026-09-01", "end": "2026-09-30"},
                    "points": [
                        {"label": "2026-09", "start": "2026-09-01", "mentions": 9, "notes": 8, "accounts": 7},
                    ],
                }
            ]
        }
    )

    id: str
    period: PeriodOutput
    points: list[PointOutput]


class ReasonOutput(BaseModel):
    """A part of a score: its points, the figure behind it, and the same in words."""

    part: str
    points: float
    value: float
    text: Label


EXAMPLE_ALSO: dict[str, Any] = {
    "about": "theme",
    "id": "01k5qr7zv3m8",
    "title": {"en": "Price level", "fr": "Niveau des prix"},
    "score": 18.35,
    "shared": 13,
    "of": 15,
    "text": {
        "en": "13 of its 15 passages hold this objection",
        "fr": "13 de ses 15 passages contiennent cette objection",
    },
}


class AlsoSeen(BaseModel):
    """An item on the same matter as an insight, told with it: `shared` of its `of` findings stand on the same words."""

    about: About
    id: str
    title: Label
    score: float = Field(description="its own, as it would be ranked alone")
    shared: int | None = Field(description="null where there is a threshold of accounts or authors")
    of: int | None
    text: Label


class Insight(BaseModel):
    """An item with its place in the ranking; `score` is the sum of the points of `reasons`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rank": 1,
                    "score": EXAMPLE_REASON["points"],
                    "about": "objection",
                    "id": "price",
                    "title": {"en": "Price", "fr": "Prix"},
                    "reasons": [EXAMPLE_REASON],
                    "measures": EXAMPLE_MEASURES,
                    "quotes": [EXAMPLE_QUOTE],
                    "also": [EXAMPLE_ALSO],
                }
            ]
        }
    )

    rank: int
    score: float
    about: About
    id: str
    title: Label
    reasons: list[ReasonOutput]
    measures: Measures
    quotes: list[QuoteOutput]
    also: list[AlsoSeen] = Field(
        default_factory=list, description="lower items on the same matter, told with it and not ranked on their own"
    )


class ItemPage(Page[Entry], Generic[Entry]):
    """One page of a list of items.

    Attributes:
        withheld: How many items are left out because too few accounts or authors said them.
    """

    withheld: int = Field(0, ge=0)


def measures(item: Item) -> dict[str, Any]:
    """Return the fields of `Measures`."""
    counts, wins, trend = item.counts, item.wins, item.trend
    hidden = TREND in item.withheld
    return {
        "mentions": counts.mentions,
        "notes": counts.notes,
        "accounts": counts.accounts,
        "authors": counts.authors,
        "share": round(item.share, 4),
        "trend": TrendOutput(
            direction=trend.direction,
            previous=None if hidden else trend.previous,
            change=_rounded(trend.change),
            p_value=None if hidden else round(trend.p_value, 6),
            significant=trend.significant,
            at_least=None if hidden else round(trend.at_least, 4),
        ),
        "money": Money(**{str(o): _amounts(sums) for o, sums in counts.deals.money.items()}),
        "outcomes": Outcomes(
            won=wins.won,
            lost=wins.lost,
            win_rate=_rounded(wins.rate),
            win_rate_without=_rounded(wins.rate_without),
            difference=wins.difference and (round(wins.difference[0], 4), round(wins.difference[1], 4)),
            enough_data=wins.enough_data,
        ),
        "withheld": list(item.withheld),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def counted(item: Item, detail: str, values: Iterable[Value]) -> dict[Value, int]:
    """Return how many mentions of an item have each value of a detail; those that are withheld are left out."""
    counts = item.counts.details.get(detail)
    return {v: counts[v] for v in values if v in counts} if counts is not None else dict.fromkeys(values, 0)


def _amounts(sums: dict[str, float]) -> list[Amount]:
    return [Amount(currency=currency, amount=amount) for currency, amount in sorted(sums.items())]


def quote_output(quote: Quote) -> QuoteOutput:
    """Return a quote as JSON has it."""
    return QuoteOutput(
        id=str(quote.finding_id),
        note_id=str(quote.note_id),
        start=quote.start,
        end=quote.end,
        quote=quote.text,
        date=quote.occurred_on,
        account=quote.account,
        team=quote.team,
        language=Language(quote.language) if quote.language else None,
        outcome=Outcome(quote.outcome) if quote.outcome else None,
        detail=quote.detail,
        record_url=quote.record_url,
        before=quote.before,
        after=quote.after,
    )


def series_output(key: str, period: Period, points: list[Point]) -> Series:
    """Return a series as JSON has it."""
    return Series(
        id=key,
        period=PeriodOutput(start=period.start, end=period.end),
        points=[
            PointOutput(label=p.label, start=p.start, mentions=None, notes=None, accounts=None)
            if p.withheld
            else PointOutput(label=p.label, start=p.start, mentions=p.mentions, notes=p.notes, accounts=p.accounts)
            for p in points
        ],
    )


class PartOutput(BaseModel):
    """An item in one segment, team or stage; rates only from five closed deals on."""

    value: str
    mentions: int
    notes: int
    accounts: int
    share: float = Field(ge=0, le=1, description="of the notes read there")
    won: int
    lost: int
    win_rate: float | None
    win_rate_interval: tuple[float, float] | None = Field(description="95 %")


EXAMPLE_PARTS: dict[str, Any] = {
    "parts": {
        "segment": [
            {
                "value": "mid-market",
                "mentions": 14,
                "notes": 12,
                "accounts": 6,
                "share": 0.2727,
                "won": 2,
                "lost": 4,
                "win_rate": 0.3333,
                "win_rate_interval": [0.0968, 0.7],
            }
        ],
        "team": [],
        "stage": [],
    },
    "parts_withheld": {"segment": 0, "team": 0, "stage": 0},
}


def parts_output(parts: dict[Dimension, Parts]) -> dict[str, Any]:
    """Return the parts of an item as JSON has them, and how many are withheld."""
    return {
        "parts": {dimension: [_part(part) for part in of.shown] for dimension, of in parts.items()},
        "parts_withheld": {dimension: of.withheld for dimension, of in parts.items()},
    }


def _part(part: Part) -> PartOutput:
    return PartOutput(
        value=part.value,
        mentions=part.mentions,
        notes=part.notes,
        accounts=part.accounts,
        share=round(part.share, 4),
        won=part.wins.won,
        lost=part.wins.lost,
        win_rate=part.wins.rate,
        win_rate_interval=part.wins.interval,
    )
