"""How reading improves with the amount of written text; writes `data/metrics/learning_curve.json`.

Fits the linear classifiers, which takes seconds, on growing parts of the corpus, industry by industry in an order drawn
at random, and measures them on industries that no part holds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder import load_encoder
from models.lexicon import load_lexicon
from models.linear import hash_features
from models.manifest import verified_manifest
from models.mentions import N_FEATURES, Task
from models.objections import NONE
from models.tagger import load_tagger
from training.examples import Example, read_examples
from training.measures import prf
from training.mentions import ROUNDS, STRENGTHS, Rows, build_rows, judge
from training.objections import SEED, STRENGTH, ClauseTable, build_table, fit_linear

SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)


def best_note_types_f1(
    chances: NDArray[np.float32], none: int, labels: Sequence[str], table: ClauseTable, gold: set[tuple[int, str]]
) -> float:
    """Return the best F1 over (text, type) pairs that any threshold reaches.

    Args:
        chances: Of each label on each clause of `table`.
        none: Column of no objection.
        labels: Of the columns.
        table: Clauses of whole notes.
        gold: Their (text, type) pairs.
    """
    winners = np.where(np.arange(len(labels)) == none, -1, chances).argmax(axis=1)
    found_by = [
        {(int(table.texts[i]), labels[winners[i]]) for i in np.flatnonzero(1 - chances[:, none] >= threshold)}
        for threshold in np.arange(0.1, 0.9, 0.05)
    ]
    return max(prf(len(gold & found), len(found), len(gold))["f1"] for found in found_by)


def growing(examples: Sequence[Example], held_out: Sequence[str]) -> list[list[str]]:
    """Return the industries of each share of those that are not held out."""
    others = sorted({e.group for e in examples} - set(held_out))
    np.random.default_rng(SEED).shuffle(others)
    return [others[: round(share * len(others))] for share in SHARES]


def curve(examples: Sequence[Example], table: ClauseTable, held_out: Sequence[str]) -> list[dict[str, float]]:
    """Return texts used and F1 reached on the held-out industries' whole notes, for each share of the others."""
    whole = np.array([examples[t].whole for t in table.texts])
    held = table.rows(np.flatnonzero(np.isin(table.groups, held_out) & whole))
    gold = {(t, o["type"]) for t in set(held.texts.tolist()) for o in examples[t].gold["objections"]}
    return [_point(table, industries, held, gold) for industries in growing(examples, held_out)]


def _point(
    table: ClauseTable, industries: Sequence[str], held: ClauseTable, gold: set[tuple[int, str]]
) -> dict[str, float]:
    rows: NDArray[np.int64] = np.flatnonzero(np.isin(table.groups, industries))
    model = fit_linear(table.features[rows], table.labels[rows], STRENGTH)
    return {
        "industries": len(industries),
        "texts": len(set(table.texts[rows].tolist())),
        "note_type_f1": round(
            best_note_types_f1(model.probabilities(held.features), model.labels.index(NONE), model.labels, held, gold),
            4,
        ),
    }


def mention_curve(
    examples: Sequence[Example], rows: Mapping[Task, Rows], held_out: Sequence[str]
) -> list[dict[str, float]]:
    """Return the rivals learned from, and what each task reaches on the held-out industries (`mentions.judge`)."""
    shares = growing(examples, held_out)
    points: list[dict[str, float]] = [{"industries": len(industries)} for industries in shares]
    for task, table in rows.items():
        features, labels = hash_features(table.features, N_FEATURES), np.array(table.labels)
        held = [i for i, group in enumerate(table.groups) if group in held_out and table.counted[i]]
        keys = [table.keys[i] for i in held]
        for point, industries in zip(points, shares, strict=True):
            learned = [i for i, group in enumerate(table.groups) if group in industries]
            model = fit_linear(features[learned], labels[learned], STRENGTHS[task], rounds=ROUNDS)
            chances = model.probabilities(features[held])
            point[task] = round(judge(task, chances, model.labels, labels[held], keys)[0], 4)
            if task is Task.STANDING:
                point["rivals"] = len(learned)
    return points


def main() -> None:
    """`python -m training.learning_curve`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"))
    parser.add_argument("--artefacts", type=Path, default=Path("models/artefacts"))
    parser.add_argument("--out", type=Path, default=Path("data/metrics/learning_curve.json"))
    args = parser.parse_args()
    examples = list(read_examples(args.corpus))
    table = build_table(examples, load_encoder(args.artefacts / "encoder"))
    held_out = verified_manifest(args.artefacts / "tagger").config["held_out"]
    points = curve(examples, table, held_out)
    for point in points:
        print(f"{point['texts']:6d} texts of {point['industries']:2d} industries: F1 {point['note_type_f1']:.3f}")
    tagged = load_tagger(args.artefacts / "tagger", args.artefacts / "names").tag([e.note.text for e in examples])
    names = mention_curve(examples, build_rows(examples, load_lexicon(args.artefacts / "lexicon"), tagged), held_out)
    for name in names:
        print("  ".join(f"{key} {value}" for key, value in name.items()))
    curves = {"held_out": held_out, "linear": points, "mentions": names}
    args.out.write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
