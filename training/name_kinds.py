"""Trains the heads of `models/name_kinds.py` on the frozen layers of the shipped tagger.

    python -m training.name_kinds --corpora FOLDER

Needs torch.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from models import tagger as reading
from models.manifest import write_manifest
from models.name_kinds import HEADS_FILE, KINDS, N_COLUMNS, NameKinds
from models.tagger import LAYERS
from training.name_examples import LICENCES, UNLABELLED, MarkedText, held_out_texts, labels_of, learned_texts, varied
from training.reader_network import Network, Shape, batches_by_length, padded
from training.reader_start import load_shipped

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "training" / "configs" / "name_kinds.toml"
TAGGER = ROOT / "models" / "artefacts" / "tagger"
NAMES = ROOT / "models" / "artefacts" / "names"
METRICS = ROOT / "data" / "metrics" / "name_kinds.json"


class Heads(nn.Module):
    """From the vectors of some layers to kinds of names, as `models.name_kinds.KindHeads` does."""

    def __init__(self, n_inputs: int, n_hidden: int, dropout: float) -> None:
        super().__init__()
        self.narrow = nn.Linear(3 * n_inputs, n_hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(n_hidden, N_COLUMNS)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map (batch, pieces, n_inputs) to logits (batch, pieces, N_COLUMNS)."""
        before, after = F.pad(vectors, (0, 0, 1, -1)), F.pad(vectors, (0, 0, -1, 1))
        hidden = F.relu(self.narrow(torch.cat([before, vectors, after], dim=-1)))
        logits: Tensor = self.out(self.dropout(hidden))
        return logits


class FrozenReader(nn.Module):
    """The shipped tagger's layers."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.base = Network(Shape(n_pieces=len(weights["base.pieces.weight"])))
        self.shapes = nn.Embedding(4, self.base.shape.n_dims)
        self.load_state_dict({name: value for name, value in weights.items() if not name.startswith("head.")})

    def forward(self, ids: Tensor, mask: Tensor, shapes: Tensor) -> Tensor:
        """Return the vectors of the layers in `LAYERS` side by side, (batch, pieces, len(LAYERS) * n_dims)."""
        every = list(self.base.layer_by_layer(ids, mask, self.shapes(shapes)))
        return torch.cat([every[i - 1] for i in LAYERS], dim=-1)


def read_shapes(tokenizer: Tokenizer, texts: Sequence[MarkedText]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield ids, shapes and labels of each text, framed and cut to one window."""
    encodings = tokenizer.encode_batch([t.text for t in texts], add_special_tokens=False)
    for text, encoding in zip(texts, encodings, strict=True):
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)[: reading.WINDOW]
        ids = np.asarray(encoding.ids)[: reading.WINDOW]
        edge = np.full(1, UNLABELLED)
        labels = np.concatenate([edge, labels_of(text, offsets), edge])
        yield reading.framed(ids, 2, 3), reading.framed(reading.word_shapes(text.text, offsets), 0, 0), labels


def train(network: FrozenReader, tokenizer: Tokenizer, texts: Sequence[MarkedText], config: dict[str, Any]) -> Heads:
    """Train heads over layers that stay as they are."""
    rng = random.Random(config["seed"])
    torch.manual_seed(config["seed"])
    network.eval()
    started = time.perf_counter()
    heads = Heads(len(LAYERS) * network.base.shape.n_dims, config["n_hidden"], config["dropout"])
    optimizer = torch.optim.AdamW(heads.parameters(), lr=config["rate"], weight_decay=config["weight_decay"])
    for epoch in range(1, config["epochs"] + 1):
        read = list(read_shapes(tokenizer, varied(texts, rng, config["chances"])))
        batches = list(batches_by_length([len(ids) for ids, _, _ in read], config["batch_pieces"]))
        rng.shuffle(batches)
        total = 0.0
        heads.train()
        for number, batch in enumerate(batches):
            for group in optimizer.param_groups:
                group["lr"] = config["rate"] * (1 - (epoch - 1 + number / len(batches)) / config["epochs"])
            ids, mask = padded([read[i][0] for i in batch])
            shapes, _ = padded([read[i][1] for i in batch])
            labels = torch.full(ids.shape, UNLABELLED)
            for row, i in zip(labels, batch, strict=True):
                row[: len(read[i][2])] = torch.from_numpy(read[i][2])
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=config["half"]):
                vectors = network(ids, mask, shapes)
            loss = F.cross_entropy(heads(vectors.float()).flatten(0, 1), labels.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach())
        print(f"epoch {epoch}: loss {total / len(batches):.4f}, {time.perf_counter() - started:.0f} s", flush=True)
    return heads.eval()


def measures(read: Sequence[tuple[MarkedText, NameKinds]]) -> dict[str, float]:
    """Return precision, recall and F1 of persons, and of persons, organisations and places, on marked texts.

    A name counts as found if its kind and both ends are right.
    """
    counts = {"person": np.zeros(3), "name": np.zeros(3)}
    for text, kinds in read:
        gold = gold_names(text)
        found = {(n.start, n.end, n.kind.value) for n in kinds.names(text.text)}
        for what, wanted in (("person", ("person",)), ("name", ("person", "organisation", "place"))):
            one, other = ({n for n in some if n[2] in wanted} for some in (gold, found))
            counts[what] += (len(one & other), len(other), len(one))
    rates = {}
    for what, (both, n_found, n_gold) in counts.items():
        rates[f"{what}_precision"], rates[f"{what}_recall"] = both / max(1, n_found), both / max(1, n_gold)
        rates[f"{what}_f1"] = 2 * both / max(1, n_found + n_gold)
    return {k: round(float(v), 4) for k, v in rates.items()}


def gold_names(text: MarkedText) -> set[tuple[int, int, str]]:
    """Return the marked names of a text: start, end, kind."""
    found, last = list[tuple[int, int, str]](), 0
    for start, end, kind in text.words:
        if kind > 0:
            value = str(KINDS[(kind - 1) // 2])
            if kind % 2 or not found or last <= 0:
                found.append((start, end, value))
            else:
                found[-1] = (found[-1][0], end, found[-1][2])
        last = kind
    return set(found)


def ship(heads: Heads, tagger: str, n_texts: int, config: dict[str, Any], folder: Path) -> None:
    """Write the heads' artefact, for the version `tagger` of the tagger."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().numpy().astype(np.float16) for name, value in heads.state_dict().items()}
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, folder / HEADS_FILE)
    data = {"tagger": tagger, "texts": n_texts}
    write_manifest(folder, "names", [HEADS_FILE], config=config, data=data, metrics={}, licences=LICENCES)


def measure_shipped(corpora: Path) -> dict[str, dict[str, float]]:
    """Return the measures of the shipped tagger and heads on each held-out set."""
    tagger = reading.load_tagger(TAGGER, NAMES)
    found = {}
    for name, texts in held_out_texts(corpora).items():
        read = tagger.tag([t.text for t in texts])
        found[name] = measures([(text, one.kinds) for text, one in zip(texts, read, strict=True)])
    return found


def main() -> None:
    """Train, write the artefact, and measure what is shipped."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the public corpora")
    args = parser.parse_args()
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    weights, tokenizer, version = load_shipped(TAGGER)
    texts = learned_texts(args.corpora)
    heads = train(FrozenReader(weights), tokenizer, texts, config)
    ship(heads, version, len(texts), config, NAMES)
    metrics = measure_shipped(args.corpora)
    METRICS.write_text(json.dumps({"texts": len(texts), **metrics}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
