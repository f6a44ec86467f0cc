"""Matters that have newly come, told by their words.

A matter that nobody spoke of before brings words that nobody used before, and these tell it apart while it is still
small, near other matters and worded in many ways, so that no group of vectors stands out. A word has arrived where
nearly all notes with it are of the last quarter, more than chance would have it (hypergeometric test). Arrived words
whose passages lie near each other are of one matter, in either language, and it has arrived where its notes, taken
together, are no accident even though so many words were looked at.

Names are left out: a rival that comes up is no theme.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import combinations

from models.lexicon import fold
from models.theme_phrases import stop_words
from models.theme_space import Vectors, unit
from models.types import Language, ThemePassage

RECENT = timedelta(days=92)
MOST_RECENT = 0.6
"""Share of all notes in the last quarter above which everything is new."""
MIN_NOTES = 3
"""Notes that use a word for it to be looked at."""
MATTER_NOTES = 5
"""Notes that a matter needs to have arrived."""
NEARLY_ALL = 0.9
WORD_CHANCE, MATTER_CHANCE = 0.05, 0.001
ACCIDENTS = 8
"""Words that may pass by accident: the more words are looked at, the less likely each must be."""
NEAR = 0.35
"""Cosine of the centroids of two words' passages from which they are of one matter; of any eight passages in kept-out
industries, the two halves reach 0.21 once in a hundred times."""
STEM = 6
"""Letters by which words are told apart, so that endings don't matter."""
_WORD = re.compile(r"[^\W\d_]{3,}")

Note = tuple[str, date]


def find_arrivals(passages: Sequence[ThemePassage], order: Sequence[int], vectors: Vectors) -> list[list[int]]:
    """Return the places of the passages of each matter that has newly come, in the given order, the largest first.

    Args:
        passages: All passages; those without a day or an account are passed over.
        order: Their places, in an order that does not depend on how they came.
        vectors: Their theme vectors, (n, n_dims).
    """
    places = [i for i in order if passages[i].day and passages[i].account]
    notes = {_note(passages[i]) for i in places}
    if not notes:
        return []
    since = max(day for _, day in notes) - RECENT
    recent = {note for note in notes if note[1] > since}
    if len(recent) > MOST_RECENT * len(notes):
        return []

    uses = _uses(passages, places)

    def chance(rows: Collection[int]) -> float:
        return _chance({_note(passages[i]) for i in rows}, recent, len(notes))

    likely = min(WORD_CHANCE, ACCIDENTS / max(1, len(uses)))
    arrived = {stem: rows for stem, rows in uses.items() if chance(rows) <= likely}
    found = []
    for stems in _joined(arrived, vectors):
        together = {i for stem in stems for i in arrived[stem]}
        if len({_note(passages[i]) for i in together}) >= MATTER_NOTES and chance(together) <= MATTER_CHANCE:
            found.append([i for i in places if i in together])
    return sorted(found, key=len, reverse=True)


def _note(passage: ThemePassage) -> Note:
    """Return what tells notes apart: an account rarely has two on a day."""
    return passage.account, passage.day or date.min


def _uses(passages: Sequence[ThemePassage], places: Sequence[int]) -> dict[str, list[int]]:
    """Return the passages that use each word, by its stem; without names, and words that are rare or say nothing."""
    stops = stop_words(Language.EN) | stop_words(Language.FR)
    uses: dict[str, list[int]] = {}
    capital: Counter[str] = Counter()
    for i in places:
        seen: dict[str, bool] = {}
        for match in _WORD.finditer(passages[i].text):
            word = fold(match[0])
            if word not in stops:
                seen[word[:STEM]] = seen.get(word[:STEM], True) and match[0][0].isupper()
        for stem, is_capital in seen.items():
            uses.setdefault(stem, []).append(i)
            capital[stem] += is_capital
    return {
        stem: rows
        for stem, rows in uses.items()
        if 2 * capital[stem] < len(rows) and len({_note(passages[i]) for i in rows}) >= MIN_NOTES
    }


def _chance(heard: set[Note], recent: set[Note], total: int) -> float:
    """Return how likely as many of the notes would be recent; 1 where not nearly all are."""
    from scipy.stats import hypergeom

    late = len(heard & recent)
    if late < NEARLY_ALL * len(heard):
        return 1.0
    return float(hypergeom.sf(late - 1, total, len(recent), len(heard)))


def _joined(arrived: dict[str, list[int]], vectors: Vectors) -> list[list[str]]:
    """Return the words of each matter: those that are near each other, one leading to the next."""
    centroids = {stem: unit(vectors[rows].mean(axis=0)[None])[0] for stem, rows in arrived.items()}
    matter = {stem: [stem] for stem in arrived}
    for one, other in combinations(arrived, 2):
        if matter[one] is not matter[other] and float(centroids[one] @ centroids[other]) >= NEAR:
            both = matter[one] + matter[other]
            for stem in both:
                matter[stem] = both
    return list({id(stems): stems for stems in matter.values()}.values())
