"""Marked notes as the tagger learns from them: labels for each piece, and notes written in other ways.

A note is varied each time it is read: competitors take other names, so that a name is known by what is said around it;
case, punctuation and spelling suffer as they do in typed notes; single passages are put together into short notes.
"""

from __future__ import annotations

import json
import random
import re
import string
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.types import ObjectionStatus, ObjectionType, Relation, Standing
from training.reader_names import NameMaker

TYPES = [t.value for t in ObjectionType]
STATUSES = [s.value for s in ObjectionStatus]
RELATIONS = [r.value for r in Relation]
STANDINGS = [s.value for s in Standing]
UNLABELLED = -100


@dataclass(frozen=True, slots=True)
class Mark:
    """One annotation: an objection (`labels` type, status) or a competitor's name (relation, standing)."""

    start: int
    end: int
    labels: tuple[str, str]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its marks; `industry` is the folder that it came from."""

    text: str
    language: str
    objections: tuple[Mark, ...] = ()
    names: tuple[Mark, ...] = ()
    industry: str = ""
    passage: bool = False
    note: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


def read_examples(folder: Path) -> list[Example]:
    """Read the written corpus: `<industry>/*.jsonl` in the guide's format."""
    found = []
    for path in sorted(folder.glob("*/*.jsonl")):
        with path.open(encoding="utf-8") as file:
            found += [as_example(json.loads(line), path) for line in file]
    return found


def as_example(note: dict[str, Any], path: Path) -> Example:
    """Return a note of the guide's format as an example."""
    objections = [Mark(o["start"], o["end"], (o["type"], o["status"])) for o in note["objections"]]
    names = [Mark(c["start"], c["end"], (c["relation"], c["standing"]), c["name"]) for c in note["competitors"]]
    return Example(
        note["text"],
        note["language"],
        tuple(objections),
        tuple(names),
        path.parent.name,
        passage=path.stem.endswith("passages"),
        note=note,
    )


def piece_labels(example: Example, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the labels of each piece, (n_pieces, 6): type, begin, status, name, relation, standing.

    Args:
        example: The text with its marks.
        offsets: First and last character of each piece, (n_pieces, 2).
    """
    labels = np.zeros((len(offsets), 6), dtype=np.int64)
    labels[:, [2, 4, 5]] = UNLABELLED
    starts, ends = offsets[:, 0], offsets[:, 1]
    for mark in example.objections:
        inside = np.flatnonzero((starts < mark.end) & (ends > mark.start) & (labels[:, 0] == 0))
        labels[inside, 0] = 1 + TYPES.index(mark.labels[0])
        labels[inside[:1], 1] = 1
        labels[inside, 2] = STATUSES.index(mark.labels[1])
    for mark in example.names:
        inside = np.flatnonzero((starts < mark.end) & (ends > mark.start))
        labels[inside, 3] = 2
        labels[inside[:1], 3] = 1
        labels[inside, 4] = RELATIONS.index(mark.labels[0])
        labels[inside, 5] = STANDINGS.index(mark.labels[1])
    return labels


def edited(example: Example, edits: Iterable[tuple[int, int, str]]) -> Example:
    """Replace stretches of the text (start, end, new; not overlapping) and move the marks along.

    A mark that an edit covers whole grows or shrinks with it.
    """
    text, pieces, at = example.text, list[str](), 0
    moved = np.zeros(len(text) + 1, dtype=np.int64)
    length = 0
    for start, end, new in sorted(edits):
        moved[at : start + 1] = length + np.arange(start + 1 - at)
        pieces += [text[at:start], new]
        length += start - at + len(new)
        moved[start + 1 : end + 1] = length
        at = end
    moved[at + (at > 0) :] = (length + np.arange(len(text) + 1 - at))[(at > 0) :]
    pieces.append(text[at:])

    def move(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        return tuple(Mark(int(moved[m.start]), int(moved[m.end]), m.labels, m.name) for m in marks)

    return Example("".join(pieces), example.language, move(example.objections), move(example.names), example.industry)


def joined(examples: Sequence[Example], separator: str) -> Example:
    """Put several texts together into one."""
    text, objections, names = "", list[Mark](), list[Mark]()
    for example in examples:
        text += separator if text else ""
        shift = len(text)
        objections += [Mark(m.start + shift, m.end + shift, m.labels, m.name) for m in example.objections]
        names += [Mark(m.start + shift, m.end + shift, m.labels, m.name) for m in example.names]
        text += example.text
    return Example(text, examples[0].language, tuple(objections), tuple(names), examples[0].industry)


def _bare(character: str) -> str:
    """Return a character without its accents."""
    return unicodedata.normalize("NFD", character)[0]


class Variation:
    """Writes an example in another way, by chance."""

    def __init__(self, names: NameMaker, chances: dict[str, float], seed: int) -> None:
        self.names = names
        self.chances = chances
        self.rng = random.Random(seed)

    def __call__(self, example: Example) -> Example:
        """Return a varied copy; marks stay on their words."""
        if example.names and self._happens("rename"):
            example = self._renamed(example)
        if self._happens("heading"):
            example = edited(example, [(0, 0, self.names.heading(self.rng, example.language))])
        if self._happens("typos"):
            example = self._mistyped(example)
        if self._happens("no_punctuation"):
            marks = [m.start() for m in re.finditer(r"[.,;:!?\"«»()](?=\s|$)", example.text)]
            example = edited(example, [(i, i + 1, "") for i in marks])
        if self._happens("no_accents"):
            example = self._recased(example, _bare)
        if self._happens("lower"):
            example = self._recased(example, str.lower)
        elif self._happens("upper"):
            example = self._recased(example, str.upper)
        return example

    def _happens(self, what: str) -> bool:
        return self.rng.random() < self.chances[what]

    def _renamed(self, example: Example) -> Example:
        fresh: dict[str, str] = {}
        edits = []
        for mark in example.names:
            quote = example.text[mark.start : mark.end]
            key = quote.casefold()
            if key not in fresh:
                fresh[key] = self.names.rival(self.rng)
            new = fresh[key]
            edits.append((mark.start, mark.end, new.lower() if quote.islower() else new))
        return edited(example, edits)

    def _mistyped(self, example: Example) -> Example:
        edits = []
        for match in re.finditer(r"[^\W\d_]{4,}", example.text):
            if self.rng.random() < 0.05:
                i = self.rng.randrange(match.start(), match.end() - 1)
                a, b = example.text[i], example.text[i + 1]
                edits.append(
                    (i, i + 2, self.rng.choice([b + a, a, a + b + b, a + self.rng.choice(string.ascii_lowercase)]))
                )
        return edited(example, edits)

    def _recased(self, example: Example, recase: Any) -> Example:
        text = "".join(new if len(new := recase(c)) == 1 else c for c in example.text)
        return Example(text, example.language, example.objections, example.names, example.industry)


def short_notes(
    passages: Sequence[Example], rng: random.Random, names: NameMaker, *, headed: float = 0.0
) -> list[Example]:
    """Put passages of one language together, one to four at a time, in a random order.

    Args:
        headed: Chance that a passage opens with its account, as the parts of a weekly report do.
    """

    def opened(passage: Example) -> Example:
        return edited(passage, [(0, 0, names.heading(rng, passage.language))]) if rng.random() < headed else passage

    found = []
    for language in sorted({p.language for p in passages}):
        left = [p for p in passages if p.language == language]
        rng.shuffle(left)
        while left:
            n = rng.choice((1, 1, 2, 3, 4))
            found.append(joined([opened(p) for p in left[:n]], rng.choice(("\n", " ", "\n- ", "\n\n"))))
            left = left[n:]
    return found
