"""Word classes: what a word is by the words around it, and by how it ends."""

from __future__ import annotations

import pytest

from models.themes import ARTEFACTS
from models.types import Language
from models.word_classes import load_word_classes


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (Language.EN, "the old door fails .", "DANV."),
        (Language.EN, "they call the office", "OVDN"),
        (Language.EN, "a long call", "DAN"),
        (Language.FR, "le contrat est résilié .", "DNVV."),
        (Language.FR, "la porte du bâtiment", "DNRN"),
        (Language.FR, "il porte un badge", "OVDN"),
        (Language.EN, "", ""),
    ],
)
def test_a_word_is_read_by_its_neighbours(language: Language, text: str, expected: str) -> None:
    tagger = load_word_classes(ARTEFACTS / "classes")[language]
    assert tagger.classify([text.split()]) == [expected]


def test_texts_are_read_alike_alone_and_together() -> None:
    tagger = load_word_classes(ARTEFACTS / "classes")[Language.EN]
    texts = [["the", "readers"], [], ["a", "zorblification", "of", "doors", "!"], ["wait"]]
    assert tagger.classify(texts) == [tagger.classify([text])[0] for text in texts]
    assert tagger.classify(texts)[2][1] == "N"


def test_a_word_without_its_accents_is_known() -> None:
    tagger = load_word_classes(ARTEFACTS / "classes")[Language.FR]
    assert tagger.classify([["la", "société"], ["la", "societe"]]) == ["DN", "DN"]
