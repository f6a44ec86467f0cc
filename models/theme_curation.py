"""What curating themes needs of their meaning: a place for each on a plane, a theme from a description, one in two.

All are deterministic: the same vectors give the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder import from_bytes, to_bytes
from models.theme_space import ThemeEncoder, load_theme_encoder

ARTEFACTS = Path(__file__).parent / "artefacts"

NEIGHBOURS = 3
"""Placed themes that a new one is put between."""
GAP = 0.04
"""Least distance of a new theme from its neighbours, of a plane of 1 by 1."""
MARGIN = 0.06
MIN_PART = 2
"""Passages that a part of a split theme holds at least."""
ROUNDS = 20
"""Rounds of two-means at most; small themes settle in three or four."""
SAME_PART = 0.97
"""Cosine of two parts' centroids from which they are one matter."""

Point = tuple[float, float]
Vectors = NDArray[np.float32]


def place_themes(centroids: Sequence[bytes], places: Sequence[Point | None]) -> list[Point]:
    """Give each theme a place on a plane, near those of like meaning; a theme that has one keeps it.

    The first themes are placed by classical scaling of cosine distances (Torgerson 1952); later ones between the three
    placed themes that are nearest in meaning.

    Args:
        centroids: In the form of `Passage.theme_vector`.
        places: Where each theme stands, or None.

    Returns:
        `(x, y)` of each theme, each in [0, 1].
    """
    if not centroids:
        return []
    vectors = from_bytes(list(centroids))
    placed = {i: place for i, place in enumerate(places) if place is not None}
    if not placed:
        return _scaled(vectors)
    for i in range(len(centroids)):
        if i not in placed:
            placed[i] = _between(vectors, i, placed)
    return [placed[i] for i in range(len(centroids))]


def _scaled(vectors: Vectors) -> list[Point]:
    """Scale cosine distances down to two dimensions; the sign of an axis is that of its largest entry."""
    centred = vectors - vectors.mean(axis=0)
    values, axes = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    columns = []
    for axis in (-1, -2):
        column = axes[:, axis] * np.sqrt(max(values[axis], 0.0)) if len(values) >= -axis else np.zeros(len(vectors))
        largest = column[np.abs(column).argmax()]
        columns.append(column if largest >= 0 else -column)
    plane = np.stack(columns, axis=1)
    low, span = plane.min(axis=0), np.ptp(plane, axis=0)
    unit = np.where(span > 1e-6, (plane - low) / np.where(span > 1e-6, span, 1), 0.5)
    return [_rounded(x, y) for x, y in MARGIN + (1 - 2 * MARGIN) * unit]


def _between(vectors: Vectors, index: int, placed: dict[int, Point]) -> Point:
    others = sorted(placed)
    near = vectors[others] @ vectors[index]
    chosen = np.argsort(-near, kind="stable")[:NEIGHBOURS]
    weights = np.exp(4 * near[chosen])
    x, y = np.average([placed[others[i]] for i in chosen], axis=0, weights=weights)
    for turn in range(60):  # a spiral outwards, until nothing is in the way
        angle, radius = 2.4 * turn, GAP * np.sqrt(turn)
        spot = _rounded(x + radius * np.cos(angle), y + radius * np.sin(angle))
        if all(np.hypot(spot[0] - px, spot[1] - py) >= GAP for px, py in placed.values()):
            break
    return spot


def _rounded(x: float, y: float) -> Point:
    return round(min(1.0, max(0.0, float(x))), 4), round(min(1.0, max(0.0, float(y))), 4)


@lru_cache(maxsize=1)
def _encoder() -> ThemeEncoder:
    """Load it once: a second of work and 120 MB, which many who try descriptions at once would each cost again."""
    return load_theme_encoder(ARTEFACTS)


def describe_theme(texts: Sequence[str]) -> bytes:
    """Return the centroid of a theme that a person describes.

    Args:
        texts: Its name and description, in one language or both; at least one with letters.

    Returns:
        In the form of `Passage.theme_vector`.
    """
    vectors = _encoder().encode(list(texts))
    return to_bytes(_unit(vectors.mean(axis=0))[None])[0]


def mean_vector(vectors: Sequence[bytes]) -> bytes:
    """Return the centroid of passages; at least one."""
    return to_bytes(_unit(from_bytes(list(vectors)).mean(axis=0))[None])[0]


def halve(vectors: Sequence[bytes]) -> list[list[int]]:
    """Part passages into two matters by two-means on cosines, begun along the axis in which they differ most.

    Args:
        vectors: In the form of `Passage.theme_vector`.

    Returns:
        Two lists of indices, the larger first; one list of all where they are one matter, or too few.
    """
    whole = [list(range(len(vectors)))]
    if len(vectors) < 2 * MIN_PART:
        return whole
    rows = from_bytes(list(vectors))
    centred = rows - rows.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    second = centred @ axes[0] > 0
    for _ in range(ROUNDS):
        if not MIN_PART <= second.sum() <= len(rows) - MIN_PART:
            return whole
        centroids = np.stack([_unit(rows[~second].mean(axis=0)), _unit(rows[second].mean(axis=0))])
        moved = rows @ centroids[1] > rows @ centroids[0]
        if (moved == second).all():
            break
        second = moved
    if not MIN_PART <= second.sum() <= len(rows) - MIN_PART or float(centroids[0] @ centroids[1]) >= SAME_PART:
        return whole
    parts = [[int(i) for i in np.flatnonzero(~second)], [int(i) for i in np.flatnonzero(second)]]
    return sorted(parts, key=lambda part: (-len(part), part[0]))


def _unit(vector: Vectors) -> Vectors:
    unit: Vectors = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit
