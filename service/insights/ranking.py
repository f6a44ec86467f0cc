"""The score of an insight: parts that add up, each with its reason. The points are the defaults of `Weights`.

- reach (35 points at most): accounts that said it (70 %), authors who heard it (20 %), notes (10 %), each as a share of
  all; square root, so that the first accounts count most;
- growth (25): how many times its share of notes has grown at least (lower end of the 95 % interval), all points where
  it has doubled; so that a rise counts by how sure it is, and one of a few notes gives little;
- money (12): open deals touched, as a share of the open money in the same currency; the shares of several currencies
  count by how many open deals each has; square root;
- winning (8): how far closed deals with it are won less often than the others, all points at 50 points of win rate;
  nothing unless the 95 % interval is below nil;
- severity (10): objections still open, mentions in which the competitor is ahead: the share of the mentions that they
  are at least (lower end of Wilson's 95 % interval), so that one mention alone gives little;
- novelty (10): heard in this period and not in the one before, if its share has surely grown (the same interval).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.filters import Outcome
from service.insights.items import Item
from service.insights.measures import About, Whole
from service.insights.statistics import at_least
from service.insights.weights import DEFAULT_WEIGHTS, Weights


class Part(StrEnum):
    """A part of the score."""

    REACH = "reach"
    GROWTH = "growth"
    MONEY = "money"
    WINNING = "winning"
    SEVERITY = "severity"
    NOVELTY = "novelty"


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a score.

    Attributes:
        points: What it adds.
        value: The figure behind it, such as a share in [0, 1] or a ratio.
        facts: The numbers that its sentence names.
    """

    part: Part
    points: float
    value: float
    facts: Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class RankedItem:
    """An item with its place; `score` is the sum of the points of `reasons`, in [0, 100].

    Attributes:
        also: Lower items on the same matter, told with this one; they have its rank.
    """

    rank: int
    score: float
    item: Item
    reasons: list[Reason]
    also: tuple[Also, ...] = ()


@dataclass(frozen=True, slots=True)
class Also:
    """An item told with a higher one: `shared` of its `of` findings stand on words of the other."""

    ranked: RankedItem
    shared: int
    of: int


def rank(items: Sequence[Item], whole: Whole, weights: Weights = DEFAULT_WEIGHTS) -> list[RankedItem]:
    """Order items by score; equal scores by kind and key, so that the order never changes by chance.

    Args:
        items: Items of one period; those not heard in it are left out.
        whole: What they are measured against.
        weights: Points of the parts.
    """
    scored = []
    for item in items:
        if item.counts.mentions:
            reasons = [r for r in _reasons(item, whole, weights) if r.points > 0]
            scored.append((round(sum(r.points for r in reasons), 2), item, reasons))
    scored.sort(key=lambda s: (-s[0], s[1].about, str(s[1].key)))
    return [RankedItem(place, score, item, reasons) for place, (score, item, reasons) in enumerate(scored, start=1)]


def _reasons(item: Item, whole: Whole, weights: Weights) -> list[Reason]:
    parts = [
        _reach(item, whole, weights.reach),
        _growth(item, weights.growth),
        _money(item, whole, weights.money),
        _winning(item, weights.winning),
        _severity(item, weights.severity),
        _novelty(item, weights.novelty),
    ]
    return [Reason(r.part, round(r.points, 2), r.value, r.facts) for r in parts]


def _share(count: float, total: float) -> float:
    return min(1.0, count / total) if total else 0.0


def _reach(item: Item, whole: Whole, points: float) -> Reason:
    counts = item.counts
    notes = _share(counts.notes, whole.notes)
    accounts = _share(counts.accounts, whole.accounts) if whole.accounts else notes
    authors = _share(counts.authors, whole.authors) if whole.authors else notes
    value = 0.7 * accounts + 0.2 * authors + 0.1 * notes
    facts = {"accounts": counts.accounts, "authors": counts.authors, "notes": counts.notes}
    return Reason(Part.REACH, points * math.sqrt(value), value, {**facts, "of_accounts": whole.accounts})


def _growth(item: Item, points: float) -> Reason:
    trend = item.trend
    facts = {"previous": trend.previous, "notes": item.counts.notes, "significant": int(trend.significant)}
    return Reason(Part.GROWTH, points * min(1.0, math.log2(trend.at_least)), trend.at_least, facts)


def _money(item: Item, whole: Whole, points: float) -> Reason:
    amounts, total = item.counts.deals.money[Outcome.OPEN], whole.deals.money[Outcome.OPEN]
    counted = {currency: max(1, whole.deals.open.get(currency, 0)) for currency in total}
    shares = {c: _share(amounts.get(c, 0), total[c]) * n / sum(counted.values()) for c, n in counted.items()}
    value = sum(shares.values())
    largest = sorted(amounts, key=lambda c: (-shares.get(c, 0), c))
    return Reason(Part.MONEY, points * math.sqrt(value), value, {c: amounts[c] for c in largest})


def _winning(item: Item, points: float) -> Reason:
    wins = item.wins
    if wins.rate is None or wins.rate_without is None or wins.rate >= wins.rate_without:
        return Reason(Part.WINNING, 0.0, 0.0, {})
    if wins.difference is None or wins.difference[1] >= 0:
        return Reason(Part.WINNING, 0.0, 0.0, {})
    loss = wins.rate_without - wins.rate
    low, high = wins.difference
    facts = {"rate": wins.rate, "without": wins.rate_without, "deals": wins.won + wins.lost, "low": low, "high": high}
    return Reason(Part.WINNING, points * min(1.0, loss / 0.5), loss, facts)


def _severity(item: Item, points: float) -> Reason:
    detail, value = ("statuses", "open") if item.about is About.OBJECTION else ("standings", "ahead")
    count = item.counts.details.get(detail, {}).get(value, 0)
    share = at_least(count, item.counts.mentions)
    facts: dict[str, float | int | str] = {"count": count, "mentions": item.counts.mentions, "what": value}
    return Reason(Part.SEVERITY, points * share, share, facts)


def _novelty(item: Item, points: float) -> Reason:
    new = item.trend.previous == 0 and item.trend.at_least > 1
    return Reason(Part.NOVELTY, points if new else 0.0, float(new), {})
