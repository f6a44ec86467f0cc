"""Reads the written corpus (`data/corpus/<industry>/*.jsonl`) as training wants it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.notes import ReadNote, read_note
from models.types import Catalog, Competitor


@dataclass(frozen=True)
class Example:
    """One annotated text.

    Attributes:
        group: Industry; splits go by it, so that no vocabulary of a held-out industry is learned.
        whole: Whether it is a whole note; else a single passage.
        gold: The guide's format.
        copied: Whether it is a varied copy of another: choices are made on texts as they were written.
    """

    group: str
    whole: bool
    note: ReadNote
    gold: dict[str, Any]
    catalog: Catalog
    copied: bool = False

    def opened_with(self, heading: str) -> Example:
        """Return the text under a heading, with its marks moved along."""

        def moved(marks: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [m | {"start": m["start"] + len(heading), "end": m["end"] + len(heading)} for m in marks]

        text = heading + self.gold["text"]
        marks = {kind: moved(self.gold[kind]) for kind in ("objections", "competitors", "passages")}
        note = read_note(text, self.gold.get("kind", ""))
        return replace(self, note=note, gold=self.gold | marks | {"text": text}, copied=True)


def read_catalog(path: Path) -> Catalog:
    """Read a `catalog.json` of the guide."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    competitors = tuple(Competitor(c["name"], tuple(c["aliases"])) for c in raw["competitors"])
    return Catalog(tuple(raw["us"]), competitors)


def read_examples(corpus: Path) -> Iterator[Example]:
    """Yield every text of the corpus, folder by folder, in the order of the files."""
    for catalog_path in sorted(corpus.glob("*/catalog.json")):
        catalog = read_catalog(catalog_path)
        for path in sorted(catalog_path.parent.glob("*.jsonl")):
            whole = ".passages" not in path.name
            for line in path.read_text(encoding="utf-8").splitlines():
                gold = json.loads(line)
                yield Example(
                    catalog_path.parent.name, whole, read_note(gold["text"], gold.get("kind", "")), gold, catalog
                )


def fingerprint(corpus: Path) -> str:
    """Return the SHA-256 over all files of the corpus, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(corpus.glob("*/*.json*")):
        digest.update(path.relative_to(corpus).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
