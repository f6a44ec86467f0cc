"""The line shown around a competitor's name, and which passages stand for a theme."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from service.insights.evidence import AFTER, BEFORE, Quote, _most_telling, _most_telling_passages, line_around

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


def passage(number: int, text: str, *, account: int, similarity: float = 0.5, note_id: int = 1) -> Quote:
    place = {"start": 100 * number, "end": 100 * number + len(text), "occurred_on": date(2026, 9, 14)}
    who: dict[str, Any] = {"account": None, "team": None, "language": "en", "outcome": None, "account_id": account}
    return Quote(number, 1, note_id, text=text, detail={"similarity": similarity}, **place, **who)


def test_passages_that_say_something_on_their_own_stand_first() -> None:
    whole = "They want the readers to open by phone before the winter."
    found = [
        passage(1, "Records", account=1),
        passage(2, "and then he had to leave for the airport with his", account=2),
        passage(3, whole, account=3, similarity=0.3),
        passage(4, whole, account=4),
        passage(5, whole, account=5),
        passage(6, whole, account=5),
        passage(7, f"{whole} " * 8, account=6),
        passage(8, whole, account=1),
    ]
    places = {1: [(500, 520)]}
    chosen = [quote.finding_id for quote in _most_telling_passages(found, places, 8)]
    assert chosen == [5, 4, 8, 3, 2, 7, 6, 1], "of an account its best; with an objection within, then near the theme"


def said(text: str = "The yearly fee is far too high for us.", **detail: Any) -> Quote:
    who: dict[str, Any] = {"account": None, "team": None, "language": "en", "outcome": None, "account_id": 1}
    return Quote(1, "price", 1, 0, len(text), text, date(2026, 9, 14), **who, detail=detail)


def test_what_says_little_of_an_item() -> None:
    assert said(status="open", score=0.9).little == 0
    assert said(relation="mentioned", standing="ahead", score=0.9).little == 0
    assert said(relation="lost_to", standing="neutral", score=0.9).little == 0
    assert said(status="resolved", score=0.9).little == 1
    assert said("No news from Orbiport or others.", relation="evaluating", standing="neutral", score=0.9).little == 1
    assert said(relation="mentioned", standing="neutral", score=0.9).little == 2
    assert said("too dear", status="open", score=0.9).little == 3
    assert said(status="open", score=0.3).little == 3


def test_what_a_rep_expects_comes_last_whatever_it_says() -> None:
    found = [replace(said(status="anticipated", score=0.9), finding_id=2), said("too dear", status="open", score=0.9)]
    assert [quote.expected for quote in _most_telling(found, 2)] == [False, True]
