"""The shapes of the charts, in units of their SVG view boxes. Colours are the style sheet's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.filters import Period
from service.insights.evidence import Point, Step
from service.insights.schemas import ReasonOutput

MAX_WEEKS = 54
BAR_HEIGHT = 100.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a stacked bar, in [0, 100]."""

    part: str
    x: float
    width: float


def stacked(reasons: Sequence[ReasonOutput], gap: float = 0.4) -> list[Stretch]:
    """Lay the parts of a score end to end; 100 points fill the bar."""
    stretches, x = [], 0.0
    for reason in reasons:
        stretches.append(Stretch(reason.part, round(x, 2), round(max(0.3, reason.points - gap), 2)))
        x += reason.points
    return stretches


@dataclass(frozen=True, slots=True)
class Bar:
    """A week or month: its place, its height in [0, 100], and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    point: Point


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart of notes over time, `width` by 100 units."""

    bars: list[Bar]
    width: int
    top: int

    @property
    def values(self) -> str:
        """The numbers, for a text alternative."""
        return ", ".join(str(bar.point.notes) for bar in self.bars)


def bars(points: Sequence[Point]) -> Bars:
    """Draw notes over time; a silent week keeps a thin line, so that it is seen as silent."""
    top = max((point.notes for point in points), default=0)
    drawn = []
    for place, point in enumerate(points):
        height = max(3.0, BAR_HEIGHT * point.notes / top) if top and point.notes else 3.0
        drawn.append(Bar(place * 10 + 1, round(BAR_HEIGHT - height, 1), 8, round(height, 1), point))
    return Bars(drawn, 10 * max(1, len(points)), top)


def natural_step(period: Period) -> Step:
    """Return the grain that can be read: weeks up to a year, else months."""
    return Step.WEEK if period.days <= MAX_WEEKS * 7 else Step.MONTH
