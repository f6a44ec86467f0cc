"""The space in which passages are grouped: what they mean and how they are worded, beside each other.

Meaning is the sentence vector without its language's mean, so that French and English passages of one matter meet, with
the directions that all passages share made shorter (whitening, partly: Su et al. 2021 do it wholly). Wording is which
runs of letters it uses (TF-IDF, reduced by SVD): names and trade words that the encoder does not know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.lexicon import fold
from models.types import ThemePassage

WHITENING = 0.25
"""Power of the variance by which a direction is divided: 0 leaves it, 0.5 makes all alike."""
WORDING = 0.7
"""Weight of wording beside meaning."""
LETTERS = (3, 5)
N_WORDING = 200
"""Dimensions of wording."""
MAX_SPREAD = 0.5
"""Share of passages above which a run of letters says nothing."""
MIN_OF_LANGUAGE = 20
"""Passages of a language from which its mean means something."""
SAME = 1e-4
"""Length under which what is left of a vector is rounding."""

Vectors = NDArray[np.float32]


def place_passages(passages: Sequence[ThemePassage], vectors: Vectors) -> Vectors:
    """Return the place of each passage, float32 (n, n_dims), unit length.

    Args:
        passages: At least one.
        vectors: Theirs, unit length, (n, n_dims).
    """
    languages = np.array([str(p.language) for p in passages])
    meaning = unit(_whitened(_centred(vectors, languages)), vectors)
    wording = _wording([p.text for p in passages])
    if wording is None:
        return meaning
    return unit(np.hstack([meaning, WORDING * unit(_centred(wording, languages), wording)]))


def unit(vectors: Vectors, instead: Vectors | None = None) -> Vectors:
    """Bring rows to unit length; of a row that is nothing, the one of `instead`, if any and as wide, is taken."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    nothing = lengths[:, 0] < SAME
    lengths[nothing] = 1
    out: Vectors = (vectors / lengths).astype(np.float32)
    if instead is not None and nothing.any():  # copies of one sentence are their own mean
        out[nothing] = instead[nothing][:, : out.shape[1]]
    return out


def _centred(vectors: Vectors, languages: NDArray[np.str_]) -> Vectors:
    """Take its language's mean off each vector."""
    centred = vectors.copy()
    for language in np.unique(languages):
        rows = languages == language
        if rows.sum() >= MIN_OF_LANGUAGE:
            centred[rows] -= centred[rows].mean(axis=0)
    return centred


def _whitened(vectors: Vectors) -> Vectors:
    """Turn to the main directions, and divide each by a power of its variance."""
    values, directions = np.linalg.eigh((vectors.T @ vectors).astype(np.float64) / len(vectors))
    shares = np.maximum(values, 1e-6 * max(values[-1], 1e-12)) ** -WHITENING
    whitened: Vectors = (vectors @ (directions * shares / shares.min()).astype(np.float32)).astype(np.float32)
    return whitened


def _wording(texts: Sequence[str]) -> Vectors | None:
    """Return how texts are worded, (n, up to `N_WORDING`), unit length; None where they share too little."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    counter = TfidfVectorizer(
        analyzer="char_wb", ngram_range=LETTERS, sublinear_tf=True, min_df=2, max_df=MAX_SPREAD, dtype=np.float32
    )
    try:
        counts = counter.fit_transform([fold(text) for text in texts])
    except ValueError:  # no run of letters is left
        return None
    n_dims = min(N_WORDING, min(counts.shape) - 1)
    if n_dims < 2:
        return None
    return unit(TruncatedSVD(n_dims, random_state=0).fit_transform(counts))
