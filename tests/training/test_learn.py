"""Learning from corrections: what is held back, when an artefact is replaced, and that it is never half there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.analyzer import ARTEFACTS, load_analyzer
from models.manifest import verified_manifest, write_manifest
from models.types import Catalog, Competitor, NoteText
from training import learn
from training.examples import read_examples
from training.learn import CorrectionsRefused, Part, Score, is_held_back, read_corrections

CORPUS = Path(__file__).parents[2] / "data" / "corpus"
CATALOG = {"us": ["Clavance"], "competitors": [{"name": "Zendesk", "aliases": ["zd"]}]}


def corrected(number: int, **fields: Any) -> dict[str, Any]:
    """Return a corrected note as the service exports it: one objection confirmed, one mention denied."""
    text = f"Note {number}. They find it too dear. Back on zd day."
    price = {"start": text.index("too dear"), "quote": "too dear", "type": "price", "status": "open"}
    price |= {"end": price["start"] + 8, "confirmed": True}
    denied = {"finding": "competitor", "start": text.index("zd"), "end": text.index("zd") + 2, "quote": "zd"}
    note = {"id": f"crm/{number}", "kind": "call_note", "text": text, "objections": [price], "competitors": []}
    return {**note, "passages": [], "denied": [denied], "catalog": CATALOG, **fields}


def written(path: Path, *notes: object) -> Path:
    lines = [note if isinstance(note, str) else json.dumps(note) for note in notes]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def finding(folder: Path, part: Part, *quotes: str) -> Path:
    """Make an artefact whose reader finds some quotes, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "quotes.json").write_text(json.dumps(quotes))
    write_manifest(folder, part, ["quotes.json"], config={}, data={}, metrics={}, licences={})
    return folder


def read_quotes(artefacts: Path, notes: dict[str, Any], catalog: dict[str, Any]) -> dict[str, Any]:
    """Read notes with such artefacts."""
    values = {
        Part.OBJECTIONS: {"type": "price", "status": "open"},
        Part.MENTIONS: {"name": "zd", "known": True, "relation": "mentioned", "standing": "neutral"},
    }
    found: dict[str, Any] = {key: {"objections": [], "competitors": []} for key in notes}
    for key, note in notes.items():
        for part in Part:
            for quote in json.loads((artefacts / part / "quotes.json").read_text()):
                start = note["text"].find(quote)
                if start >= 0:
                    found[key][learn.FIELDS[part]].append({"start": start, "end": start + len(quote), **values[part]})
    return found


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[Part, bool]]:
    """Learns from 40 notes with readers that find quotes; the old ones find every "zd" and no objection."""
    (tmp_path / "corpus").mkdir()
    industry = tmp_path / "test" / "bikes"
    industry.mkdir(parents=True)
    gold = {"id": "1", "text": "Far too dear, and slow.", "competitors": [], "passages": []}
    price = {"start": 4, "end": 12, "quote": "too dear", "type": "price", "status": "open"}
    written(industry / "a.notes.jsonl", {**gold, "objections": [price]})
    (industry / "catalog.json").write_text(json.dumps(CATALOG))
    artefacts = tmp_path / "artefacts"
    finding(artefacts / "objections", Part.OBJECTIONS)
    finding(artefacts / "mentions", Part.MENTIONS, "zd")
    tagger = artefacts / "tagger"
    tagger.mkdir()
    write_manifest(tagger, "tagger", [], config={"held_out": []}, data={}, metrics={}, licences={})
    monkeypatch.setattr(learn, "_read", read_quotes)

    def run(train: dict[Part, tuple[str, ...]], notes: list[dict[str, Any]] | None = None) -> dict[Part, bool]:
        def train_part(part: Part, corpus: Path, _artefacts: Path, out: Path) -> None:
            ids = {e.gold["id"] for e in read_examples(corpus)}
            assert ids
            assert not [note_id for note_id in ids if is_held_back({"id": note_id})]
            finding(out, part, *train[part])

        monkeypatch.setattr(learn, "train_part", train_part)
        rows = [corrected(i) for i in range(40)] if notes is None else notes
        path = written(tmp_path / "corrections.jsonl", *rows)
        return learn.learn(read_corrections(path), tmp_path / "corpus", tmp_path / "test", artefacts)

    return run


