"""Groups of passages about one matter: what a fit of themes finds where no theme stands yet.

BERTopic (Grootendorst 2022) runs on what `models/theme_space.py` makes of passages, with its own clustering in place
of UMAP and HDBSCAN, which leave half of short notes out and differ from run to run:

1. each passage is linked with its nearest others, and moved towards them (one step of diffusion on the graph);
2. average linkage makes a tree of all passages;
3. the tree is cut, each branch at its own height, where the links inside groups exceed chance most: the modularity of
   Newman and Girvan (2004) with the resolution of Reichardt and Bornholdt (2006), best of all cuts of the tree;
4. the finest resolution is taken that keeps a passage's wider neighbourhood together; where none does, the coarsest;
5. passages go to the nearest of the groups, three times over.

So the data say how many groups there are: few where neighbours are strangers, many where they agree. The same passages
give the same groups in any order and on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from models.theme_space import Vectors, group_space, unit
from models.types import ThemePassage

NEIGHBOURS = 12
"""Others that each passage is linked with."""
RESOLUTIONS = (1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0)
"""How fine the tree may be cut: 1 weighs a link as chance does, more asks for closer groups."""
INSIDE = 0.85
"""Share of the links with `WIDER` neighbours that a finer cut must keep inside groups."""
WIDER = 15
"""Others that a passage is linked with to see whether a group holds together; a few may be copies or translations."""
ROUNDS = 3
MIN_SIZE = 4
"""Passages that make a theme."""
MIN_ACCOUNTS = 2
"""Accounts that make a theme: what one account says is its anecdote."""
SAME_THEME = 0.9
"""Cosine of two centroids from which the themes are one."""
MAX_GROUPED = 5_000
"""Passages that are grouped, evenly taken from more. The distances of all pairs are held: 400 MB."""

Labels = NDArray[np.int64]
Lean = Callable[[Vectors], Vectors]


class _Grouping:
    """The clustering that BERTopic runs: a label for each row."""

    labels_: Labels
    links_: csr_array
    """Links with `WIDER` neighbours."""

    def fit(self, vectors: Vectors, y: object = None) -> _Grouping:
        """Cluster rows of unit length, float32 (n, n_dims)."""
        links, self.links_ = _links(vectors)
        near = unit(vectors + _rows_to_one(links) @ vectors)
        tree = _tree(near)
        inside, degrees = _count_links(tree, links)
        for resolution in reversed(RESOLUTIONS):
            found = _refined(near, _cut(tree, inside, degrees, resolution))
            if _share_inside(self.links_, found) >= INSIDE:
                break
        self.labels_ = found
        return self


def _links(vectors: Vectors) -> tuple[csr_array, csr_array]:
    """Link each row with its `NEIGHBOURS` and with its `WIDER` nearest others, by cosine; mutual links count twice."""
    n = len(vectors)
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    k = min(WIDER, n - 1)
    nearest = np.argpartition(similar, n - k, axis=1)[:, n - k :]
    weights = np.take_along_axis(similar, nearest, axis=1)
    order = np.argsort(-weights, axis=1, kind="stable")
    nearest, weights = np.take_along_axis(nearest, order, axis=1), np.take_along_axis(weights, order, axis=1)
    near, wider = (_mutual(nearest[:, :each], weights[:, :each]) for each in (NEIGHBOURS, WIDER))
    return near, wider


def _mutual(nearest: NDArray[np.intp], weights: Vectors) -> csr_array:
    n, k = nearest.shape
    values = np.maximum(weights, 1e-6).ravel().astype(np.float64)
    directed = csr_array((values, (np.repeat(np.arange(n), k), nearest.ravel())), (n, n))
    return csr_array(directed + directed.T)


def _rows_to_one(links: csr_array) -> csr_array:
    return csr_array(links.multiply(1 / links.sum(axis=1)[:, None]), dtype=np.float32)


def _tree(vectors: Vectors) -> NDArray[np.float64]:
    """Return the merges of average linkage on cosine distance, as scipy does."""
    from scipy.cluster.hierarchy import linkage

    distances = np.maximum(1 - vectors @ vectors.T, 0)
    tree: NDArray[np.float64] = linkage(np.concatenate([row[i:] for i, row in enumerate(distances, 1)]), "average")
    return tree


def _count_links(tree: NDArray[np.float64], links: csr_array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each node of the tree the share of links inside it, and the share of link ends that are its."""
    n = len(tree) + 1
    total = links.sum()
    inside, ends = np.zeros(2 * n - 1), np.zeros(2 * n - 1)
    ends[:n] = links.sum(axis=1)
    others = [
        dict(zip(links.indices[a:b].tolist(), links.data[a:b].tolist(), strict=True))
        for a, b in zip(links.indptr, links.indptr[1:], strict=False)
    ]
    names = [*range(n)]  # under which of its passages a node's links are kept
    for node, (left, right) in enumerate(tree[:, :2].astype(int).tolist(), start=n):
        small, large = sorted((names[left], names[right]), key=lambda name: len(others[name]))
        between = others[large].pop(small, 0.0)
        for other, weight in others[small].items():
            if other != large:
                others[large][other] = others[large].get(other, 0.0) + weight
                others[other][large] = others[other].get(large, 0.0) + weight
                del others[other][small]
        others[small] = {}
        names.append(large)
        inside[node] = inside[left] + inside[right] + 2 * between
        ends[node] = ends[left] + ends[right]
    return inside / total, ends / total


