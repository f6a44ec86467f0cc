"""Trains the objection classifier on the written corpus, calibrates it and reports it on industries held out."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GroupKFold

from models.encoder import Encoder, load_encoder
from models.linear import LinearModel, save_linear
from models.manifest import write_manifest
from models.objections import NONE, Clause, clause_features, clauses_of, describe
from training.examples import Example, fingerprint, read_examples

N_FOLDS = 5
SEED = 7


@dataclass(frozen=True)
class ClauseTable:
    """All clauses of the corpus, described.

    Attributes:
        labels: Type or `none` of each clause.
        statuses: Status of each clause; empty where it is no objection.
        groups: Industry of each clause.
    """

    features: csr_matrix
    labels: NDArray[np.str_]
    statuses: NDArray[np.str_]
    groups: NDArray[np.str_]
    texts: NDArray[np.int64]


def label_of(clause: Clause, example: Example) -> tuple[str, str]:
    """Return type and status of the gold objection that shares most with the clause, at least half of the shorter."""
    best, shared = (NONE, ""), 0
    for gold in example.gold["objections"]:
        common = min(clause.end, gold["end"]) - max(clause.start, gold["start"])
        if common >= 0.5 * min(clause.end - clause.start, gold["end"] - gold["start"]) and common > shared:
            best, shared = (gold["type"], gold["status"]), common
    return best


def build_table(examples: Sequence[Example], encoder: Encoder) -> ClauseTable:
    """Describe and label every clause."""
    rows, labels, groups, texts, clause_texts, segment_texts = [], [], [], [], [], []
    for number, example in enumerate(examples):
        names = [(c["start"], c["end"]) for c in example.gold["competitors"]]
        for clause in clauses_of(example.note):
            rows.append(clause_features(example.note, clause, names))
            labels.append(label_of(clause, example))
            groups.append(example.group)
            texts.append(number)
            clause_texts.append(example.note.text[clause.start : clause.end])
            segment_texts.append(example.note.segment_text(clause.segment))
    features = describe(rows, encoder.encode(clause_texts), encoder.encode(segment_texts))
    types, statuses = zip(*labels, strict=True)
    return ClauseTable(features, np.array(types), np.array(statuses), np.array(groups), np.array(texts))


def fit_linear(features: csr_matrix, labels: NDArray[np.str_], strength: float) -> LinearModel:
    """Fit a one-vs-rest logistic regression by averaged SGD; `strength` is the inverse of the penalty."""
    model = SGDClassifier(
        loss="log_loss", alpha=1 / (strength * len(labels)), average=True, max_iter=20, tol=None, random_state=SEED
    )
    model.fit(features, labels)
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weights, bias = np.vstack([-weights[0] / 2, weights[0] / 2]), np.array([-bias[0] / 2, bias[0] / 2])
    return LinearModel(tuple(map(str, model.classes_)), weights.T.astype(np.float32), bias.astype(np.float32))


def held_out_probabilities(
    table_features: csr_matrix, labels: NDArray[np.str_], groups: NDArray[np.str_], strength: float
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Return labels and the probabilities of each row from models that never saw its group."""
    names = tuple(sorted(set(labels.tolist())))
    out = np.zeros((len(labels), len(names)), dtype=np.float32)
    folds = GroupKFold(n_splits=min(N_FOLDS, len(set(groups.tolist()))))
    for train, test in folds.split(labels, groups=groups):
        model = fit_linear(table_features[train], labels[train], strength)
        columns = [names.index(label) for label in model.labels]
        out[np.ix_(test, columns)] = model.probabilities(table_features[test])
    return names, out


def fit_temperature(names: Sequence[str], probabilities: NDArray[np.float32], labels: NDArray[np.str_]) -> float:
    """Return the temperature that makes held-out probabilities likeliest (Guo et al. 2017)."""
    scores = np.log(np.maximum(probabilities, 1e-9))
    truth = np.array([names.index(label) for label in labels.tolist()])

    def loss(temperature: float) -> float:
        scaled = scores / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(-(scaled[np.arange(len(truth)), truth] - np.log(np.exp(scaled).sum(axis=1))).mean())

    return float(minimize_scalar(loss, bounds=(0.3, 4.0), method="bounded").x)


