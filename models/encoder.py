"""The bilingual sentence encoder: a weighted mean of piece vectors, so that a text costs a look-up and a sum.

Static embeddings distilled from a sentence transformer, after model2vec (van Dongen and Tulkens 2024) and the
bilingual teaching of Reimers and Gurevych (2020): English and French were both taught the English teacher's vector.
Each piece's weight is the length of its vector. Made by `training/encoder.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.sparse import csr_array
from tokenizers import Tokenizer

from models.manifest import verified_manifest

TOKENIZER_FILE = "tokenizer.json"
VECTORS_FILE = "vectors.safetensors"

# A passage is short; what follows changes its mean no more, and an endless line must not cost endless time.
MAX_CHARS = 20_000
_BATCH = 1024
_UNKNOWN = 0
# Of the words of the written corpus 2 % are more pieces with fewer letters each; of random letters, five or more, 95 %.
_FEW_PIECES = 2
_PIECE_LETTERS = 2.5


class Encoder:
    """Turns texts into unit vectors.

    Attributes:
        version: Changes whenever vectors may change.
        n_dims: Length of a vector.
    """

    def __init__(self, tokenizer: Tokenizer, pieces: NDArray[np.float32], version: str) -> None:
        """Take a tokenizer and the vectors of its pieces, float32 (n_pieces, n_dims); piece 0 is the unknown one."""
        self.version = version
        self.n_dims = int(pieces.shape[1])
        self._tokenizer = tokenizer
        self._pieces = pieces

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row per text, float32 (n, n_dims), of unit length.

        Case and accents make no difference. A text without a known piece (empty, only emoji) gives a row of zeros.
        Of a text longer than `MAX_CHARS` the first part is read.
        """
        out = np.zeros((len(texts), self.n_dims), dtype=np.float32)
        for start in range(0, len(texts), _BATCH):
            out[start : start + _BATCH] = self._encode_batch(texts[start : start + _BATCH])
        return out

    def knows(self, word: str) -> bool:
        """Tell whether a word has a meaning here, and is not only spelled: put together from scraps of few letters.

        The vector of a word that is spelled says what the word looks like; that is no meaning.
        """
        ids = self._tokenizer.encode(word[:MAX_CHARS], add_special_tokens=False).ids
        if _UNKNOWN in ids or not any(sign.isalpha() for sign in word):
            return False
        return 0 < len(ids) <= _FEW_PIECES or len(word) > _PIECE_LETTERS * len(ids) > 0

    def _encode_batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        encodings = self._tokenizer.encode_batch_fast([t[:MAX_CHARS] for t in texts], add_special_tokens=False)
        ids = [np.asarray(e.ids, dtype=np.int32) for e in encodings]
        ends = np.cumsum([0, *map(len, ids)])
        pieces = np.concatenate(ids) if ids else np.zeros(0, dtype=np.int32)
        known = (pieces != _UNKNOWN).astype(np.float32)
        counts = csr_array((known, pieces, ends), shape=(len(texts), len(self._pieces)))
        sums: NDArray[np.float32] = counts @ self._pieces
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        sums /= lengths
        return sums


def load_encoder(folder: Path) -> Encoder:
    """Load an encoder.

    Raises:
        ArtefactMissing: If a file is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    manifest = verified_manifest(folder)
    stored = load_file(folder / VECTORS_FILE)
    pieces = stored["rows"].astype(np.float32) * stored["scales"][:, None]
    return Encoder(Tokenizer.from_file(str(folder / TOKENIZER_FILE)), pieces, manifest.version)


def to_bytes(vectors: NDArray[np.float32]) -> list[bytes]:
    """Return each row of (n, n_dims) as little-endian float16 bytes, the form in which vectors are stored."""
    return [row.tobytes() for row in vectors.astype("<f2")]


def from_bytes(stored: Sequence[bytes]) -> NDArray[np.float32]:
    """Undo `to_bytes`: float32 (n, n_dims); (0, 0) for no vectors."""
    if not stored:
        return np.zeros((0, 0), dtype=np.float32)
    return np.stack([np.frombuffer(one, dtype="<f2") for one in stored]).astype(np.float32)
