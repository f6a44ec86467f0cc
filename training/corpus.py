r"""The written corpus: how a writer marks a note, and the guide's JSON Lines that training reads.

Writers work in plain text, because offsets can't be typed by hand. One draft file holds notes or passages:

    === en | call_note | 2026-03-14 | rep-03 north | Harrow Foods | mid-market | proposal open 48000 EUR
    They like it but [[price|we are 20% above the other quote]]. {{routing|<<incumbent/behind|zd>> routes badly.}}

A line that starts with `===` opens a note: language, kind, date, author and team, account, segment, deal (stage,
outcome, amount, currency) or `-`. In a passage file (`*.passages.txt`) each line is `en | marked text`, with `\n` for
a line break.

Marks: `[[type|clause]]` or `[[type:status|clause]]` for an objection (status `open` when left out),
`<<relation/standing|name>>` or `<<relation/standing|name=Canonical>>` for a competitor mention,
`{{theme|passage}}` for a passage with a theme. Marks nest.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TYPES = frozenset(
    {
        "price",
        "budget",
        "value",
        "timing",
        "authority",
        "status_quo",
        "product_gap",
        "integration",
        "security_compliance",
        "implementation",
        "trust",
        "service_delivery",
        "contract_terms",
    }
)
STATUSES = frozenset({"open", "resolved", "anticipated"})
RELATIONS = frozenset({"incumbent", "evaluating", "lost_to", "won_against", "mentioned"})
STANDINGS = frozenset({"ahead", "behind", "neutral"})
KINDS = frozenset({"call_note", "meeting_note", "visit_report", "weekly_report", "email", "transcript", "debrief"})
LANGUAGES = frozenset({"en", "fr", "mixed"})

_OPEN = re.compile(r"\[\[([a-z_:]+)\||<<([a-z_]+/[a-z]+)\||\{\{([a-z0-9-]+)\|")
_CLOSE = {"[[": "]]", "<<": ">>", "{{": "}}"}


class DraftError(ValueError):
    """A draft that can't be read; the message names the file, the line and what to do."""


def fold(name: str) -> str:
    """Return `name` without case, accents, spaces and punctuation: how catalogue names are compared."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalnum())


def catalogue_names(catalog: dict[str, Any]) -> dict[str, str]:
    """Map every folded name and alias of a catalogue's competitors to the canonical name."""
    return {
        fold(alias): competitor["name"]
        for competitor in catalog["competitors"]
        for alias in [competitor["name"], *competitor["aliases"]]
    }


def parse_marks(marked: str, names: dict[str, str]) -> dict[str, Any]:
    """Read one marked text.

    Args:
        marked: Text with marks.
        names: Folded alias to canonical name (`catalogue_names`).

    Returns:
        `text` without marks, and `objections`, `competitors`, `passages` in the guide's format, offsets in code points.

    Raises:
        DraftError: If a mark is unknown, empty, or not closed.
    """
    text: list[str] = []
    length = 0
    stack: list[tuple[str, str, int]] = []
    found: dict[str, list[dict[str, Any]]] = {"[[": [], "<<": [], "{{": []}
    position = 0
    while position < len(marked):
        opening = _OPEN.match(marked, position)
        if opening:
            stack.append((marked[position : position + 2], opening[1] or opening[2] or opening[3], length))
            position = opening.end()
        elif stack and marked.startswith(_CLOSE[stack[-1][0]], position):
            bracket, label, start = stack.pop()
            found[bracket].append({"label": label, "start": start, "end": length})
            position += 2
        elif bracket := next((b for b in (*_CLOSE, *_CLOSE.values()) if marked.startswith(b, position)), None):
            raise DraftError(f"stray or unreadable mark {bracket!r} before {marked[position : position + 40]!r}")
        elif marked[position] == "=" and stack and stack[-1][0] == "<<":
            bracket, label, start = stack.pop()
            close = marked.find(">>", position)
            if close < 0:
                raise DraftError(f"competitor mark not closed near {marked[position : position + 40]!r}")
            found[bracket].append(
                {"label": label, "start": start, "end": length, "name": marked[position + 1 : close].strip()}
            )
            position = close + 2
        else:
            text.append(marked[position])
            length += 1
            position += 1
    if stack:
        raise DraftError(f"mark {stack[-1][0]}{stack[-1][1]}| is not closed")
    plain = "".join(text)
    return {
        "text": plain,
        "objections": [_objection(m, plain) for m in _in_order(found["[["])],
        "competitors": [_competitor(m, plain, names) for m in _in_order(found["<<"])],
        "passages": [{"theme": m["label"], **_span(m, plain)} for m in _in_order(found["{{"])],
    }