def calibrated(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Apply a temperature to probabilities; rows sum to 1 again."""
    raised = np.maximum(probabilities, 1e-9) ** (1 / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


def best_threshold(
    names: Sequence[str], probabilities: NDArray[np.float32], table: ClauseTable
) -> tuple[float, dict[str, float]]:
    """Choose the threshold with the best F1 over (text, type) pairs, and return its measures."""
    none = names.index(NONE)
    typed = np.delete(probabilities, none, axis=1)
    types = [n for n in names if n != NONE]
    winners = typed.argmax(axis=1)
    gold = {(int(t), str(label)) for t, label in zip(table.texts, table.labels, strict=True) if label != NONE}
    best: tuple[float, dict[str, float]] = (0.5, {"f1": -1.0})
    for threshold in np.arange(0.2, 0.8, 0.025):
        positive = 1 - probabilities[:, none] >= threshold
        found = {(int(table.texts[i]), types[winners[i]]) for i in np.flatnonzero(positive)}
        hits = len(gold & found)
        precision, recall = hits / max(1, len(found)), hits / max(1, len(gold))
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        if f1 > best[1]["f1"]:
            best = (round(float(threshold), 3), {"precision": precision, "recall": recall, "f1": f1})
    return best


def train(corpus: Path, encoder_folder: Path, out: Path) -> dict[str, object]:
    """Write `types` and `status` to `out` and return the held-out measures."""
    examples = list(read_examples(corpus))
    encoder = load_encoder(encoder_folder)
    table = build_table(examples, encoder)
    print(len(examples), "texts,", len(table.labels), "clauses", dict(Counter(table.labels.tolist())))
    names, probabilities = held_out_probabilities(table.features, table.labels, table.groups, strength=30.0)
    temperature = fit_temperature(names, probabilities, table.labels)
    threshold, measures = best_threshold(names, calibrated(probabilities, temperature), table)
    raised = np.flatnonzero(table.labels != NONE)
    status_names, status = held_out_probabilities(
        table.features[raised], table.statuses[raised], table.groups[raised], strength=30.0
    )
    status_accuracy = float((np.array(status_names)[status.argmax(axis=1)] == table.statuses[raised]).mean())
    types_model = fit_linear(table.features, table.labels, 30.0)
    status_model = fit_linear(table.features[raised], table.statuses[raised], 30.0)
    out.mkdir(parents=True, exist_ok=True)
    save_linear(
        LinearModel(types_model.labels, types_model.weights, types_model.bias, temperature), out / "types.safetensors"
    )
    save_linear(status_model, out / "status.safetensors")
    (out / "config.json").write_text(json.dumps({"threshold": threshold}) + "\n", encoding="utf-8")
    metrics: dict[str, object] = {
        "held_out_industries": {k: round(v, 4) for k, v in measures.items()},
        "status_accuracy": round(status_accuracy, 4),
        "temperature": round(temperature, 3),
    }
    write_manifest(
        out,
        "objections",
        ["types.safetensors", "status.safetensors", "config.json"],
        config={"strength": 30.0, "folds": N_FOLDS, "seed": SEED},
        data={"corpus": fingerprint(corpus), "texts": len(examples)},
        metrics=metrics,
        licences={"corpus": "Apache-2.0"},
    )
    return metrics


def main() -> None:
    """`python -m training.objections [--corpus FOLDER] [--encoder FOLDER] [--out FOLDER]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"))
    parser.add_argument("--encoder", type=Path, default=Path("models/artefacts/encoder"))
    parser.add_argument("--out", type=Path, default=Path("models/artefacts/objections"))
    args = parser.parse_args()
    print(json.dumps(train(args.corpus, args.encoder, args.out)))


if __name__ == "__main__":
    main()
