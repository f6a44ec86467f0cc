"""Names drawn for training, and texts under an account's name."""

from __future__ import annotations

import random
from pathlib import Path

from models.analyzer import ARTEFACTS
from models.lexicon import load_lexicon
from training.examples import Example, read_examples
from training.reader_names import NameMaker

CORPUS = Path(__file__).parents[2] / "data" / "corpus"


def test_the_same_seed_draws_the_same_names() -> None:
    maker = NameMaker(["Orbiport", "Northfield"], load_lexicon(ARTEFACTS / "lexicon"))
    drawn = [[maker.heading(random.Random(seed), "fr") for seed in range(40)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 30
    rivals = {maker.rival(random.Random(seed)) for seed in range(200)}
    assert "Orbiport" in rivals
    assert any(name.lower() in load_lexicon(ARTEFACTS / "lexicon").words for name in rivals)


def first_marked() -> Example:
    return next(e for e in read_examples(CORPUS) if e.gold["objections"] and e.gold["competitors"])


def test_a_heading_moves_the_marks_along() -> None:
    example = first_marked()
    headed = example.opened_with("Harrow Foods (Leeds): ")
    text = headed.gold["text"]
    assert text.startswith("Harrow Foods (Leeds): ")
    assert headed.copied
    assert headed.note.text == text
    for kind in ("objections", "competitors"):
        before = [example.gold["text"][m["start"] : m["end"]] for m in example.gold[kind]]
        assert [text[m["start"] : m["end"]] for m in headed.gold[kind]] == before
