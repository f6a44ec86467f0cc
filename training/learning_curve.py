"""How reading improves with the amount of written text; writes `data/metrics/learning_curve.json`.

Fits the linear objection classifier, which takes seconds, on growing parts of the corpus, industry by industry in an
order drawn at random, and measures it on industries that no part holds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder import load_encoder
from models.manifest import verified_manifest
from models.objections import NONE
from training.examples import Example, read_examples
from training.measures import prf
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


def curve(examples: Sequence[Example], table: ClauseTable, held_out: Sequence[str]) -> list[dict[str, float]]:
    """Return texts used and F1 reached on the held-out industries' whole notes, for each share of the others."""
    whole = np.array([examples[t].whole for t in table.texts])
    held = table.rows(np.flatnonzero(np.isin(table.groups, held_out) & whole))
    gold = {(t, o["type"]) for t in set(held.texts.tolist()) for o in examples[t].gold["objections"]}
    others = sorted(set(table.groups.tolist()) - set(held_out))
    np.random.default_rng(SEED).shuffle(others)
    return [_point(table, others[: round(share * len(others))], held, gold) for share in SHARES]


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
    args.out.write_text(json.dumps({"held_out": held_out, "linear": points}, indent=1) + "\n", encoding="utf-8")
    for point in points:
        print(f"{point['texts']:6d} texts of {point['industries']:2d} industries: F1 {point['note_type_f1']:.3f}")


if __name__ == "__main__":
    main()
