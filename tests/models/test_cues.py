"""Classes of words around a name."""

from __future__ import annotations

import pytest

from models.cues import Cues, classes_of, cue_features


def test_words_and_stems() -> None:
    cues = Cues({"leave": ["out", "quit*"], "bad": ["out"]})
    assert cues.of("out") == ("leave", "bad")
    assert cues.of("quittent") == ("leave",)
    assert cues.of("quay") == ()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("devis", "quote"),
        ("shortlisted", "trial"),
        ("connecteurs", "connect"),
        ("satisfaits", "content"),
        ("resilie", "leave"),
        ("than", "compare"),
    ],
)
def test_shipped_classes(word: str, expected: str) -> None:
    assert expected in classes_of(word)


def test_features_tell_side_and_distance() -> None:
    features = cue_features(["they", "renewed", "with"], ["until", "june"])
    assert "L1*stay" in features
    assert "R*stay" not in features
