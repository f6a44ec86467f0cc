"""How the linear classifiers and the tagger speak with one voice: a weighted mean of their log probabilities.

A logarithmic opinion pool (Genest and Zidek 1986): the weight is set on industries that neither has seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-6
"""Probabilities below it are raised to it: no voice is surer than that."""


def pool(
    one: NDArray[np.float32],
    other: NDArray[np.float32],
    weight: float,
    *,
    least: float | NDArray[np.float64] = LEAST,
) -> NDArray[np.float32]:
    """Pool two opinions.

    Args:
        one: Probabilities, shape (n, n_classes).
        other: The same of the second voice.
        weight: Of the second voice, in [0, 1].
        least: Probabilities below it are raised to it, so that no voice alone rules out what the other is sure of;
            one for all, or of shape (n, 1).

    Returns:
        Probabilities, shape (n, n_classes), rows sum to 1.
    """
    logs = (1 - weight) * np.log(np.maximum(one, least)) + weight * np.log(np.maximum(other, least))
    raised = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


def reordered(probabilities: NDArray[np.float32], given: Sequence[str], wanted: Sequence[str]) -> NDArray[np.float32]:
    """Return the columns, which stand in the order of `given`, in the order of `wanted`."""
    return probabilities[:, [given.index(label) for label in wanted]]


def agreed(chances: NDArray[np.float32], keys: Sequence[Hashable]) -> NDArray[np.float32]:
    """Give those with the same key one chance, by the mean of their log odds: what a name is, it is all through a note.

    Args:
        chances: In [0, 1], shape (n,).
        keys: One for each chance.
    """
    clipped = np.clip(chances.astype(np.float64), LEAST, 1 - LEAST)
    odds = np.log(clipped / (1 - clipped))
    together: dict[Hashable, list[int]] = defaultdict(list)
    for i, key in enumerate(keys):
        together[key].append(i)
    for places in together.values():
        odds[places] = odds[places].mean()
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float32)
