"""The objection classifier: which of thirteen reasons, if any, a clause gives, and what became of it.

A linear model over words, pairs of words and letters of the clause, words of what surrounds it, the field it stands
in, and the vectors of clause and sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from models.blend import pool, reordered
from models.errors import ArtefactMissing
from models.linear import LinearModel, hash_features, load_linear
from models.notes import ReadNote, character_ngrams, ngrams, plain_tokens
from models.types import ObjectionStatus, ObjectionType

N_FEATURES = 2**18
NONE = "none"
TAGGER_TYPES = (NONE, *(str(t) for t in ObjectionType))
"""The tagger's columns."""
VECTOR_WEIGHT = 0.7
"""Length of the vectors beside the hashed features, whose length is 1."""

_QUOTED = re.compile(r"[\"«“”»]")
_MONEY = re.compile(r"[€£$]|\b(?:eur|euros?|gbp|usd|k€|grand|quid|pounds?|dollars?|balles)\b|\d\s?k\b", re.I)
_SHARE = re.compile(r"\d\s?%|per ?cent|pour ?cent")
_SPAN = re.compile(
    r"\b(?:days?|weeks?|wks?|months?|mths?|years?|yrs?|jours?|semaines?|mois|ans?|annees?|heures?|hours?|hrs?)\b", re.I
)
_OUR = re.compile(r"\b(?:our|ours|we|us|your|yours|notre|nos|nous|votre|vos|vous|ours?)\b", re.I)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: its offsets, the index of its segment, and its place within it."""

    start: int
    end: int
    segment: int
    place: int


def clauses_of(note: ReadNote) -> list[Clause]:
    """Return all clauses of a note, in order."""
    return [
        Clause(start, end, index, place)
        for index, segment in enumerate(note.segments)
        for place, (start, end) in enumerate(segment.clauses)
    ]


def clause_features(note: ReadNote, clause: Clause, names: Sequence[tuple[int, int]]) -> list[str]:
    """Describe a clause.

    Args:
        note: The note.
        clause: The clause to describe.
        names: Offsets of the competitors' names in the note; they are read as one word.

    Returns:
        Names of features, for `hash_features`.
    """
    text = _masked(note.text, clause.start, clause.end, names)
    tokens = plain_tokens(text)[:120]
    segment = note.segments[clause.segment]
    before = plain_tokens(note.text[max(segment.start, clause.start - 100) : clause.start])
    after = plain_tokens(note.text[clause.end : min(segment.end, clause.end + 100)])
    features = ngrams(tokens, "") + character_ngrams(tokens, "#", (3, 4))
    features += [f"{a}_{b}_{c}" for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False)]
    features += ngrams(before[-12:], "b:", bigrams=False) + ngrams(after[:12], "a:", bigrams=False)
    features += ngrams(note.segment_tokens(clause.segment - 1)[-30:], "p:", bigrams=False)
    features += ngrams(note.segment_tokens(clause.segment + 1)[:30], "n:", bigrams=False)
    features += [f"label={w}" for w in segment.label.split()[:5]]
    features += [
        f"line={segment.kind}",
        f"kind={note.kind}",
        f"place={min(clause.place, 3)}",
        f"opens={tokens[0] if tokens else ''}",
    ]
    for name, pattern in (("quoted", _QUOTED), ("money", _MONEY), ("share", _SHARE), ("span", _SPAN), ("our", _OUR)):
        if pattern.search(text):
            features.append(f"has={name}")
    features.append(f"length={min(6, len(tokens) // 4)}")
    if segment.end and note.text[segment.end - 1] == "?":
        features.append("question")
    return features


def _masked(text: str, start: int, end: int, names: Sequence[tuple[int, int]]) -> str:
    part = text[start:end]
    for a, b in sorted(names, reverse=True):
        if start <= a and b <= end:
            part = part[: a - start] + "xname" + part[b - start :]
    return part


def describe(
    rows: Sequence[Sequence[str]], clause_vectors: NDArray[np.float32], segment_vectors: NDArray[np.float32]
) -> csr_matrix:
    """Put hashed features and vectors side by side.

    Args:
        rows: Features of each clause.
        clause_vectors: float32, shape (n_rows, n_dims).
        segment_vectors: The same of the segments that hold the clauses.

    Returns:
        float32, shape (n_rows, N_FEATURES + 2 * n_dims).
    """
    dense = np.concatenate([clause_vectors, segment_vectors], axis=1) * VECTOR_WEIGHT
    return csr_matrix(hstack([hash_features(rows, N_FEATURES), csr_matrix(dense)], format="csr", dtype=np.float32))


@dataclass(frozen=True)
class ObjectionReader:
    """The two classifiers, and how they are pooled with the tagger (`models/blend.py`).

    Attributes:
        types: Classes are `none` and the values of `ObjectionType`.
        status: Classes are the values of `ObjectionStatus`.
        threshold: A clause is an objection where the pooled probability of all types together reaches it,
        type_threshold: and that of its likeliest type reaches this.
        type_weight: Of the tagger's opinion on the type, in [0, 1].
        status_weight: Of its opinion on the status.
    """

    types: LinearModel
    status: LinearModel
    threshold: float = 0.5
    type_threshold: float = 0.0
    type_weight: float = 0.5
    status_weight: float = 0.5

    def type_chances(self, features: csr_matrix, tagged: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return pooled probabilities in the order of `types.labels`; `tagged` holds the tagger's, by row."""
        opinion = reordered(tagged, TAGGER_TYPES, self.types.labels)
        return pool(self.types.probabilities(features), opinion, self.type_weight)

    def raised(self, chances: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the indices of the rows of `type_chances` that are objections."""
        types = np.delete(chances, self.types.labels.index(NONE), axis=1)
        likely = (types.sum(axis=1) >= self.threshold) & (types.max(axis=1, initial=0.0) >= self.type_threshold)
        return np.flatnonzero(likely)

    def status_chances(self, features: csr_matrix, tagged: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return pooled probabilities in the order of `status.labels`; `tagged` holds the chances of `STATUS`."""
        opinion = reordered(tagged, [str(s) for s in ObjectionStatus], self.status.labels)
        return pool(self.status.probabilities(features), opinion, self.status_weight)


def load_objection_reader(folder: Path) -> ObjectionReader:
    """Read the classifiers.

    Raises:
        ArtefactMissing: If one is not there.
    """
    types, status = load_linear(folder / "types.safetensors"), load_linear(folder / "status.safetensors")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtefactMissing("objections/config.json is missing; `make train` builds it") from error
    return ObjectionReader(types, status, **config)
