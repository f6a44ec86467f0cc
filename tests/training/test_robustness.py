"""Notes written in another way, and how far findings move."""

from __future__ import annotations

import pytest

from service.notes.text import plain_text
from training.robustness import VARIANTS, as_html, robustness

TEXT = "Élodie (DSI) : « trop cher ! »\nThey use Orbel, R&D < 10."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("without_accents", "Elodie (DSI) : « trop cher ! »\nThey use Orbel, R&D < 10."),
        ("lower_case", "élodie (dsi) : « trop cher ! »\nthey use orbel, r&d < 10."),
        ("without_punctuation", "Élodie DSI trop cher \nThey use Orbel R&D < 10"),
    ],
)
def test_variants(name: str, expected: str) -> None:
    assert VARIANTS[name](TEXT) == expected


def test_html_holds_the_same_text() -> None:
    assert plain_text(as_html(TEXT)) == TEXT


def test_agreement_with_the_plain_reading_and_with_the_marks() -> None:
    """A reader that knows "trop cher" in small letters alone."""
    gold = {
        "1": {"id": "1", "text": "trop cher", "objections": [{"type": "price"}], "competitors": []},
        "2": {"id": "2", "text": "sans accent", "objections": [{"type": "trust"}], "competitors": []},
    }

    def read(notes):  # type: ignore[no-untyped-def]
        types = {n["id"]: ["price"] if "trop cher" in n["text"] else [] for n in notes}
        return {k: {"objections": [{"type": t} for t in v], "competitors": []} for k, v in types.items()}

    found = robustness(gold, read)
    assert found["as_written"]["objections_f1"] == pytest.approx(2 / 3)
    assert found["without_accents"]["objections_kept"] == 1.0
    assert found["upper_case"]["objections_kept"] == 0.0
