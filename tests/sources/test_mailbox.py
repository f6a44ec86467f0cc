"""A mailbox read by IMAP: from a server on loopback, cut off, moved, renumbered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from service.database import read_session
from service.settings import Settings
from service.source_tables import MailboxTable
from service.sources.mailbox import Mailboxes
from tests.analyzers import FakeAnalyzer
from tests.fetching.servers import ApiServer, Call, serving
from tests.imports.files import mail as message
from tests.sources.imap_server import PASSWORD, USER, Mail, imap_server
from tests.sources.senders import ADMIN, notes
from tests.work import wait_until, worker_running


@pytest.fixture
def mail() -> Iterator[Mail]:
    with imap_server() as running:
        yield running


def letter(number: int, text: str = "") -> bytes:
    return bytes(message(text or f"Note {number}: too dear.", Message_ID=f"<m-{number}@firm.example>"))


def settings_for(mail: Mail, data_dir: Path, **options: Any) -> Settings:
    box = {"secret": PASSWORD, "host": "127.0.0.1", "port": mail.port, "user": USER, "tls": "off", **options}
    return Settings(data_dir=data_dir, connections=json.dumps({"imap": box}), _env_file=None)


def read_once(engine: sa.Engine, settings: Settings, boxes: Mailboxes | None = None) -> MailboxTable:
    """Read as a worker does, and return how far it came."""
    boxes = boxes or Mailboxes(engine, settings)
    with engine.begin() as connection:
        connection.execute(sa.update(MailboxTable).values(checked_at=None))
    claimed: list[str] = []
    boxes.claim(lambda _session, name: claimed.append(name))
    for name in claimed:
        boxes.run(name)
    with read_session(engine) as session:
        return session.scalars(sa.select(MailboxTable).order_by(MailboxTable.checked_at.desc())).first()


def test_each_message_once_and_what_can_t_be_read_stops_nothing(
    client: TestClient, engine: sa.Engine, mail: Mail, tmp_path: Path
) -> None:
    settings = settings_for(mail, tmp_path, reps=["@clavance.example"])
    for raw in (
        letter(1),
        b"\x00\xff no message at all",
        bytes(message("Away.", Auto_Submitted="auto-replied")),
        letter(2),
    ):
        mail.inbox.add(raw)
    assert (read_once(engine, settings).last_uid, len(notes(client))) == (4, 2)
    mail.inbox.add(letter(3))
    row = read_once(engine, settings)
    assert (row.last_uid, row.failure, row.held_until) == (5, None, None)
    assert mail.sent == 5, "nothing is fetched twice"
    assert "STORE" not in " ".join(mail.commands)
    assert sorted(one["external_id"] for one in notes(client)) == [f"m-{n}@firm.example" for n in (1, 2, 3)]
    assert {(one["source"], one["author"]["id"]) for one in notes(client)} == {("mail", "rep@clavance.example")}
    (fault,) = client.get("/v1/sources/faults?source=imap", headers=ADMIN).json()["items"]
    assert fault["code"] == "no_message"


def test_a_line_that_breaks_loses_and_doubles_nothing(
    client: TestClient, engine: sa.Engine, mail: Mail, tmp_path: Path
) -> None:
    for number in range(300):
        mail.inbox.add(letter(number))
    mail.cut_after = 130
    row = read_once(engine, settings_for(mail, tmp_path))
    assert (row.last_uid, row.held_until) == (100, None)
    assert row.failure is not None
    assert client.get("/v1/notes", headers=ADMIN).json()["total"] == 100
    mail.cut_after = None
    row = read_once(engine, settings_for(mail, tmp_path))
    assert (row.last_uid, row.failure) == (300, None)
    assert client.get("/v1/notes", headers=ADMIN).json()["total"] == 300


def test_another_uidvalidity_is_read_anew_and_revives_nothing(
    client: TestClient, engine: sa.Engine, mail: Mail, tmp_path: Path
) -> None:
    for number in (1, 2):
        mail.inbox.add(letter(number))
    read_once(engine, settings_for(mail, tmp_path))
    gone = next(one["id"] for one in notes(client) if one["external_id"].startswith("m-1@"))
    assert client.delete(f"/v1/notes/{gone}", headers=ADMIN).status_code == 204
    mail.inbox.validity, mail.inbox.next_uid, mail.inbox.messages = 2, 1, {}
    for number in (1, 2, 3):
        mail.inbox.add(letter(number))
    row = read_once(engine, settings_for(mail, tmp_path))
    assert (row.uid_validity, row.last_uid) == (2, 3)
    assert sorted(one["external_id"][:3] for one in notes(client)) == ["m-2", "m-3"]


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 UIDPLUS MOVE", "IMAP4rev1 UIDPLUS", "IMAP4rev1"])
def test_what_was_read_is_moved(
    client: TestClient, engine: sa.Engine, mail: Mail, tmp_path: Path, capabilities: str
) -> None:
    mail.capabilities = capabilities
    settings = settings_for(mail, tmp_path, done_folder="Read")
    for number in (1, 2):
        mail.inbox.add(letter(number))
    for _ in range(2):
        read_once(engine, settings)
    assert len(mail.folders["Read"].messages) == 2
    assert set(mail.inbox.messages) == (mail.inbox.deleted if capabilities == "IMAP4rev1" else set())
    assert len(notes(client)) == 2


def test_failures_are_told_and_the_password_is_not(
    client: TestClient, engine: sa.Engine, mail: Mail, tmp_path: Path
) -> None:
    told = {"refuses the user": {"secret": "another-password"}, "no folder 'Nowhere'": {"folder": "Nowhere"}}
    told |= {"can't be reached": {"port": 1}, "certificate or TLS": {"tls": "on"}}
    with capture_logs() as logs:
        for failure, options in told.items():
            assert failure in str(read_once(engine, settings_for(mail, tmp_path, **options)).failure)
    boxes = client.get("/v1/sources", headers=ADMIN).json()["items"]
    (found,) = [one["mailboxes"] for one in boxes if one["source"] == "imap"]
    assert all(one["failure"] for one in found)
    assert [one["event"] for one in logs] == ["mailbox_not_read"] * 4
    assert "another-password" not in json.dumps(boxes) + json.dumps(logs)


class TokenApi(ApiServer):
    """Gives tokens of its own, each time another, to who knows the secret."""

    def public(self, _call: Call) -> bool:
        return True

    def answer(self, call: Call) -> tuple[int, Any]:
        if call.body.get("client_secret") != PASSWORD:
            return 401, {"error": "invalid_client", "error_description": PASSWORD}
        return 200, {"access_token": f"token-{len(self.calls)}", "expires_in": 3600}


def test_a_mailbox_by_token(client: TestClient, engine: sa.Engine, mail: Mail, tmp_path: Path) -> None:
    with serving(TokenApi()) as api:
        options = {"token_url": f"{api.url}/token", "client_id": "app", "scope": "mail.read"}
        settings = settings_for(mail, tmp_path, **options)
        boxes = Mailboxes(engine, settings)
        mail.inbox.add(letter(1))
        assert read_once(engine, settings, boxes).failure is None
        mail.inbox.add(letter(2))
        assert read_once(engine, settings, boxes).failure is None
        assert len(notes(client)) == 2
        (call,) = api.calls
        assert call.body == {
            "grant_type": "client_credentials", "client_id": "app", "client_secret": PASSWORD, "scope": "mail.read",
        }  # fmt: skip
        mail.token = "token-2"  # the one before is revoked
        assert "rights of the application" in str(read_once(engine, settings, boxes).failure)
        assert read_once(engine, settings, boxes).failure is None
        refreshing = settings_for(mail, tmp_path, **options, refresh_token="refresh-1")
        mail.token = "token-3"
        assert read_once(engine, refreshing).failure is None
        assert api.calls[-1].body["grant_type"] == "refresh_token"
        wrong = settings_for(mail, tmp_path, **options, secret="another-secret")
        failure = str(read_once(engine, wrong).failure)
        assert "invalid_client" in failure
        assert PASSWORD not in failure


def test_connections_of_mailboxes_are_checked(client: TestClient) -> None:
    good = {"host": "imap.firm.example", "user": USER}
    for options, field in (
        ({"host": "imap.firm.example"}, "options.user"),
        ({**good, "tls": "off"}, "options.tls"),
        ({**good, "port": "x"}, "options.port"),
        ({**good, "done_folder": "INBOX"}, "options.done_folder"),
        ({**good, "host": "a@b/c"}, "options.host"),
        ({**good, "token_url": "https://login.firm.example/token"}, "options.client_id"),
        ({**good, "token_url": "http://login.firm.example/token", "client_id": "x"}, "options.token_url"),
    ):
        body = {"source": "imap", "secret": PASSWORD, "options": options}
        answer = client.post("/v1/connections", json=body, headers=ADMIN)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    without = client.post("/v1/connections", json={"source": "imap", "options": good}, headers=ADMIN)
    assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "secret")
    made = client.post("/v1/connections", json={"source": "imap", "secret": PASSWORD, "options": good}, headers=ADMIN)
    assert made.json()["url"] == "imap://imap.firm.example/INBOX"
    assert PASSWORD not in client.get("/v1/connections", headers=ADMIN).text
    assert client.post("/v1/webhooks/imap", content=letter(1)).status_code == 404


def test_a_worker_reads_it(
    client: TestClient, engine: sa.Engine, database_url: str, mail: Mail, tmp_path: Path
) -> None:
    mail.inbox.add(letter(1))
    settings = settings_for(mail, tmp_path)
    with worker_running(engine, database_url, FakeAnalyzer(), settings=settings):
        wait_until(lambda: [one["state"] for one in notes(client)] == ["done"])
