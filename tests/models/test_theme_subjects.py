"""Subjects: which passages lean to them, and what a theme of such passages is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.theme_space import load_theme_encoder, load_theme_space
from models.theme_subjects import Subject, Subjects, load_subjects, write_subjects
from models.themes import ARTEFACTS

KNOWN = (
    Subject("length", {"en": "Contract length", "fr": "Durée"}, "contract"),
    Subject("notice", {"en": "Notice", "fr": "Préavis"}, "contract"),
    Subject("training", {"en": "Training", "fr": "Formation"}, "training"),
)
FAMILIES = {"contract": {"en": "Contract terms", "fr": "Contrat"}}
HOSTING = [
    "They won't have their files hosted outside the European Union.",
    "Où sont hébergées les données ? Leur juriste refuse un hébergeur américain.",
    "The servers have to stand in France, says their data protection officer.",
]


def made() -> Subjects:
    """Return subjects along three axes, and none along the fourth."""
    return Subjects(KNOWN, FAMILIES, np.hstack([12 * np.eye(4), np.zeros((4, 1))]).astype(np.float32))


ALL_TELL = np.ones(2, dtype=np.float32)
EVENLY = np.full(4, 0.25, dtype=np.float32)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ([1, 0, 0, 0], ("Contract length", True, True)),
        ([0.7, 0.7, 0, 0], ("Contract terms", False, True)),
        ([0, 0, 1, 0], ("Training", True, True)),
        ([0, 0, 0, 1], None),
        ([0.5, 0.5, 0.57, 0], None),
        ([0.6, 0, 0.6, 0.6], None),
    ],
)
def test_a_theme_is_named_as_finely_as_is_sure(place: list[float], expected: tuple[str, bool, bool] | None) -> None:
    guess = made().guess(np.array([place, place], dtype=np.float32), ALL_TELL, EVENLY)
    assert (guess and (guess.label["en"], guess.one, guess.sure)) == expected


def test_a_theme_without_a_sure_subject_is_named_by_what_it_leans_to_more_than_passages_mostly_do() -> None:
    between = np.array([[0.5, 0.5, 0.57, 0]] * 2, dtype=np.float32)
    seldom = np.array([0.1, 0.1, 0.3, 0.5], dtype=np.float32)
    guess = made().guess(between, ALL_TELL, seldom)
    assert guess is not None
    assert (guess.label["en"], guess.one, guess.sure) == ("Contract terms", False, False)
    assert made().guess(between, ALL_TELL, made().leanings(between)[0]) is None


def test_what_tells_nothing_is_not_heeded() -> None:
    vectors = np.array([[1, 0, 0, 0], [0, 0, 1, 0]], dtype=np.float32)
    guess = made().guess(vectors, np.array([0.05, 0.95], dtype=np.float32), EVENLY)
    assert guess is not None
    assert guess.label["en"] == "Training"
    assert made().guess(vectors, np.zeros(2, dtype=np.float32), EVENLY) is None


def test_no_passages_have_no_subject() -> None:
    assert made().guess(np.zeros((0, 4), dtype=np.float32), np.zeros(0, dtype=np.float32), EVENLY) is None


def test_leanings_add_to_one_and_do_not_depend_on_the_neighbours() -> None:
    rows = np.eye(4, dtype=np.float32)
    leanings = made().leanings(rows)
    assert np.allclose(leanings.sum(axis=1), 1, atol=1e-6)
    assert leanings.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert (made().leanings(rows[2:3]) == leanings[2:3]).all()


def test_names_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_subjects(tmp_path, KNOWN, FAMILIES)
    assert load_subjects(tmp_path, made().weights).known == KNOWN


def test_what_is_shipped_knows_a_subject_in_both_languages() -> None:
    vectors = load_theme_encoder(ARTEFACTS).encode(HOSTING)
    space = load_theme_space(ARTEFACTS / "themes")
    usual = np.full(len(space.subjects.known) + 1, 1 / (len(space.subjects.known) + 1), dtype=np.float32)
    guess = space.subjects.guess(vectors, space.chances(vectors), usual)
    assert guess is not None
    assert guess.label["en"] in {"Data hosting", "Data protection"}
