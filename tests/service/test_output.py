"""What commands print: tables that can be read, at any width."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from service.cli import output

AT = datetime(2026, 9, 14, 10, 20, 33, 123456, tzinfo=UTC)


def test_a_table_is_whole_where_a_program_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["name", "options", "at"], [["x" * 300, {"portal_id": "62515", "region": "eu1"}, AT]])
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["x" * 300, "portal_id=62515,", "region=eu1", "2026-09-14", "10:20Z"]


def test_dates_are_whole_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    output.print_table(["name", "scopes", "at", "until"], [["word " * 20, ["read", "ingest"], AT, AT]])
    shown = re.sub(r"\x1b\[\d+m", "", capsys.readouterr().out)  # the headings are bold
    assert shown.count("2026-09-14 10:20Z") == 2
    assert shown.count("word") == 20
    assert max(len(line) for line in shown.splitlines()) <= 50


def test_what_is_not_there_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["a", "b"], [[None, False]])
    assert capsys.readouterr().out.split() == ["a", "b", "False"]
