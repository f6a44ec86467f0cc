"""Secrets in the database: sealed there, opened by a key that stands elsewhere, exchanged, missed when it is gone."""

from __future__ import annotations

import base64
import json
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.backup.restoring import restore_backup
from service.backup.writing import write_backup
from service.cli import cli
from service.database import alembic_config, make_engine, migrate, read_session, write_session
from service.errors import StartRefused, Unavailable
from service.outgoing_tables import EndpointTable, SubscriptionTable
from service.sealing.keyring import KEY_FILE, Keyring, new_key, write_keys
from service.sealing.queries import sealed_columns, sealed_values, unreadable_values
from service.settings import Settings, load_settings
from service.source_tables import ConnectionTable
from service.sources.fetching.queries import api_states
from service.start import open_database

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
SECRETS = ("signing-secret-of-hubspot", "token-of-the-api-of-hubspot", "services/T0/B0/secret-of-the-channel")


@pytest.fixture
def workspace(client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """A database with a connection, an endpoint and a subscription, that commands find in their settings."""
    options = {"access_token": SECRETS[1]}
    connection = {"source": "hubspot", "name": "main", "secret": SECRETS[0], "options": options}
    assert client.post("/v1/connections", json=connection).status_code == 201
    assert client.post("/v1/webhook-endpoints", json={"url": "https://firm.com/hook"}).status_code == 201
    chat = {"name": "Heads", "channel": "slack", "address": f"https://hooks.slack.com/{SECRETS[2]}", "language": "fr"}
    answer = client.post("/v1/subscriptions", json=chat)
    assert answer.status_code == 201, answer.text
    monkeypatch.setenv("BINOME_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("BINOME_DATA_DIR", str(settings.data_dir))
    engine = make_engine(settings.database_url, keyring=Keyring(settings.data_dir / KEY_FILE))
    yield engine
    engine.dispose()


def read_all(engine: sa.Engine) -> list[str]:
    with read_session(engine) as session:
        connection, endpoint = session.scalars(sa.select(ConnectionTable)).one(), session.get_one(EndpointTable, 1)
        subscription = session.get_one(SubscriptionTable, 1)
        return [connection.secret, connection.options["access_token"], endpoint.secret, subscription.address]


def raw(engine: sa.Engine) -> list[str]:
    with read_session(engine) as session:
        return [value.token for value in sealed_values(session)]


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == code, (result.output, result.exception)
    return result.output if code == 0 else f"{result.output}{result.exception}"


def test_what_is_a_secret_is_sealed() -> None:
    """A further column that says so by its name has to be one of these, or to be a hash."""
    sealed = {f"{table.name}.{column.name}" for table, column in sealed_columns()}
    telling = {
        f"{table.name}.{column.name}"
        for table in ConnectionTable.metadata.tables.values()
        for column in table.c
        if any(word in column.name for word in ("secret", "token", "password"))
    }
    hashes = {"sessions.token_hash", "users.password_hash", "day_versions.token"}  # the last is of a day's version
    assert telling - hashes <= sealed
    assert {"connections.options", "subscriptions.address"} <= sealed


def test_no_secret_stands_in_the_database_or_a_back_up(workspace: sa.Engine, tmp_path: Path) -> None:
    signing = read_all(workspace)[2]
    assert len(raw(workspace)) == 5
    assert all(token.startswith("gAAAA") for token in raw(workspace))
    write_backup(workspace, tmp_path / "b.zip", NOW)
    subprocess.run([sys.executable, "-m", "zipfile", "-e", "b.zip", "unpacked"], cwd=tmp_path, check=True)
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"hubspot" in content
    for secret in (*SECRETS, signing):
        assert secret.encode() not in content


def test_the_key_is_the_owner_s_alone_and_made_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    keyrings = [Keyring(tmp_path / KEY_FILE) for _ in range(4)]
    processes = [context.Process(target=keyring.ensure) for keyring in keyrings]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    sealed = keyrings[0].seal("à garder")
    assert [one.open(sealed) for one in keyrings] == ["à garder"] * 4


def test_a_key_may_stand_in_a_setting_or_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = new_key()
    (tmp_path / "credential").write_text(given + "\n")
    monkeypatch.setenv("BINOME_SECRETS_KEY_FILE", str(tmp_path / "credential"))
    monkeypatch.setenv("BINOME_DATA_DIR", str(tmp_path / "var"))
    settings = load_settings()
    with open_database(settings):
        pass
    assert not settings.keyring.path.exists()
    assert settings.keyring.open(Keyring(tmp_path / "none", given).seal("x")) == "x"
    assert settings.not_as_they_come()["secrets_key"] == "set"


@pytest.mark.parametrize("wrong", ["short", "é" * 44, base64.b64encode(b"x" * 31).decode(), f"{'A' * 43}=,nonsense"])
def test_a_wrong_key_is_refused_by_name_and_not_shown(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINOME_SECRETS_KEY", wrong)
    with pytest.raises(Exception, match="BINOME_SECRETS_KEY is refused: expected keys") as refused:
        load_settings()
    assert wrong not in str(refused.value)


def test_a_rotation_changes_all_while_another_process_reads(workspace: sa.Engine, settings: Settings) -> None:
    before, tokens, first = read_all(workspace), raw(workspace), settings.keyring.keys()
    assert "5 secrets" in run("secrets", "rotate")
    assert not set(tokens) & set(raw(workspace))
    assert read_all(workspace) == before  # by an engine that was opened before
    keys = settings.keyring.keys()
    assert len(keys) == 2
    assert keys[1:] == first
    assert "only key" in run("secrets", "retire")
    assert settings.keyring.keys() == keys[:1]
    assert read_all(workspace) == before
    assert settings.keyring.path.stat().st_mode & 0o777 == 0o600


def test_keys_move_from_the_file_into_the_setting(
    workspace: sa.Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, given = read_all(workspace), new_key()
    monkeypatch.setenv("BINOME_SECRETS_KEY", given)
    assert "first key of BINOME_SECRETS_KEY" in run("secrets", "rotate")
    run("secrets", "retire")
    assert not settings.keyring.path.exists()
    engine = make_engine(settings.database_url, keyring=Keyring(settings.keyring.path, given))
    assert read_all(engine) == before
    engine.dispose()


def test_without_the_key_nothing_starts_and_no_other_is_made(workspace: sa.Engine, settings: Settings) -> None:
    settings.keyring.path.rename(settings.keyring.path.with_suffix(".kept"))
    fresh = Settings(data_dir=settings.data_dir, database_url=settings.database_url, _env_file=None)
    refused = r"5 secrets .*connections, subscriptions, webhook_endpoints.*secrets\.key"
    with pytest.raises(StartRefused, match=refused), open_database(fresh):
        pass
    assert not settings.keyring.path.exists()
    assert "A back-up does not hold it" in run("connections", "list", code=1)
    assert "sealed by a key that is not here" in run("doctor", code=1)
    settings.keyring.path.write_text(new_key())
    assert "sealed by a key that is not here" in run("doctor", code=1)
    settings.keyring.path.with_suffix(".kept").rename(settings.keyring.path)
    assert "WRONG secrets" not in run("doctor", code=1)  # no worker runs, which is wrong too
    settings.keyring.path.chmod(0o644)
    assert "chmod 600" in run("doctor", code=1)


def test_a_lost_key_closes_what_it_was_for_and_nothing_else(
    workspace: sa.Engine, client: TestClient, settings: Settings
) -> None:
    settings.keyring.path.unlink()
    assert "5 of 5" in run("secrets", "forget")
    engine = make_engine(settings.database_url, keyring=Keyring(settings.keyring.path))
    with read_session(engine) as session:
        connection, endpoint = session.scalars(sa.select(ConnectionTable)).one(), session.get_one(EndpointTable, 1)
        assert unreadable_values(session, Keyring(settings.keyring.path)) == []
        assert (connection.options, connection.disabled_at is None) == ({}, False)
        assert connection.secret not in SECRETS
        assert endpoint.disabled_at is not None
        assert session.get_one(SubscriptionTable, 1).disabled_at is not None
    engine.dispose()
    assert json.loads(run("connections", "list", "--json"))[0]["name"] == "main"
    assert "0 of 5" in run("secrets", "forget")


def test_what_can_not_be_opened_is_503_with_the_reason(workspace: sa.Engine, client: TestClient) -> None:
    with workspace.begin() as connection:
        other = Keyring(Path("none"), new_key()).seal("x")
        connection.execute(sa.text("update connections set secret = :other"), {"other": other})
    for answer in (client.get("/v1/connections"), client.post("/v1/webhooks/hubspot", json=[])):
        assert answer.status_code == 503
        assert answer.json()["code"] == "secrets_unreadable"
    engine = make_engine(str(workspace.url))
    with pytest.raises(RuntimeError, match="keyring"), read_session(engine) as session:
        session.scalars(sa.select(ConnectionTable)).all()
    engine.dispose()


def test_a_back_up_without_its_key_is_explained(
    workspace: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(tmp_path / KEY_FILE) in run("backup", str(tmp_path / "b.zip")).replace("\n", "")
    before = read_all(workspace)
    monkeypatch.setenv("BINOME_DATA_DIR", str(tmp_path / "new"))
    monkeypatch.setenv("BINOME_DATABASE_URL", "")
    said = run("restore", str(tmp_path / "b.zip"), code=1)
    assert "came back sealed, by a key that is not here" in said
    assert str(tmp_path / "new" / KEY_FILE) in said
    assert not (tmp_path / "new" / KEY_FILE).exists()
    restored = load_settings()
    with pytest.raises(StartRefused, match="A back-up does not hold it"), open_database(restored):
        pass
    (tmp_path / "new" / KEY_FILE).write_bytes((tmp_path / KEY_FILE).read_bytes())
    with open_database(restored) as engine:
        assert read_all(engine) == before


def old_rows(engine: sa.Engine) -> None:
    """Write secrets as the schema 0037 had them: in clear."""
    with engine.begin() as connection:
        schema = sa.MetaData()
        schema.reflect(connection, only=["connections", "api_states"])
        common: dict[str, Any] = {"source": "hubspot", "created_at": NOW.replace(tzinfo=None)}
        if engine.dialect.name == "postgresql":
            common["created_at"] = NOW
        row = {
            "name": "main",
            "secret": SECRETS[0],
            "options": {"access_token": SECRETS[1], "portal_id": "é"},
            **common,
        }
        connection.execute(sa.insert(schema.tables["connections"]).values(id=1, **row))
        state = {"connection": "main", "credentials": "-", "access_token": SECRETS[2], **common}
        connection.execute(sa.insert(schema.tables["api_states"]).values(**state))


def check_old_rows(engine: sa.Engine) -> None:
    with read_session(engine) as session:
        row = session.scalars(sa.select(ConnectionTable)).one()
        assert (row.secret, row.previous_secret) == (SECRETS[0], None)
        assert row.options == {"access_token": SECRETS[1], "portal_id": "é"}
        assert [state.access_token for state in api_states(session)] == [SECRETS[2]]


def test_secrets_of_before_are_sealed_and_leave_the_file(empty_url: str, tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / KEY_FILE)
    command.upgrade(alembic_config(empty_url), "0037")
    engine = make_engine(empty_url, keyring=keyring)
    old_rows(engine)
    with pytest.raises(RuntimeError, match="keyring"):
        migrate(empty_url)
    migrate(empty_url, keyring)
    check_old_rows(engine)
    assert len(raw(engine)) == 3
    engine.dispose()
    if engine.dialect.name == "sqlite":
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"hubspot" in content
        assert not [secret for secret in SECRETS if secret.encode() in content]
    command.downgrade(alembic_config(empty_url, keyring), "0037")
    migrate(empty_url, keyring)
    check_old_rows(engine)
    engine.dispose()


def test_a_back_up_of_before_is_sealed_as_it_is_restored(empty_url: str, tmp_path: Path) -> None:
    old_url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    command.upgrade(alembic_config(old_url), "0037")
    old = make_engine(old_url)
    old_rows(old)
    write_backup(old, tmp_path / "old.zip", NOW)
    old.dispose()
    keyring = Keyring(tmp_path / KEY_FILE)
    restore_backup(empty_url, tmp_path / "old.zip", keyring)
    engine = make_engine(empty_url, keyring=keyring)
    check_old_rows(engine)
    assert all(token.startswith("gAAAA") for token in raw(engine))
    engine.dispose()


def test_a_key_file_that_holds_something_else_is_told(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / KEY_FILE)
    for content in ("", "not a key\n", "é"):
        keyring.path.write_text(content, encoding="utf-8")
        with pytest.raises(StartRefused, match="put back the file"):
            keyring.ensure()
    keyring.path.unlink()
    keyring.path.mkdir()
    with pytest.raises(StartRefused, match="can't be used"):
        keyring.ensure()
    with pytest.raises(Unavailable, match="missing"):
        Keyring(tmp_path / "none").seal("x")


def test_threads_open_while_the_keys_are_exchanged(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / KEY_FILE)
    keyring.ensure()
    first = keyring.seal("of before")

    def work(_number: int) -> set[str]:
        return {keyring.open(keyring.seal(f"text {count}"))[:4] for count in range(100)} | {keyring.open(first)}

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(work, number) for number in range(8)]
        for _ in range(20):
            write_keys(keyring.path, [new_key(), *keyring.keys()])
        assert [one.result() for one in done] == [{"text", "of before"}] * 8
    assert len(keyring.keys()) == 21


def test_a_value_that_changes_during_a_rotation_stays(workspace: sa.Engine, settings: Settings) -> None:
    """What another process stores while all is sealed anew is not written over."""
    from service.sealing import queries

    with read_session(workspace) as session:
        seen = list(sealed_values(session))
    with write_session(workspace) as session:
        session.scalars(sa.select(ConnectionTable)).one().secret = "newer-than-the-rotation"
    with pytest.MonkeyPatch.context() as patch, write_session(workspace) as session:
        patch.setattr(queries, "sealed_values", lambda _session: iter(seen))
        queries.reseal_all(session, settings.keyring)
    assert read_all(workspace)[0] == "newer-than-the-rotation"
