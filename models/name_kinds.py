"""Which words of a text are names, and of what: a person, an organisation, a place, a product.

Heads beside the tagger's own, over the same layers, so that they cost no second reading. Made by
`training/name_kinds.py`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models.manifest import verified_manifest

HEADS_FILE = "heads.safetensors"
SURE_BEGIN = 0.8
"""Share of a piece's chance of being in a name from which it begins one, though the word before is in one too."""
_WORD = re.compile(r"[^\W_]+(?:[-.&][^\W_]+)*|[^\w\s]")
_NO_NAME = np.array([1, 0, 0, 0, 0], dtype=np.float32)


class NameKind(StrEnum):
    """What a name is the name of."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PLACE = "place"
    PRODUCT = "product"


KINDS = tuple(NameKind)
N_COLUMNS = 1 + 2 * len(KINDS)
"""Of the heads: no name, then for each kind its first piece and a further piece."""


@dataclass(frozen=True, slots=True)
class Named:
    """A name at `text[start:end]`, with the chance of its kind in [0, 1]."""

    start: int
    end: int
    kind: NameKind
    score: float


@dataclass(frozen=True, slots=True)
class KindHeads:
    """Two layers of units over the vectors of a piece and of its neighbours: rectified, then linear.

    Attributes:
        narrow: Weights of the first, (3 * n_inputs, n_hidden), and its bias.
        out: Weights of the second, (n_hidden, N_COLUMNS), and its bias.
    """

    narrow: tuple[NDArray[np.float32], NDArray[np.float32]]
    out: tuple[NDArray[np.float32], NDArray[np.float32]]

    def __call__(self, layers: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return logits, (n_pieces, N_COLUMNS), from the vectors of each layer, (n_pieces, n_dims)."""
        vectors = np.concatenate(layers, axis=1)
        edge = np.zeros((1, vectors.shape[1]), dtype=np.float32)
        before, after = np.concatenate([edge, vectors[:-1]]), np.concatenate([vectors[1:], edge])
        hidden = np.maximum(np.concatenate([before, vectors, after], axis=1) @ self.narrow[0] + self.narrow[1], 0)
        logits: NDArray[np.float32] = hidden @ self.out[0] + self.out[1]
        return logits


def load_kind_heads(folder: Path) -> KindHeads:
    """Read the heads.

    Raises:
        ArtefactMissing: If a file is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    verified_manifest(folder)
    stored = {name: value.astype(np.float32) for name, value in load_file(folder / HEADS_FILE).items()}
    first, second = ((np.ascontiguousarray(stored[f"{n}.weight"].T), stored[f"{n}.bias"]) for n in ("narrow", "out"))
    return KindHeads(first, second)


@dataclass(frozen=True, slots=True)
class NameKinds:
    """What the heads say of one text.

    Attributes:
        offsets: Characters of each piece, (n_pieces, 2).
        logits: Columns as `N_COLUMNS` tells, (n_pieces, N_COLUMNS).
    """

    offsets: NDArray[np.int64]
    logits: NDArray[np.float32]

    @classmethod
    def unread(cls) -> NameKinds:
        """Return what is said of a text that nothing has read."""
        return cls(np.zeros((0, 2), dtype=np.int64), np.zeros((0, N_COLUMNS), dtype=np.float32))

    def _inside(self, start: int, end: int) -> NDArray[np.int64]:
        return np.flatnonzero((self.offsets[:, 0] < end) & (self.offsets[:, 1] > start))

    def chances(self, start: int, end: int) -> NDArray[np.float32]:
        """Return the mean chances, over a stretch, of no name and of each kind in order; shape (5,)."""
        inside = self._inside(start, end)
        if not len(inside):
            return _NO_NAME
        mean: NDArray[np.float32] = kind_chances(self.logits[inside]).mean(axis=0, dtype=np.float32)
        return mean

    def names(self, text: str, least: float = 0.5) -> Iterator[Named]:
        """Yield names in order: runs of neighbouring words, each with at least the chance `least` of being in a name.

        A word is judged by the mean over its pieces, a name's kind by the mean over its words.
        """
        chances, begins = kind_chances(self.logits), self._begins()
        likely: list[bool] = (chances[:, 0] <= 1 - least).tolist()  # a word without such a piece is in no name
        starts, ends = self.offsets[:, 0].tolist(), self.offsets[:, 1].tolist()
        run: list[tuple[int, int, NDArray[np.float32]]] = []
        for match in _WORD.finditer(text):
            first, last = bisect_right(ends, match.start()), bisect_left(starts, match.end())
            mean = chances[first:last].mean(axis=0) if any(likely[first:last]) else _NO_NAME
            named = mean[0] <= 1 - least and match[0][0].isalnum()
            if run and (not named or begins[first]):
                yield _named(run)
                run = []
            if named:
                run.append((*match.span(), mean))
        if run:
            yield _named(run)

    def _begins(self) -> NDArray[np.bool_]:
        """Tell of each piece whether, if it is part of a name, it surely begins one."""
        chances = _softmax(self.logits)
        begins: NDArray[np.bool_] = chances[:, 1::2].sum(axis=1) > SURE_BEGIN * chances[:, 1:].sum(axis=1)
        return begins


def _named(run: Sequence[tuple[int, int, NDArray[np.float32]]]) -> Named:
    """Make one name of neighbouring words: start, end and chances of each."""
    mean = np.mean([chances for *_, chances in run], axis=0)
    kind = int(mean[1:].argmax())
    return Named(run[0][0], run[-1][1], KINDS[kind], float(mean[kind + 1]))


def kind_chances(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the chances of no name and of each kind; shape (n_pieces, 5)."""
    chances = _softmax(logits)
    return np.concatenate([chances[:, :1], chances[:, 1::2] + chances[:, 2::2]], axis=1)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True, initial=-np.inf))
    chances: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return chances
