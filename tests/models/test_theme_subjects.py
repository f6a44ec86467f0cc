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


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ([1, 0, 0, 0], "Contract length"),
        ([0.7, 0.7, 0, 0], "Contract terms"),
        ([0, 0, 1, 0], "Training"),
        ([0, 0, 0, 1], None),
        ([0.6, 0, 0.6, 0], None),
    ],
)
def test_a_theme_is_named_as_finely_as_is_sure(place: list[float], expected: str | None) -> None:
    label = made().label_of(np.array([place, place], dtype=np.float32))
    assert (label and label["en"]) == expected


def test_no_passages_have_no_subject() -> None:
    assert made().label_of(np.zeros((0, 4), dtype=np.float32)) is None


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
    label = load_theme_space(ARTEFACTS / "themes").subjects.label_of(vectors)
    assert label is not None
    assert label["en"] in {"Data hosting", "Data protection"}
