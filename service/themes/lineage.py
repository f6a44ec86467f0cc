"""What a fit did to the themes that were there, told from where their passages went: pure functions.

- A theme that a fit does not find has *merged* into another where at least half of its passages went there.
- A theme that a fit finds for the first time has *split* from another where at least half of its passages come from
  there, and the other goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

HALF = 0.5
MIN_PASSAGES = 3
"""Passages from which a theme's going tells anything."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Who came from whom, by row id.

    Attributes:
        merged: Theme that is gone, and the one that took most of its passages.
        split: New theme, and the one that most of its passages come from.
    """

    merged: dict[int, int] = field(default_factory=dict)
    split: dict[int, int] = field(default_factory=dict)


def trace(went: Mapping[tuple[int | None, int | None], int], *, gone: set[int], born: set[int]) -> Lineage:
    """Tell merges and splits.

    Args:
        went: How many passages had a theme before the fit and have another, or the same, after: `(before, after)`.
        gone: Themes that the fit did not find.
        born: Themes that it found for the first time.
    """
    leaving: dict[int, Counter[int]] = {}
    coming: dict[int, Counter[int]] = {}
    sizes_before: Counter[int] = Counter()
    sizes_after: Counter[int] = Counter()
    for (old, new), count in went.items():
        if old is not None:
            sizes_before[old] += count
        if new is not None:
            sizes_after[new] += count
        if old is not None and new is not None:
            leaving.setdefault(old, Counter())[new] += count
            coming.setdefault(new, Counter())[old] += count
    merged = {theme: to for theme in sorted(gone) if (to := _most(leaving.get(theme, {}), sizes_before[theme]))}
    split = {
        theme: source
        for theme in sorted(born)
        if (source := _most(coming.get(theme, {}), sizes_after[theme])) and source not in gone
    }
    return Lineage({theme: to for theme, to in merged.items() if to not in gone}, split)


def _most(counts: Mapping[int, int], size: int) -> int | None:
    """Return what holds at least half, the first of equal ones."""
    if size < MIN_PASSAGES or not counts:
        return None
    best = min(counts, key=lambda theme: (-counts[theme], theme))
    return best if counts[best] >= HALF * size else None
