"""The shapes of the charts, in units of their SVG view boxes. Colours are the style sheet's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.types import Standing
from service.competitors.schemas import PointOutput
from service.filters import Period
from service.insights.evidence import Point, Step
from service.insights.schemas import QuoteOutput, ReasonOutput

MAX_WEEKS = 54
BAR_HEIGHT = 100.0
BEFORE_GAP = 8  # between the bars of the period before and those of the period
VOICES = 3


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
    """A week or month: its place, its height in [0, 100], what it stands for; `before` if of the period before."""

    x: float
    y: float
    width: float
    height: float
    point: Point
    before: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart of notes over time, `width` by 100 units."""

    bars: list[Bar]
    width: int
    top: int

    @property
    def values(self) -> str:
        """The numbers of the period, for a text alternative."""
        return ", ".join(_value(bar) for bar in self.bars if not bar.before)

    @property
    def values_before(self) -> str:
        """The numbers of the period before; empty where there is none."""
        return ", ".join(_value(bar) for bar in self.bars if bar.before)


def _value(bar: Bar) -> str:
    return "?" if bar.point.withheld else str(bar.point.notes)


def bars(points: Sequence[Point], before: Sequence[Point] = ()) -> Bars:
    """Draw notes over time, the period before to the left; a silent week keeps a thin line, so that it is seen."""
    top = max((point.notes for point in (*before, *points)), default=0)
    gap = BEFORE_GAP if before else 0
    drawn = []
    for place, point in enumerate((*before, *points)):
        earlier = place < len(before)
        height = max(3.0, BAR_HEIGHT * point.notes / top) if top and point.notes else 3.0
        x = place * 10 + 1 + (0 if earlier else gap)
        drawn.append(Bar(x, round(BAR_HEIGHT - height, 1), 8, round(height, 1), point, earlier))
    return Bars(drawn, 10 * max(1, len(drawn)) + gap, top)


@dataclass(frozen=True, slots=True)
class Balance:
    """A point on which a competitor is ahead of us or behind: bars to both sides of the middle, each in [0, 50]."""

    point: PointOutput
    behind: float
    ahead: float


def balances(points: Sequence[PointOutput]) -> list[Balance]:
    """Lay out a competitor's points, those on which it is ahead first, those on which it is behind last."""
    told = [p for p in points if p.notes.get(Standing.AHEAD) or p.notes.get(Standing.BEHIND)]
    most = max((p.notes.get(standing, 0) for p in told for standing in (Standing.AHEAD, Standing.BEHIND)), default=1)
    ordered = sorted(told, key=lambda p: (_lead(p) * -1, -p.accounts, p.about, p.id))
    return [
        Balance(
            p,
            round(50 * p.notes.get(Standing.BEHIND, 0) / most, 1),
            round(50 * p.notes.get(Standing.AHEAD, 0) / most, 1),
        )
        for p in ordered
    ]


def voices(points: Sequence[PointOutput], standing: Standing) -> list[tuple[PointOutput, QuoteOutput]]:
    """Return quotes of the points on which a competitor is most clearly ahead, or behind; each note speaks once."""
    sign = 1 if standing is Standing.AHEAD else -1
    found: list[tuple[PointOutput, QuoteOutput]] = []
    heard: set[str] = set()
    for point in sorted(points, key=lambda p: (-sign * _lead(p), -p.accounts)):
        quote = next((q for q in point.quotes.get(standing, []) if q.note_id not in heard), None)
        if quote and sign * _lead(point) > 0:
            found.append((point, quote))
            heard.add(quote.note_id)
    return found[:VOICES]


def _lead(point: PointOutput) -> int:
    """Return in how many notes more a competitor is ahead than behind."""
    return point.notes.get(Standing.AHEAD, 0) - point.notes.get(Standing.BEHIND, 0)


def natural_step(period: Period) -> Step:
    """Return the grain that can be read: weeks up to a year, else months."""
    return Step.WEEK if period.days <= MAX_WEEKS * 7 else Step.MONTH
