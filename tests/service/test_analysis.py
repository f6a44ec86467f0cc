"""What a worker does with notes: whole batches, notes that fail alone, revisions that overtake it."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.analysis.batch import BatchAnalysis
from service.analysis.queries import Item, claim_waiting, customer_keys
from service.database import read_session, write_session
from service.filters import name_key
from service.tables import AccountTable, NoteTable, ObjectionTable, PassageTable
from tests.analyzers import UNREADABLE, FakeAnalyzer
from tests.work import analyse_all, note

CATALOG = {"us": ["Clavance"], "competitors": [{"name": "Zendesk", "aliases": ["zd"]}]}


def claim(engine: sa.Engine) -> list[list[Item]]:
    with write_session(engine) as session:
        return claim_waiting(session, 64)


def run(engine: sa.Engine, analyzer: FakeAnalyzer, batch: list[Item]) -> None:
    BatchAnalysis(engine, analyzer).run([[item.note_id, item.revision] for item in batch])


def count(engine: sa.Engine, table: type) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_findings_are_read_back_with_their_quotes(
    client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer
) -> None:
    client.put("/v1/catalog", json=CATALOG)
    text = "Élodie finds it too expensive 😀. They use zd today."
    client.post("/v1/notes", json=note("a", text))
    analyse_all(engine, analyzer)
    stored = client.get("/v1/notes/1").json()
    analysis = stored["analysis"]
    assert (analysis["state"], analysis["language"], analysis["analyzer_version"]) == ("done", "en", "fake-1")
    assert [o["quote"] for o in analysis["objections"]] == ["too expensive"]
    assert [(c["quote"], c["name"], c["known"]) for c in analysis["competitors"]] == [("zd", "Zendesk", True)]
    assert len(analysis["passages"]) == 2
    for finding in (*analysis["objections"], *analysis["competitors"]):
        assert stored["text"][finding["start"] : finding["end"]] == finding["quote"]


def test_a_batch_that_runs_twice_counts_once(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    client.post("/v1/notes", json={"notes": [note(str(i)) for i in range(5)]})
    (batch,) = claim(engine)
    run(engine, analyzer, batch)
    run(engine, analyzer, batch)
    assert count(engine, ObjectionTable) == 5


def test_an_edit_during_the_analysis_wins(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    client.post("/v1/notes", json=note("a"))
    (batch,) = claim(engine)

    class Overtaken(FakeAnalyzer):
        def analyze(self, notes, catalog):  # type: ignore[no-untyped-def]
            client.post("/v1/notes", json=note("a", "All is well."))
            return super().analyze(notes, catalog)

    run(engine, Overtaken(), batch)
    assert count(engine, ObjectionTable) == 0
    assert client.get("/v1/notes/1").json()["analysis"]["state"] == "pending"
    analyse_all(engine, analyzer)
    assert client.get("/v1/notes/1").json()["analysis"]["state"] == "done"
    assert count(engine, ObjectionTable) == 0


def test_a_deletion_during_the_analysis_wins(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    client.post("/v1/notes", json=note("a"))
    (batch,) = claim(engine)

    class Overtaken(FakeAnalyzer):
        def analyze(self, notes, catalog):  # type: ignore[no-untyped-def]
            client.post("/v1/notes", json={"external_id": "a", "deleted": True})
            return super().analyze(notes, catalog)

    run(engine, Overtaken(), batch)
    assert count(engine, ObjectionTable) == count(engine, PassageTable) == 0


def test_a_note_that_fails_fails_alone_and_keeps_its_reason(
    client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer
) -> None:
    client.post("/v1/notes", json={"notes": [note("good"), note("bad", f"An {UNREADABLE}."), note("fine")]})
    analyse_all(engine, analyzer)
    failed = client.get("/v1/notes", params={"state": "failed"}).json()
    assert [item["external_id"] for item in failed["items"]] == ["bad"]
    assert client.get("/v1/notes", params={"state": "done"}).json()["total"] == 2
    analysis = client.get(f"/v1/notes/{failed['items'][0]['id']}").json()["analysis"]
    assert analysis["state"] == "failed"
    assert analysis["error"] == "The reader failed on this note (UnreadableNote)."
    assert client.get("/v1/backlog").json() == {"waiting": 0, "queued": 0, "failed": 1, "analysed": 2, "workers": 0}
    with engine.connect() as connection:
        assert connection.scalar(sa.select(NoteTable.attempts).where(NoteTable.external_id == "bad")) == 3


def test_a_failed_note_can_be_retried_and_edited(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    client.post("/v1/notes", json=note("a", f"An {UNREADABLE}."))
    analyse_all(engine, analyzer)
    assert client.post("/v1/notes/1/retry").status_code == 202
    assert client.get("/v1/notes/1").json()["analysis"]["state"] == "pending"
    analyse_all(engine, analyzer)
    assert client.get("/v1/notes/1").json()["analysis"]["state"] == "failed"
    client.post("/v1/notes", json=note("a", "Readable."))
    analyse_all(engine, analyzer)
    assert client.get("/v1/notes/1").json()["analysis"]["state"] == "done"
    assert client.post("/v1/notes/1/retry").status_code == 409


def test_latest_notes_go_first(client: TestClient, engine: sa.Engine) -> None:
    client.post("/v1/notes", json={"notes": [note(str(i)) for i in range(10)]})
    with write_session(engine) as session:
        (batch,) = claim_waiting(session, 3)
    assert [item.note_id for item in batch] == [10, 9, 8]


def test_a_changed_catalogue_reads_again_what_it_touches(
    client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer
) -> None:
    client.post(
        "/v1/notes", json={"notes": [note("a", "They use ZenDesk or zd."), note("b", "They use a spreadsheet.")]}
    )
    analyse_all(engine, analyzer)
    replaced = client.put("/v1/catalog", json=CATALOG).json()
    assert replaced["requeued_notes"] == 1
    analyse_all(engine, analyzer)
    mentions = client.get("/v1/notes/1").json()["analysis"]["competitors"]
    assert [m["name"] for m in mentions] == ["Zendesk"]
    assert client.put("/v1/catalog", json=CATALOG).json()["requeued_notes"] == 0


def test_no_log_line_holds_a_note_s_text(
    client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer, capfd: object
) -> None:
    client.post("/v1/notes", json=note("a", f"A confidential {UNREADABLE}."))
    analyse_all(engine, analyzer)
    assert "confidential" not in capfd.readouterr().err  # type: ignore[attr-defined]


def test_customers_are_known_by_whole_words_of_their_names(engine: sa.Engine) -> None:
    names = ["Pearlgate Dental Group", "Grues Maréchal", "L'Étoile SA", None]
    with write_session(engine) as session:
        session.add_all(AccountTable(key=str(i), name=n, name_key=n and name_key(n)) for i, n in enumerate(names))
    asked = ["pearl", "pearlgate", "maréchal", "gruesmaréchal", "étoile", "sa", "zendesk"]
    with read_session(engine) as session:
        assert customer_keys(session, asked) == {"pearlgate", "maréchal", "gruesmaréchal", "étoile"}
