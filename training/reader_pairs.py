"""English-French sentence pairs of the public corpora, and a teacher's vectors of their English sides.

The corpora stand in one folder, `par_en_fr_*/pairs.tsv.xz`: English, French, and columns that are not read here.
"""

from __future__ import annotations

import hashlib
import lzma
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

CORPORA = ("tatoeba", "adobe", "msdocs", "laws_canada")

LICENCES = {
    "par_en_fr_tatoeba": "CC BY 2.0 FR",
    "par_en_fr_adobe": "MIT",
    "par_en_fr_msdocs": "CC BY 4.0",
    "par_en_fr_laws_canada": "Open Government Licence - Canada",
}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Aligned sentences of one corpus."""

    corpus: str
    english: list[str]
    french: list[str]

    def __len__(self) -> int:
        return len(self.english)


def require_corpora(folder: Path | None) -> Path:
    """Return `folder`, or stop with a plain message when the public corpora are not there."""
    if folder is None:
        sys.exit("--corpora FOLDER is required: the folder that holds par_en_fr_tatoeba/pairs.tsv.xz and the others")
    absent = [c for c in CORPORA if not (folder / f"par_en_fr_{c}" / "pairs.tsv.xz").is_file()]
    if absent:
        sys.exit(f"--corpora {folder}: pairs.tsv.xz of {', '.join(absent)} not found")
    return folder


def read_pairs(folder: Path, corpus: str, *, seed: int, max_chars: int) -> Pairs:
    """Read one corpus in a seeded order, without repeated sides and without pairs longer than `max_chars`.

    Pairs whose sides are equal (names, codes, untranslated text) teach nothing and are left out.
    """
    rows: list[tuple[str, str]] = []
    with lzma.open(folder / f"par_en_fr_{corpus}" / "pairs.tsv.xz", "rt", encoding="utf-8") as file:
        for line in file:
            english, french, *_ = line.rstrip("\n").split("\t")
            if english.casefold() != french.casefold() and max(len(english), len(french)) <= max_chars:
                rows.append((english, french))
    random.Random(seed).shuffle(rows)
    seen: set[str] = set()
    kept: list[tuple[str, str]] = []
    for english, french in rows:
        if english.casefold() not in seen and french.casefold() not in seen:
            seen.update((english.casefold(), french.casefold()))
            kept.append((english, french))
    return Pairs(corpus, [e for e, _ in kept], [f for _, f in kept])


def split_pairs(pairs: Pairs, *, held_out: int, limit: int) -> tuple[Pairs, Pairs]:
    """Split into (training pairs, at most `limit`; the first `held_out` pairs, never trained on)."""
    test = Pairs(pairs.corpus, pairs.english[:held_out], pairs.french[:held_out])
    end = held_out + limit
    return Pairs(pairs.corpus, pairs.english[held_out:end], pairs.french[held_out:end]), test


def fingerprint(pairs: Pairs) -> str:
    """Return a SHA-256 in hex over all sentences, in order."""
    return hashlib.sha256("\n".join([*pairs.english, *pairs.french]).encode()).hexdigest()


def cached_vectors(sentences: list[str], cache: Path, name: str, encode: Encode) -> NDArray[np.float16]:
    """Return `encode(sentences)` as float16, shape (n, n_dims), computed once per list of sentences."""
    digest = hashlib.sha256("\n".join(sentences).encode()).hexdigest()[:16]
    path = cache / f"{name}-{digest}.npy"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(path, encode(sentences).astype(np.float16))
    vectors: NDArray[np.float16] = np.load(path)
    return vectors


def retrieval_at_1(queries: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """Share of queries, in [0, 1], whose nearest target by dot product is their own; both of shape (n, n_dims)."""
    nearest = (queries @ targets.T).argmax(axis=1)
    return float((nearest == np.arange(len(queries))).mean())
