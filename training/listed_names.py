"""Fits the head of `models/listed_names.py`, on texts that the tagger has not seen.

Whole notes hardly hold a listed name that is no rival there, so `data/hard-names` stands beside them, where more than
half are none; it weighs less, as what it tells of is rarer than it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from sklearn.linear_model import LogisticRegression

from models.blend import agreed
from models.linear import LinearModel
from models.mentions import NO, YES

STRENGTH = 0.01
"""Inverse of the penalty on the weights."""
HARD_WEIGHT = 0.3
"""Of a hard name beside one of a common note."""
NEIGHBOURS = 7
"""Thresholds that are judged together, because F1 hardly differs between them and jumps."""


@dataclass(frozen=True)
class ListedRows:
    """Listed names to learn from.

    Attributes:
        features: Shape (n, `models.listed_names.N_FEATURES`).
        rivals: Whether each is a rival's there, (n,).
        groups: Industries, (n,).
        keys: Equal for the places of one name in one text.
        hard: Whether each is of `data/hard-names`, (n,).
    """

    features: NDArray[np.float32]
    rivals: NDArray[np.bool_]
    groups: NDArray[np.str_]
    keys: Sequence[Hashable]
    hard: NDArray[np.bool_]

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each counts, (n,)."""
        return np.where(self.hard, HARD_WEIGHT, 1.0)


def fit_head(rows: ListedRows) -> LinearModel:
    """Fit the head on all rows."""
    return _fitted(rows, np.ones(len(rows.rivals), dtype=bool))


def _fitted(rows: ListedRows, chosen: NDArray[np.bool_]) -> LinearModel:
    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    model.fit(rows.features[chosen], rows.rivals[chosen], sample_weight=rows.weights[chosen])
    weights, bias = model.coef_[0].astype(np.float32) / 2, float(model.intercept_[0]) / 2
    return LinearModel((NO, YES), np.stack([-weights, weights], axis=1), np.array([-bias, bias], dtype=np.float32))


def weighted_f1(found: NDArray[np.bool_], truth: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    """Return the F1 of decisions of which each counts as `weights` say."""
    both = float(weights[found & truth].sum())
    return 2 * both / max(1e-9, float(weights[found].sum() + weights[truth].sum()))


def judge_head(rows: ListedRows) -> dict[str, Any]:
    """Return the threshold around which F1 over all is best, and what it reaches on notes and hard names.

    Each industry is judged by a head that has learned the others.
    """
    chances = np.zeros(len(rows.rivals), dtype=np.float32)
    for group in np.unique(rows.groups):
        inside = rows.groups == group
        chances[inside] = _fitted(rows, ~inside).probabilities(rows.features[inside])[:, 1]
    chances = agreed(chances, rows.keys)

    tried = np.arange(0.05, 0.96, 0.02)
    scores = [weighted_f1(chances >= t, rows.rivals, rows.weights) for t in tried]
    threshold = round(float(tried[uniform_filter1d(scores, NEIGHBOURS).argmax()]), 2)
    found = chances >= threshold
    return {
        "threshold": threshold,
        "common": _measured(found, rows, ~rows.hard),
        "hard": _measured(found, rows, rows.hard),
    }


def _measured(found: NDArray[np.bool_], rows: ListedRows, part: NDArray[np.bool_]) -> dict[str, float]:
    """Return precision, recall and F1 on a part of the rows."""
    found, truth = found[part], rows.rivals[part]
    both = int((found & truth).sum())
    precision, recall = both / max(1, int(found.sum())), both / max(1, int(truth.sum()))
    f1 = 2 * both / max(1, int(found.sum() + truth.sum()))
    measures = {"precision": precision, "recall": recall, "f1": f1}
    return {"names": len(truth), **{name: round(value, 4) for name, value in measures.items()}}
