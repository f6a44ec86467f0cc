"""Nearest passages: one bit a dimension in memory to find candidates, full vectors to order them.

The signs of two vectors differ in the more places the wider the angle between them (Charikar 2002). Of those that
differ least, the best are kept by the product of their signs with the full vector that is asked for (Gordo and
Perronnin 2011), which tells three times better who is near. A passage of 384 dimensions takes 48 bytes and its two ids
16, so 300,000 take 19 MB, and comparing with all of them some milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder import Encoder, from_bytes, load_encoder, to_bytes

_ENCODER = Path(__file__).parent / "artefacts" / "encoder"
_WORD_BITS = 64
_ROUGHLY = 10  # times as many by signs alone as are kept by the product


class PassageCodes:
    """The signs of passages' vectors. One thread may change it at a time; others may ask meanwhile."""

    def __init__(self, n_bytes: int) -> None:
        """Take the length of a vector in bytes."""
        self._n_bytes = n_bytes
        self._held = _empty(), _empty(), _codes([bytes(n_bytes)])[:, :0]

    def __len__(self) -> int:
        return len(self._held[0])

    @property
    def last(self) -> int:
        """The highest id, 0 for none."""
        return int(self._held[0].max(initial=0))

    def missing(self, ids: Sequence[int]) -> list[int]:
        """Return those ids that are not held."""
        wanted = np.asarray(ids, dtype=np.int64)
        return [int(i) for i in wanted[~np.isin(wanted, self._held[0])]]

    def add(self, passages: Sequence[tuple[int, int, bytes]]) -> None:
        """Add passages that are not held: id, note's id, vector as in `models.types.Passage`.

        A vector of another length, by an encoder of before, is near nothing.
        """
        if not passages:
            return
        nothing = bytes(self._n_bytes)
        codes = _codes([vector if len(vector) == self._n_bytes else nothing for _, _, vector in passages])
        ids, notes, held = self._held
        self._held = (
            np.concatenate([ids, np.asarray([p[0] for p in passages], dtype=np.int64)]),
            np.concatenate([notes, np.asarray([p[1] for p in passages], dtype=np.int64)]),
            np.concatenate([held, codes], axis=1),
        )

    def keep(self, ids: Sequence[int]) -> None:
        """Drop all passages but these."""
        held, notes, codes = self._held
        kept = np.isin(held, np.asarray(ids, dtype=np.int64))
        self._held = held[kept], notes[kept], codes[:, kept]

    def nearest(self, vector: bytes, count: int, notes: Collection[int] | None = None) -> list[int]:
        """Return ids of passages that are nearest to a vector by their signs, in no order.

        Args:
            vector: As in `models.types.Passage`.
            count: How many at most.
            notes: Only passages of these notes; None for all.
        """
        ids, of_notes, codes = self._held
        if notes is not None:
            inside = np.isin(of_notes, np.fromiter(notes, dtype=np.int64, count=len(notes)))
            ids, codes = ids[inside], codes[:, inside]
        if len(ids) > count:
            ids = ids[_nearest(codes, vector, count)]
        return [int(i) for i in ids]


def _nearest(codes: NDArray[np.uint64], vector: bytes, count: int) -> NDArray[np.int64]:
    """Return the places of the codes, of which there are more than `count`, that are nearest to a vector."""
    differing = np.zeros(codes.shape[1], dtype=np.uint16)
    for held, asked in zip(codes, _codes([vector]), strict=True):
        differing += np.bitwise_count(held ^ asked)
    roughly = min(_ROUGHLY * count, len(differing))
    places = np.argpartition(differing, roughly - 1)[:roughly]
    asked = from_bytes([vector])[0]
    signs = np.unpackbits(np.ascontiguousarray(codes[:, places].T).view(np.uint8), axis=1)[:, : len(asked)]
    return places[np.argpartition(-(signs @ asked), count - 1)[:count]]


def _empty() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


def _codes(vectors: Sequence[bytes]) -> NDArray[np.uint64]:
    """Return the signs of vectors, 64 to a word, as (words, vectors); what is left of the last word is 0."""
    signs = from_bytes(vectors) > 0
    padded = np.pad(signs, ((0, 0), (0, -signs.shape[1] % _WORD_BITS)))
    return np.ascontiguousarray(np.packbits(padded, axis=1).view(np.uint64).T)


def similarities(vector: bytes, others: Sequence[bytes]) -> list[float]:
    """Return the cosine in [-1, 1] of a vector with each of the others, all as in `models.types.Passage`.

    It is 0 for one of another length.
    """
    if not others:
        return []
    nothing = bytes(len(vector))
    alike = from_bytes([other if len(other) == len(vector) else nothing for other in others])
    return [float(value) for value in np.einsum("ij,j->i", alike, from_bytes([vector])[0])]


def embed_query(text: str) -> bytes | None:
    """Return the vector of a query as in `models.types.Passage`; None where no part of it is known.

    The encoder is loaded at the first call.

    Raises:
        ArtefactMissing: If a file of the encoder is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    rows = _query_encoder().encode([text])
    return to_bytes(rows)[0] if rows.any() else None


def knows_any(words: Iterable[str]) -> bool:
    """Tell whether any of the words has a meaning to the encoder (`Encoder.knows`).

    Raises:
        ArtefactMissing: If a file of the encoder is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    return any(_query_encoder().knows(word) for word in words)


@cache
def _query_encoder() -> Encoder:
    return load_encoder(_ENCODER)
