"""What can wait is refused while too much waits, in the way that makes its sender come again; deletions never are."""

from __future__ import annotations

import threading
from collections import namedtuple
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create_app
from service.operation import disk
from service.settings import Settings
from tests.work import note, wait_until

Usage = namedtuple("Usage", "total used free")


def client_with(settings: Settings, engine: sa.Engine, client: TestClient, **changed: int) -> TestClient:
    """Return a client of an application with other settings over the same database and key."""
    app = create_app(settings.model_copy(update=changed), engine)
    app.openapi = client.app.openapi
    return TestClient(app, raise_server_exceptions=False, headers=client.headers)


def test_a_deep_backlog_refuses_new_notes_and_no_deletion(
    client: TestClient, settings: Settings, engine: sa.Engine
) -> None:
    busy = client_with(settings, engine, client, max_backlog=2)
    assert busy.post("/v1/notes", json={"notes": [note(str(i)) for i in range(5)]}).status_code == 202
    busy = client_with(settings, engine, client, max_backlog=2)
    refused = busy.post("/v1/notes", json=note("late"))
    assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
    assert int(refused.headers["Retry-After"]) > 0
    assert busy.post("/v1/notes", json={"notes": [note("late"), {"external_id": "0", "deleted": True}]}).is_success
    assert (
        busy.post("/v1/notes", json={"external_id": "1", "deleted": True}).json()["results"][0]["result"] == "deleted"
    )
    assert busy.delete("/v1/notes/3").status_code == 204
    assert busy.post("/v1/imports", content=b"They wait.").status_code == 429
    assert busy.get("/v1/notes").status_code == 200, "reading goes on"


def test_as_many_as_may_write_are_at_it(client: TestClient, settings: Settings, engine: sa.Engine) -> None:
    """While one transaction holds the writer, the turns fill up; what comes then is refused at once."""
    busy = client_with(settings, engine, client, max_writing=2)
    answers: list[int] = []
    with engine.connect() as holder:
        if engine.dialect.name == "sqlite":
            holder.execute(sa.text("select 1"))  # begins, and so takes the write lock
        else:
            holder.execute(sa.text("lock table notes in exclusive mode"))
        threads = [
            threading.Thread(target=lambda i=i: answers.append(busy.post("/v1/notes", json=note(f"n{i}")).status_code))
            for i in range(5)
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answers) == 3)
        assert answers == [429, 429, 429]
        holder.rollback()
        for thread in threads:
            thread.join()
    assert sorted(answers) == [202, 202, 429, 429, 429]
    assert busy.post("/v1/notes", json=note("n9")).status_code == 202, "turns are given back"


def test_a_nearly_full_disk_stops_intake_and_not_deletions(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.post("/v1/notes", json=note("a")).status_code == 202
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: Usage(10**12, 10**12, 50 * disk.MIB))
    refused = client.post("/v1/notes", json=note("b"))
    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert "50 MiB" in refused.json()["detail"]
    assert refused.headers["Retry-After"]
    assert client.get("/readyz").status_code == 507
    assert client.post("/v1/notes", json={"external_id": "a", "deleted": True}).status_code == 202
    monkeypatch.undo()
    assert client.post("/v1/notes", json=note("b")).status_code == 202


def test_sixty_at_once_do_not_wait_for_each_others_connections(client: TestClient, engine: sa.Engine) -> None:
    """A request that writes holds one connection: sixty at once would else wait for sixty more."""
    answers: list[int] = []
    barrier = threading.Barrier(60)

    def post(i: int) -> None:
        barrier.wait()
        answers.append(client.post("/v1/notes", json=note(f"n{i}")).status_code)

    threads = [threading.Thread(target=post, args=(i,)) for i in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(25)
    assert len(answers) == 60
    assert set(answers) <= {202, 429}
    assert answers.count(202) >= 24


def test_warnings_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nhost:/x {tmp_path} nfs4 rw 0 0\n")
    settings = Settings(data_dir=tmp_path, _env_file=None)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: Usage(10**12, 0, 10**12))
    (said,) = disk.warnings(settings, mounts)
    assert "nfs4" in said
    assert disk.warnings(Settings(data_dir=Path("/"), _env_file=None), mounts) == []
    postgres = Settings(data_dir=tmp_path, database_url="postgresql+psycopg://a@b/c", _env_file=None)
    assert disk.warnings(postgres, mounts) == []
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: Usage(10**12, 0, 300 * disk.MIB))
    assert "300 MiB" in disk.warnings(postgres, mounts)[0]