def test_a_better_artefact_is_kept_and_says_what_it_was_made_from(
    workshop: Callable[..., dict[Part, bool]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = verified_manifest(tmp_path / "artefacts" / "objections").version
    assert workshop({Part.OBJECTIONS: ("too dear",), Part.MENTIONS: ()}) == dict.fromkeys(Part, True)
    manifest = verified_manifest(tmp_path / "artefacts" / "objections")
    assert manifest.version != old
    assert manifest.data["corrected_notes"] + sum(is_held_back(corrected(i)) for i in range(40)) == 40
    said = capsys.readouterr().out
    assert f"objections: replaced {old} by {manifest.version}." in said
    assert "errors in the corrected notes held back" in said
    assert sorted(path.name for path in (tmp_path / "artefacts").iterdir()) == ["mentions", "objections", "tagger"]


def test_one_that_is_not_better_is_dropped(
    workshop: Callable[..., dict[Part, bool]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {part: verified_manifest(tmp_path / "artefacts" / part).version for part in Part}
    assert workshop({Part.OBJECTIONS: ("Back on",), Part.MENTIONS: ("zd",)}) == dict.fromkeys(Part, False)
    assert {part: verified_manifest(tmp_path / "artefacts" / part).version for part in Part} == before
    assert capsys.readouterr().out.count("is not better") == 2
    assert sorted(path.name for path in (tmp_path / "artefacts").iterdir()) == ["mentions", "objections", "tagger"]


def test_one_that_loses_on_held_out_industries_is_dropped(
    workshop: Callable[..., dict[Part, bool]], tmp_path: Path
) -> None:
    """It reads the corrected notes right, and finds an objection that an industry held out does not have."""
    finding(tmp_path / "artefacts" / "objections", Part.OBJECTIONS, "too dear, and")
    notes = [corrected(i) for i in range(40)]
    assert not workshop({Part.OBJECTIONS: ("dear", "slow"), Part.MENTIONS: ()}, notes)[Part.OBJECTIONS]
    assert workshop({Part.OBJECTIONS: ("dear",), Part.MENTIONS: ()}, notes)[Part.OBJECTIONS]


def test_a_training_that_fails_leaves_the_old_one(
    workshop: Callable[..., dict[Part, bool]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = verified_manifest(tmp_path / "artefacts" / "mentions").version
    with pytest.raises(KeyError):
        workshop({})
    assert verified_manifest(tmp_path / "artefacts" / "mentions").version == version
    assert not list((tmp_path / "artefacts").glob(".*"))


def test_a_stop_between_the_renames_is_mended(tmp_path: Path) -> None:
    old = finding(tmp_path / "objections", Part.OBJECTIONS)
    old.rename(tmp_path / ".objections.before")
    (tmp_path / ".learning-1").mkdir()
    learn.mend(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["objections"]
    verified_manifest(old)


def test_what_was_not_corrected_is_not_learned(
    workshop: Callable[..., dict[Part, bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    notes = [corrected(i, denied=[]) for i in range(40)]
    assert workshop({Part.OBJECTIONS: ("too dear",)}, notes) == {Part.MENTIONS: False, Part.OBJECTIONS: True}
    assert "mentions: kept; there must be corrections" in capsys.readouterr().out
    assert workshop({}, []) == dict.fromkeys(Part, False)


@pytest.mark.parametrize(
    ("old", "new", "better"),
    [
        (Score(5, {}, {"a": 0.6, "b": 0.8}), Score(4, {}, {"a": 0.6, "b": 0.8}), True),
        (Score(5, {}, {"a": 0.6, "b": 0.8}), Score(4, {}, {"a": 0.594, "b": 0.798}), True),
        (Score(5, {}, {"a": 0.6, "b": 0.8}), Score(0, {}, {"a": 0.57, "b": 0.81}), False),
        (Score(5, {}, {"a": 0.6, "b": 0.8}), Score(5, {}, {"a": 0.9, "b": 0.9}), False),
        (Score(5, {}, {}), Score(4, {}, {}), True),
    ],
)
def test_the_rule(old: Score, new: Score, better: bool) -> None:
    assert learn.is_better(old, new) is better


def test_errors_of_whole_notes_count() -> None:
    note = corrected(1)
    (price,) = note["objections"]

    def errors(objections: list[dict[str, Any]], competitors: list[dict[str, Any]]) -> list[int]:
        found = {note["id"]: {"objections": objections, "competitors": competitors}}
        return [learn.count_errors([note], found, part) for part in (Part.OBJECTIONS, Part.MENTIONS)]

    assert errors([{**price, "start": price["start"] - 2}], []) == [0, 0]
    assert errors([], []) == [1, 0]
    assert errors([{**price, "type": "budget"}], []) == errors([{**price, "status": "resolved"}], []) == [1, 0]
    assert errors([{**price, "start": 0, "end": 5}], []) == [2, 0]
    assert errors([price], [{**note["denied"][0], "name": "Zendesk"}]) == [0, 1]
    assert learn.count_judged([note], Part.OBJECTIONS) == learn.count_judged([note], Part.MENTIONS) == 1
    unconfirmed = corrected(1, objections=[{**price, "confirmed": False}])
    assert learn.count_judged([unconfirmed], Part.OBJECTIONS) == 0


def test_measures_of_training_stand_in_for_industries_held_out() -> None:
    assert learn.training_measures(ARTEFACTS / "objections").keys() == {"f1", "status_accuracy"}
    assert learn.training_measures(ARTEFACTS / "mentions").keys() == {"known", "unknown", "relation", "standing"}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "line 2"),
        ("[]", "line 2"),
        (json.dumps({**corrected(1), "catalog": None, "text": "Another text."}), "does not stand"),
        (json.dumps({k: v for k, v in corrected(1).items() if k != "denied"}), "'denied' is missing"),
    ],
)
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, line: str, fault: str) -> None:
    path = written(tmp_path / "c.jsonl", corrected(0), line)
    with pytest.raises(CorrectionsRefused, match=fault):
        read_corrections(path)
    with pytest.raises(SystemExit, match=fault):
        learn.main([str(path)])


def named(number: int) -> dict[str, Any]:
    """Return a note in which a person marked the rival."""
    text = f"Visit {number}: they work with Zendesk today."
    start = text.index("Zendesk")
    mention = {"start": start, "end": start + 7, "quote": "Zendesk", "name": "Zendesk", "known": True}
    mention |= {"relation": "incumbent", "standing": "neutral", "confirmed": True}
    return corrected(number, text=text, objections=[], denied=[], competitors=[mention])


@pytest.mark.slow
def test_real_artefacts_learn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reader of mentions that finds nothing is replaced by one that was trained; once more, nothing gets better."""
    artefacts, corpus = tmp_path / "artefacts", tmp_path / "corpus"
    artefacts.mkdir()
    for folder in ARTEFACTS.iterdir():
        if folder.name == "mentions":
            shutil.copytree(folder, artefacts / folder.name)
        else:
            (artefacts / folder.name).symlink_to(folder)
    silence(artefacts / "mentions")
    for industry in ("telecom", "support-desk", "hr-payroll"):
        small_industry(CORPUS / industry, corpus / industry)
    path = written(tmp_path / "corrections.jsonl", *(named(i) for i in range(30)))
    arguments = [str(path), "--corpus", str(corpus), "--test", str(tmp_path / "none"), "--artefacts", str(artefacts)]
    learn.main(arguments)
    assert "mentions: replaced" in capsys.readouterr().out
    assert verified_manifest(artefacts / "mentions").data["corrected_notes"] > 20
    catalog = Catalog(("Clavance",), (Competitor("Zendesk"),))
    (analysis,) = load_analyzer(artefacts).analyze([NoteText("They work with Zendesk today.", "call_note")], catalog)
    assert [m.name for m in analysis.competitors] == ["Zendesk"]
    learn.main(arguments)
    assert "Nothing was replaced." in capsys.readouterr().out


def silence(folder: Path) -> None:
    """Raise an artefact's thresholds until it finds nothing."""
    config = json.loads((folder / "config.json").read_text())
    config |= {"thresholds": dict.fromkeys(config["thresholds"], 5.0), "listed_threshold": 5.0}
    (folder / "config.json").write_text(json.dumps(config))
    files = list(verified_files(folder))
    write_manifest(folder, "mentions", files, config={}, data={}, metrics={}, licences={})


def verified_files(folder: Path) -> list[str]:
    return list(json.loads((folder / "manifest.json").read_text())["files"])


def small_industry(source: Path, target: Path) -> None:
    """Copy the first notes of an industry."""
    target.mkdir(parents=True)
    shutil.copy(source / "catalog.json", target)
    for name in ("01-en.notes.jsonl", "01-fr.notes.jsonl"):
        lines = (source / name).read_text(encoding="utf-8").splitlines(keepends=True)[:20]
        (target / name).write_text("".join(lines), encoding="utf-8")
