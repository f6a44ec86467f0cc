"""Measures the reader on annotated folders, beside the plain alternatives, and writes `data/metrics/reading.json`.

    python -m training.evaluate FOLDER [FOLDER ...]
    python -m training.evaluate FOLDER --url http://127.0.0.1:8000 --key KEY

A folder holds `notes.jsonl` and `catalog.json` in the guide's format. With `--url` the notes go through the running
service; it may turn HTML bodies into text, so findings are brought back to the gold text by their quotes. With
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
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

from models.analyzer import ARTEFACTS, load_analyzer
from models.encoder import load_encoder
from models.types import Catalog, Competitor, NoteAnalysis, NoteText
from training.alternatives import keyword_competitors, keyword_objections, zero_shot_objections
from training.measures import Notes, measure

ZERO_SHOT_THRESHOLD = 0.45


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the gold notes by id, and the catalogue as it stands in the file."""
    rows = [
        json.loads(line) for line in (folder / "notes.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()
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


def predict(notes: dict[str, Any], catalog: dict[str, Any]) -> Notes:
    """Read the notes with the analyzer of this checkout."""
    analyzer = load_analyzer()
    given = list(notes.values())
    started = time.perf_counter()
    analyses = analyzer.analyze([NoteText(n["text"], n.get("kind", "")) for n in given], as_catalog(catalog))
    seconds = time.perf_counter() - started
    print(f"{len(given)} notes in {seconds:.2f} s, {len(given) / seconds:.0f} a second", file=sys.stderr)
    return {n["id"]: as_gold_format(n, a) for n, a in zip(given, analyses, strict=True)}


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


def by_part(gold: Notes, found: Notes, part: Callable[[dict[str, Any]], str]) -> dict[str, Any]:
    """Measure the notes of each language, kind ... on their own."""
    parts = sorted({part(dict(n)) for n in gold.values()})
    return {p: measure({k: n for k, n in gold.items() if part(dict(n)) == p}, found) for p in parts}


def alternatives(gold: dict[str, Any], catalog: dict[str, Any]) -> dict[str, Any]:
    """Measure keyword lists, and zero-shot by similarity to type descriptions."""
    named = {k: keyword_competitors(n["text"], catalog) for k, n in gold.items()}
    by_words = {k: {"objections": keyword_objections(n["text"]), "competitors": named[k]} for k, n in gold.items()}
    texts = [n["text"] for n in gold.values()]
    nearest = zero_shot_objections(texts, load_encoder(ARTEFACTS / "encoder"), ZERO_SHOT_THRESHOLD)
    by_similarity = {k: {"objections": o, "competitors": named[k]} for k, o in zip(gold, nearest, strict=True)}
    return {"keywords": measure(gold, by_words), "zero_shot": measure(gold, by_similarity)}


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


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--url", help="measure a running service instead of the analyzer of this checkout")
    parser.add_argument("--key", default="", help="its key")
    parser.add_argument("--scorer", type=Path, help="a program to be called with the gold and the predicted file")
    parser.add_argument("--out", type=Path, default=Path("data/metrics/reading.json"))
    parser.add_argument("--predictions", type=Path, help="folder to keep the predicted notes in")
    args = parser.parse_args()
    report: dict[str, Any] = {}
    for folder in args.folders:
        gold, catalog = read_folder(folder)
        found = predict_by_service(gold, catalog, args.url, args.key) if args.url else predict(gold, catalog)
        whole = measure(gold, found)
        show(folder.name, whole)
        others = alternatives(gold, catalog)
        for name, result in others.items():
            show(f"{folder.name}, {name}", result)
        report[folder.name] = {
            "reader": whole,
            "alternatives": others,
            "by_language": by_part(gold, found, lambda n: str(n["language"])),
            "by_kind": by_part(gold, found, lambda n: str(n["kind"])),
        }
        if args.scorer:
            judge_with(args.scorer, folder / "notes.jsonl", found)
        if args.predictions:
            args.predictions.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps(n, ensure_ascii=False) for n in found.values()]
            (args.predictions / f"{folder.name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(_rounded(report), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