def _in_order(marks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(marks, key=lambda m: (m["start"], m["end"]))


def _span(mark: dict[str, Any], text: str) -> dict[str, Any]:
    start, end = mark["start"], mark["end"]
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        raise DraftError(f"mark {mark['label']} is empty")
    return {"start": start, "end": end, "quote": text[start:end]}


def _objection(mark: dict[str, Any], text: str) -> dict[str, Any]:
    kind, _, status = mark["label"].partition(":")
    if kind not in TYPES or (status or "open") not in STATUSES:
        raise DraftError(f"unknown objection type or status {mark['label']!r}")
    return {"type": kind, "status": status or "open", **_span(mark, text)}


def _competitor(mark: dict[str, Any], text: str, names: dict[str, str]) -> dict[str, Any]:
    relation, _, standing = mark["label"].partition("/")
    if relation not in RELATIONS or standing not in STANDINGS:
        raise DraftError(f"unknown relation or standing {mark['label']!r}")
    span = _span(mark, text)
    name = mark.get("name") or names.get(fold(span["quote"]), span["quote"])
    return {"name": name, "known": fold(name) in names, "relation": relation, "standing": standing, **span}


def read_draft(path: Path, catalog: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the notes or passages of one draft file in the guide's format.

    Raises:
        DraftError: Naming the file, the line and the fault.
    """
    names = catalogue_names(catalog)
    stem = path.name.removesuffix(".txt")
    blocks = _passage_blocks(path) if stem.endswith(".passages") else _note_blocks(path)
    for number, (line, header, marked) in enumerate(blocks, start=1):
        try:
            yield {"id": f"{stem}-{number:03d}", **_header(header), **parse_marks(marked, names)}
        except (DraftError, ValueError) as error:
            raise DraftError(f"{path.name}, line {line}: {error}") from None


def _passage_blocks(path: Path) -> Iterator[tuple[int, str, str]]:
    for line, row in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if row.strip():
            header, _, marked = row.partition("|")
            yield line, header, marked.strip().replace("\\n", "\n")


def _note_blocks(path: Path) -> Iterator[tuple[int, str, str]]:
    header, line, rows = "", 0, list[str]()
    for number, row in enumerate([*path.read_text(encoding="utf-8").split("\n"), "==="], start=1):
        if row.startswith("==="):
            if header:
                yield line, header, "\n".join(rows).strip()
            header, line, rows = row[3:], number, []
        elif header or row.strip():
            rows.append(row)


def _header(header: str) -> dict[str, Any]:
    language, *rest = (part.strip() for part in header.split("|"))
    if language not in LANGUAGES:
        raise DraftError(f"language {language!r} is not one of {sorted(LANGUAGES)}")
    if not rest:
        return {"language": language}
    if len(rest) != 6:
        raise DraftError(f"a note's header has 7 parts, this one has {len(rest) + 1}: {header.strip()!r}")
    kind, date, author, account, segment, deal = rest
    if kind not in KINDS:
        raise DraftError(f"kind {kind!r} is not one of {sorted(KINDS)}")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise DraftError(f"date {date!r} is not YYYY-MM-DD")
    rep, _, team = author.partition(" ")
    return {
        "language": language,
        "kind": kind,
        "occurred_at": f"{date}T12:00:00Z",
        "author": {"id": rep, "team": team or None},
        "account": {"id": fold(account), "name": account, "segment": segment if segment != "-" else None},
        "deal": _deal(deal),
    }


def _deal(words: str) -> dict[str, Any] | None:
    if words in {"", "-"}:
        return None
    stage, outcome, *money = words.split()
    if outcome not in {"open", "won", "lost"}:
        raise DraftError(f"deal outcome {outcome!r} is not open, won or lost")
    deal: dict[str, Any] = {"stage": stage, "outcome": outcome}
    if money:
        deal |= {"amount": float(money[0]), "currency": money[1] if len(money) > 1 else "EUR"}
    return deal


def import_drafts(drafts: Path, out: Path | None) -> list[str]:
    """Turn every draft below `drafts` into `out`, one folder an industry; without `out`, only check.

    A folder of drafts holds `catalog.json` beside its `*.txt`.

    Returns:
        One line per file: its name and how many notes, objections and mentions it holds.

    Raises:
        DraftError: At the first fault.
    """
    lines = []
    for catalog_path in sorted(drafts.rglob("catalog.json")):
        catalog = json.loads(catalog_path.read_text(encoding="utf-8"))
        industry = catalog_path.parent
        for path in sorted(industry.glob("*.txt")):
            notes = list(read_draft(path, catalog))
            objections, mentions = (sum(len(n[kind]) for n in notes) for kind in ("objections", "competitors"))
            lines.append(
                f"{industry.name}/{path.name}: {len(notes)} texts, {objections} objections, {mentions} mentions"
            )
            if out:
                target = out / industry.name
                target.mkdir(parents=True, exist_ok=True)
                (target / "catalog.json").write_text(catalog_path.read_text(encoding="utf-8"), encoding="utf-8")
                with (target / f"{path.name.removesuffix('.txt')}.jsonl").open("w", encoding="utf-8") as file:
                    for note in notes:
                        file.write(json.dumps(note, ensure_ascii=False) + "\n")
    return lines


def main() -> None:
    """`python -m training.corpus DRAFTS [--out FOLDER]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("drafts", type=Path, help="folder with catalog.json and *.txt, or a folder of such folders")
    parser.add_argument("--out", type=Path, help="write the guide's JSON Lines here")
    args = parser.parse_args()
    try:
        lines = import_drafts(args.drafts, args.out)
    except DraftError as error:
        sys.exit(str(error))
    print("\n".join(lines) or f"no catalog.json below {args.drafts}")


if __name__ == "__main__":
    main()
