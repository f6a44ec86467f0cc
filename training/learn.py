"""Learns from corrections: trains the linear classifiers with them, and keeps the result only where it is better.

    binome export corrections --output corrections.jsonl
    python -m training.learn corrections.jsonl

A fifth of the corrected notes, told by the hash of their ids, is held back and never learned from. The artefact of
objections and that of mentions are judged apart. A new one takes the place of the old one if

1. it makes fewer errors in the corrected notes held back: marks that it misses or gives another value, and findings
   where there is no mark (matched as in section 5 of the annotation guide). Whole notes count, not the corrected places
   alone: people correct errors of the old one, so that any other would look better there; and
2. the mean of its measures on industries held out falls by no more than half a point. These are the guide's measures on
   the industries of `data/test`; where there is no such folder, those that training takes of each artefact on the
   industries that its tagger has not seen, with classifiers that have not seen them either.

It is trained and checked in a folder of its own and then moved into place whole.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from models.analyzer import ARTEFACTS, load_analyzer
from models.errors import ModelError
from models.manifest import verified_manifest, write_manifest
from models.notes import MAX_READ_CHARS
from models.types import NoteText
from training import mentions, objections
from training.evaluate import as_catalog, as_gold_format, read_folder
from training.examples import fingerprint
from training.measures import Notes, measure, overlap, same_name

GROUP = "corrections"
"""The industry that corrected notes make among those of the corpus."""
SHARE_HELD_BACK = 5
ALLOWED_LOSS = 0.005


class Part(StrEnum):
    """An artefact that learns from corrections."""

    MENTIONS = "mentions"
    OBJECTIONS = "objections"  # after the names, which it reads as one word


FIELDS = {Part.OBJECTIONS: "objections", Part.MENTIONS: "competitors"}
DENIED_AS = {Part.OBJECTIONS: "objection", Part.MENTIONS: "competitor"}
MEASURES = {
    Part.OBJECTIONS: {
        "objection_note_micro": "note x type F1",
        "objection_span": "spans F1",
        "status_accuracy": "status accuracy",
    },
    Part.MENTIONS: {
        "competitor_known": "in the catalogue F1",
        "competitor_unknown": "others F1",
        "relation_macro_f1": "relation macro F1",
        "standing_accuracy": "standing accuracy",
    },
}


class CorrectionsRefused(ValueError):
    """A file that can't be learned from; the message says the line and the fault."""


@dataclass(frozen=True)
class Score:
    """How an artefact does on what is held back.

    Attributes:
        errors: In the corrected notes held back.
        corrected: The guide's measures on these notes, in [0, 1]; those without gold are left out.
        held_out: Measures on the industries held out, in [0, 1].
    """

    errors: int
    corrected: Mapping[str, float]
    held_out: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Return the mean of the measures on industries held out; 0 where there is none."""
        return sum(self.held_out.values()) / max(1, len(self.held_out))


def read_corrections(path: Path) -> list[dict[str, Any]]:
    """Read what `binome export corrections` writes.

    Raises:
        CorrectionsRefused: Naming the line that can't be read.
    """
    notes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            notes.append(_checked(json.loads(line)))
        except KeyError as error:
            raise CorrectionsRefused(f"{path}, line {number}: {error.args[0]!r} is missing") from None
        except (ValueError, TypeError) as error:
            raise CorrectionsRefused(f"{path}, line {number}: {error}") from None
    return notes


def _checked(note: dict[str, Any]) -> dict[str, Any]:
    for field in ("id", "denied", "catalog"):
        note[field]
    for mark in (*note["objections"], *note["competitors"], *note["denied"]):
        if note["text"][mark["start"] : mark["end"]] != mark["quote"]:
            raise ValueError(f"{mark['quote']!r} does not stand at {mark['start']}")
    for mark in (*note["objections"], *note["competitors"]):
        mark["confirmed"]
    return note


def is_held_back(note: Mapping[str, Any]) -> bool:
    """Tell whether a note is one of the fifth that is never learned from: always the same ones."""
    return hashlib.sha256(note["id"].encode()).digest()[0] % SHARE_HELD_BACK == 0


def count_judged(notes: Iterable[Mapping[str, Any]], part: Part) -> int:
    """Count the places of notes that people judged: marks that they confirmed, and places that they denied."""
    return sum(
        sum(mark["confirmed"] for mark in note[FIELDS[part]])
        + sum(place["finding"] == DENIED_AS[part] for place in note["denied"])
        for note in notes
    )


def count_errors(notes: Iterable[Mapping[str, Any]], found: Notes, part: Part) -> int:
    """Count the marks that are missed or read otherwise, and the findings where there is no mark."""
    errors = 0
    for note in notes:
        marks, others = note[FIELDS[part]], found[note["id"]][FIELDS[part]]
        errors += sum(not any(_agrees(mark, other, part) for other in others) for mark in marks)
        errors += sum(all(overlap(mark, other) < 0.5 for mark in marks) for other in others)
    return errors


def _agrees(mark: Mapping[str, Any], other: Mapping[str, Any], part: Part) -> bool:
    values = ("type", "status") if part is Part.OBJECTIONS else ("relation", "standing")
    named = part is Part.OBJECTIONS or same_name(mark, other)
    return named and overlap(mark, other) >= 0.5 and all(mark[value] == other[value] for value in values)


def merged_catalog(notes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the catalogues of notes, which hold what each names."""
    us: dict[str, None] = {}
    competitors: dict[str, list[str]] = {}
    for note in notes:
        us |= dict.fromkeys(note["catalog"]["us"])
        competitors |= {c["name"]: c["aliases"] for c in note["catalog"]["competitors"]}
    return {"us": list(us), "competitors": [{"name": n, "aliases": a} for n, a in sorted(competitors.items())]}


