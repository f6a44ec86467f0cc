"""Linear classifiers over hashed features: how they are applied, and how they lie on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from models.errors import ArtefactDamaged, ArtefactMissing

FloatArray = NDArray[np.float32]


def _as_given(features: Iterable[str]) -> Iterable[str]:
    return features


def hash_features(rows: Sequence[Sequence[str]], n_features: int) -> csr_matrix:
    """Hash each row's named features.

    Args:
        rows: Names of the features of each example; a name that stands twice counts once.
        n_features: Number of columns.

    Returns:
        float32, shape (n_rows, n_features), rows of unit length.
    """
    vectorizer = HashingVectorizer(
        analyzer=_as_given, n_features=n_features, alternate_sign=False, norm="l2", binary=True, dtype=np.float32
    )
    return csr_matrix(vectorizer.transform(rows))


@dataclass(frozen=True)
class LinearModel:
    """A multinomial or one-vs-rest linear classifier.

    Attributes:
        labels: Names of the classes, in the order of the columns.
        weights: float32, shape (n_features, n_labels).
        bias: float32, shape (n_labels,).
        temperature: Above 0; the scores are divided by it before the softmax (Guo et al. 2017, "On Calibration of
            Modern Neural Networks"), fitted on held-out data.
    """

    labels: tuple[str, ...]
    weights: FloatArray
    bias: FloatArray
    temperature: float = 1.0

    def probabilities(self, features: csr_matrix | FloatArray) -> FloatArray:
        """Return calibrated probabilities, shape (n_rows, n_labels), rows sum to 1."""
        scores = (np.asarray(features @ self.weights) + self.bias) / self.temperature
        scores -= scores.max(axis=1, keepdims=True, initial=-np.inf)
        raised = np.exp(scores)
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


def save_linear(model: LinearModel, path: Path) -> None:
    """Write weights as float16; labels and temperature go into the file's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {
        "weights": np.ascontiguousarray(model.weights, dtype=np.float16),
        "bias": model.bias.astype(np.float32),
    }
    save_file(arrays, path, metadata={"labels": " ".join(model.labels), "temperature": repr(model.temperature)})


def load_linear(path: Path) -> LinearModel:
    """Read a classifier.

    Raises:
        ArtefactMissing: If `path` is not there.
        ArtefactDamaged: If it can't be read.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
            weights, bias = file.get_tensor("weights"), file.get_tensor("bias")
    except FileNotFoundError as error:
        raise ArtefactMissing(f"{path.name} is missing; `make train` builds it") from error
    except SafetensorError as error:
        raise ArtefactDamaged(f"{path.name} can't be read; `make train` builds it anew") from error
    return LinearModel(
        tuple(metadata["labels"].split()),
        weights.astype(np.float32),
        bias.astype(np.float32),
        float(metadata["temperature"]),
    )
