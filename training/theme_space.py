"""Learns the space of themes from the themes that are marked in the written corpus.

    python -m training.theme_space [--corpus data/corpus] [--artefacts models/artefacts]

The industries on which themes are measured (`training/theme_bench.py`) are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from models.encoder import from_bytes
from models.manifest import verified_manifest, write_manifest
from models.tagger import Tagger, load_tagger
from models.theme_space import SPACE_FILE, Vectors, join_readings, unit, whole_texts
from models.theme_subjects import SUBJECTS_FILE, write_subjects
from models.types import THEME_DIMS, Language
from training.examples import fingerprint
from training.theme_bench import ARTEFACTS, CORPUS, INDUSTRIES
from training.theme_subjects import SHRINKAGE, SUBJECTS, learn_weights, read_subjects
from training.theme_workspaces import Workspace, load_describer, read_single_passages, read_workspaces

EVENNESS = 3.0
"""Of the mean variance inside themes, what is added to each direction's: more trusts what was learned less."""
STRENGTH = 5.0
"""Inverse of the penalty on the weights of the chance of a theme."""


def readings_of(workspace: Workspace, tagger: Tagger) -> Vectors:
    """Return the readings of an industry's passages, (n, n_readings)."""
    texts = [passage.text for passage in workspace.passages]
    return join_readings(from_bytes([p.vector for p in workspace.passages]), whole_texts(tagger.tag(texts), texts))


def language_means(readings: Vectors, languages: NDArray[np.str_]) -> dict[str, Vectors]:
    """Return the mean of the readings in English and in French."""
    return {str(each): readings[languages == each].mean(axis=0) for each in (Language.EN, Language.FR)}


def inner_scatter(themes: dict[str, list[Vectors]]) -> NDArray[np.float64]:
    """Return the pooled covariance of readings inside themes, (n_readings, n_readings)."""
    parts = [np.stack(rows) - np.mean(rows, axis=0) for rows in themes.values() if len(rows) > 1]
    freedom = sum(len(part) - 1 for part in parts)
    together = np.vstack(parts).astype(np.float64)
    scatter: NDArray[np.float64] = together.T @ together / freedom
    return scatter


def learn_projection(centred: Vectors, scatter: NDArray[np.float64], n_dims: int) -> Vectors:
    """Return the projection that evens what varies inside themes, onto the main directions of all passages.

    Args:
        centred: Readings of all passages without their language's mean, (n, n_readings).
        scatter: As `inner_scatter` gives.
        n_dims: Directions to keep.
    """
    values, axes = np.linalg.eigh(scatter)
    evened = axes * (values + EVENNESS * values.mean()) ** -0.5
    placed = unit((centred @ evened).astype(np.float32)).astype(np.float64)
    _, main = np.linalg.eigh(placed.T @ placed)
    projection: Vectors = (evened @ main[:, ::-1][:, :n_dims]).astype(np.float32)
    return projection


def learn_telling(vectors: Vectors, themed: NDArray[np.bool_]) -> Vectors:
    """Return the weights, then the bias, of the chance that a passage belongs to a theme, (THEME_DIMS + 1,).

    Args:
        vectors: Theme vectors of all passages, (n, THEME_DIMS).
        themed: Which of them have a theme.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=2_000).fit(vectors, themed)
    weights: Vectors = np.append(model.coef_[0], model.intercept_).astype(np.float32)
    return weights


def train(notes: Sequence[Workspace], singles: Sequence[Workspace], corpus: Path, artefacts: Path) -> dict[str, int]:
    """Write the artefact `themes`, and return what it was learned from.

    Args:
        notes: Passages of whole notes, from which centres and main directions come.
        singles: Marked passages that stand alone: of themes and subjects too.
    """
    tagger = load_tagger(artefacts / "tagger")
    readings = [readings_of(workspace, tagger) for workspace in notes]
    languages = np.array([str(p.language) for w in notes for p in w.passages])
    means = language_means(np.vstack(readings), languages)
    centred = [_centred(w, rows, means) for w, rows in zip(notes, readings, strict=True)]
    themed = [np.zeros(len(rows), dtype=bool) for rows in centred]
    for workspace, marks in zip(notes, themed, strict=True):
        marks[[place for _, place in workspace.places if place is not None]] = True
    alone = [_centred(w, readings_of(w, tagger), means) for w in singles]
    subjects = read_subjects()
    marked = [
        (f"{workspace.name}/{theme}", subjects.subject_of(workspace.name, theme), rows[place])
        for workspace, rows in zip([*notes, *singles], [*centred, *alone], strict=True)
        for theme, place in workspace.places
        if place is not None
    ]
    everything = np.vstack(centred)
    scatter = inner_scatter(_by_theme_and_subject(marked))
    projection = learn_projection(everything, scatter, THEME_DIMS)
    telling = learn_telling(unit(everything @ projection), np.concatenate(themed))
    placed = unit(np.stack([row for _, _, row in marked]) @ projection)
    weights = learn_weights(placed, [subject for _, subject, _ in marked], subjects.known)
    out = artefacts / "themes"
    out.mkdir(exist_ok=True)
    stored = {"projection": projection, "telling": telling, "subjects": weights, **means}
    save_file({name: np.ascontiguousarray(v.astype(np.float16)) for name, v in stored.items()}, out / SPACE_FILE)
    write_subjects(out, subjects.known, subjects.families)
    counts = {
        "themes": len({theme for theme, _, _ in marked}),
        "subjects": len(subjects.known),
        "passages": len(marked),
    }
    write_manifest(
        out,
        "themes",
        [SPACE_FILE, SUBJECTS_FILE],
        config={"evenness": EVENNESS, "shrinkage": SHRINKAGE, "held_out": list(INDUSTRIES)},
        data={
            "corpus": fingerprint(corpus),
            "subjects": hashlib.sha256(SUBJECTS.read_bytes()).hexdigest(),
            **{name: verified_manifest(artefacts / name).version for name in ("encoder", "tagger")},
        },
        metrics=counts,
        licences={"corpus": "Apache-2.0"},
    )
    return counts


def _centred(workspace: Workspace, readings: Vectors, means: dict[str, Vectors]) -> Vectors:
    """Take its language's mean off each reading; of an unknown language, the middle of both."""
    middle = (means[Language.EN] + means[Language.FR]) / 2
    centred: Vectors = readings - np.stack([means.get(str(p.language), middle) for p in workspace.passages])
    return centred


def _by_theme_and_subject(marked: Sequence[tuple[str, str, Vectors]]) -> dict[str, list[Vectors]]:
    """Group readings by theme, and once more by subject: both are what a theme elsewhere may be like."""
    groups: dict[str, list[Vectors]] = {}
    for theme, subject, row in marked:
        groups.setdefault(theme, []).append(row)
        if subject:
            groups.setdefault(subject, []).append(row)
    return groups


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--artefacts", type=Path, default=ARTEFACTS)
    args = parser.parse_args()
    describer = load_describer(args.artefacts, themes=False)
    notes = [w for w in read_workspaces(args.corpus, describer) if w.name not in INDUSTRIES]
    folders = [path.parent for path in sorted(args.corpus.glob("*/catalog.json")) if path.parent.name not in INDUSTRIES]
    singles = [w for w in (read_single_passages(folder, describer) for folder in folders) if w.passages]
    print(json.dumps(train(notes, singles, args.corpus, args.artefacts)))


if __name__ == "__main__":
    main()
