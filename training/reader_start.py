"""The shipped tagger's network, back in torch, to train it further.

Its weights are those of the artefact, rounded to seven bits: training on from them takes a part of the time that the
base network needs, and loses nothing that can be measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor

from models import tagger as reading
from models.manifest import verified_manifest

_MATRICES = ("query_key_value", "attended", "widen", "narrow")
"""Of a layer, in the order in which the graph multiplies by them."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the state of `TaggerNetwork` that a written graph holds.

    Raises:
        ValueError: If the graph is not one that `training.reader_tagger` wrote.
    """
    graph = onnx.load(str(path)).graph
    stored = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    weights = {name: stored[name] for name in stored if name.startswith(("base.", "head.")) and "_" not in name[-12:]}
    weights |= {name: stored[name] for name in stored if name.endswith(("_norm.weight", "_norm.bias", "value.bias"))}
    rounded = [name.removesuffix("_quantized") for name in stored if name.endswith("_quantized")]
    matrices = [name for name in rounded if name.startswith("onnx::")]
    n_layers, over = divmod(len(matrices) - 1, len(_MATRICES))
    if over or f"base.layers.{n_layers - 1}.norm.weight" not in stored:
        raise ValueError(f"{path}: not a tagger's graph")
    places = [f"base.layers.{i}.{matrix}" for i in range(n_layers) for matrix in _MATRICES]
    for name, place in zip(matrices, [*places, "head"], strict=True):
        weights[f"{place}.weight"] = _unrounded(stored, name).T
    weights |= {name: _unrounded(stored, name) for name in rounded if name not in matrices}
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in weights.items()}


def _unrounded(stored: dict[str, NDArray[np.generic]], name: str) -> NDArray[np.float32]:
    values, zero = (stored[name + part].astype(np.float32) for part in ("_quantized", "_zero_point"))
    return np.asarray((values - zero) * stored[name + "_scale"], dtype=np.float32)


def load_shipped(folder: Path) -> tuple[dict[str, Tensor], Tokenizer, str]:
    """Return the weights of a tagger's artefact, its tokenizer and its version.

    Raises:
        ArtefactMissing: If there is none.
    """
    manifest = verified_manifest(folder)
    return (
        read_weights(folder / reading.NETWORK_FILE),
        Tokenizer.from_file(str(folder / reading.TOKENIZER_FILE)),
        manifest.version,
    )