def _cut(
    tree: NDArray[np.float64], inside: NDArray[np.float64], ends: NDArray[np.float64], resolution: float
) -> Labels:
    """Return the group of each passage in the cut of the tree with the highest modularity."""
    n = len(tree) + 1
    children = tree[:, :2].astype(int).tolist()
    alone = inside - resolution * ends**2
    best = alone.copy()
    whole = [True] * len(best)
    for node, (left, right) in enumerate(children, start=n):
        if best[left] + best[right] > alone[node] + 1e-12:
            best[node], whole[node] = best[left] + best[right], False
    groups = np.full(len(best), -1, dtype=np.int64)
    for node in range(len(best) - 1, -1, -1):  # from the root down: a node's parent has a higher number
        if groups[node] < 0 and whole[node]:
            groups[node] = node
        if node >= n and groups[node] >= 0:
            groups[children[node - n]] = groups[node]
    return groups[:n]


def _refined(vectors: Vectors, groups: Labels) -> Labels:
    """Move each passage to the nearest group, some times over, and number the groups from 0."""
    _, groups = np.unique(groups, return_inverse=True)
    for _ in range(ROUNDS):
        n = len(groups)
        members = csr_array((np.ones(n, dtype=np.float32), (groups, np.arange(n))))
        _, groups = np.unique((vectors @ unit(members @ vectors).T).argmax(axis=1), return_inverse=True)
    return groups


def _share_inside(links: csr_array, groups: Labels) -> float:
    ends = links.tocoo()
    same = groups[ends.coords[0]] == groups[ends.coords[1]]
    return float(ends.data[same].sum() / ends.data.sum())


def group_passages(
    passages: Sequence[ThemePassage],
    vectors: Vectors,
    places: Sequence[int],
    lean: Lean,
    least_inside: float = 0.0,
) -> list[list[int]]:
    """Group some passages.

    Args:
        passages: All passages.
        vectors: Their theme vectors, unit length or zero, (n, n_dims).
        places: Of those to group, in an order that does not depend on how they came.
        lean: Tells of theme vectors how far each leans to each subject, (n, n_subjects).
        least_inside: Share of the links of near passages that must stay inside groups; else there are none.

    Returns:
        The places of the passages of each group, the largest group first; some passages may be in none.
    """
    from bertopic import BERTopic
    from bertopic.dimensionality import BaseDimensionalityReduction
    from sklearn.feature_extraction.text import CountVectorizer

    sample = places[:: max(1, -(-len(places) // MAX_GROUPED))]
    known = [i for i in sample if vectors[i].any()]  # the others are only emoji, say
    if len(known) < 2 * MIN_SIZE:
        return []
    grouping = _Grouping()
    topics, _ = BERTopic(
        embedding_model=None,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=grouping,
        vectorizer_model=CountVectorizer(analyzer=str.split),
        calculate_probabilities=False,
    ).fit_transform(
        [passages[i].text for i in known],
        group_space([passages[i] for i in known], vectors[known], lean(vectors[known])),
    )
    groups: dict[int, list[int]] = {}  # in the order of their first passages, which does not depend on the fit
    for row, topic in enumerate(topics):
        groups.setdefault(int(topic), []).append(row)
    merged = _merged(sorted(groups.values(), key=len, reverse=True), vectors[known])
    matters = [rows for rows in merged if len(rows) >= MIN_SIZE]
    labels = np.arange(-len(known), 0)
    for number, rows in enumerate(matters):
        labels[rows] = number
    if _share_inside(grouping.links_, labels) < least_inside:
        return []
    found = [[known[row] for row in sorted(rows)] for rows in matters]
    broad = [group for group in found if len({passages[i].account for i in group} - {""}) >= MIN_ACCOUNTS]
    return sorted(broad, key=len, reverse=True)


def _merged(groups: Sequence[list[int]], vectors: Vectors) -> list[list[int]]:
    """Join groups that mean the same: one matter that is always worded alike in each language makes two."""
    kept: list[list[int]] = []
    for group in groups:
        centroid = unit(vectors[group].mean(axis=0)[None])[0]
        for other in kept:
            if float(centroid @ unit(vectors[other].mean(axis=0)[None])[0]) >= SAME_THEME:
                other += group
                break
        else:
            kept.append([*group])
    return kept
