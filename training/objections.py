"""Trains the objection classifier on the written corpus, calibrates it and reports it on industries held out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from models.blend import pool, reordered
from models.encoder import Encoder, load_encoder
from models.linear import LinearModel, save_linear
from models.manifest import Manifest, verified_manifest, write_manifest
from models.objections import NONE, TAGGER_TYPES, Clause, clause_features, clauses_of, describe
from models.tagger import STATUS, Tagger, load_tagger
from models.types import ObjectionStatus
from training.examples import Example, fingerprint, read_examples
from training.measures import prf

SEED = 7
WEIGHTS = tuple(np.linspace(0, 1, 11).round(2).tolist())
THRESHOLDS = tuple(np.linspace(0.1, 0.875, 32).round(3).tolist())
TYPE_THRESHOLDS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
NEIGHBOURS = (3, 3, 3)
"""Settings of weight, threshold and type threshold over which F1 is averaged: a plateau carries over to other notes."""
TOLERANCE = 0.002
"""Of that mean, within which settings count as equal: of those, the one with the best recall is taken, because near
misses are commoner in the corpus than in real notes, so that precision there is too low a guess."""
STRENGTH = 2.0
"""Inverse of the penalty on the weights."""
N_FOLDS = 4
"""Parts of the industries that the tagger has not seen; each is read by a classifier that learned the others."""


@dataclass(frozen=True)
class ClauseTable:
    """All clauses of the corpus, described.

    Attributes:
        labels: Type or `none` of each clause.
        statuses: Status of each clause; empty where it is no objection.
        groups: Industry of each clause.
        texts: Index of its text.
    """

    features: csr_matrix
    labels: NDArray[np.str_]
    statuses: NDArray[np.str_]
    groups: NDArray[np.str_]
    texts: NDArray[np.int64]

    def rows(self, chosen: NDArray[np.int64]) -> ClauseTable:
        """Return the table of some of its rows."""
        columns = (self.labels, self.statuses, self.groups, self.texts)
        return ClauseTable(self.features[chosen], *(column[chosen] for column in columns))


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


def fit_linear(features: csr_matrix, labels: NDArray[np.str_], strength: float, *, rounds: int = 8) -> LinearModel:
    """Fit a one-vs-rest logistic regression by averaged SGD; `strength` is the inverse of the penalty."""
    model = SGDClassifier(
        loss="log_loss", alpha=1 / (strength * len(labels)), average=True, max_iter=rounds, tol=None, random_state=SEED
    )
    model.fit(features, labels)
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weights, bias = np.vstack([-weights[0] / 2, weights[0] / 2]), np.array([-bias[0] / 2, bias[0] / 2])
    return LinearModel(tuple(map(str, model.classes_)), weights.T.astype(np.float32), bias.astype(np.float32))


def fit_temperature(names: Sequence[str], probabilities: NDArray[np.float32], labels: NDArray[np.str_]) -> float:
    """Return the temperature that makes held-out probabilities likeliest (Guo et al. 2017)."""
    scores = np.log(np.maximum(probabilities, 1e-9))
    truth = np.array([names.index(label) for label in labels.tolist()])

    def loss(temperature: float) -> float:
        scaled = scores / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(-(scaled[np.arange(len(truth)), truth] - np.log(np.exp(scaled).sum(axis=1))).mean())

    return float(minimize_scalar(loss, bounds=(0.3, 4.0), method="bounded").x)


def tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return what a classifier would have said with a temperature, from what it said with 1."""
    raised = probabilities ** (1 / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True)
class Pooling:
    """The best weight of the tagger and thresholds, and what they reach on industries that neither voice has seen."""

    weight: float
    threshold: float
    type_threshold: float
    measures: dict[str, float]


