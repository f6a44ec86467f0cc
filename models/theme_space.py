"""The space of themes: what passages are about, and where they are grouped.

A passage lies there by two readings of it: its sentence vector (`models/encoder.py`), and the mean of the tagger's last
layer over it (`models/tagger.py`), which knows what sales notes argue about. Each is taken from its language's mean, so
that French and English passages of one matter meet, and both are projected together: directions in which passages of
one theme differ are made short (within-class covariance normalisation: Hatch, Kajarekar and Stolcke 2006). The
projection is learned by `training/theme_space.py`.

Not every passage is about something that themes are made of: reps also tell how a meeting went. How likely one is can
be told from where it lies (`ThemeSpace.chances`).

For a fit, two more stand beside it: how far the passage leans to each of the subjects that themes of all industries
are about (`models/theme_subjects.py`), and its wording, which runs of letters it uses (TF-IDF, reduced by SVD), as
names and trade words are known to neither reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.special import expit

from models.encoder import Encoder, load_encoder
from models.lexicon import fold, load_lexicon
from models.manifest import verified_manifest
from models.tagger import N_DIMS, Tagged, Tagger, load_tagger
from models.theme_subjects import Subjects, load_subjects
from models.types import THEME_DIMS, Language, ThemePassage

if TYPE_CHECKING:
    from models.language import LanguageReader

SPACE_FILE = "space.safetensors"
WORDING = 0.5
"""Weight of wording beside what a passage is about."""
LEANING = 0.3
"""Weight of the subjects that a passage leans to: more helps sales notes little, and harms texts of other kinds."""
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


@dataclass(frozen=True, slots=True)
class ThemeSpace:
    """The learned projection.

    Attributes:
        centres: Mean of the readings in each language, (n_readings,).
        projection: From what is left of readings, (n_readings, THEME_DIMS).
        telling: Weights of the chance that a passage belongs to a theme, (THEME_DIMS,), and the bias.
        subjects: What themes are mostly about.
        version: Changes whenever vectors may change.
    """

    centres: dict[Language, Vectors]
    projection: Vectors
    telling: tuple[Vectors, float]
    subjects: Subjects
    version: str

    def place(self, meanings: Vectors, tagged: Vectors, languages: Sequence[Language]) -> Vectors:
        """Return the theme vector of each passage, (n, THEME_DIMS), of unit length; zeros without a meaning.

        Args:
            meanings: Their sentence vectors, (n, n_dims).
            tagged: Means of the tagger's last layer, (n, n_dims).
            languages: Of each passage.
        """
        if not len(meanings):
            return np.zeros((0, THEME_DIMS), dtype=np.float32)
        centres = np.stack([self.centres[language] for language in languages])
        # in double precision, so that a passage's neighbours in a batch don't move its last bit
        away = (join_readings(meanings, tagged) - centres).astype(np.float64) @ self.projection.astype(np.float64)
        placed = unit(away)
        placed[~meanings.any(axis=1)] = 0  # only emoji, say
        return placed

    def chances(self, vectors: Vectors) -> Vectors:
        """Return how likely each passage is about something that themes are made of, (n,), in [0, 1].

        Args:
            vectors: Theme vectors, (n, THEME_DIMS).
        """
        weights, bias = self.telling
        chances: Vectors = expit(vectors @ weights + np.float32(bias))
        return chances


def join_readings(meanings: Vectors, tagged: Vectors) -> Vectors:
    """Put sentence vectors, (n, n_dims), and means of the tagger's last layer, (n, n_dims), beside each other."""
    return np.hstack([meanings, unit(tagged)])


def load_theme_space(folder: Path) -> ThemeSpace:
    """Load the space.

    Raises:
        ArtefactMissing: If a file is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    manifest = verified_manifest(folder)
    stored = load_file(folder / SPACE_FILE)
    english, french, projection = (stored[name].astype(np.float32) for name in ("en", "fr", "projection"))
    middle = (english + french) / np.float32(2)
    centres = {Language.EN: english, Language.FR: french, Language.UNKNOWN: middle}
    telling = stored["telling"].astype(np.float32)
    subjects = load_subjects(folder, stored["subjects"].astype(np.float32))
    return ThemeSpace(centres, projection, (telling[:-1], float(telling[-1])), subjects, manifest.version)


class ThemeEncoder:
    """Gives texts that stand alone their theme vectors; passages of notes get theirs while the note is read."""

    def __init__(self, encoder: Encoder, tagger: Tagger, languages: LanguageReader, space: ThemeSpace) -> None:
        self._encoder = encoder
        self._tagger = tagger
        self._languages = languages
        self._space = space

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the theme vector of each text, as `ThemeSpace.place` does."""
        tagged = whole_texts(self._tagger.tag(texts), texts)
        return self._space.place(self._encoder.encode(texts), tagged, self._languages.read(texts))


def whole_texts(tagged: Sequence[Tagged], texts: Sequence[str]) -> Vectors:
    """Return the mean of the tagger's last layer over each whole text, (n, n_dims)."""
    rows = [one.vector(0, len(text)) for one, text in zip(tagged, texts, strict=True)]
    return np.stack(rows) if rows else np.zeros((0, N_DIMS), dtype=np.float32)


def load_theme_encoder(artefacts: Path) -> ThemeEncoder:
    """Load it from the folder of all artefacts.

    Raises:
        ArtefactMissing: If a file is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    from models.language import load_language_reader  # here: it loads spaCy, which fits and assignments can do without

    return ThemeEncoder(
        load_encoder(artefacts / "encoder"),
        load_tagger(artefacts / "tagger"),
        load_language_reader(artefacts / "language", load_lexicon(artefacts / "lexicon")),
        load_theme_space(artefacts / "themes"),
    )


def group_space(passages: Sequence[ThemePassage], vectors: Vectors, leanings: Vectors) -> Vectors:
    """Return the place in which a fit groups each passage, float32 (n, n_dims), unit length.

    Args:
        passages: At least one.
        vectors: Their theme vectors, (n, THEME_DIMS).
        leanings: How far each leans to each subject, (n, n_subjects).
    """
    languages = np.array([str(p.language) for p in passages])
    parts = [unit(centred(vectors, languages), vectors)]
    wording = _wording([p.text for p in passages])
    if wording is not None:
        parts.append(WORDING * unit(centred(wording, languages), wording))
    roots = np.sqrt(leanings)  # so that distances are those of Hellinger
    parts.append(LEANING * unit(roots - roots.mean(axis=0)))
    return unit(np.hstack(parts))


def unit(vectors: NDArray[np.floating[Any]], instead: Vectors | None = None) -> Vectors:
    """Bring rows to unit length; of a row that is nothing, the one of `instead`, if any and as wide, is taken."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    nothing = lengths[:, 0] < SAME
    lengths[nothing] = 1
    out: Vectors = (vectors / lengths).astype(np.float32)
    if instead is not None and nothing.any():  # copies of one sentence are their own mean
        out[nothing] = instead[nothing][:, : out.shape[1]]
    return out


def centred(vectors: Vectors, languages: NDArray[np.str_]) -> Vectors:
    """Take its language's mean off each vector: of this workspace, beside what the space knows of all.

    Of a language with fewer than `MIN_OF_LANGUAGE` passages, nothing is taken.
    """
    moved = vectors.copy()
    for language in np.unique(languages):
        rows = languages == language
        if rows.sum() >= MIN_OF_LANGUAGE:
            moved[rows] -= moved[rows].mean(axis=0)
    return moved


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
