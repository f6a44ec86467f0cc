"""Back-ups: everything comes back, in a database of either kind, and a damaged file changes nothing."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from fastapi.testclient import TestClient

from service.backup.archive import MANIFEST, Manifest, TableEntry
from service.backup.restoring import restore_backup
from service.backup.writing import write_backup
from service.database import alembic_config, head_revision, make_engine
from service.errors import BinomeError
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

NOW = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
TEXT = 'Trop cher, dit-elle : « hors budget ». They use zd today. \u00e9\u0301 \U0001f600 \\ " \n\t end'


@pytest.fixture
def workspace(client: TestClient, engine: sa.Engine) -> sa.Engine:
    """A database with something in most tables."""
    client.put("/v1/catalog", json={"us": ["Clavance"], "competitors": [{"name": "Zendesk", "aliases": ["zd"]}]})
    deal = {"id": "d-1", "amount": 48000.25, "currency": "EUR", "outcome": "open"}
    fields = {"account": {"id": "a-1", "name": "Harrow"}, "author": {"id": "u-1", "team": "uk"}, "deal": deal}
    notes = [note(f"n-{i}", f"{TEXT} {i}: the director finds it too expensive.", **fields) for i in range(7)]
    assert client.post("/v1/notes", json={"notes": notes}).status_code == 202
    analyse_all(engine, FakeAnalyzer())
    found = client.get("/v1/notes", params={"external_id": "n-1"}).json()["items"][0]
    finding = client.get(f"/v1/notes/{found['id']}").json()["analysis"]["objections"][0]
    corrected = client.post(
        "/v1/corrections", json={"kind": "wrong_type", "finding_id": finding["id"], "type": "budget"}
    )
    assert corrected.status_code == 201, corrected.text
    last = client.get("/v1/notes", params={"external_id": "n-6"}).json()["items"][0]
    assert client.delete(f"/v1/notes/{last['id']}").status_code in {200, 204}
    return engine


def tables(path: Path) -> dict[str, TableEntry]:
    with zipfile.ZipFile(path) as archive:
        return Manifest.model_validate_json(archive.read(MANIFEST)).tables


def test_everything_comes_back_in_either_database(workspace: sa.Engine, empty_url: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    written = write_backup(workspace, first, NOW)
    assert written.tables["notes"].rows == 7
    assert written.tables["corrections"].rows == 1
    assert first.stat().st_mode & 0o077 == 0
    restore_backup(empty_url, first)
    restored = make_engine(empty_url)
    write_backup(restored, second, NOW)
    restored.dispose()
    kept, again = tables(first), tables(second)
    unlike = {name for name in kept if kept[name].sha256 != again[name].sha256}
    assert unlike == set()
    assert {n: e.rows for n, e in kept.items()} == {n: e.rows for n, e in again.items()}


def test_ids_are_never_given_twice(workspace: sa.Engine, empty_url: str, tmp_path: Path) -> None:
    with workspace.begin() as connection:
        last = connection.scalar(sa.text("select max(id) from objections"))
        connection.execute(sa.text("delete from objections where id = :id"), {"id": last})
    write_backup(workspace, tmp_path / "b.zip", NOW)
    restore_backup(empty_url, tmp_path / "b.zip")
    restored = make_engine(empty_url)
    with restored.begin() as connection:
        copied = 'note_id, occurred_on, start, "end", quote, type, status, origin, corrected'
        connection.execute(sa.text(f"insert into objections ({copied}) select {copied} from objections limit 1"))
        assert connection.scalar(sa.text("select max(id) from objections")) > last
    restored.dispose()


def test_what_was_in_hand_waits_again(workspace: sa.Engine, empty_url: str, tmp_path: Path) -> None:
    with workspace.begin() as connection:
        connection.execute(sa.text("update notes set revision = 2, queued_revision = 2 where external_id = 'n-2'"))
    write_backup(workspace, tmp_path / "b.zip", NOW)
    restore_backup(empty_url, tmp_path / "b.zip")
    restored = make_engine(empty_url)
    analyse_all(restored, FakeAnalyzer())
    with restored.connect() as connection:
        waiting = sa.text("select count(*) from notes where analysed_revision < revision and deleted_at is null")
        assert connection.scalar(waiting) == 0
    restored.dispose()


def test_an_older_schema_is_restored_and_brought_up_to_date(empty_url: str, tmp_path: Path) -> None:
    old_url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    command.upgrade(alembic_config(old_url), "0003")
    old = make_engine(old_url)
    with old.begin() as connection:
        connection.execute(sa.text("insert into accounts (id, key, name) values (4, 'a-4', 'Harrow Foods')"))
    assert write_backup(old, tmp_path / "old.zip", NOW).revision == "0003"
    old.dispose()
    restore_backup(empty_url, tmp_path / "old.zip")
    restored = make_engine(empty_url)
    with restored.connect() as connection:
        assert connection.scalar(sa.text("select name from accounts where id = 4")) == "Harrow Foods"
        assert connection.scalar(sa.text("select version_num from alembic_version")) == head_revision()
    restored.dispose()


def test_a_damaged_file_restores_nothing(workspace: sa.Engine, empty_url: str, tmp_path: Path) -> None:
    sound, damaged = tmp_path / "sound.zip", tmp_path / "damaged.zip"
    write_backup(workspace, sound, NOW)
    with zipfile.ZipFile(sound) as archive, zipfile.ZipFile(damaged, "w") as other:
        for name in archive.namelist():
            content = archive.read(name)
            other.writestr(name, content.replace(b"Harrow", b"Barrow") if name == "tables/accounts.jsonl" else content)
    with pytest.raises(BinomeError, match="accounts"):
        restore_backup(empty_url, damaged)
    restore_backup(empty_url, sound)  # nothing stands in the way: the database is still empty
    with pytest.raises(BinomeError, match="not empty"):
        restore_backup(empty_url, sound)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no back-up"),
        (b"not a zip", "no back-up"),
        ({MANIFEST: b"{}"}, "no readable manifest"),
        ({"other": b""}, "no readable manifest"),
        ({MANIFEST: json.dumps({"format": 9, "version": "9.1", "revision": "x", "created_at": "2026-01-01T00:00:00Z",
                                "tables": {}}).encode()}, "format 9"),
        ({MANIFEST: json.dumps({"format": 1, "version": "9.1", "revision": "x", "created_at": "2026-01-01T00:00:00Z",
                                "tables": {}}).encode()}, "newer"),
    ],
)  # fmt: skip
def test_other_files_are_refused_by_name(content: bytes | dict[str, bytes], said: str, tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    with pytest.raises(BinomeError, match=said):
        restore_backup(f"sqlite:///{tmp_path / 'x.sqlite3'}", path)


def test_a_file_that_is_there_is_not_overwritten(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "kept.zip"
    path.write_text("mine")
    with pytest.raises(BinomeError, match="exists"):
        write_backup(engine, path, NOW)
    assert path.read_text() == "mine"
    with pytest.raises(BinomeError, match="can't be written"):
        write_backup(engine, tmp_path / "no" / "folder.zip", NOW)
