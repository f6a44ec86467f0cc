"""A mailbox that a real Dovecot keeps: read once, over restarts, renumbering, renamed folders and large messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.settings import Settings
from tests.imports.files import mail as message
from tests.sources.dovecot import PROGRAM, Dovecot, dovecot
from tests.sources.senders import notes
from tests.sources.test_mailbox import letter, read_once, settings_for

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="no Dovecot on this machine")]


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot() as running:
        yield running


@pytest.fixture
def mailbox(server: Dovecot, tmp_path: Path) -> Settings:
    return settings_for(server, tmp_path)


def ids(client: TestClient) -> list[str]:
    return sorted(one["external_id"].partition("@")[0] for one in notes(client))


def test_each_message_once_over_restarts_of_the_server(
    client: TestClient, engine: sa.Engine, server: Dovecot, mailbox: Settings
) -> None:
    server.add(letter(1), letter(2))
    row = read_once(engine, mailbox)
    assert (row.last_uid, row.failure) == (2, None)
    server.stop()
    assert "can't be reached" in str(read_once(engine, mailbox).failure)
    server.run()
    server.add(letter(3))
    row = read_once(engine, mailbox)
    assert (row.last_uid, row.failure) == (3, None)
    assert ids(client) == ["m-1", "m-2", "m-3"]
    with server.client() as other:
        other.select("INBOX", readonly=True)
        assert other.search(None, "UNSEEN")[1] == [b"1 2 3"], "what is read stays as it was"


def test_another_uidvalidity_doubles_nothing(
    client: TestClient, engine: sa.Engine, server: Dovecot, mailbox: Settings
) -> None:
    server.add(letter(1), letter(2))
    before = read_once(engine, mailbox)
    validity = before.uid_validity
    server.stop()
    lists = list((server.folder / "mail").glob("dovecot-uidlist"))
    assert lists
    head, _, rest = lists[0].read_text().partition("\n")
    fields = [f"V{validity + 7}" if field.startswith("V") else field for field in head.split(" ")]
    lists[0].write_text(" ".join(fields) + "\n" + rest)
    for index in (server.folder / "mail").glob("dovecot.index*"):
        index.unlink()
    server.run()
    server.add(letter(3))
    row = read_once(engine, mailbox)
    assert row.uid_validity == validity + 7
    assert row.failure is None
    assert ids(client) == ["m-1", "m-2", "m-3"]


def test_what_was_read_is_moved_and_a_renamed_folder_is_told(
    client: TestClient, engine: sa.Engine, server: Dovecot, tmp_path: Path
) -> None:
    with server.client() as other:
        other.create("Reports")
    settings = settings_for(server, tmp_path, folder="Reports", done_folder="Read")
    server.add(letter(1), letter(2), folder="Reports")
    assert read_once(engine, settings).failure is None
    with server.client() as other:
        assert other.select("Read", readonly=True)[1] == [b"2"]
        assert other.select("Reports", readonly=True)[1] == [b"0"]
        other.unselect()
        other.rename("Reports", "Old reports")
    assert "no folder 'Reports'" in str(read_once(engine, settings).failure)
    with server.client() as other:
        other.create("Reports")
    server.add(letter(2), letter(3), folder="Reports")
    row = read_once(engine, settings)
    assert row.failure is None
    assert ids(client) == ["m-1", "m-2", "m-3"]


def test_large_messages_and_many(client: TestClient, engine: sa.Engine, server: Dovecot, mailbox: Settings) -> None:
    large = message("It is too expensive.", Message_ID="<m-large@firm.example>")
    large.add_attachment(
        bytes(range(256)) * 48_000, maintype="application", subtype="octet-stream", filename="scan.bin"
    )
    too_large = message("Too large.", Message_ID="<m-too-large@firm.example>")
    too_large.add_attachment(
        bytes(range(256)) * 121_000, maintype="application", subtype="octet-stream", filename="scan.bin"
    )
    server.add(*(letter(number) for number in range(120)), bytes(large), bytes(too_large), letter(121))
    row = read_once(engine, mailbox)
    assert (row.last_uid, row.failure) == (123, None)
    with engine.connect() as connection:
        count = connection.scalar(sa.text("select count(*) from notes"))
        codes = list(connection.scalars(sa.text("select code from set_aside")))
    assert (count, codes) == (122, ["too_large"])
