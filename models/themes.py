"""Themes: groups of passages about one matter, in both languages, with an identity that outlives each fit.

A fit runs BERTopic (Grootendorst 2022) on the stored vectors, with average-linkage clustering on cosine distance in
place of UMAP and HDBSCAN: the same passages give the same groups in any order and on any machine, and notes are too
few for densities to mean much. Each language's mean is taken off first, so that French and English passages of one
matter meet. Groups are then matched to the living themes, which keep their keys. Between fits a passage gets the
nearest theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder import from_bytes, load_encoder, to_bytes
from models.theme_labels import N_KEYWORDS, PhraseBook, best_phrase, rank_phrases, read_phrases, stop_words
from models.types import FittedTheme, Language, LivingTheme, ThemeFit, ThemeMatch, ThemePassage

VERSION = "themes-1"
ARTEFACTS = Path(__file__).parent / "artefacts"

MIN_SIMILARITY = 0.45
"""Least cosine of a passage with its theme's centroid."""
MAX_DISTANCE = 0.85
"""Mean cosine distance, of vectors without their language's mean, up to which groups are joined."""
MIN_SIZE = 4
"""Passages that make a theme."""
MIN_ACCOUNTS = 2
"""Accounts that make a theme: what one account says is its anecdote."""
SAME_THEME = 0.7
"""Least cosine of a group's centroid with a living theme's for it to be that theme."""
MAX_FITTED = 4_000
"""Passages that are grouped; the others are assigned. The distances of all pairs are held: 64 MB."""
MIN_OF_LANGUAGE = 20
"""Passages of a language from which its mean means something."""
N_REPRESENTATIVES = 3

Vectors = NDArray[np.float32]


def assign(vectors: Sequence[bytes], themes: Sequence[LivingTheme]) -> list[ThemeMatch | None]:
    """Find the theme of each passage.

    Args:
        vectors: In the form of `Passage.vector`.
        themes: The living themes.

    Returns:
        One entry per passage, in order: the nearest theme with its cosine in [`MIN_SIMILARITY`, 1], or None where every
        theme is further away.
    """
    if not themes or not vectors:
        return [None] * len(vectors)
    nearest, similarities = _nearest(from_bytes(vectors), from_bytes([theme.centroid for theme in themes]))
    return [
        ThemeMatch(themes[theme].key, float(similarity)) if similarity >= MIN_SIMILARITY else None
        for theme, similarity in zip(nearest, similarities, strict=True)
    ]


def _nearest(vectors: Vectors, centroids: Vectors) -> tuple[NDArray[np.intp], Vectors]:
    similarities = vectors @ centroids.T
    return similarities.argmax(axis=1), similarities.max(axis=1)


