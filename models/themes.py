"""Themes: groups of passages about one matter, in both languages, with an identity that outlives each fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.encoder import from_bytes, to_bytes
from models.types import FittedTheme, Language, LivingTheme, ThemeFit, ThemeMatch, ThemePassage

VERSION = "themes-0"
MIN_SIMILARITY = 0.45
_MIN_SIZE = 3
_CHUNK = 4096


def assign(vectors: Sequence[bytes], themes: Sequence[LivingTheme]) -> list[ThemeMatch | None]:
    """Return the theme of each passage, or None where no centroid is near enough."""
    if not themes or not vectors:
        return [None] * len(vectors)
    centroids = from_bytes([theme.centroid for theme in themes])
    found: list[ThemeMatch | None] = []
    for start in range(0, len(vectors), _CHUNK):
        similarities = from_bytes(vectors[start : start + _CHUNK]) @ centroids.T
        best = similarities.argmax(axis=1)
        for row, theme in enumerate(best):
            similarity = float(similarities[row, theme])
            found.append(ThemeMatch(themes[theme].key, similarity) if similarity >= MIN_SIMILARITY else None)
    return found


def fit(passages: Sequence[ThemePassage], living: Sequence[LivingTheme]) -> ThemeFit:
    """Group passages into themes and recognise the living ones among them."""
    from sklearn.cluster import AgglomerativeClustering

    if len(passages) < 2 * _MIN_SIZE:
        return ThemeFit(VERSION, (), (None,) * len(passages), (None,) * len(passages))
    vectors = from_bytes([p.vector for p in passages])
    kept = sorted(range(len(passages)), key=lambda i: passages[i].text)[:4000]
    found = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=0.6
    ).fit_predict(vectors[kept])
    groups: dict[int, list[int]] = defaultdict(list)
    for index, group in zip(kept, found, strict=True):
        groups[int(group)].append(index)
    members = sorted((g for g in groups.values() if len(g) >= _MIN_SIZE), key=lambda g: (-len(g), g[0]))
    if not members:
        return ThemeFit(VERSION, (), (None,) * len(passages), (None,) * len(passages))
    centroids = np.stack([_centroid(vectors[g]) for g in members])
    similarities = vectors @ centroids.T
    best = similarities.argmax(axis=1)
    near = similarities.max(axis=1) >= MIN_SIMILARITY
    keys = _continued(centroids, living)
    themes = []
    for theme, centroid in enumerate(centroids):
        inside = np.flatnonzero(near & (best == theme))
        order = inside[np.argsort(-similarities[inside, theme], kind="stable")]
        label = _label([passages[i] for i in order])
        keywords = {"en": label["en"].split(), "fr": label["fr"].split()}
        themes.append(
            FittedTheme(
                keys[theme], label, keywords, to_bytes(centroid[None])[0], len(inside), tuple(map(int, order[:3]))
            )
        )
    return ThemeFit(
        VERSION,
        tuple(themes),
        tuple(int(b) if n else None for b, n in zip(best, near, strict=True)),
        tuple(float(similarities[i, b]) if near[i] else None for i, b in enumerate(best)),
    )


def _centroid(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = vectors.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def _continued(centroids: NDArray[np.float32], living: Sequence[LivingTheme]) -> list[str | None]:
    from scipy.optimize import linear_sum_assignment

    keys: list[str | None] = [None] * len(centroids)
    if living:
        similarities = centroids @ from_bytes([theme.centroid for theme in living]).T
        for row, column in zip(*linear_sum_assignment(-similarities), strict=True):
            if similarities[row, column] >= 0.7:
                keys[row] = living[column].key
    return keys


def _label(passages: Sequence[ThemePassage]) -> dict[str, str]:
    """Take the most typical short passage of each language, until labels are made from phrases."""
    found = {}
    for language in (Language.EN, Language.FR):
        texts = [p.text for p in passages if p.language == language] or [p.text for p in passages]
        found[str(language)] = " ".join(min(texts[:10], key=len).split()[:6])
    return found
