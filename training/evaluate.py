"""Measures the reader on annotated folders, beside the plain alternatives, and writes `data/metrics/reading.json`.

    python -m training.evaluate [FOLDER ...]
    python -m training.evaluate FOLDER --url http://127.0.0.1:8000 --key KEY

Without a folder it takes the industries of `data/test`, which nothing is trained or tuned on. A folder holds
`catalog.json` and `notes.jsonl` (or `*.notes.jsonl`) in the guide's format. With `--url` the notes go through the
running service; it may turn HTML bodies into text, so findings are brought back to the gold text by their quotes. With
`--scorer` a score program of one's own judges the same predictions.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cache, partial
from html import unescape
from pathlib import Path
from typing import Any

from models.analyzer import ARTEFACTS, load_analyzer
from models.encoder import load_encoder
from models.types import Analyzer, Catalog, Competitor, NoteAnalysis, NoteText
from training.alternatives import keyword_competitors, keyword_objections, zero_shot_objections
from training.measures import Notes, measure
from training.robustness import robustness

TEST = Path("data/test")
ZERO_SHOT_THRESHOLD = 0.15
"""The best of 0.15, 0.2 ... 0.45 on the industries on which the reader's own settings were chosen."""


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the gold notes by id, and the catalogue as it stands in the file."""
    rows = [
        json.loads(line)
        for path in sorted(folder.glob("*notes.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    return {n["id"]: n for n in rows}, json.loads((folder / "catalog.json").read_text(encoding="utf-8"))


def as_catalog(raw: dict[str, Any]) -> Catalog:
    """Turn a catalogue file's content into the type of `models`."""
    return Catalog(tuple(raw["us"]), tuple(Competitor(c["name"], tuple(c["aliases"])) for c in raw["competitors"]))


def as_gold_format(note: dict[str, Any], analysis: NoteAnalysis) -> dict[str, Any]:
    """Write an analysis in the guide's format."""
    return {
        "id": note["id"],
        "text": note["text"],
        "language": str(analysis.language),
        "objections": [
            {
                "start": o.start,
                "end": o.end,
                "quote": o.quote,
                "type": str(o.type),
                "status": str(o.status),
                "score": o.score,
            }
            for o in analysis.objections
        ],
        "competitors": [
            {
                "start": c.start,
                "end": c.end,
                "quote": c.quote,
                "name": c.name,
                "known": c.known,
                "relation": str(c.relation),
                "standing": str(c.standing),
                "score": c.score,
            }
            for c in analysis.competitors
        ],
        "passages": [{"start": p.start, "end": p.end, "theme": None} for p in analysis.passages],
    }


def read_notes(given: Sequence[dict[str, Any]], catalog: dict[str, Any]) -> dict[str, Any]:
    """Read notes with the analyzer of this checkout."""
    analyses = _analyzer().analyze([NoteText(n["text"], n.get("kind", "")) for n in given], as_catalog(catalog))
    return {n["id"]: as_gold_format(n, a) for n, a in zip(given, analyses, strict=True)}


@cache
def _analyzer() -> Analyzer:
    return load_analyzer()


def predict(notes: dict[str, Any], catalog: dict[str, Any]) -> Notes:
    """Read the notes and say how fast."""
    _analyzer()
    started = time.perf_counter()
    found = read_notes(list(notes.values()), catalog)
    seconds = time.perf_counter() - started
    print(f"{len(found)} notes in {seconds:.2f} s, {len(found) / seconds:.0f} a second", file=sys.stderr)
    return found


def _call(url: str, key: str, method: str = "GET", body: Any = None) -> Any:
    payload = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, payload, headers, method=method), timeout=60) as answer:
        return json.load(answer)


def predict_by_service(
    notes: dict[str, Any], catalog: dict[str, Any], url: str, key: str, patience: float = 600
) -> Notes:
    """Send catalogue and notes to a running service and collect its analyses.

    Raises:
        TimeoutError: If a note isn't analysed within `patience` seconds.
    """
    base = url.rstrip("/")
    _call(f"{base}/v1/catalog", key, "PUT", catalog)
    marks = ("objections", "competitors", "passages", "language")
    bodies = [{k: v for k, v in n.items() if k not in marks} for n in notes.values()]
    answer = _call(f"{base}/v1/notes", key, "POST", {"notes": bodies})
    results = answer.get("results") or answer.get("items") or answer["notes"]
    ids = {r["external_id"]: r["id"] for r in results}
    deadline = time.monotonic() + patience
    found = {}
    for note_id, note in notes.items():
        while (stored := _call(f"{base}/v1/notes/{ids[note_id]}", key))["analysis"]["state"] == "pending":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{note_id} is still pending after {patience:.0f} s")
            time.sleep(0.5)
        found[note_id] = _into_gold_text(note, stored)
    return found