def extended_corpus(corpus: Path, notes: Sequence[Mapping[str, Any]], out: Path) -> Path:
    """Make a corpus of the written one, by links, and corrected notes as an industry of their own."""
    out.mkdir()
    for folder in corpus.iterdir():
        if folder.is_dir():
            (out / folder.name).symlink_to(folder.resolve(), target_is_directory=True)
    own = out / GROUP
    own.mkdir()
    (own / "catalog.json").write_text(json.dumps(merged_catalog(notes), ensure_ascii=False), encoding="utf-8")
    lines = [json.dumps(note, ensure_ascii=False) + "\n" for note in notes]
    (own / "corrected.notes.jsonl").write_text("".join(lines), encoding="utf-8")
    return out


def train_part(part: Part, corpus: Path, artefacts: Path, out: Path) -> None:
    """Train one artefact to `out`."""
    out.mkdir()
    if part is Part.OBJECTIONS:
        objections.train(corpus, artefacts / "encoder", artefacts / "tagger", out)
    else:
        mentions.train(corpus, mentions.HARD, artefacts, out)


def describe_sources(folder: Path, corpus: Path, notes: Sequence[Mapping[str, Any]]) -> None:
    """Say in an artefact's manifest that it was trained on the written corpus and on corrections."""
    manifest = verified_manifest(folder)
    digest = hashlib.sha256(json.dumps(notes, sort_keys=True).encode()).hexdigest()
    write_manifest(
        folder,
        manifest.name,
        list(manifest.files),
        config=manifest.config,
        data={**manifest.data, "corpus": fingerprint(corpus), "corrections": digest, "corrected_notes": len(notes)},
        metrics=manifest.metrics,
        licences={**manifest.licences, GROUP: "of the installation that made them"},
    )


def with_part(artefacts: Path, part: Part, new: Path, out: Path) -> Path:
    """Make a folder of all artefacts, by links, with one of them exchanged."""
    out.mkdir()
    for folder in artefacts.iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            target = new if folder.name == part else folder
            (out / folder.name).symlink_to(target.resolve(), target_is_directory=True)
    return out


@dataclass(frozen=True)
class HeldBack:
    """What artefacts are compared on: corrected notes, and folders of industries, if there are any."""

    notes: Sequence[Mapping[str, Any]]
    industries: Sequence[Path]

    def score(self, artefacts: Path, part: Part) -> Score:
        """Read everything with the artefacts of a folder, and score one of them."""
        gold = {note["id"]: note for note in self.notes}
        found = _read(artefacts, gold, merged_catalog(self.notes))
        held_out = self._held_out(artefacts, part) if self.industries else training_measures(artefacts / part)
        return Score(count_errors(self.notes, found, part), _chosen(measure(gold, found), part), held_out)

    def _held_out(self, artefacts: Path, part: Part) -> dict[str, float]:
        gold: dict[str, Any] = {}
        found: dict[str, Any] = {}
        for folder in self.industries:
            notes, catalog = read_folder(folder)
            gold |= {f"{folder.name}/{key}": note for key, note in notes.items()}
            found |= {f"{folder.name}/{key}": note for key, note in _read(artefacts, notes, catalog).items()}
        return _chosen(measure(gold, found), part)


def training_measures(folder: Path) -> dict[str, float]:
    """Return what training measured of an artefact on the industries that its tagger has not seen."""
    metrics = {name: value for name, value in verified_manifest(folder).metrics.items() if isinstance(value, Mapping)}
    notes = metrics.get("held_out_notes", {})
    tasks = {name: value["measure"] for name, value in metrics.items() if "measure" in value}
    return {name: notes[name] for name in ("f1", "status_accuracy") if name in notes} | tasks


def _read(artefacts: Path, notes: Mapping[str, Any], catalog: dict[str, Any]) -> Notes:
    texts = [NoteText(note["text"], note.get("kind", "")) for note in notes.values()]
    analyses = load_analyzer(artefacts).analyze(texts, as_catalog(catalog))
    return {key: as_gold_format(notes[key], analysis) for key, analysis in zip(notes, analyses, strict=True)}


