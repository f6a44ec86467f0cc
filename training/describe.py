"""Counts of the written corpus: how many texts, and how many examples of each value of the guide, by language."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from training.corpus import KINDS, RELATIONS, STANDINGS, STATUSES, TYPES


def describe(corpus: Path) -> dict[str, Any]:
    """Count the texts and annotations of `<industry>/*.jsonl`.

    Returns:
        Totals, and for each property of an annotation its values by language (of the text that holds it).
    """
    texts: Counter[str] = Counter()
    words: Counter[str] = Counter()
    values: dict[str, dict[str, Counter[str]]] = {}
    silent = 0
    for path in sorted(corpus.glob("*/*.jsonl")):
        whole = ".passages" not in path.name
        for line in path.read_text(encoding="utf-8").splitlines():
            note = json.loads(line)
            language = note["language"]
            texts["notes" if whole else "passages"] += 1
            texts[f"{'notes' if whole else 'passages'} {language}"] += 1
            words["notes" if whole else "passages"] += len(note["text"].split())
            silent += whole and not note["objections"]
            if whole:
                _count(values, "kind", note["kind"], language)
            for objection in note["objections"]:
                _count(values, "type", objection["type"], language)
                _count(values, "status", objection["status"], language)
            for mention in note["competitors"]:
                _count(values, "relation", mention["relation"], language)
                _count(values, "standing", mention["standing"], language)
                _count(values, "known", str(mention["known"]).lower(), language)
    closed = {"kind": KINDS, "type": TYPES, "status": STATUSES, "relation": RELATIONS, "standing": STANDINGS}
    return {
        "industries": len(list(corpus.glob("*/catalog.json"))),
        "texts": dict(sorted(texts.items())),
        "mean_words": {kind: round(count / texts[kind], 1) for kind, count in sorted(words.items())},
        "notes_without_objection": silent,
        "values": {
            name: {
                value: dict(sorted(found.get(value, Counter()).items())) for value in sorted(closed.get(name, found))
            }
            for name, found in sorted(values.items())
        },
    }


def _count(values: dict[str, dict[str, Counter[str]]], name: str, value: str, language: str) -> None:
    values.setdefault(name, {}).setdefault(value, Counter())[language] += 1


def main() -> None:
    """`python -m training.describe CORPUS [--out FILE]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, help="write the counts here as JSON")
    args = parser.parse_args()
    text = json.dumps(describe(args.corpus), indent=1) + "\n"
    if args.out:
        args.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
