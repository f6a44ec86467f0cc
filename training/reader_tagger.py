"""Train the tagger of `models/tagger.py` on the written corpus, set its thresholds, and write its artefact.

    python -m training.reader_tagger --corpora FOLDER [--cache FOLDER] [--corpus data/corpus] [--further]

Starts from `training.reader_base`, or with `--further` from the shipped tagger. What is kept is the running mean of the
weights. Thresholds and the score's calibration are set on industries that are held out of training. Needs torch.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models import tagger as reading
from models.lexicon import load_lexicon
from models.manifest import write_manifest
from training.reader_base import CACHE, load_base
from training.reader_examples import (
    UNLABELLED,
    Example,
    Variation,
    piece_labels,
    read_examples,
    short_notes,
)
from training.reader_names import NameMaker, read_names
from training.reader_network import Network, Shape, batches_by_length, padded
from training.reader_pairs import LICENCES
from training.reader_scores import chosen_settings, scores
from training.reader_start import load_shipped

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "training" / "configs" / "reader_tagger.toml"
FOLDER = ROOT / "models" / "artefacts" / "tagger"
LEXICON = ROOT / "models" / "artefacts" / "lexicon"
CORPUS = ROOT / "data" / "corpus"
METRICS = ROOT / "data" / "metrics" / "tagger.json"
UNKNOWN_PIECE = 1
HIGHEST_SPECIAL = 3
"""Ids up to here are padding, the unknown piece and the edges."""
PARTS = {  # part of the loss: columns of the head, column of the labels
    "type": (reading.TYPE, 0),
    "status": (reading.STATUS, 2),
    "name": (reading.NAME, 3),
    "relation": (reading.RELATION, 4),
    "standing": (reading.STANDING, 5),
}


class TaggerNetwork(nn.Module):
    """The base network's lower layers, the shapes of words, and one linear head."""

    def __init__(self, base: Network, n_layers: int, dropout: float) -> None:
        super().__init__()
        self.base = base
        self.base.layers = self.base.layers[:n_layers]
        self.shapes = nn.Embedding(4, base.shape.n_dims)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(base.shape.n_dims, reading.N_COLUMNS)
        nn.init.normal_(self.shapes.weight, std=0.01)

    def forward(self, ids: Tensor, mask: Tensor, shapes: Tensor) -> Tensor:
        """Map ids, mask and shapes, all (batch, pieces), to logits (batch, pieces, N_COLUMNS)."""
        found: Tensor = self.head(self.dropout(self.base(ids, mask, self.shapes(shapes))))
        return found