def fit(passages: Sequence[ThemePassage], living: Sequence[LivingTheme]) -> ThemeFit:
    """Group passages into themes and recognise the living ones among them.

    The same passages give the same themes in whatever order they come.

    Args:
        passages: All passages. Of more than `MAX_FITTED`, an even sample is grouped and the rest assigned.
        living: The themes of the fit before.
    """
    order = sorted(range(len(passages)), key=lambda i: (passages[i].text, passages[i].account, passages[i].vector))
    step = max(1, -(-len(order) // MAX_FITTED))
    sample = order[::step]
    vectors = from_bytes([p.vector for p in passages])
    groups = _group([passages[i] for i in sample], vectors[sample]) if len(sample) >= 2 * MIN_SIZE else []
    if not groups:
        return ThemeFit(VERSION, (), (None,) * len(passages), (None,) * len(passages))
    centroids = np.stack([_centroid(vectors[[sample[i] for i in group]]) for group in groups])
    nearest, similarities = _nearest(vectors, centroids)
    near = similarities >= MIN_SIMILARITY
    members = [[i for i in order if near[i] and nearest[i] == theme] for theme in range(len(groups))]
    keys = _continued(centroids, living)
    labels, keywords = _describe(passages, order, members, centroids)
    themes = [
        FittedTheme(keys[t], labels[t], keywords[t], to_bytes(centroids[t][None])[0], len(members[t]), representatives)
        for t, representatives in enumerate(_representatives(passages, members, similarities))
    ]
    return ThemeFit(
        VERSION,
        tuple(themes),
        tuple(int(theme) if n else None for theme, n in zip(nearest, near, strict=True)),
        tuple(float(s) if n else None for s, n in zip(similarities, near, strict=True)),
    )


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


def _group(passages: Sequence[ThemePassage], vectors: Vectors) -> list[list[int]]:
    """Return the places of the passages of each group, the largest first."""
    from bertopic import BERTopic
    from bertopic.dimensionality import BaseDimensionalityReduction
    from sklearn.feature_extraction.text import CountVectorizer

    known = [int(i) for i in np.flatnonzero(np.linalg.norm(vectors, axis=1))]  # the others are only emoji, say
    if len(known) < 2 * MIN_SIZE:
        return []
    topics, _ = BERTopic(
        embedding_model=None,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=_Grouping(),
        vectorizer_model=CountVectorizer(analyzer=str.split),
        calculate_probabilities=False,
    ).fit_transform([passages[i].text for i in known], _centred([passages[i] for i in known], vectors[known]))
    groups: dict[int, list[int]] = {}
    for place, topic in zip(known, topics, strict=True):
        if topic >= 0:
            groups.setdefault(int(topic), []).append(place)
    broad = [group for group in groups.values() if len({passages[i].account for i in group} - {""}) >= MIN_ACCOUNTS]
    return sorted(broad, key=lambda group: (-len(group), group[0]))


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


def _centroid(vectors: Vectors) -> Vectors:
    mean: Vectors = vectors.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def _continued(centroids: Vectors, living: Sequence[LivingTheme]) -> list[str | None]:
    """Match groups to living themes, one to one, so that the sum of cosines is greatest (Kuhn 1955)."""
    from scipy.optimize import linear_sum_assignment

    keys: list[str | None] = [None] * len(centroids)
    if living:
        similarities = centroids @ from_bytes([theme.centroid for theme in living]).T
        for row, column in zip(*linear_sum_assignment(-similarities), strict=True):
            if similarities[row, column] >= SAME_THEME:
                keys[row] = living[column].key
    return keys


def _representatives(
    passages: Sequence[ThemePassage], members: Sequence[Sequence[int]], similarities: Vectors
) -> list[tuple[int, ...]]:
    """Return the most typical passages of each theme, one of each account as long as there are others."""
    chosen = []
    for theme in members:
        typical = sorted(theme, key=lambda i: -similarities[i])
        one_each = {passages[i].account: i for i in reversed(typical)}.values()
        first = [i for i in typical if i in one_each]
        rest = [i for i in typical if i not in first]
        chosen.append(tuple([*first, *rest][:N_REPRESENTATIVES]))
    return chosen


def _describe(
    passages: Sequence[ThemePassage], order: Sequence[int], members: Sequence[Sequence[int]], centroids: Vectors
) -> tuple[list[dict[str, str]], list[dict[str, list[str]]]]:
    """Name each theme in both languages; where a language lacks the words, the other's stand in."""
    encode = load_encoder(ARTEFACTS / "encoder").encode
    labels: list[dict[str, str]] = [{} for _ in members]
    keywords: list[dict[str, list[str]]] = [{} for _ in members]
    for language in (Language.EN, Language.FR):
        places = {i: place for place, i in enumerate(i for i in order if passages[i].language is language)}
        book = read_phrases([passages[i].text for i in places], stop_words(language))
        taken: set[str] = set()
        for theme, inside in enumerate(members):
            ranked = rank_phrases(book, [places[i] for i in inside if i in places], len(places))
            name = best_phrase(ranked, centroids[theme], encode, taken)
            if name:
                taken.add(name)
                labels[theme][language] = book.forms[name]
            keywords[theme][language] = _keywords(book, ranked)
    return [_complete(label, t) for t, label in enumerate(labels)], keywords


def _keywords(book: PhraseBook, ranked: Sequence[tuple[str, float]]) -> list[str]:
    return [book.forms[phrase] for phrase, _ in ranked if " " not in phrase][:N_KEYWORDS]


def _complete(label: dict[str, str], theme: int) -> dict[str, str]:
    en, fr = label.get(Language.EN), label.get(Language.FR)
    return {"en": en or fr or f"theme {theme + 1}", "fr": fr or en or f"thème {theme + 1}"}
