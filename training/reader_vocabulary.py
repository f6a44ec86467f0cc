"""The bilingual vocabulary of the reader, and the vectors that its French pieces start from.

A French piece starts as the mean of the vectors of the English pieces that it is aligned with, the idea of WECHSEL
(Minixhofer et al. 2022) with the alignment of IBM model 1 (Brown et al. 1993) over translated pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def _rules(tokenizer: Tokenizer) -> Tokenizer:
    """Lower case, no accents, straight apostrophes; words and punctuation marks apart."""
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace("’", "'"),
            normalizers.Replace("œ", "oe"),
            normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _wordpiece(vocabulary: dict[str, int]) -> Tokenizer:
    return _rules(Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=60)))


def french_pieces(sentences: Iterable[str], n_pieces: int) -> list[str]:
    """Learn word pieces of French text, most useful first."""
    tokenizer = _rules(Tokenizer(models.WordPiece(unk_token="[UNK]")))
    trainer = trainers.WordPieceTrainer(
        vocab_size=n_pieces, special_tokens=list(SPECIAL), limit_alphabet=100, show_progress=False
    )
    tokenizer.train_from_iterator(sentences, trainer)
    found: dict[str, int] = tokenizer.get_vocab()
    return sorted(found, key=found.__getitem__)[len(SPECIAL) :]


def bilingual_tokenizer(
    english: dict[str, int], french: Sequence[str], texts: Sequence[str], min_count: int
) -> Tokenizer:
    """Join MiniLM's Latin pieces, single letters and signs, and the French pieces.

    Args:
        english: MiniLM's vocabulary.
        french: Pieces of `french_pieces`.
        texts: English and French sentences.
        min_count: French pieces that are used less often beside the English ones are left out.
    """
    everything = {**english, **{p: len(english) + i for i, p in enumerate(f for f in french if f not in english)}}
    counts: Counter[str] = Counter()
    tokenizer = _wordpiece(everything)
    for start in range(0, len(texts), 20_000):
        for encoding in tokenizer.encode_batch(list(texts[start : start + 20_000]), add_special_tokens=False):
            counts.update(encoding.tokens)
    latin = {p for p in english if p.isascii() and not p.startswith("[")}
    kept = [p for p in everything if p in latin or _single_sign(p) or counts[p] >= min_count]
    kept = [p for p in kept if p not in SPECIAL]
    joined = _wordpiece({piece: i for i, piece in enumerate([*SPECIAL, *kept])})
    joined.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return joined


def _single_sign(piece: str) -> bool:
    sign = piece.removeprefix("##")
    return len(sign) == 1 and ord(sign) < 0x2200


def alignment(
    french: Sequence[Sequence[int]], english: Sequence[Sequence[int]], n_french: int, n_english: int, rounds: int
) -> csr_array:
    """Estimate t(english piece | french piece) with IBM model 1; each row of the result sums to one.

    Args:
        french: Piece ids of each sentence.
        english: Piece ids of its translation.
        n_french: Size of the French side's vocabulary.
        n_english: Size of the English side's vocabulary.
        rounds: Rounds of expectation and maximisation.
    """
    f_side = np.concatenate([np.repeat(np.asarray(f), len(e)) for f, e in zip(french, english, strict=True)])
    e_side = np.concatenate([np.tile(np.asarray(e), len(f)) for f, e in zip(french, english, strict=True)])
    # Each English token shares itself among the French tokens of its pair.
    sizes = [len(e) for e in english]
    firsts = np.cumsum([0, *sizes[:-1]])
    token = np.concatenate(
        [np.tile(np.arange(first, first + n), len(f)) for first, n, f in zip(firsts, sizes, french, strict=True)]
    )
    cells, cell = np.unique(f_side.astype(np.int64) * n_english + e_side, return_inverse=True)
    cell_f = cells // n_english
    chance = np.ones(len(cells), dtype=np.float64)
    for _ in range(rounds):
        weight = chance[cell]
        share = weight / np.bincount(token, weights=weight)[token]
        expected = np.bincount(cell, weights=share, minlength=len(cells))
        chance = expected / np.bincount(cell_f, weights=expected, minlength=n_french)[cell_f]
    return csr_array((chance, (cell_f, cells % n_english)), shape=(n_french, n_english))


def starting_pieces(
    tokenizer: Tokenizer,
    minilm: Tokenizer,
    vectors: torch.Tensor,
    pairs: Sequence[tuple[str, str]],
    *,
    rounds: int,
    n_aligned: int,
) -> torch.Tensor:
    """Return the vectors that the joint pieces start from, (n_pieces, n_dims).

    Pieces of MiniLM keep theirs; the others take the weighted mean of the pieces that they are aligned with, at the
    usual length, or, where no pair has them, of the MiniLM pieces that spell them.
    """
    ours, theirs = tokenizer.get_vocab(), minilm.get_vocab()
    f_ids = [e.ids for e in tokenizer.encode_batch([f for _, f in pairs], add_special_tokens=False)]
    e_ids = [e.ids for e in minilm.encode_batch([e for e, _ in pairs], add_special_tokens=False)]
    table = alignment(f_ids, e_ids, len(ours), len(theirs), rounds)
    usual: NDArray[np.float32] = vectors.norm(dim=1).median().numpy()
    out = torch.zeros(len(ours), vectors.shape[1])
    for piece, i in ours.items():
        if piece in theirs:
            out[i] = vectors[theirs[piece]]
            continue
        row = slice(table.indptr[i], table.indptr[i + 1])
        best = np.argsort(-table.data[row])[:n_aligned]
        ids, weights = table.indices[row][best], table.data[row][best]
        if not len(ids):
            ids = np.asarray(minilm.encode(piece.removeprefix("##"), add_special_tokens=False).ids)
            weights = np.ones(len(ids))
        mean = (vectors[ids.astype(np.int64)] * torch.from_numpy(weights / weights.sum()).float()[:, None]).sum(0)
        out[i] = mean * (float(usual) / max(float(mean.norm()), 1e-6))
    return out
