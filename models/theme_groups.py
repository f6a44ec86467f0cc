"""Groups of passages about one matter: what a fit of themes finds where no theme stands yet.

BERTopic (Grootendorst 2022) runs on the stored vectors, with average-linkage clustering on cosine distance in place of
UMAP and HDBSCAN: the same passages give the same groups in any order and on any machine, and notes are too few for
densities to mean much. Each language's mean is taken off first, so that French and English passages of one matter meet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.types import ThemePassage

MAX_DISTANCE = 0.85
"""Mean cosine distance, of vectors without their language's mean, up to which groups are joined."""
MIN_SIZE = 4
"""Passages that make a theme."""
MIN_ACCOUNTS = 2
"""Accounts that make a theme: what one account says is its anecdote."""
MAX_GROUPED = 4_000
"""Passages that are grouped, evenly taken from more. The distances of all pairs are held: 64 MB."""
MIN_OF_LANGUAGE = 20
"""Passages of a language from which its mean means something."""

Vectors = NDArray[np.float32]


class _Grouping:
    """The clustering that BERTopic runs: labels by size, -1 for groups under `MIN_SIZE`."""

    labels_: NDArray[np.int64]

    def fit(self, vectors: Vectors, y: object = None) -> _Grouping:
        """Cluster rows, float32 (n, n_dims)."""
        from sklearn.cluster import AgglomerativeClustering

        found = AgglomerativeClustering(
            n_clusters=None, metric="cosine", linkage="average", distance_threshold=MAX_DISTANCE
        ).fit_predict(vectors)
        sizes = np.bincount(found)
        self.labels_ = np.where(sizes[found] >= MIN_SIZE, found, -1)
        return self


def group_passages(passages: Sequence[ThemePassage], vectors: Vectors, places: Sequence[int]) -> list[list[int]]:
    """Group some passages.

    Args:
        passages: All passages.
        vectors: Theirs, unit length or zero, (n, n_dims).
        places: Of those to group, in an order that does not depend on how they came.

    Returns:
        The places of the passages of each group, the largest group first; many passages are in none.
    """
    from bertopic import BERTopic
    from bertopic.dimensionality import BaseDimensionalityReduction
    from sklearn.feature_extraction.text import CountVectorizer

    sample = places[:: max(1, -(-len(places) // MAX_GROUPED))]
    known = [i for i in sample if vectors[i].any()]  # the others are only emoji, say
    if len(known) < 2 * MIN_SIZE:
        return []
    topics, _ = BERTopic(
        embedding_model=None,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=_Grouping(),
        vectorizer_model=CountVectorizer(analyzer=str.split),
        calculate_probabilities=False,
    ).fit_transform([passages[i].text for i in known], _centred([passages[i] for i in known], vectors[known]))
    groups: dict[int, list[int]] = {}  # in the order of their first passages, which does not depend on the fit
    for place, topic in zip(known, topics, strict=True):
        if topic >= 0:
            groups.setdefault(int(topic), []).append(place)
    broad = [group for group in groups.values() if len({passages[i].account for i in group} - {""}) >= MIN_ACCOUNTS]
    return sorted(broad, key=len, reverse=True)


def _centred(passages: Sequence[ThemePassage], vectors: Vectors) -> Vectors:
    """Take its language's mean off each vector, and bring it back to unit length."""
    centred = vectors.copy()
    languages = np.array([str(p.language) for p in passages])
    for language in np.unique(languages):
        rows = languages == language
        if rows.sum() >= MIN_OF_LANGUAGE:
            centred[rows] -= centred[rows].mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    same = lengths[:, 0] < 1e-6  # copies of one sentence are their own mean
    centred[same] = vectors[same]
    lengths[same] = 1
    unit: Vectors = centred / lengths
    return unit
