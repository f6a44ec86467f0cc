"""The README runs, and its tables are those of the code."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

from service import errors
from service.settings import PREFIX, Settings
from tests.service.test_launch import free_port, get, served
from tests.work import wait_until

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def quickstart() -> list[str]:
    return re.findall(r"^```sh quickstart\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_quickstart(tmp_path: Path) -> None:
    """Both blocks, as a reader would paste them: the notes are taken in, read, and move the insights."""
    port = free_port()
    data = tmp_path / "var"
    post, read = (
        block.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("var/admin.key", str(data / "admin.key"))
        for block in quickstart()
    )
    with served(tmp_path / "log", data_dir=str(data), port=str(port)) as process:
        wait_until(lambda: get(port, "/readyz")[0] == 200, 90, 0.3)
        key = (data / "admin.key").read_text().strip()
        accepted = bash(post)
        assert [a["results"][0]["result"] for a in accepted] == ["created", "created"]
        wait_until(lambda: '"waiting":0,"queued":0' in get(port, "/v1/backlog", key)[1], 120, 0.5)
        listed, english, french, insights, evidence = bash(f"KEY={key}\n{read}")
        assert listed["items"][0]["external_id"] == english["external_id"] == "call-1042"
        assert french["external_id"] == "visite-77"
        assert (english["analysis"]["language"], french["analysis"]["language"]) == ("en", "fr")
        assert {o["type"] for o in english["analysis"]["objections"]} == {"price"}
        assert {o["type"] for o in french["analysis"]["objections"]} == {"integration"}
        assert [c["name"] for c in english["analysis"]["competitors"]] == ["Verrolys"]
        assert [c["name"] for c in french["analysis"]["competitors"]] == ["Orbiport"]
        assert len(insights["items"]) == 5
        assert any(quote["note_id"] == english["id"] for quote in evidence["items"])
        process.terminate()
        assert process.wait(40) == 0


def bash(script: str) -> list[dict]:
    """Run a script and return the JSON documents that it printed."""
    printed = subprocess.run(["bash", "-e"], input=script, capture_output=True, text=True, check=True).stdout
    documents = []
    decoder = json.JSONDecoder()
    while printed.strip():
        document, end = decoder.raw_decode(printed.lstrip())
        documents.append(document)
        printed = printed.lstrip()[end:]
    return documents


def test_the_insight_shown_has_the_fields_of_a_real_one() -> None:
    from service.insights.schemas import Insight

    (block,) = re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    insight = json.loads(block)
    assert set(insight) <= set(Insight.model_fields)
    assert {"rank", "score", "title", "reasons", "quotes"} <= set(insight)


def test_settings_table() -> None:
    shown = {m[1].strip("`"): m[2].strip("`") for m in ROW.finditer(README) if m[1].startswith(f"`{PREFIX}")}
    defaults = {
        f"{PREFIX}{name.upper()}": str(field.default) or "empty" for name, field in Settings.model_fields.items()
    }
    assert shown == defaults


def test_error_table() -> None:
    shown = {(int(m[1]), m[2].strip("`")) for m in ROW.finditer(README) if m[1].isdigit()}
    kinds = {kind.__name__: kind for kind in (errors.Problem, *errors.Problem.__subclasses__())}
    raised = {(kind.status, kind.code) for kind in kinds.values()}
    for path in (ROOT / "service").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                codes = [k.value.value for k in node.keywords if k.arg == "code" and isinstance(k.value, ast.Constant)]
                raised |= {(kinds[node.func.id].status, code) for code in codes}
    assert shown == raised


def test_commands_named_are_commands() -> None:
    from typer.main import get_command

    from service.cli import cli

    commands = set(get_command(cli).commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"binome ([a-z-]+)", README)) <= commands | {"--help"}


def test_make_targets_named_are_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", README)) <= targets


def test_reading_table() -> None:
    """The table of the reader's measures is the one that `make evaluate` wrote."""
    measured = json.loads((ROOT / "data" / "metrics" / "reading.json").read_text(encoding="utf-8"))["by_language"]
    rows = {
        "objections, note × type, F1": "objection_note_micro",
        "any objection in the note, F1": "objection_any",
        "objection spans, F1": "objection_span",
        "status, accuracy on matched": "status_accuracy",
        "competitors in the catalogue, F1": "competitor_known",
        "competitors not in it, F1": "competitor_unknown",
        "relation, macro F1": "relation_macro_f1",
        "standing, accuracy": "standing_accuracy",
    }
    voices = [measured[language][voice] for language in ("en", "fr") for voice in ("reader", "keywords", "zero_shot")]
    for label, key in rows.items():
        values = [voice[key]["f1"] if isinstance(voice[key], dict) else voice[key] for voice in voices]
        assert f"| {label} | " + " | ".join(f"{value:.2f}" for value in values) + " |" in README
