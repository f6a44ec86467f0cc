"""Matters that newly come are told by their words, in one piece for both languages, and seldom by accident."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pytest

from models.theme_arrivals import RECENT, find_arrivals
from models.types import THEME_DIMS, Language, ThemePassage

LAST = date(2026, 9, 30)
OLD = ("the price is above budget", "the renewal clause is tacit", "la formation prend trop de temps")
NEW = ("asks for a cordless handset", "cordless is what they want", "demande un combiné sans fil", "un combiné libre")
TRADE = ("bakery", "clinic", "garage", "notaire", "mairie", "usine", "winery")


def workspace(new: int, days_ago: int, words: tuple[str, ...] = NEW) -> tuple[list[ThemePassage], np.ndarray]:
    """Return 90 old passages over nine months and some of a new matter, each on its axis, and their vectors."""
    chance, rng = random.Random(3), np.random.default_rng(3)
    rows = [(OLD[i % 3], i % 3, LAST - timedelta(days=3 * i)) for i in range(90)]
    rows += [(words[i % len(words)], 3, LAST - timedelta(days=chance.randrange(days_ago))) for i in range(new)]
    vectors = rng.normal(0, 0.05, (len(rows), THEME_DIMS)).astype(np.float32)
    passages = []
    for i, (text, axis, day) in enumerate(rows):
        vectors[i, axis] += 1
        said = f"{text} {chance.choice(TRADE)}"
        passages.append(ThemePassage(said, Language.EN, b"", b"", f"account-{i % 23}", "", day))
    return passages, vectors


def test_a_matter_that_comes_is_found_in_both_languages() -> None:
    passages, vectors = workspace(new=8, days_ago=60)
    order = random.Random(1).sample(range(len(passages)), len(passages))
    (found,) = find_arrivals(passages, order, vectors)
    assert sorted(found) == [*range(90, 98)]
    assert found == [i for i in order if i >= 90]


@pytest.mark.parametrize(
    ("new", "days_ago", "words"),
    [
        (8, 270, NEW),
        (3, 60, NEW),
        (8, 60, ("met Medit there", "Medit was in before")),
        (0, 1, NEW),
    ],
    ids=["spoken of all the time", "too few", "a name", "nothing new"],
)
def test_what_is_no_new_matter(new: int, days_ago: int, words: tuple[str, ...]) -> None:
    passages, vectors = workspace(new, days_ago, words)
    assert find_arrivals(passages, [*range(len(passages))], vectors) == []


def test_nothing_is_new_where_all_notes_are() -> None:
    passages, vectors = workspace(new=8, days_ago=60)
    recent = [i for i, p in enumerate(passages) if p.day and p.day > LAST - RECENT]
    assert find_arrivals(passages, recent, vectors) == []
    assert find_arrivals([], [], vectors[:0]) == []
