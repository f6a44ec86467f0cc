"""Learns to tell small talk from passages that say something, and writes the artefact `small_talk`.

    python -m training.small_talk [--corpus data/corpus] [--artefacts models/artefacts]

The lines of `data/small_talk.toml` stand against its near misses and the passages of the written corpus that hold an
objection, a competitor or a marked theme. The bound is set on passages of industries that were kept out in turn.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from models.manifest import verified_manifest, write_manifest
from models.notes import read_note
from models.passages import find_passages
from models.small_talk import SMALL_TALK_FILE, SmallTalk
from models.theme_space import ThemeEncoder, Vectors, load_theme_encoder
from models.themes import ARTEFACTS
from training.examples import fingerprint
from training.theme_workspaces import CORPUS, INDUSTRIES

LINES = Path("data/small_talk.toml")
PER_INDUSTRY = 45
PER_HELD_OUT = 150
FOLDS = 5
SEED = 1
STRENGTH = 1.0
"""Inverse of the penalty on the weights, for each line of small talk per marked passage."""
NEAR_MISS = 3.0
"""Weight of a near miss beside a marked passage."""
DROPPED = 0.005
"""Share of marked passages of kept-out industries above the bound."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What is learned from: theme vectors, and the fold in which each is kept out."""

    lines: Vectors
    near: Vectors
    marked: Vectors
    folds: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]


def read_lines(path: Path = LINES) -> tuple[list[str], list[str]]:
    """Return the lines of small talk, and the near misses."""
    stored = tomllib.loads(path.read_text(encoding="utf-8"))
    lines = [line for language in ("en", "fr") for kind in stored[language].values() for line in kind]
    return lines, [line for language in ("en", "fr") for line in stored["matters"][language]]


def marked_passages(folder: Path, n: int) -> list[str]:
    """Return up to `n` passages of an industry's whole notes that hold an objection, a competitor or a theme."""
    found = []
    for path in sorted(folder.glob("*notes.jsonl")):
        for note in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            findings = _offsets([*note["objections"], *note["competitors"]])
            marks = findings + _offsets([p for p in note["passages"] if p["theme"]])
            for start, end in find_passages(read_note(note["text"], note["kind"]), findings):
                if any(start < b and a < end for a, b in marks):
                    found.append(note["text"][start:end])
    return random.Random(SEED).sample(found, min(n, len(found)))


def learn_weights(lines: Vectors, near: Vectors, marked: Vectors) -> Vectors:
    """Return the weights of `models.small_talk.SmallTalk`; small talk and marked passages weigh the same."""
    from sklearn.linear_model import LogisticRegression

    share = len(lines) / len(marked)
    vectors = np.vstack([lines, near, marked])
    small = np.repeat([1, 0], [len(lines), len(near) + len(marked)])
    heed = np.repeat([1 / share, NEAR_MISS, 1.0], [len(lines), len(near), len(marked)])
    model = LogisticRegression(C=STRENGTH * share, max_iter=3_000).fit(vectors, small, sample_weight=heed)
    weights: Vectors = model.coef_[0].astype(np.float32)
    return weights


def learn(examples: Examples) -> tuple[SmallTalk, dict[str, float]]:
    """Return what tells small talk, and how it does on lines and industries that were kept out in turn."""
    parts = (examples.lines, examples.near, examples.marked)
    scores = [np.zeros(len(part)) for part in parts]
    for fold in range(FOLDS):
        kept_out = [folds == fold for folds in examples.folds]
        weights = learn_weights(*(part[~out] for part, out in zip(parts, kept_out, strict=True)))
        for score, part, out in zip(scores, parts, kept_out, strict=True):
            score[out] = part[out] @ weights
    bound = float(np.quantile(scores[2], 1 - DROPPED))
    lines, near, _ = (float((score > bound).mean()) for score in scores)
    return SmallTalk(learn_weights(*parts), bound), {"recall": round(lines, 3), "near_misses_dropped": round(near, 3)}


def train(corpus: Path, artefacts: Path) -> dict[str, Any]:
    """Write the artefact, and return how well it tells small talk."""
    encoder = load_theme_encoder(artefacts)
    folders = sorted(path.parent for path in corpus.glob("*/catalog.json"))
    lines, near = read_lines()
    told, metrics = learn(_examples(encoder, [f for f in folders if f.name not in INDUSTRIES], lines, near))
    held_out = [text for f in folders if f.name in INDUSTRIES for text in marked_passages(f, PER_HELD_OUT)]
    metrics["held_out_dropped"] = round(float(told.tell(encoder.encode(held_out)).mean()), 4)
    out = artefacts / "small_talk"
    out.mkdir(exist_ok=True)
    save_file({"weights": told.weights, "bound": np.array([told.bound], dtype=np.float32)}, out / SMALL_TALK_FILE)
    write_manifest(
        out,
        "small_talk",
        [SMALL_TALK_FILE],
        config={"seed": SEED, "near_miss": NEAR_MISS, "dropped": DROPPED, "held_out": list(INDUSTRIES)},
        data={
            "corpus": fingerprint(corpus),
            "lines": hashlib.sha256(LINES.read_bytes()).hexdigest(),
            "themes": verified_manifest(artefacts / "themes").version,
        },
        metrics=metrics,
        licences={"corpus": "Apache-2.0"},
    )
    return metrics


def _examples(encoder: ThemeEncoder, folders: Sequence[Path], lines: Sequence[str], near: Sequence[str]) -> Examples:
    passages = [(i % FOLDS, text) for i, f in enumerate(folders) for text in marked_passages(f, PER_INDUSTRY)]
    folds = (np.arange(len(lines)) % FOLDS, np.arange(len(near)) % FOLDS, np.array([fold for fold, _ in passages]))
    return Examples(encoder.encode(lines), encoder.encode(near), encoder.encode([t for _, t in passages]), folds)


def _offsets(marks: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(mark["start"], mark["end"]) for mark in marks]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--artefacts", type=Path, default=ARTEFACTS)
    args = parser.parse_args()
    print(json.dumps(train(args.corpus, args.artefacts)))


if __name__ == "__main__":
    main()
