"""Files sent in by the browser, names to decide on, and the state of the installation."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.jobs.queries import WorkerState, beat
from service.tables import CompetitorMentionTable, NoteTable
from tests.analyzers import UNREADABLE
from tests.service.visits import SCRIPT, name_competitor, read_in, shown
from tests.work import note

ROWS = f"Date;Client;Divers\n03/02/2026;Harrow Foods;Too expensive {SCRIPT}\n31/02/2026;Ancel;Non\n"


def _hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


def test_a_file_is_shown_mapped_imported_and_told(admin: TestClient) -> None:
    page = admin.post("/imports", files={"file": ("visits.csv", ROWS.encode())}).text
    assert "How “visits.csv” is read" in page
    assert SCRIPT not in page
    form = {**_hidden(page), "field-0": "occurred_at", "field-1": "account.name", "field-2": "text"}
    again = admin.post("/imports/held", data={**form, "do": "preview"}).text
    assert "Harrow Foods" in again
    assert "Too expensive" in shown(again)
    assert "No file was sent in yet." in admin.get("/imports").text
    done = admin.post("/imports/held", data={**form, "do": "import"})
    page = admin.get(done.headers["location"]).text
    assert "Done" in shown(page)
    assert "New notes 1 Refused 1" in shown(page)
    assert "31/02/2026" in page
    assert "visits.csv" in admin.get("/imports").text
    assert admin.post("/imports/held", data={**form, "do": "import"}).status_code == 404


def test_a_file_that_is_none_is_told(admin: TestClient) -> None:
    answer = admin.post("/imports", files={"file": ("a.bin", bytes(range(256)) * 9)})
    assert answer.status_code == 422
    assert "This file can" in shown(answer.text)
    crossed = admin.post("/imports", files={"file": ("a.csv", b"a")}, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert admin.post("/imports/held", data={"token": "../x"}).status_code == 404
    assert admin.get("/imports/99999999999999999999").status_code == 404


def test_only_who_may_ingest_sends_files(signed: TestClient) -> None:
    assert "Your key may not send files in" in signed.get("/imports").text
    assert signed.post("/imports", files={"file": ("a.csv", b"text\na")}).status_code == 403


def test_names_are_followed_joined_and_dismissed(curator: TestClient, engine: sa.Engine) -> None:
    name_competitor(engine, "Rival")
    read_in(engine, note("a", "Rival is here."), note("b", "Rival again."), note("c", "Rival, too."))
    with write_session(engine) as session:
        for number, name in enumerate(["Orbel", "Orbel Inc", "Someday"], 1):
            update = sa.update(CompetitorMentionTable).where(CompetitorMentionTable.id == number)
            session.execute(update.values(name=name, name_key=name.lower().replace(" ", ""), known=False))
    assert "3 new names may be competitors" in curator.get("/").text
    for form in (
        {"name": "Orbel", "do": "accept"},
        {"name": "Orbel Inc", "do": "alias", "of": "Orbel"},
        {"name": "Someday", "do": "dismiss"},
    ):
        assert curator.post("/competitors/decide", data=form).status_code == 303
    text = shown(curator.get("/competitors").text)
    assert "Orbel Orbel Inc" in text
    assert "Someday" not in text
    assert curator.post("/competitors/decide", data={"name": "x", "do": "alias", "of": "None"}).status_code == 422
    assert curator.post("/competitors/decide", data={"name": "Orbel", "do": "accept"}).status_code == 409


def test_the_status_tells_what_needs_a_look(signed: TestClient, engine: sa.Engine) -> None:
    assert "No worker is running" in signed.get("/status").text
    with write_session(engine) as session:
        beat(session, "worker", WorkerState.READY, datetime.now(UTC))
    assert "Everything is in order." in signed.get("/status").text
    read_in(engine, note("a", UNREADABLE))
    with write_session(engine) as session:
        session.execute(sa.update(NoteTable).values(failure="this note can't be read"))
    text = shown(signed.get("/status").text)
    assert "Something needs a look." in text
    assert "this note can't be read" in text
    assert signed.post("/competitors/decide", data={"name": "x", "do": "accept"}).status_code == 403