def _chosen(measures: Mapping[str, Any], part: Part) -> dict[str, float]:
    chosen = {}
    for name in MEASURES[part]:
        value = measures[name]
        if isinstance(value, Mapping):
            value = value["f1"] if value["gold"] else None
        if value is not None:
            chosen[name] = value
    return chosen


def is_better(old: Score, new: Score) -> bool:
    """Tell whether a new artefact takes the old one's place; see the module's docstring."""
    return new.errors < old.errors and new.mean >= old.mean - ALLOWED_LOSS


def replace_artefact(new: Path, old: Path) -> None:
    """Put a whole artefact in another's place. `mend` repairs what a stop between the two renames leaves."""
    verified_manifest(new)
    before = _put_aside(old)
    shutil.rmtree(before, ignore_errors=True)
    old.rename(before)
    new.rename(old)
    shutil.rmtree(before)


def _put_aside(old: Path) -> Path:
    return old.with_name(f".{old.name}.before")


def mend(artefacts: Path) -> None:
    """Put back an artefact whose exchange was stopped half-way, and remove what was left of a training."""
    for left in artefacts.glob(".learning-*"):
        shutil.rmtree(left)
    for part in Part:
        before = _put_aside(artefacts / part)
        if before.is_dir() and not (artefacts / part).exists():
            before.rename(artefacts / part)


def show(part: Part, old: Score, new: Score) -> None:
    """Print one comparison."""
    print(f"\n{part:54s}     old     new")
    print(f"  {'errors in the corrected notes held back':52s} {old.errors:7d} {new.errors:7d}")
    for where, before, after in (
        ("corrected notes held back", old.corrected, new.corrected),
        ("industries held out", old.held_out, new.held_out),
    ):
        for name in (n for n in before if n in after):
            label = f"{MEASURES[part].get(name, name.replace('_', ' '))}, {where}"
            print(f"  {label:52s} {before[name]:7.3f} {after[name]:7.3f}")


def learn(corrections: Sequence[Mapping[str, Any]], corpus: Path, test: Path, artefacts: Path) -> dict[Part, bool]:
    """Train, compare, print, and replace what became better.

    Returns:
        For each artefact, whether it was replaced.
    """
    mend(artefacts)
    industries = sorted(path.parent for path in test.glob("*/catalog.json"))
    held_back = HeldBack([n for n in corrections if is_held_back(n)], industries)
    learned = [n for n in corrections if not is_held_back(n) and len(n["text"]) <= MAX_READ_CHARS]
    print(f"{len(learned)} corrected notes to learn from, {len(held_back.notes)} held back.")
    replaced = dict.fromkeys(Part, False)
    with tempfile.TemporaryDirectory() as name:
        extended = extended_corpus(corpus, learned, Path(name) / "corpus")
        for part in Part:
            if not count_judged(learned, part) or not count_judged(held_back.notes, part):
                print(f"{part}: kept; there must be corrections both to learn from and held back.")
                continue
            with tempfile.TemporaryDirectory(dir=artefacts, prefix=".learning-") as beside:
                new = Path(beside) / part
                train_part(part, extended, artefacts, new)
                describe_sources(new, corpus, learned)
                others = with_part(artefacts, part, new, Path(name) / f"with-{part}")
                replaced[part] = compare(part, held_back, artefacts, others)
                print(_settle(artefacts, part, new, replace=replaced[part]))
    return replaced


def compare(part: Part, held_back: HeldBack, artefacts: Path, others: Path) -> bool:
    """Compare two folders of artefacts that differ in one; print how it does, return whether the other is better."""
    old, new = held_back.score(artefacts, part), held_back.score(others, part)
    show(part, old, new)
    return is_better(old, new)


def _settle(artefacts: Path, part: Part, new: Path, *, replace: bool) -> str:
    """Replace an artefact or leave it, and return what to say."""
    versions = [verified_manifest(folder).version for folder in (artefacts / part, new)]
    if not replace:
        return f"{part}: kept {versions[0]}; the new one is not better."
    replace_artefact(new, artefacts / part)
    return f"{part}: replaced {versions[0]} by {versions[1]}."


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m training.learn FILE [--corpus FOLDER] [--test FOLDER] [--artefacts FOLDER]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corrections", type=Path, help="what `binome export corrections` wrote")
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"))
    parser.add_argument("--test", type=Path, default=Path("data/test"), help="folder of industries held out")
    parser.add_argument("--artefacts", type=Path, default=ARTEFACTS)
    args = parser.parse_args(arguments)
    try:
        replaced = learn(read_corrections(args.corrections), args.corpus, args.test, args.artefacts)
    except (CorrectionsRefused, ModelError, OSError) as error:
        sys.exit(str(error))
    if any(replaced.values()):
        print("\nStart the workers again; `binome analyse` then reads the stored notes with the new version.")
    else:
        print("\nNothing was replaced.")


if __name__ == "__main__":
    main()