def set_pooling(
    labels: Sequence[str],
    linear: NDArray[np.float32],
    tagged: NDArray[np.float32],
    table: ClauseTable,
    gold: set[tuple[int, str]],
) -> Pooling:
    """Choose, of the settings around which F1 over (text, type) pairs is best, the one that finds most.

    Args:
        labels: Of the columns of both opinions.
        linear: The classifier's opinion on each row of `table`.
        tagged: The tagger's.
        table: Clauses of whole notes.
        gold: Their (text, type) pairs.
    """
    none = labels.index(NONE)
    tried: list[Pooling] = []
    for weight in WEIGHTS:
        pooled = pool(linear, tagged, weight)
        types = np.where(np.arange(len(labels)) == none, -1, pooled)
        winners, likeliest = np.array(labels)[types.argmax(axis=1)], types.max(axis=1)
        for threshold, least in product(THRESHOLDS, TYPE_THRESHOLDS):
            raised = np.flatnonzero((1 - pooled[:, none] >= threshold) & (likeliest >= least))
            found = {(int(table.texts[i]), str(winners[i])) for i in raised}
            measures = prf(len(gold & found), len(found), len(gold))
            tried.append(Pooling(weight, threshold, least, measures))
    surface = np.array([t.measures["f1"] for t in tried]).reshape(len(WEIGHTS), len(THRESHOLDS), len(TYPE_THRESHOLDS))
    around = uniform_filter(surface, NEIGHBOURS, mode="nearest").ravel()
    equal = [tried[i] for i in np.flatnonzero(around >= around.max() - TOLERANCE)]
    return max(equal, key=lambda t: t.measures["recall"])


