"""The measures of names of themes on made groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from models.theme_subjects import SubjectGuess
from models.types import FittedTheme
from training.theme_names import NamedTheme, judge_labels, judge_subjects
from training.theme_subjects import read_subjects

LISTED = read_subjects()
LABELS = {subject.key: subject.label for subject in LISTED.known}


def named(marked: Mapping[str, int], label: str, guess: SubjectGuess | None = None) -> NamedTheme:
    theme = FittedTheme(None, {"en": label, "fr": label}, {}, b"", sum(marked.values()))
    return NamedTheme("any", theme, Counter(marked), guess)


def test_a_label_is_right_where_the_name_of_its_own_theme_is_nearest() -> None:
    themes = [
        named({"staff-training": 3}, "Staff training"),
        named({"data-hosting": 3, "staff-training": 1}, "training"),
        named({"price-level": 3}, "TRAINING"),
        named({"price-level": 2}, "Anything"),
    ]
    expected = {"nearest": 1 / 3, "one_word": 3 / 4, "repeated": 1 / 4}
    assert judge_labels(themes, "en") == pytest.approx(expected)


def test_a_subject_is_right_where_most_marked_passages_are_of_its_family() -> None:
    hosting = SubjectGuess(LABELS["hosting"], one=True, sure=True)
    themes = [
        named({"data-hosting": 2, "eu-hosting": 1, "price-level": 2}, "", hosting),
        named({"data-privacy": 3}, "", hosting),
        named({"price-level": 3}, "", hosting),
        named({"price-level": 3}, "", SubjectGuess(LABELS["privacy"], one=True, sure=False)),
        named({"a matter of its own": 3}, ""),
        named({"data-hosting": 2}, "", hosting),
    ]
    expected = {"judged": 5, "sure": 3 / 5, "sure_right": 2 / 3, "likely": 1 / 5, "likely_right": 0}
    assert judge_subjects(themes, LISTED) == pytest.approx(expected)
