"""The line shown around a competitor's name."""

from __future__ import annotations

import pytest

from service.insights.evidence import AFTER, BEFORE, line_around

LONG = "words that go on and on " * 20


def around(text: str) -> str:
    start = text.index("Rival")
    return line_around(text, start, start + len("Rival"))


def test_a_short_line_is_whole() -> None:
    assert around("another line\n  they use Rival, and are content \nand another") == "they use Rival, and are content"
    assert around("Rival") == "Rival"


def test_a_long_line_is_cut_between_words() -> None:
    shown = around(f"{LONG}and Rival, {LONG}")
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    before, after = shown.removeprefix("… ").removesuffix(" …").split("Rival")
    assert set(before.split()) <= set(LONG.split())
    assert set(after.split()) <= {",", *LONG.split()}
    assert BEFORE - 10 < len(before) <= BEFORE
    assert AFTER - 10 < len(after) <= AFTER


@pytest.mark.parametrize("room", range(8))
def test_no_word_that_fits_is_lost_nor_cut(room: int) -> None:
    before, after = "b" * (BEFORE - 1), "a" * (AFTER - 1)
    assert around(f"cut {'x' * room}{before} Rival {after}") == (
        f"… {'x' * room}{before} Rival {after}" if not room else f"… Rival {after}"
    )
    assert around(f"{before} Rival {after}{'x' * room} cut") == (
        f"{before} Rival {after} …" if not room else f"{before} Rival …"
    )


def test_one_endless_word_leaves_the_name() -> None:
    assert around(f"{'x' * 500}Rival{'y' * 500}") == "… Rival …"
