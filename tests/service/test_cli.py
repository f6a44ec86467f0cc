"""The `binome` command: what it prints, and its exit codes."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from models.types import Catalog, Competitor
from service.auth.tables import ApiKeyTable
from service.catalog.queries import replace_catalog
from service.cli import cli
from service.corrections.schemas import NewCorrection
from service.corrections.storage import correct
from service.database import make_engine, write_session
from service.errors import BinomeError
from service.exports.writing import harmless
from service.jobs.queries import WorkerState, beat
from service.tables import NoteTable
from tests.analyzers import UNREADABLE, FakeAnalyzer
from tests.work import analyse_all, note


@pytest.fixture
def workspace(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """The database that commands find in their settings."""
    monkeypatch.setenv("BINOME_DATABASE_URL", database_url)
    monkeypatch.setenv("BINOME_DATA_DIR", str(tmp_path / "var"))
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def count(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(NoteTable)) or 0


def write_lines(path: Path, *rows: object) -> str:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return str(path)


def test_import_of_json_lines(workspace: sa.Engine, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "notes.jsonl", note("a"), {**note("b"), "objections": [], "passages": []}, "")
    assert json.loads(run("import", path, "--json"))["results"]["created"] == 2
    assert json.loads(run("import", path, "--json"))["results"]["unchanged"] == 2
    assert count(workspace) == 2


def test_import_lists_refused_rows_and_keeps_the_others(workspace: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    write_lines(path, note("a"), "{", {**note("b"), "kind": "sms"}, "5", note("c"))
    path.write_bytes(path.read_bytes() + b'{"text": "\xe9t\xe9"}\n')
    outcome = json.loads(run("import", str(path), "--json", code=1))
    assert outcome["results"]["created"] == 2
    assert [(r["line"], r["code"]) for r in outcome["refused"]] == [
        (2, "invalid_json"),
        (3, "enum"),
        (4, "model_type"),
        (6, "invalid_utf8"),
    ]
    assert count(workspace) == 2


def test_import_of_csv(workspace: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(
        "\ufeffexternal_id,occurred_at,text,account.name,deal_id,deal.amount\r\n"
        'a,2026-09-14T10:20:00Z,"Two\nlines, one cell",Harrow Foods,d-1,48000\r\n'
        "b,yesterday,Words.,,,\r\n"
        "c,2026-09-14T10:20:00Z,Words.,,d-2,much\r\n",
        encoding="utf-8",
        newline="",
    )
    outcome = json.loads(run("import", str(path), "--json", code=1))
    assert outcome["results"]["created"] == 2
    assert [(r["line"], r["field"]) for r in outcome["refused"]] == [(3, "occurred_at"), (4, "deal.amount")]
    with workspace.connect() as connection:
        texts = sa.select(NoteTable.source, NoteTable.text).order_by(NoteTable.external_id)
        rows = [tuple(row) for row in connection.execute(texts)]
    assert rows == [("import", "Two\nlines, one cell"), ("import", "Words.")]  # no note is lost by its amount


def test_import_of_more_than_a_chunk(workspace: sa.Engine, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "notes.jsonl", *(note(str(i)) for i in range(1201)))
    assert "1201 created" in run("import", path)
    assert count(workspace) == 1201


@pytest.mark.parametrize(
    ("name", "content"), [("notes.csv", "colour,size\n1,2\n"), ("notes.csv", "external_id\n1\n"), ("notes.txt", "")]
)
def test_import_of_another_file_is_refused(workspace: sa.Engine, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    result = CliRunner().invoke(cli, ["import", str(tmp_path / name)])
    assert isinstance(result.exception, BinomeError)


def test_wrong_use_is_exit_code_2() -> None:
    run("import", "no-such-file.csv", code=2)
    run("export", "everything", code=2)
    run("keys", "create", "x", "--scope", "root", code=2)


def test_analyse_and_export(workspace: sa.Engine, tmp_path: Path, analyzer: FakeAnalyzer) -> None:
    text = "=1+1 It is too expensive. Élodie uses zd."
    run("import", write_lines(tmp_path / "n.jsonl", note("a", text), note("b", f"An {UNREADABLE}.")))
    analyse_all(workspace, analyzer)
    assert json.loads(run("analyse", "--failed", "--json"))["requeued_notes"] == 1
    assert json.loads(run("analyse", "--since", "2027-01-01", "--json"))["requeued_notes"] == 0
    assert json.loads(run("analyse", "--json"))["requeued_notes"] == 2
    analyse_all(workspace, analyzer)
    assert json.loads(run("analyse", "--since", "2027-01-01", "--wait", "--json", code=1))["failed_notes"] == 1
    (objection,) = [json.loads(line) for line in run("export", "objections").splitlines()]
    assert (objection["external_id"], objection["quote"]) == ("a", "too expensive")
    target = tmp_path / "notes.csv"
    run("export", "notes", "--format", "csv", "--output", str(target))
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert [row["text"] for row in rows if row["external_id"] == "a"] == [f"'{text}"]
    assert run("export", "competitors") == run("export", "themes") == ""


def test_export_of_corrections(workspace: sa.Engine, tmp_path: Path, analyzer: FakeAnalyzer) -> None:
    """Whole notes with the marks that count, which of them a person confirmed, and what a person denied."""
    text = "It is too expensive. Élodie uses zd. No offline mode."
    deal = {"id": "d-1", "amount": 48000, "currency": "EUR", "outcome": "lost"}
    notes = [note("a", text, account={"id": "acc-1", "name": "Harrow Foods"}, deal=deal), note("b", text)]
    run("import", write_lines(tmp_path / "n.jsonl", *notes))
    catalog = Catalog(("Clavance",), (Competitor("Zendesk", ("zd",)), Competitor("Freshdesk")))
    with write_session(workspace) as session:
        replace_catalog(session, catalog)
    analyse_all(workspace, analyzer)
    assert run("export", "corrections") == ""
    begin = text.index("No offline")
    bodies = [
        {"kind": "wrong_type", "finding_id": 1, "type": "budget"},
        {"kind": "not_a_competitor", "finding_id": 1},
        {"kind": "missed_objection", "note_id": 1, "start": begin, "end": begin + 15, "type": "product_gap"},
    ]
    with write_session(workspace) as session:
        for body in bodies:
            correct(session, NewCorrection.model_validate(body), by="test", now=datetime.now(UTC))
    target = tmp_path / "corrections.jsonl"
    run("export", "corrections", "--output", str(target))
    (line,) = target.read_text(encoding="utf-8").splitlines()
    row = json.loads(line)
    assert (row["id"], row["text"], row["language"], row["deal"]["outcome"]) == ("import/a", text, "en", "lost")
    assert [(o["quote"], o["type"], o["confirmed"]) for o in row["objections"]] == [
        ("too expensive", "budget", True),
        ("No offline mode", "product_gap", True),
    ]
    assert row["competitors"] == []
    assert row["denied"] == [{"finding": "competitor", "start": 33, "end": 35, "quote": "zd"}]
    assert row["catalog"] == {"us": ["Clavance"], "competitors": [{"name": "Zendesk", "aliases": ["zd"]}]}
    assert all(text[m["start"] : m["end"]] == m["quote"] for m in (*row["objections"], *row["denied"]))
    result = CliRunner().invoke(cli, ["export", "corrections", "--format", "csv"])
    assert isinstance(result.exception, BinomeError)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_are_no_formulas(start: str) -> None:
    assert harmless(f"{start}SUM(A1)") == f"'{start}SUM(A1)"
    assert harmless("plain") == "plain"
    assert harmless(-5) == -5
    assert harmless(None) is None


def test_keys(workspace: sa.Engine) -> None:
    secret = run("keys", "create", "hubspot", "--scope", "ingest", "--scope", "read", "--days", "30").strip()
    (listed,) = json.loads(run("keys", "list", "--json"))
    assert (listed["name"], listed["scopes"], listed["revoked_at"]) == ("hubspot", ["ingest", "read"], None)
    assert secret not in json.dumps(listed)
    run("keys", "revoke", listed["id"])
    assert json.loads(run("keys", "list", "--json"))[0]["revoked_at"]
    assert isinstance(CliRunner().invoke(cli, ["keys", "revoke", "999"]).exception, BinomeError)


def test_link_and_first_key(workspace: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("keys", "link").startswith("http://127.0.0.1:8000/sign-in?token=")
    monkeypatch.setenv("BINOME_PUBLIC_URL", "https://binome.firm.com/")
    assert run("keys", "link").startswith("https://binome.firm.com/sign-in?token=")
    assert (tmp_path / "var" / "admin.key").exists()
    run("keys", "link")
    with workspace.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ApiKeyTable)) == 1


def test_doctor(workspace: sa.Engine) -> None:
    checks = {c["check"]: c for c in json.loads(run("doctor", "--json", code=1))}
    assert [name for name, check in checks.items() if not check["ok"]] == ["workers"], checks
    assert "binome worker" in checks["workers"]["detail"]
    with write_session(workspace) as session:
        beat(session, "one", WorkerState.READY, datetime.now(UTC))
    run("doctor", "--json")


def test_doctor_names_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINOME_PORT", "0")
    (check,) = json.loads(run("doctor", "--json", code=1))
    assert "BINOME_PORT" in check["detail"]


def test_fit_themes_says_its_job(workspace: sa.Engine) -> None:
    first, second = (json.loads(run("fit-themes", "--json")) for _ in range(2))
    assert first["state"] == "waiting"
    assert first["id"] == second["id"]


def test_endpoints(workspace: sa.Engine) -> None:
    made = json.loads(run("endpoints", "add", "https://hooks.firm.com/in", "--event", "insight.new", "--json"))
    assert made["secret"].startswith("whsec_")
    assert made["event_types"] == ["insight.new"]
    assert "secret" not in json.loads(run("endpoints", "list", "--json"))[0]
    changed = run("endpoints", "rotate", made["id"])
    assert changed.startswith("secret: whsec_")
    assert made["secret"] not in changed
    assert run("endpoints", "test", made["id"]).startswith("delivery: ")
    with pytest.raises(BinomeError, match="https"):
        CliRunner().invoke(cli, ["endpoints", "add", "http://hooks.firm.com/in"], catch_exceptions=False)
    run("endpoints", "remove", made["id"])
    assert json.loads(run("endpoints", "list", "--json")) == []
