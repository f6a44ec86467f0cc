"""Learns to tell subjects from the themes that are marked in the written corpus, as `data/subjects.toml` joins them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from models.theme_subjects import Label, Subject, Vectors

SUBJECTS = Path("data/subjects.toml")
SHRINKAGE = 0.3
"""Share of the covariance that is taken as even; subjects have few passages for so many directions."""
NONE = ""


@dataclass(frozen=True, slots=True)
class SubjectList:
    """What `data/subjects.toml` holds.

    Attributes:
        known: The subjects, in order of their keys.
        families: Labels of families, by key.
        patterns: Which marked themes are of which subject: `(pattern, key of the subject)`.
    """

    known: tuple[Subject, ...]
    families: Mapping[str, Label]
    patterns: tuple[tuple[str, str], ...]

    def subject_of(self, industry: str, theme: str) -> str:
        """Return the key of a marked theme's subject, or `NONE`."""
        for pattern, key in self.patterns:
            if fnmatchcase(f"{industry}/{theme}" if "/" in pattern else theme, pattern):
                return key
        return NONE


def read_subjects(path: Path = SUBJECTS) -> SubjectList:
    """Read the list of subjects."""
    stored = tomllib.loads(path.read_text(encoding="utf-8"))
    families = {key: {"en": f["en"], "fr": f["fr"]} for key, f in stored["families"].items()}
    subjects = sorted(stored["subjects"].items())
    known = tuple(Subject(key, {"en": s["en"], "fr": s["fr"]}, s.get("family", key)) for key, s in subjects)
    patterns = tuple((pattern, key) for key, s in subjects for pattern in s["themes"])
    return SubjectList(known, families, patterns)


def learn_weights(vectors: Vectors, keys: Sequence[str], known: Sequence[Subject]) -> Vectors:
    """Return the weights of `models.theme_subjects.Subjects`, (n_subjects + 1, n_dims + 1).

    Args:
        vectors: Theme vectors of marked passages, (n, n_dims).
        keys: The subject of each, or `NONE`.
        known: All subjects; each needs a passage.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    classes = [*(subject.key for subject in known), NONE]
    numbers = np.array([classes.index(key) for key in keys])
    even = np.full(len(classes), 1 / len(classes))
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE, priors=even).fit(vectors, numbers)
    weights: Vectors = np.hstack([model.coef_, model.intercept_[:, None]]).astype(np.float32)
    return weights
