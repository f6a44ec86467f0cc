"""The rules of a theme's life and nature, on small histories."""

from __future__ import annotations

import pytest

from service.themes.lifecycle import Life, Nature, ThemeMonths, life, month_number, nature

LAST = month_number(2026, 9)
ALL = {LAST - i: 30 for i in range(9)}


def theme(*notes: int, accounts: int = 6, authors: int = 4) -> ThemeMonths:
    """Return a theme with so many notes a month, the last one September."""
    months = {LAST - len(notes) + 1 + i: n for i, n in enumerate(notes) if n}
    return ThemeMonths(months, accounts, authors)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (theme(0, 0, 0, 1, 0, 6, 8, 8, 7), Life.EMERGING),
        (theme(8, 8, 7, 8, 2, 0, 0, 0, 0), Life.FADING),
        (theme(3, 4, 2, 5, 3, 4, 3, 4, 3), Life.ESTABLISHED),
        (theme(0, 0, 0, 0, 0, 0, 0, 5, 6, accounts=1), Life.ESTABLISHED),
        (theme(0, 0, 0, 0, 0, 0, 0, 5, 6, authors=1), Life.ESTABLISHED),
        (theme(1, 1, 0, 0, 0, 0, 0, 0, 0), Life.ESTABLISHED),
        (theme(0, 0, 0, 0, 0, 0, 2, 1, 1), Life.EMERGING),
        (theme(1, 0, 0, 1, 0, 1, 2, 1, 1), Life.ESTABLISHED),
        (theme(2, 2, 1, 2, 0, 0, 0, 0, 0), Life.FADING),
        (theme(1, 0, 1, 1, 1, 2, 0, 0, 0), Life.ESTABLISHED),
    ],
    ids=[
        "rises",
        "stops",
        "steady",
        "one account",
        "one author",
        "too few to fade",
        "few, none before",
        "few, may be chance",
        "few, none since April",
        "few, silent by chance",
    ],
)
def test_life(history: ThemeMonths, expected: Life) -> None:
    assert life(history, ALL, LAST, retired=False) is expected


def test_a_theme_is_not_new_because_the_notes_are() -> None:
    assert life(theme(5, 6, 7), {LAST - i: 30 for i in range(3)}, LAST, retired=False) is Life.ESTABLISHED


def test_thousands_of_notes_are_judged_too() -> None:
    many = {month: 50_000 for month in ALL}
    assert life(theme(0, 0, 0, 900, 0, 6_000, 8_000, 8_000, 7_000), many, LAST, retired=False) is Life.EMERGING


def test_silence_of_everybody_is_not_fading() -> None:
    only_before = {month: 30 for month in range(LAST - 8, LAST - 2)}
    assert life(theme(8, 8, 7, 8, 2, 3, 0, 0, 0), only_before, LAST, retired=False) is Life.ESTABLISHED


def test_what_no_fit_finds_is_retired() -> None:
    assert life(theme(3, 4, 2), ALL, LAST, retired=True) is Life.RETIRED


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (theme(3, 4, 2, 5, 3, 4, 3, 4, 3), Nature.STRUCTURAL),
        (theme(8, 8, 7, 8, 0, 0, 0, 0, 0), Nature.CONJUNCTURAL),
        (theme(0, 0, 0, 0, 0, 0, 0, 8, 9), Nature.TOO_EARLY),
        (theme(3, 4, 2, 5, 3, 4, 3, 4, 3, accounts=2), Nature.CONJUNCTURAL),
        (theme(), Nature.TOO_EARLY),
    ],
)
def test_nature(history: ThemeMonths, expected: Nature) -> None:
    assert nature(history, ALL, LAST) is expected


def test_few_months_of_notes_are_too_early_for_any_theme() -> None:
    assert nature(theme(5, 5, 5), {LAST - i: 30 for i in range(3)}, LAST) is Nature.TOO_EARLY