class Sample:
    """One window of a text, ready for the network."""

    def __init__(self, ids: NDArray[np.int64], shapes: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        edge = np.full((1, labels.shape[1]), UNLABELLED)
        self.ids = reading.framed(ids, 2, 3)
        self.shapes = reading.framed(shapes, 0, 0)
        self.labels = np.concatenate([edge, labels, edge])


def samples(tokenizer: Tokenizer, examples: Sequence[Example]) -> list[Sample]:
    """Cut texts into windows as reading does."""
    found = []
    for example, encoding in zip(
        examples, tokenizer.encode_batch([e.text for e in examples], add_special_tokens=False), strict=True
    ):
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        ids, shapes = np.asarray(encoding.ids), reading.word_shapes(example.text, offsets)
        labels = piece_labels(example, offsets)
        for window in reading.cut_windows(example.text, offsets):
            part = slice(window.first, window.last)
            found.append(Sample(ids[part], shapes[part], labels[part]))
    return found


def loss_of(logits: Tensor, labels: Tensor, weights: dict[str, float]) -> Tensor:
    """Return the weighted sum of the parts' losses."""
    total = torch.zeros(())
    for part, (columns, column) in PARTS.items():
        loss = F.cross_entropy(logits[..., columns].flatten(0, 1), labels[..., column].flatten(), reduction="sum")
        total = total + weights[part] * loss / max(1, int((labels[..., column] != UNLABELLED).sum()))
    known = labels[..., 1] != UNLABELLED
    begin = F.binary_cross_entropy_with_logits(
        logits[..., reading.BEGIN][known], labels[..., 1][known].float(), pos_weight=torch.tensor(3.0)
    )
    return total + weights["begin"] * begin


def hidden(ids: Tensor, share: float) -> Tensor:
    """Make a share of the pieces unknown, so that no reading leans on one word; edges and padding stay."""
    chosen = (torch.rand(ids.shape) < share) & (ids > HIGHEST_SPECIAL)
    return ids.masked_fill(chosen, UNKNOWN_PIECE)


def batch_tensors(batch: Sequence[Sample]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return ids, mask, shapes (batch, pieces) and labels (batch, pieces, 6)."""
    ids, mask = padded([s.ids for s in batch])
    shapes, _ = padded([s.shapes for s in batch])
    labels = torch.full((*ids.shape, 6), UNLABELLED)
    for row, sample in zip(labels, batch, strict=True):
        row[: len(sample.labels)] = torch.from_numpy(sample.labels)
    return ids, mask, shapes, labels


def train(
    network: TaggerNetwork,
    tokenizer: Tokenizer,
    examples: Sequence[Example],
    vary: Variation,
    config: dict[str, Any],
    check: Any,
) -> TaggerNetwork:
    """Train, and return the running mean of the weights; `check(epoch, mean)` is called after each epoch."""
    settings = config["train"]
    rng = random.Random(config["seed"])
    torch.manual_seed(config["seed"])
    notes, passages = [e for e in examples if not e.passage], [e for e in examples if e.passage]
    # The vectors of pieces stay as they are: words that the corpus lacks must keep their place among those that it has.
    network.base.pieces.weight.requires_grad_(False)
    groups = [
        {
            "params": [p for n, p in network.base.named_parameters() if n != "pieces.weight"],
            "lr": settings["layer_rate"],
        },
        {"params": [*network.shapes.parameters(), *network.head.parameters()], "lr": settings["head_rate"]},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=settings["weight_decay"], fused=True)
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(settings["mean_decay"]))

    def epoch_batches() -> list[list[Sample]]:
        varied = samples(
            tokenizer,
            [vary(e) for e in [*notes, *short_notes(passages, rng, vary.names, headed=vary.chances["heading"])]],
        )
        found = [
            [varied[i] for i in b] for b in batches_by_length([len(s.ids) for s in varied], settings["batch_pieces"])
        ]
        rng.shuffle(found)
        return found

    batches = epoch_batches()
    steps, warm = settings["epochs"] * len(batches), settings["warmup"]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: max(0.02, min((step + 1) / (warm * steps), (1 - step / steps) / (1 - warm)))
    )
    for epoch in range(1, settings["epochs"] + 1):
        network.train()
        started, total = time.perf_counter(), 0.0
        for batch in batches:
            ids, mask, shapes, labels = batch_tensors(batch)
            with torch.autocast("cpu", torch.bfloat16, enabled=settings["half"]):
                logits = network(hidden(ids, config["chances"]["hide_piece"]), mask, shapes)
            loss = loss_of(logits.float(), labels, config["weights"])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean.update_parameters(network)
            total += loss.item()
        print(f"epoch {epoch}: loss {total / len(batches):.4f}, {time.perf_counter() - started:.0f} s", flush=True)
        check(epoch, mean.module)
        batches = epoch_batches()
    return mean.module  # type: ignore[no-any-return]


def export(network: TaggerNetwork, target: Path) -> None:
    """Write the network as ONNX with int8 weights."""
    network.eval()
    example = torch.ones(2, 16, dtype=torch.long)
    axes = {name: {0: "batch", 1: "pieces"} for name in ("ids", "mask", "shapes", "logits")}
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.onnx"
        torch.onnx.export(
            network,
            (example, example, example),
            str(full),
            input_names=["ids", "mask", "shapes"],
            output_names=["logits"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        # Seven bits: without VNNI instructions, sums of eight-bit products overflow.
        quantize_dynamic(full, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    show_layers(target)


def show_layers(path: Path) -> None:
    """Make a written graph give the vectors of `models.tagger.LAYERS` beside its answers."""
    graph = onnx.load(str(path))
    for layer in reading.LAYERS:
        shape = ["batch", "pieces", reading.N_DIMS]
        graph.graph.output.append(
            onnx.helper.make_tensor_value_info(reading.layer_output(layer), onnx.TensorProto.FLOAT, shape)
        )
    onnx.save(graph, str(path))


class TorchSession:
    """Answers like an ONNX session, so that reading can be measured between epochs."""

    def __init__(self, network: TaggerNetwork) -> None:
        self.network = network

    @torch.inference_mode()
    def run(self, _: None, inputs: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        """Return the logits, and the vectors of each of `models.tagger.LAYERS`."""
        self.network.eval()
        ids, mask, shapes = (torch.from_numpy(inputs[name]) for name in ("ids", "mask", "shapes"))
        layers = list(self.network.base.layer_by_layer(ids, mask, self.network.shapes(shapes)))
        shown = [layers[layer - 1].numpy() for layer in reading.LAYERS]
        return [self.network.head(layers[-1]).numpy(), *shown]


def between(one: TaggerNetwork, other: TaggerNetwork, share: float) -> TaggerNetwork:
    """Return the network whose weights lie between two: `share` of the first, the rest of the second.

    Between a network and what further training made of it, weights are often better than either (Wortsman et al. 2022).
    """
    mixed = copy.deepcopy(other)
    first, second = one.state_dict(), other.state_dict()
    mixed.load_state_dict({name: torch.lerp(second[name], first[name], share) for name in second})
    return mixed


def starting_network(config: dict[str, Any], cache: Path | None) -> tuple[TaggerNetwork, Tokenizer, str]:
    """Return the network to train, its tokenizer and the version of what it starts from.

    Args:
        cache: Where `training.reader_base` keeps its network; without it, the shipped tagger is trained further.
    """
    if cache:
        base, tokenizer, version = load_base(cache, config["dropout"])
        return TaggerNetwork(base, config["n_layers"], config["dropout"]), tokenizer, version
    weights, tokenizer, version = load_shipped(FOLDER)
    base = Network(Shape(n_pieces=len(weights["base.pieces.weight"])), config["dropout"])
    network = TaggerNetwork(base, config["n_layers"], config["dropout"])
    network.load_state_dict(weights)
    return network, tokenizer, version


def main() -> None:
    """Train, set thresholds, export and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the public corpora (name lists)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where training.reader_base keeps its network")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="the written corpus")
    parser.add_argument("--further", action="store_true", help="start from the shipped tagger")
    args = parser.parse_args()
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    examples = read_examples(args.corpus)
    held_out = [e for e in examples if e.industry in config["held_out"]]
    network, tokenizer, start = starting_network(config, None if args.further else args.cache)
    started = copy.deepcopy(network)
    vary = Variation(NameMaker(read_names(args.corpora), load_lexicon(LEXICON)), config["chances"], config["seed"])

    def check(_: int, mean: TaggerNetwork) -> None:
        reader = reading.Tagger(TorchSession(mean), tokenizer, reading.Settings(), "")
        found = scores(held_out, reader.tag([e.text for e in held_out]))
        print("   ", {k: round(v, 3) for k, v in found.items()}, flush=True)

    learned = [e for e in examples if e.industry not in config["held_out"]]
    mean = train(network, tokenizer, learned, vary, config, check)
    if args.further:
        mean = between(started, mean, config["train"]["start_share"])
    known = {"start": start, "texts": len(examples), "industries": sorted({e.industry for e in examples})}
    metrics = ship(mean, tokenizer, held_out, known, config, FOLDER)
    METRICS.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(metrics, indent=1))


def ship(
    network: TaggerNetwork,
    tokenizer: Tokenizer,
    held_out: Sequence[Example],
    data: dict[str, Any],
    config: dict[str, Any],
    folder: Path,
) -> dict[str, Any]:
    """Write the artefact into `folder`, with settings chosen on whole held-out notes, and return its measures."""
    folder.mkdir(parents=True, exist_ok=True)
    export(network, folder / reading.NETWORK_FILE)
    tokenizer.save(str(folder / reading.TOKENIZER_FILE), pretty=False)
    notes = [e for e in held_out if not e.passage]
    texts = [e.text for e in notes]
    session = reading.open_session(folder / reading.NETWORK_FILE)
    pieces = list(reading.Tagger(session, tokenizer, reading.Settings(), "", n_threads=2).read(texts))
    settings = chosen_settings(notes, pieces)
    (folder / reading.SETTINGS_FILE).write_text(json.dumps(asdict(settings), indent=1) + "\n", encoding="utf-8")
    tagged = [reading.Tagged(t, p, settings) for t, p in zip(texts, pieces, strict=True)]
    metrics: dict[str, Any] = {"held_out_industries": config["held_out"], "notes": len(notes), **scores(notes, tagged)}
    write_manifest(
        folder,
        "tagger",
        [reading.NETWORK_FILE, reading.TOKENIZER_FILE, reading.SETTINGS_FILE],
        config=config,
        data=data,
        metrics=metrics,
        licences={"all-MiniLM-L6-v2": "Apache-2.0", "written corpus": "Apache-2.0", **LICENCES},
    )
    return metrics


if __name__ == "__main__":
    main()
