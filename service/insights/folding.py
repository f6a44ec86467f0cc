"""What is one matter is one insight: a lower item is told with a higher one where they stand on the same words.

A theme's passages can be those that hold one objection, or name one competitor; then the two say the same. A theme is
told with a higher objection or competitor if two thirds of its passages, and three, hold a finding of that one. An
objection or competitor is the wider of the two, and told with a higher theme only if the same holds both ways. What
rises significantly is news of its own: a theme then is told by itself, being narrower and saying more than an
objection, and the other two only with a theme that rises too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from service.insights.choosing import Choice
from service.insights.counting import count_met
from service.insights.days import Pair
from service.insights.measures import About
from service.insights.ranking import Also, RankedItem
from service.insights.statistics import UPWARD

LEAST_SHARED = 3

Meetings = Mapping[Pair, tuple[int, int]]


def fold(ranked: Sequence[RankedItem], choice: Choice) -> list[RankedItem]:
    """Put items under the highest item on the same matter; the ranks of those that stay follow each other.

    Args:
        ranked: All items of a ranking, the highest first.
        choice: The days that they are counted in.
    """
    met = count_met(choice)
    kept: list[RankedItem] = []
    under: list[list[Also]] = []
    for lower in ranked:
        places = ((place, _same(higher, lower, met)) for place, higher in enumerate(kept))
        found = next(((place, also) for place, also in places if also), None)
        if found:
            under[found[0]].append(found[1])
        else:
            kept.append(replace(lower, rank=len(kept) + 1))
            under.append([])
    return [
        replace(one, also=tuple(replace(also, ranked=replace(also.ranked, rank=one.rank)) for also in below))
        for one, below in zip(kept, under, strict=True)
    ]


def _same(higher: RankedItem, lower: RankedItem, met: Meetings) -> Also | None:
    """Return how much of a lower item is the matter of a higher one; None where they are two."""
    if (higher.item.about is About.THEME) is (lower.item.about is About.THEME):
        return None
    if lower.item.trend.direction in UPWARD and (
        lower.item.about is About.THEME or higher.item.trend.direction not in UPWARD
    ):
        return None
    theme, other = (lower, higher) if lower.item.about is About.THEME else (higher, lower)
    passages, others = met.get((theme.item.key, other.item.about, other.item.key), (0, 0))
    if not _is_most(passages, theme.item.counts.mentions):
        return None
    if lower is theme:
        return Also(lower, passages, theme.item.counts.mentions)
    of = other.item.counts.mentions
    return Also(lower, others, of) if _is_most(others, of) else None


def _is_most(shared: int, of: int) -> bool:
    return shared >= LEAST_SHARED and 3 * shared >= 2 * of
