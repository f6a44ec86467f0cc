"""Passages with the themes that they should have: what themes are learned from and measured on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from models.encoder import Encoder, load_encoder, to_bytes
from models.language import LanguageReader, load_language_reader
from models.lexicon import load_lexicon
from models.notes import read_note
from models.passages import find_passages
from models.theme_space import ThemeEncoder, load_theme_encoder
from models.types import ThemePassage
from training.measures import overlap

CORPUS = Path("data/corpus")
INDUSTRIES = ("lift-maintenance", "packaging", "telecom")
"""What themes are measured on where nothing is named: no artefact has learned from them."""
MIN_GOLD = 50
"""Gold passages from which an industry is read."""
MIN_OVERLAP = 0.3


@dataclass(frozen=True)
class Workspace:
    """Passages with gold themes: whole notes in the order of their days, or the texts of a public set.

    Attributes:
        passages: Of all notes.
        places: For each gold passage with a theme: the theme, and the found passage that it is in, or None.
    """

    name: str
    passages: list[ThemePassage]
    places: list[tuple[str, int | None]]
    pairs: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Describer:
    """What gives passages their language and vectors; without `themes` they lie nowhere in the space of themes."""

    languages: LanguageReader
    encoder: Encoder
    themes: ThemeEncoder | None

    def passages(self, texts: Sequence[str], accounts: Sequence[str]) -> list[ThemePassage]:
        """Describe texts."""
        vectors = to_bytes(self.encoder.encode(texts))
        theme_vectors = to_bytes(self.themes.encode(texts)) if self.themes else [b""] * len(texts)
        described = zip(texts, self.languages.read(texts), vectors, theme_vectors, accounts, strict=True)
        return [ThemePassage(*each) for each in described]


def load_describer(artefacts: Path, themes: bool = True) -> Describer:
    """Load it, with or without the space of themes."""
    return Describer(
        load_language_reader(artefacts / "language", load_lexicon(artefacts / "lexicon")),
        load_encoder(artefacts / "encoder"),
        load_theme_encoder(artefacts) if themes else None,
    )


def read_workspace(folder: Path, describer: Describer) -> Workspace:
    """Cut an industry's whole notes into passages, as the analyzer does, and find the gold ones among them."""
    lines = chain.from_iterable(p.read_text("utf-8").splitlines() for p in sorted(folder.glob("*notes.jsonl")))
    notes = sorted(map(json.loads, lines), key=lambda note: (note["occurred_at"], note["id"]))
    texts: list[str] = []
    accounts: list[str] = []
    places: list[tuple[str, int | None]] = []
    for note in notes:
        marked = [(m["start"], m["end"]) for m in (*note["objections"], *note["competitors"])]
        spans = find_passages(read_note(note["text"], note["kind"]), marked)
        places += [(gold["theme"], _place(gold, spans, len(texts))) for gold in note["passages"] if gold["theme"]]
        texts += [note["text"][start:end] for start, end in spans]
        accounts += [note["account"]["id"]] * len(spans)
    return Workspace(folder.name, describer.passages(texts, accounts), places)


def read_single_passages(folder: Path, describer: Describer) -> Workspace:
    """Take the marked passages of an industry's single texts as they are."""
    lines = chain.from_iterable(p.read_text("utf-8").splitlines() for p in sorted(folder.glob("*.passages.jsonl")))
    texts = [json.loads(line) for line in lines]
    marked = [
        (t["text"][p["start"] : p["end"]], p["theme"]) for t in texts for p in t.get("passages", ()) if p["theme"]
    ]
    passages = describer.passages([text for text, _ in marked], [""] * len(marked))
    return Workspace(folder.name, passages, [(theme, place) for place, (_, theme) in enumerate(marked)])


def read_workspaces(corpus: Path, describer: Describer) -> list[Workspace]:
    """Read the industries with at least `MIN_GOLD` gold passages."""
    found = [read_workspace(path.parent, describer) for path in sorted(corpus.glob("*/catalog.json"))]
    return [workspace for workspace in found if len(workspace.places) >= MIN_GOLD]


def _place(gold: dict[str, Any], spans: Sequence[tuple[int, int]], first: int) -> int | None:
    shares = [overlap(gold, {"start": start, "end": end}) for start, end in spans]
    best = int(np.argmax(shares)) if shares else 0
    return first + best if shares and shares[best] >= MIN_OVERLAP else None
