"""Trains the classifiers of `models/mentions.py`: is it a rival, its relation, its standing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.candidates import CandidateFinder
from models.catalog import CatalogMatcher
from models.competitors import find_candidates, names_by_segment
from models.lexicon import Lexicon, load_lexicon
from models.linear import LinearModel, hash_features, save_linear
from models.manifest import write_manifest
from models.mentions import N_FEATURES, Name, mention_features
from training.examples import Example, fingerprint, read_examples
from training.objections import calibrated, fit_linear, fit_temperature, held_out_probabilities


@dataclass
class Task:
    """Rows of one classifier: features, labels and industries."""

    rows: list[list[str]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def add(self, row: list[str], label: str, group: str) -> None:
        """Append one row."""
        self.rows.append(row)
        self.labels.append(label)
        self.groups.append(group)


def _overlapping(example: Example, start: int, end: int) -> dict[str, str] | None:
    return next((c for c in example.gold["competitors"] if c["start"] < end and start < c["end"]), None)


def judged_names(
    example: Example, matcher: CatalogMatcher, finder: CandidateFinder
) -> Iterator[tuple[Name, dict[str, str] | None]]:
    """Yield every catalogue match and every candidate of a text, with the gold mention that it overlaps."""
    note = example.note
    matches = matcher.find(note.words, note.text)
    taken = {i for m in matches for i in range(m.first, m.last)}
    names = [Name(m.first, m.last, m) for m in matches if m.name] + find_candidates(note, finder, taken)
    for name in names:
        yield name, _overlapping(example, note.words[name.first].start, note.words[name.last - 1].end)


def build_tasks(examples: Sequence[Example], lexicon: Lexicon) -> dict[str, Task]:
    """Describe and label all names of the corpus for the four classifiers.

    A listed rival is also an example of an unlisted one: without the catalogue, nothing but the context tells.
    """
    tasks = {name: Task() for name in ("known", "unknown", "relation", "standing")}
    finder = CandidateFinder(lexicon)
    matchers: dict[str, CatalogMatcher] = {}
    for example in examples:
        matcher = matchers.setdefault(example.group, CatalogMatcher(example.catalog, lexicon))
        judged = list(judged_names(example, matcher, finder))
        words = example.note.words
        by_segment = names_by_segment(example.note, [n for n, _ in judged if n.match])
        for name, gold in judged:
            others = by_segment.get(example.note.segment_at(words[name.first].start), ())
            row = mention_features(example.note, name, lexicon, others)
            task = "known" if name.match else "unknown"
            tasks[task].add(row, "yes" if gold else "no", example.group)
            if name.match and gold:
                unlisted = mention_features(example.note, Name(name.first, name.last), lexicon, others)
                tasks["unknown"].add(unlisted, "yes", example.group)
            if gold:
                tasks["relation"].add(row, gold["relation"], example.group)
                tasks["standing"].add(row, gold["standing"], example.group)
    return tasks


def train(corpus: Path, lexicon_folder: Path, out: Path) -> dict[str, object]:
    """Write the four classifiers to `out` and return what they score on held-out industries."""
    lexicon = load_lexicon(lexicon_folder)
    examples = list(read_examples(corpus))
    metrics: dict[str, object] = {}
    thresholds = {"known": 0.5, "unknown": 0.5}
    out.mkdir(parents=True, exist_ok=True)
    strengths = {"known": 30.0, "unknown": 30.0, "relation": 10.0, "standing": 10.0}
    for name, task in build_tasks(examples, lexicon).items():
        features = hash_features(task.rows, N_FEATURES)
        labels, groups = np.array(task.labels), np.array(task.groups)
        names, probabilities = held_out_probabilities(features, labels, groups, strengths[name])
        temperature = fit_temperature(names, probabilities, labels)
        if name in thresholds:
            thresholds[name] = best_f1_threshold(calibrated(probabilities, temperature)[:, names.index("yes")], labels == "yes")
        found = np.array(names)[probabilities.argmax(axis=1)]
        metrics[name] = {
            "rows": len(labels),
            "accuracy": round(float((found == labels).mean()), 4),
            **_f1(found, labels),
        }
        model = fit_linear(features, labels, strengths[name])
        save_linear(LinearModel(model.labels, model.weights, model.bias, temperature), out / f"{name}.safetensors")
    (out / "thresholds.json").write_text(json.dumps(thresholds) + "\n", encoding="utf-8")
    write_manifest(
        out,
        "mentions",
        ["thresholds.json", *(f"{name}.safetensors" for name in strengths)],
        config={"strength": strengths},
        data={"corpus": fingerprint(corpus), "texts": len(examples)},
        metrics=metrics,
        licences={"corpus": "Apache-2.0"},
    )
    return metrics


def best_f1_threshold(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the threshold on `scores` whose decisions have the best F1 against the booleans of `truth`."""

    def f1(threshold: float) -> float:
        found = scores >= threshold
        return float(2 * (found & truth).sum() / max(1, found.sum() + truth.sum()))

    return round(float(max(np.arange(0.1, 0.9, 0.02), key=f1)), 2)


def _f1(found: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    scores = {}
    for label in sorted(set(labels.tolist())):
        hits = int(((found == label) & (labels == label)).sum())
        total = int((found == label).sum() + (labels == label).sum())
        scores[f"f1_{label}"] = round(2 * hits / total, 4) if total else 0.0
    return scores


def main() -> None:
    """`python -m training.mentions [--corpus FOLDER] [--lexicon FOLDER] [--out FOLDER]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"))
    parser.add_argument("--lexicon", type=Path, default=Path("models/artefacts/lexicon"))
    parser.add_argument("--out", type=Path, default=Path("models/artefacts/mentions"))
    args = parser.parse_args()
    print(json.dumps(train(args.corpus, args.lexicon, args.out), indent=1))


if __name__ == "__main__":
    main()
