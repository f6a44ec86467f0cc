"""`binome import` for every kind of file; JSON Lines and plain CSV are tested with the other commands."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.imports.files import FRENCH_CSV, archive, mail, word
from tests.service.test_cli import count, run, workspace

__all__ = ["workspace"]


@pytest.mark.usefixtures("workspace")
def test_preview_shows_and_stores_nothing(tmp_path: Path) -> None:
    path = tmp_path / "visites.xlsx"  # a wrong ending on purpose
    path.write_bytes(FRENCH_CSV.encode("cp1252"))
    shown = run("import", str(path), "--preview")
    assert "encoding: cp1252" in shown
    assert "column 'Compte rendu': text" in shown
    preview = json.loads(run("import", str(path), "--preview", "--json"))
    assert [row["note"]["account"]["name"] for row in preview["rows"]] == ["Harrow Foods", "Pâtisserie Aubry"]


def test_refused_rows_go_to_a_file_and_come_back_mended(workspace: sa.Engine, tmp_path: Path) -> None:
    path, refused = tmp_path / "n.csv", tmp_path / "refused.csv"
    path.write_text("Client,Budget,Day\nHarrow,Too dear.,32/01/2026\nAubry,Too slow.,31/01/2026\n")
    mapping = '{"Budget": "text"}'
    run("import", str(path), "--mapping", mapping, "--refused", str(refused), code=1)
    (row,) = csv.DictReader(refused.read_text(encoding="utf-8-sig").splitlines())
    assert (row["Day"], row["binome_row"]) == ("32/01/2026", "2")
    refused.write_text(refused.read_text(encoding="utf-8").replace("32/01", "30/01"), encoding="utf-8")
    assert "1 created" in run("import", str(refused), "--mapping", mapping)
    assert "1 unchanged" in run("import", str(refused), "--mapping", mapping)
    assert count(workspace) == 2


def test_archive_of_reports_and_mail(workspace: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    away = bytes(mail("I am away.", Auto_Submitted="auto-replied", Message_ID="<away@x>"))
    path.write_bytes(archive({"a.docx": word("Too expensive."), "b.eml": bytes(mail()), "c.eml": away}))
    outcome = json.loads(run("import", str(path), "--json"))
    assert (outcome["results"]["created"], outcome["results"]["skipped"], count(workspace)) == (2, 1, 2)
    assert [(r["file"], r["code"], r["skipped"]) for r in outcome["refused"]] == [("c.eml", "auto_reply", True)]
