"""Whether a name of the catalogue is a rival's in a note, or serves the customer there in another way.

The same words stand around a rival and around a system that stays and only exchanges data with ours; what tells them
apart is what the sentence says, which the tagger's last layer holds at the name and over its sentence. One logistic
head reads it beside both voices of `models/mentions.py` and the relation that the tagger sees. The tagger never learns
a catalogue, so the head is fitted on texts that the tagger has not seen (`training/listed_names.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from models.notes import ReadNote
from models.tagger import N_DIMS, RELATION, Tagged

N_FEATURES = 2 + 5 + 2 * N_DIMS
VOICE = 3.0
"""Length of a unit of log odds beside the vectors, which have one of `N_DIMS` ** 0.5: how freely the fit may use it."""
LEAST_RELATION = 1e-3
"""Chances of relations are raised to it."""

Vectors = NDArray[np.float32]


class ListedName(NamedTuple):
    """A listed name as both voices take it.

    Attributes:
        note: The note that holds it.
        tagged: The tagger's reading of the note.
        start: Offset of its first character.
        end: Offset behind its last one.
        chance: That it is a rival's here, by the linear classifier, in [0, 1]; the tagger's is read off `tagged`.
        least: The least that either voice gives to it and to its opposite, above 0 (`models.mentions.least_chance`).
    """

    note: ReadNote
    tagged: Tagged
    start: int
    end: int
    chance: float
    least: float


def listed_features(names: Sequence[ListedName]) -> Vectors:
    """Describe names for the head; shape (n, N_FEATURES)."""
    return np.stack([_features(name) for name in names]) if names else np.zeros((0, N_FEATURES), dtype=np.float32)


def _features(name: ListedName) -> Vectors:
    chances = name.chance, name.tagged.name_chance(name.start, name.end)
    voices = logit(np.clip(chances, name.least, 1 - name.least))
    relations = np.log(np.maximum(name.tagged.chances(name.start, name.end, RELATION), LEAST_RELATION))
    said = [_scaled(name.tagged.vector(*stretch)) for stretch in ((name.start, name.end), _sentence(name))]
    return np.concatenate([VOICE * voices, VOICE * relations, *said]).astype(np.float32)


def _sentence(name: ListedName) -> tuple[int, int]:
    index = name.note.segment_of(name.start)
    segment = name.note.segments[index] if index is not None else name
    return segment.start, segment.end


def _scaled(vector: Vectors) -> Vectors:
    """Return a vector at the length that one of `N_DIMS` unit variances has."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6) * N_DIMS**0.5, dtype=np.float32)
