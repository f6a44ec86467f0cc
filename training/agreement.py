"""A second reader's blind check of the written corpus.

`blind` prints a tenth of the notes without their marks, the same tenth each time. The second reader writes, for each,
the header `=== id` and then one mark a line, as in a draft: `[[price:resolved|exact quote]]`,
`<<incumbent/behind|name>>`. `compare` finds the quotes in the notes and scores the two readings against each other by
the guide's measures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.corpus import DraftError, catalogue_names, parse_marks
from training.measures import measure

SHARE = 10


def checked_notes(corpus: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield a tenth of the whole notes, told by the hash of folder and id, with the catalogue of each."""
    for catalog_path in sorted(corpus.glob("*/catalog.json")):
        catalog = json.loads(catalog_path.read_text(encoding="utf-8"))
        for path in sorted(catalog_path.parent.glob("*.notes.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                note = json.loads(line)
                note["id"] = f"{catalog_path.parent.name}/{note['id']}"
                if hashlib.sha256(note["id"].encode()).digest()[0] % SHARE == 0:
                    yield note, catalog


def read_marks(path: Path, corpus: Path) -> dict[str, dict[str, Any]]:
    """Read a second reader's marks into the guide's format, by note.

    Raises:
        DraftError: If a mark can't be read, or its quote is not in its note.
    """
    notes = {note["id"]: (note, catalog) for note, catalog in checked_notes(corpus)}
    read: dict[str, dict[str, Any]] = {}
    for block in re.split(r"^=== *", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        note_id, *marks = block.strip().splitlines()
        if note_id.strip() not in notes:
            raise DraftError(f"{note_id.strip()} is not one of the notes to check")
        note, catalog = notes[note_id.strip()]
        read[note["id"]] = _place(note, [mark for mark in marks if mark.strip()], catalogue_names(catalog))
    return read


def _place(note: dict[str, Any], marks: list[str], names: dict[str, str]) -> dict[str, Any]:
    """Find each mark's quote in its note; the same quote again means its next place."""
    placed: dict[str, Any] = {"objections": [], "competitors": []}
    after: dict[str, int] = {}
    for mark in marks:
        parsed = parse_marks(mark.strip().replace("\\n", "\n"), names)
        for kind, found in placed.items():
            for one in parsed[kind]:
                start = note["text"].find(one["quote"], after.get(kind + one["quote"], 0))
                if start < 0:
                    raise DraftError(f"{note['id']}: {one['quote']!r} is not in the note")
                after[kind + one["quote"]] = start + 1
                found.append({**one, "start": start, "end": start + len(one["quote"])})
    return placed


def compare(corpus: Path, marks: Path) -> dict[str, Any]:
    """Score the second reading against the first, by language."""
    second = read_marks(marks, corpus)
    first = {note["id"]: note for note, _ in checked_notes(corpus) if note["id"] in second}
    languages = {"all": first} | {
        language: {key: note for key, note in first.items() if note["language"] == language}
        for language in ("en", "fr", "mixed")
    }
    return {language: measure(notes, second) for language, notes in languages.items() if notes}


def main() -> None:
    """`python -m training.agreement blind|compare CORPUS [--marks FILE] [--out FILE]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("step", choices=["blind", "compare"])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--marks", type=Path, help="the second reader's file")
    parser.add_argument("--out", type=Path, help="write the agreement here as JSON")
    args = parser.parse_args()
    if args.step == "blind":
        for note, catalog in checked_notes(args.corpus):
            print(f"=== {note['id']}  (we: {', '.join(catalog['us'])})\n{note['text']}\n")
        return
    if args.marks is None:
        sys.exit("compare needs --marks FILE, the second reader's file")
    try:
        result = compare(args.corpus, args.marks)
    except DraftError as error:
        sys.exit(str(error))
    text = json.dumps(result, indent=1) + "\n"
    if args.out:
        args.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