def _into_gold_text(note: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """Bring findings in the stored text back to the gold text, where the two differ."""
    analysis = stored["analysis"]
    moved = {
        kind: [_moved(f, note["text"], stored["text"]) for f in analysis[kind]]
        for kind in ("objections", "competitors")
    }
    return {"id": note["id"], "text": note["text"], "language": analysis["language"], "passages": [], **moved}


def _moved(finding: dict[str, Any], gold_text: str, stored_text: str) -> dict[str, Any]:
    if stored_text == gold_text:
        return finding
    words = re.findall(r"\w+", finding["quote"])
    gap = r"(?:[^\w&]|&\w+;|&#\d+;|<[^<>]*>)+"
    places = [m.span() for m in re.finditer(gap.join(map(re.escape, words)), gold_text)] if words else []
    if not places and unescape(finding["quote"]) in gold_text:
        at = gold_text.index(unescape(finding["quote"]))
        places = [(at, at + len(finding["quote"]))]
    if not places:
        return {**finding, "start": 0, "end": 0}
    share = finding["start"] / max(1, len(stored_text))
    start, end = min(places, key=lambda p: abs(p[0] / max(1, len(gold_text)) - share))
    return {**finding, "start": start, "end": end}


def alternatives(gold: dict[str, Any], catalog: dict[str, Any]) -> dict[str, Notes]:
    """Read with keyword lists, and zero-shot by similarity to type descriptions."""
    named = {k: keyword_competitors(n["text"], catalog) for k, n in gold.items()}
    by_words = {k: {"objections": keyword_objections(n["text"]), "competitors": named[k]} for k, n in gold.items()}
    texts = [n["text"] for n in gold.values()]
    nearest = zero_shot_objections(texts, load_encoder(ARTEFACTS / "encoder"), ZERO_SHOT_THRESHOLD)
    by_similarity = {k: {"objections": o, "competitors": named[k]} for k, o in zip(gold, nearest, strict=True)}
    return {"keywords": by_words, "zero_shot": by_similarity}


def by_part(gold: Notes, voices: Mapping[str, Notes], part: str) -> dict[str, Any]:
    """Measure each voice on the notes of each language, or kind, on their own; those that tell none are left out."""
    parts = sorted({str(n[part]) for n in gold.values() if part in n})
    chosen = {p: {k: n for k, n in gold.items() if n.get(part) == p} for p in parts}
    return {p: {name: measure(notes, found) for name, found in voices.items()} for p, notes in chosen.items()}


ROWS = (
    ("objections, note x type", "objection_note_micro"),
    ("any objection", "objection_any"),
    ("objection spans", "objection_span"),
    ("status accuracy", "status_accuracy"),
    ("competitors in the catalogue", "competitor_known"),
    ("competitors not in it", "competitor_unknown"),
    ("relation macro F1", "relation_macro_f1"),
    ("standing accuracy", "standing_accuracy"),
)


def show(title: str, result: dict[str, Any]) -> None:
    """Print one table of measures."""
    print(f"\n{title} ({result['notes']} notes)")
    for label, key in ROWS:
        value = result[key]
        if isinstance(value, dict):
            f1, precision, recall, gold = (value[name] for name in ("f1", "precision", "recall", "gold"))
            print(f"  {label:30s} F1 {f1:.3f}  P {precision:.3f}  R {recall:.3f}  ({gold})")
        else:
            print(f"  {label:30s}    {value:.3f}" if value is not None else f"  {label:30s}    -")


def judge_with(scorer: Path, gold: Path, found: Notes) -> None:
    """Run another score program on the same predictions."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(n, ensure_ascii=False) for n in found.values()))
        file.flush()
        subprocess.run([sys.executable, str(scorer), str(gold), file.name], check=True)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--url", help="measure a running service instead of the analyzer of this checkout")
    parser.add_argument("--key", default="", help="its key")
    parser.add_argument("--scorer", type=Path, help="a program to be called with the gold and the predicted file")
    parser.add_argument("--out", type=Path, default=Path("data/metrics/reading.json"))
    parser.add_argument("--predictions", type=Path, help="folder to keep the predicted notes in")
    return parser.parse_args()


def main() -> None:
    """See the module's docstring."""
    args = _arguments()
    folders = args.folders or sorted(path.parent for path in TEST.glob("*/catalog.json"))
    all_gold: dict[str, Any] = {}
    voices: dict[str, dict[str, Any]] = {"reader": {}, "keywords": {}, "zero_shot": {}}
    moved: dict[str, Any] = {}
    for folder in folders:
        gold, catalog = read_folder(folder)
        found = predict_by_service(gold, catalog, args.url, args.key) if args.url else predict(gold, catalog)
        show(folder.name, measure(gold, found))
        all_gold |= _prefixed(folder, gold)
        for name, notes in {"reader": found, **alternatives(gold, catalog)}.items():
            voices[name] |= _prefixed(folder, notes)
        if not args.url:
            moved[folder.name] = robustness(gold, partial(read_notes, catalog=catalog))
        if args.scorer:
            judge_with(args.scorer, folder / "notes.jsonl", found)
        if args.predictions:
            keep(found, args.predictions / f"{folder.name}.jsonl")
    by_language = by_part(all_gold, voices, "language")
    for language, results in by_language.items():
        for name, result in results.items():
            show(f"{language}: {name}", result)
    report = {
        "sets": [folder.name for folder in folders],
        "all": {name: measure(all_gold, found) for name, found in voices.items()},
        "by_language": by_language,
        "by_kind": by_part(all_gold, {"reader": voices["reader"]}, "kind"),
        "robustness": moved,
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(_rounded(report), indent=1) + "\n", encoding="utf-8")


def _prefixed(folder: Path, notes: Notes) -> dict[str, Any]:
    return {f"{folder.name}/{key}": note for key, note in notes.items()}


def keep(found: Notes, path: Path) -> None:
    """Write predicted notes as JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(n, ensure_ascii=False) for n in found.values()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
