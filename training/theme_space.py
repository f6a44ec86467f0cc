"""Learns the space of themes from the themes that are marked in the written corpus.

    python -m training.theme_space [--corpus data/corpus] [--artefacts models/artefacts]

The industries on which themes are measured (`training/theme_bench.py`) are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from models.encoder import from_bytes, to_bytes
from models.manifest import verified_manifest, write_manifest
from models.tagger import Tagger, load_tagger
from models.theme_space import SPACE_FILE, ThemeSpace, Vectors, join_readings, unit, whole_texts
from models.theme_subjects import SUBJECTS_FILE, Subjects, write_subjects
from models.themes import ARTEFACTS
from models.types import THEME_DIMS, Language
from training.examples import fingerprint
from training.theme_subjects import SHRINKAGE, SUBJECTS, SubjectList, learn_weights, read_subjects
from training.theme_workspaces import (
    CORPUS,
    INDUSTRIES,
    Workspace,
    load_describer,
    read_single_passages,
    read_workspaces,
)

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


@dataclass(frozen=True, slots=True)
class Readings:
    """An industry's passages with their readings, (n, n_readings)."""

    workspace: Workspace
    rows: Vectors


def read_passages(workspaces: Sequence[Workspace], tagger: Tagger) -> list[Readings]:
    """Return the readings of industries."""
    return [Readings(workspace, readings_of(workspace, tagger)) for workspace in workspaces]


def place_passages(each: Readings, space: ThemeSpace) -> Workspace:
    """Give an industry's passages their place in a space of themes."""
    passages = each.workspace.passages
    n_dims = len(from_bytes([passages[0].vector])[0])
    vectors = to_bytes(space.place(each.rows[:, :n_dims], each.rows[:, n_dims:], [p.language for p in passages]))
    placed = [replace(passage, theme_vector=vector) for passage, vector in zip(passages, vectors, strict=True)]
    return replace(each.workspace, passages=placed)


def learn_space(notes: Sequence[Readings], singles: Sequence[Readings], listed: SubjectList) -> tuple[ThemeSpace, int]:
    """Return the space of themes, and the number of marked passages that it is learned from.

    Args:
        notes: Passages of whole notes, from which centres and main directions come.
        singles: Marked passages that stand alone: of themes and subjects too.
        listed: All subjects; those of which no passage is marked are left out.
    """
    languages = np.array([str(p.language) for each in notes for p in each.workspace.passages])
    means = language_means(np.vstack([each.rows for each in notes]), languages)
    centred = [_centred(each, means) for each in notes]
    themed = [np.zeros(len(rows), dtype=bool) for rows in centred]
    for each, marks in zip(notes, themed, strict=True):
        marks[[place for _, place in each.workspace.places if place is not None]] = True
    alone = [_centred(each, means) for each in singles]
    marked = [
        (f"{name}/{theme}", listed.subject_of(name, theme), rows[place])
        for each, rows in zip([*notes, *singles], [*centred, *alone], strict=True)
        for name in [each.workspace.name]
        for theme, place in each.workspace.places
        if place is not None
    ]
    everything = np.vstack(centred)
    projection = learn_projection(everything, inner_scatter(_by_theme_and_subject(marked)), THEME_DIMS)
    telling = learn_telling(unit(everything @ projection), np.concatenate(themed))
    placed = unit(np.stack([row for _, _, row in marked]) @ projection)
    keys = [subject for _, subject, _ in marked]
    known = tuple(subject for subject in listed.known if subject.key in keys)
    subjects = Subjects(known, listed.families, learn_weights(placed, keys, known))
    english, french = means[Language.EN], means[Language.FR]
    centres = {Language.EN: english, Language.FR: french, Language.UNKNOWN: (english + french) / 2}
    return ThemeSpace(centres, projection, (telling[:-1], float(telling[-1])), subjects, ""), len(marked)


def train(notes: Sequence[Workspace], singles: Sequence[Workspace], corpus: Path, artefacts: Path) -> dict[str, int]:
    """Write the artefact `themes`, and return what it was learned from; the arguments are those of `learn_space`."""
    tagger = load_tagger(artefacts / "tagger")
    space, n_marked = learn_space(read_passages(notes, tagger), read_passages(singles, tagger), read_subjects())
    weights, bias = space.telling
    stored = {
        "projection": space.projection,
        "telling": np.append(weights, np.float32(bias)),
        "subjects": space.subjects.weights,
        **{str(language): space.centres[language] for language in (Language.EN, Language.FR)},
    }
    out = artefacts / "themes"
    out.mkdir(exist_ok=True)
    save_file({name: np.ascontiguousarray(v.astype(np.float16)) for name, v in stored.items()}, out / SPACE_FILE)
    write_subjects(out, space.subjects.known, space.subjects.families)
    counts = {
        "themes": len({(w.name, theme) for w in (*notes, *singles) for theme, place in w.places if place is not None}),
        "subjects": len(space.subjects.known),
        "passages": n_marked,
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


def _centred(each: Readings, means: dict[str, Vectors]) -> Vectors:
    """Take its language's mean off each reading; of an unknown language, the middle of both."""
    middle = (means[Language.EN] + means[Language.FR]) / 2
    languages = [str(p.language) for p in each.workspace.passages]
    centred: Vectors = each.rows - np.stack([means.get(language, middle) for language in languages])
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