def tagger_opinions(
    examples: Sequence[Example], wanted: set[str], tagger: Tagger
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the tagger's chances of types and of statuses on every clause of the wanted industries, in their order."""
    types, statuses = [], []
    for example in examples:
        if example.group in wanted:
            (tagged,) = tagger.tag([example.note.text])
            for clause in clauses_of(example.note):
                types.append(tagged.type_chances(clause.start, clause.end))
                statuses.append(tagged.chances(clause.start, clause.end, STATUS))
    return np.array(types), np.array(statuses)


def unseen_industries(examples: Sequence[Example], tagger: Manifest) -> list[str]:
    """Return the industries of which the tagger has learned nothing: those held out, and those written after it."""
    learned = set(tagger.data.get("industries", ())) - set(tagger.config["held_out"])
    return sorted({e.group for e in examples} - learned)


def out_of_fold(
    features: csr_matrix,
    labels: NDArray[np.str_],
    groups: NDArray[np.str_],
    unseen: Sequence[str],
    fit: Callable[[csr_matrix, NDArray[np.str_]], LinearModel],
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return the linear classifier's probabilities on unseen industries, each read by one that learned the others.

    Returns:
        Probabilities, shape (n, n_labels), zeros for other industries; and the labels.
    """
    answers = np.zeros((len(labels), len(set(labels.tolist()))), dtype=np.float32)
    names: tuple[str, ...] = ()
    for fold in (unseen[i::N_FOLDS] for i in range(min(N_FOLDS, len(unseen)))):
        inside = np.isin(groups, fold)
        model = fit(features[~inside], labels[~inside])
        names = model.labels
        answers[inside] = model.probabilities(features[inside])
    return answers, names


def pool_with_tagger(
    examples: Sequence[Example], table: ClauseTable, folder: Path
) -> tuple[dict[str, float], dict[str, float]]:
    """Set temperature, weights and threshold on the industries that the tagger has not seen.

    Returns:
        `temperature`, `threshold`, `type_threshold`, `type_weight` and `status_weight`; and what they reach there.
    """
    unseen = unseen_industries(examples, verified_manifest(folder))
    fit = partial(fit_linear, strength=STRENGTH)
    types, names = out_of_fold(table.features, table.labels, table.groups, unseen, fit)
    held = np.flatnonzero(np.isin(table.groups, unseen))
    tagged_types, tagged_statuses = tagger_opinions(examples, set(unseen), load_tagger(folder))
    temperature = fit_temperature(names, types[held], table.labels[held])
    whole = np.array([examples[t].whole for t in table.texts[held]])
    notes = table.rows(held[whole])
    gold = {(t, o["type"]) for t in set(notes.texts.tolist()) for o in examples[t].gold["objections"]}
    linear = tempered(types[held[whole]], temperature)
    pooling = set_pooling(names, linear, reordered(tagged_types[whole], TAGGER_TYPES, names), notes, gold)
    weight, rate = _status_weight(table, unseen, held, tagged_statuses)
    settings = {
        "temperature": temperature,
        "threshold": pooling.threshold,
        "type_threshold": pooling.type_threshold,
        "type_weight": pooling.weight,
        "status_weight": weight,
    }
    return settings, {**pooling.measures, "status_accuracy": rate}


def _status_weight(
    table: ClauseTable, unseen: Sequence[str], held: NDArray[np.int64], tagged: NDArray[np.float32]
) -> tuple[float, float]:
    """Return the tagger's best weight on the status of objections, and the accuracy that it reaches."""
    raised = table.rows(np.flatnonzero(table.labels != NONE))
    fit = partial(fit_linear, strength=STRENGTH)
    answers, names = out_of_fold(raised.features, raised.statuses, raised.groups, unseen, fit)
    inside = np.isin(raised.groups, unseen)
    opinions = reordered(tagged[table.labels[held] != NONE], [str(s) for s in ObjectionStatus], names)
    rates = {w: _hit_rate(pool(answers[inside], opinions, w), names, raised.statuses[inside]) for w in WEIGHTS}
    best = max(rates, key=lambda w: rates[w])
    return best, rates[best]


def _hit_rate(probabilities: NDArray[np.float32], labels: Sequence[str], truth: NDArray[np.str_]) -> float:
    return float((np.array(labels)[probabilities.argmax(axis=1)] == truth).mean())


def train(corpus: Path, encoder_folder: Path, tagger_folder: Path, out: Path) -> dict[str, Any]:
    """Write `types`, `status` and their pooling with the tagger to `out`, and return the held-out measures."""
    examples = list(read_examples(corpus))
    table = build_table(examples, load_encoder(encoder_folder))
    print(len(examples), "texts,", len(table.labels), "clauses")
    settings, measures = pool_with_tagger(examples, table, tagger_folder)
    temperature = settings.pop("temperature")
    raised = table.labels != NONE
    types = fit_linear(table.features, table.labels, STRENGTH)
    save_linear(replace(types, temperature=temperature), out / "types.safetensors")
    save_linear(fit_linear(table.features[raised], table.statuses[raised], STRENGTH), out / "status.safetensors")
    (out / "config.json").write_text(json.dumps(settings) + "\n", encoding="utf-8")
    metrics = {"held_out_notes": {k: round(v, 4) for k, v in measures.items()}, "temperature": round(temperature, 3)}
    write_manifest(
        out,
        "objections",
        ["types.safetensors", "status.safetensors", "config.json"],
        config={"strength": STRENGTH, "seed": SEED},
        data={
            "corpus": fingerprint(corpus),
            "texts": len(examples),
            "tagger": verified_manifest(tagger_folder).version,
        },
        metrics=metrics,
        licences={"corpus": "Apache-2.0"},
    )
    return metrics


def main() -> None:
    """`python -m training.objections [--corpus FOLDER] [--encoder FOLDER] [--out FOLDER]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"))
    parser.add_argument("--encoder", type=Path, default=Path("models/artefacts/encoder"))
    parser.add_argument("--tagger", type=Path, default=Path("models/artefacts/tagger"))
    parser.add_argument("--out", type=Path, default=Path("models/artefacts/objections"))
    args = parser.parse_args()
    print(json.dumps(train(args.corpus, args.encoder, args.tagger, args.out)))


if __name__ == "__main__":
    main()
