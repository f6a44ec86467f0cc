"""Subjects: what themes of sales notes are mostly about, in whichever industry, known by where their passages lie.

A linear discriminant (Fisher 1936) over theme vectors tells them apart; `training/theme_subjects.py` learns it. Many
themes are about none of them, and subjects of one family are told apart less surely than families are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

SUBJECTS_FILE = "subjects.json"
FLAT = 4.0
"""What scores are divided by before one passage leans to subjects: it tells little."""
CALM = 2.0
"""The same, of the mean of a theme's passages."""
SURE = 0.62
"""Least chance of a family for a theme to be named by it; the others, and to be about none, have the rest."""
LEAN = 0.12
"""How much more than passages mostly do those of a theme must lean to a family, for a theme without a sure one."""
SURE_OF_ONE = 0.65
"""Least share of its family's chance for a theme to be named as one subject."""

Label = Mapping[str, str]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject.

    Attributes:
        label: A noun phrase in English (`en`) and French (`fr`).
        family: What it is alone or with others; the key of a family, or its own.
    """

    key: str
    label: Label
    family: str


@dataclass(frozen=True, slots=True)
class SubjectGuess:
    """What a theme is about.

    Attributes:
        label: Of a subject, or of a family of several.
        one: Whether it is one subject.
        sure: Whether it is, and does not only lean to it.
    """

    label: Label
    one: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class Subjects:
    """All subjects.

    Attributes:
        known: In the order of the rows of `weights`, which has one more: about none of them.
        families: Labels of the families of several subjects.
        weights: (n_subjects + 1, n_dims + 1), the bias last.
    """

    known: tuple[Subject, ...]
    families: Mapping[str, Label]
    weights: Vectors

    def leanings(self, vectors: Vectors) -> Vectors:
        """Return how far each passage leans to each subject and to none, (n, n_subjects + 1), rows adding to 1.

        Args:
            vectors: Theme vectors, (n, n_dims).
        """
        leanings: Vectors = softmax(self._scores(vectors) / FLAT, axis=1).astype(np.float32)
        return leanings

    def guess(self, vectors: Vectors, telling: Vectors, usual: Vectors) -> SubjectGuess | None:
        """Say what passages have in common, or None where no family of subjects is likely.

        Args:
            vectors: Theme vectors of the passages of one theme, (n, n_dims).
            telling: How likely each is about something that themes are made of, (n,): how much it is heeded.
            usual: How far all passages lean to each subject and to none, their mean, (n_subjects + 1,).
        """
        if not telling.sum() > 0:
            return None
        chances = softmax(np.average(self._scores(vectors), axis=0, weights=telling) / CALM)
        family, chance = self._most(chances)
        if chance < SURE:
            family, more = self._most(np.average(self.leanings(vectors), axis=0, weights=telling) - usual)
            return self._label(family, None, sure=False) if more >= LEAN else None
        best = max(range(len(self.known)), key=lambda i: (self.known[i].family == family, chances[i]))
        one = chances[best] >= SURE_OF_ONE * chance
        return self._label(family, self.known[best] if one else None, sure=True)

    def _most(self, weights: NDArray[np.floating]) -> tuple[str, float]:
        """Return the family whose subjects have most weight together; to be about none is of none."""
        together: dict[str, float] = {}
        for subject, weight in zip(self.known, weights[:-1], strict=True):
            together[subject.family] = together.get(subject.family, 0.0) + float(weight)
        return max(((key, weight) for key, weight in together.items()), key=lambda each: (each[1], each[0]))

    def _label(self, family: str, one: Subject | None, *, sure: bool) -> SubjectGuess:
        if family not in self.families:  # of one subject only
            one = next(subject for subject in self.known if subject.family == family)
        return SubjectGuess(one.label if one else self.families[family], one is not None, sure)

    def _scores(self, vectors: Vectors) -> NDArray[np.float64]:
        # in double precision, so that a passage's neighbours don't move its last bit
        wide = self.weights.astype(np.float64)
        scores: NDArray[np.float64] = vectors.astype(np.float64) @ wide[:, :-1].T + wide[:, -1]
        return scores


def load_subjects(folder: Path, weights: Vectors) -> Subjects:
    """Read the names of the subjects whose weights are given; the manifest of `folder` has been checked."""
    stored: dict[str, Any] = json.loads((folder / SUBJECTS_FILE).read_text(encoding="utf-8"))
    known = tuple(Subject(s["key"], s["label"], s["family"]) for s in stored["subjects"])
    return Subjects(known, stored["families"], weights)


def write_subjects(folder: Path, known: Sequence[Subject], families: Mapping[str, Label]) -> None:
    """Write the names of subjects, for `load_subjects`."""
    subjects = [{"key": s.key, "family": s.family, "label": dict(s.label)} for s in known]
    text = json.dumps({"subjects": subjects, "families": families}, indent=1, ensure_ascii=False)
    (folder / SUBJECTS_FILE).write_text(text + "\n", encoding="utf-8")
