"""What becomes of notes that come in: once, again, edited, late, deleted."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.tables import CompetitorMentionTable, DealTable, NoteTable, ObjectionTable, PassageTable
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note


def post(client: TestClient, *notes: dict) -> list[dict]:
    response = client.post("/v1/notes", json={"notes": list(notes)})
    assert response.status_code == 202, response.text
    return response.json()["results"]


def read(client: TestClient, note_id: str) -> dict:
    response = client.get(f"/v1/notes/{note_id}")
    assert response.status_code == 200, response.text
    return response.json()


def test_one_note_is_created_and_read_back(client: TestClient) -> None:
    sent = note(
        "call-1",
        source="hubspot",
        kind="visit_report",
        author={"id": "rep-1", "name": "R. Marchetti", "team": "north"},
        account={"id": "acc-1", "name": "Harrow Foods", "segment": "mid-market"},
        deal={"id": "d-1", "amount": 48000, "currency": "EUR", "stage": "proposal", "outcome": "won"},
    )
    response = client.post("/v1/notes", json=sent)
    assert response.status_code == 202
    (result,) = response.json()["results"]
    assert result == {"external_id": "call-1", "id": result["id"], "result": "created", "error": None}
    stored = read(client, result["id"])
    assert {name: stored[name] for name in sent if name != "deal"} == {k: v for k, v in sent.items() if k != "deal"}
    assert stored["deal"] == sent["deal"]
    assert stored["analysis"]["state"] == "pending"


def test_same_content_again_is_unchanged(client: TestClient, engine: sa.Engine) -> None:
    (first,) = post(client, note("a"))
    (second,) = post(client, note("a"))
    assert (first["result"], second["result"]) == ("created", "unchanged")
    assert second["id"] == first["id"]
    with engine.connect() as connection:
        assert connection.scalar(sa.select(NoteTable.revision)) == 1


def test_edit_is_updated_and_analysed_again(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    (created,) = post(client, note("a", "It is too expensive."))
    analyse_all(engine, analyzer)
    assert len(read(client, created["id"])["analysis"]["objections"]) == 1
    (updated,) = post(client, note("a", "They love the price."))
    assert updated["result"] == "updated"
    assert read(client, created["id"])["analysis"]["state"] == "pending"
    analyse_all(engine, analyzer)
    analysis = read(client, created["id"])["analysis"]
    assert analysis["state"] == "done"
    assert analysis["objections"] == []


def test_older_edit_is_stale_and_changes_nothing(client: TestClient) -> None:
    newer = note("a", "New words.", updated_at="2026-09-02T00:00:00Z")
    older = note("a", "Old words.", updated_at="2026-09-01T00:00:00Z")
    (created,) = post(client, newer)
    (stale,) = post(client, older)
    assert stale["result"] == "stale"
    assert read(client, created["id"])["text"] == "New words."


def test_unchanged_note_still_moves_its_version_forward(client: TestClient) -> None:
    """Pitfall P5: else a late older edit overwrites a newer version that happened to change nothing."""
    (created,) = post(client, note("a", "First.", updated_at="2026-09-01T00:00:00Z"))
    assert post(client, note("a", "First.", updated_at="2026-09-03T00:00:00Z"))[0]["result"] == "unchanged"
    assert post(client, note("a", "Second.", updated_at="2026-09-02T00:00:00Z"))[0]["result"] == "stale"
    assert read(client, created["id"])["text"] == "First."


def test_deletion_erases_text_and_findings(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    (created,) = post(client, note("a", account={"id": "acc-1", "name": "Harrow Foods"}))
    analyse_all(engine, analyzer)
    assert post(client, {"external_id": "a", "deleted": True})[0]["result"] == "deleted"
    assert client.get(f"/v1/notes/{created['id']}").status_code == 404
    assert client.get("/v1/notes").json()["total"] == 0
    with engine.connect() as connection:
        row = connection.execute(sa.select(NoteTable.text, NoteTable.account_id)).one()
        assert tuple(row) == ("", None)
        for table in (ObjectionTable, CompetitorMentionTable, PassageTable):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_tombstone_stays_where_an_older_version_comes_late(client: TestClient) -> None:
    post(client, note("a", updated_at="2026-09-01T00:00:00Z"))
    gone = {"external_id": "a", "deleted": True, "updated_at": "2026-09-03T00:00:00Z"}
    assert post(client, gone)[0]["result"] == "deleted"
    assert post(client, note("a", "Late.", updated_at="2026-09-02T00:00:00Z"))[0]["result"] == "stale"
    assert client.get("/v1/notes").json()["total"] == 0
    assert post(client, note("a", "Born again.", updated_at="2026-09-04T00:00:00Z"))[0]["result"] == "updated"
    assert client.get("/v1/notes").json()["total"] == 1


def test_deletion_that_comes_first_keeps_the_note_away(client: TestClient) -> None:
    gone = {"external_id": "a", "deleted": True, "updated_at": "2026-09-03T00:00:00Z"}
    assert post(client, gone)[0]["result"] == "deleted"
    assert post(client, note("a", updated_at="2026-09-02T00:00:00Z"))[0]["result"] == "stale"


def test_delete_route_needs_no_version(client: TestClient) -> None:
    (created,) = post(client, note("a", updated_at="2026-09-01T00:00:00Z"))
    assert client.delete(f"/v1/notes/{created['id']}").status_code == 204
    assert client.delete(f"/v1/notes/{created['id']}").status_code == 404
    assert post(client, note("a", "Late.", updated_at="2026-09-02T00:00:00Z"))[0]["result"] == "stale"


def test_repeats_within_a_batch(client: TestClient) -> None:
    results = post(client, note("a"), note("a"), note("b"))
    assert [r["result"] for r in results] == ["created", "unchanged", "created"]


def test_versions_within_a_batch_go_by_their_time(client: TestClient) -> None:
    newer = note("a", "New words.", updated_at="2026-09-02T00:00:00Z")
    older = note("a", "Old words.", updated_at="2026-09-01T00:00:00Z")
    results = post(client, newer, older)
    assert [r["result"] for r in results] == ["created", "stale"]
    assert read(client, results[0]["id"])["text"] == "New words."


def test_ambiguous_repeat_in_a_batch_is_rejected_and_the_rest_kept(client: TestClient) -> None:
    results = post(client, note("a", "One."), note("a", "Another."), note("b"))
    assert [r["result"] for r in results] == ["created", "rejected", "created"]
    assert results[1]["error"]["code"] == "duplicate_in_batch"


def test_same_id_in_two_sources_is_two_notes(client: TestClient) -> None:
    results = post(client, note("a", source="hubspot"), note("a", source="gong"))
    assert results[0]["id"] != results[1]["id"]


def test_note_without_id_is_not_doubled(client: TestClient) -> None:
    nameless = {"text": "They liked the demo.", "occurred_at": "2026-09-14T10:20:00Z"}
    (first,) = post(client, nameless)
    (second,) = post(client, nameless)
    assert second == {**first, "result": "unchanged"}


def test_later_outcome_counts_for_all_notes_of_a_deal(client: TestClient, engine: sa.Engine) -> None:
    post(client, note("a", deal={"id": "d", "outcome": "won"}, updated_at="2026-09-03T00:00:00Z"))
    post(client, note("b", deal={"id": "d", "outcome": "open"}, updated_at="2026-09-01T00:00:00Z"))
    with engine.connect() as connection:
        assert connection.scalar(sa.select(DealTable.outcome)) == "won"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>Too <b>expensive</b></p><p>for &eacute;cole</p>", "Too expensive\nfor école"),
        ("<div>One<br>two</div><ul><li>three</li></ul>", "One\ntwo\n- three"),
        ("<p>Kept</p><script>alert('x')</script><style>p{}</style>", "Kept"),
        ("price < 10 and size > 3", "price < 10 and size > 3"),
        ("Ann <ann@firm.com> called\r\nback", "Ann <ann@firm.com> called\nback"),
        ("\ufeffBegins with a mark", "Begins with a mark"),
    ],
)
def test_html_bodies_become_text_once(client: TestClient, body: str, text: str) -> None:
    (created,) = post(client, note("a", body))
    assert read(client, created["id"])["text"] == text


def test_failed_commit_is_not_answered_202(client: TestClient, engine: sa.Engine) -> None:
    def fail(_connection: object) -> None:
        raise sa.exc.OperationalError("commit", {}, Exception("disk is full"))

    sa.event.listen(engine, "commit", fail)
    try:
        response = client.post("/v1/notes", json=note("a"))
    finally:
        sa.event.remove(engine, "commit", fail)
    assert response.status_code == 503
    assert response.json()["code"] == "unavailable"
    assert client.get("/v1/notes").json()["total"] == 0


def test_unforeseen_failure_of_the_commit_is_500(client: TestClient, engine: sa.Engine) -> None:
    def fail(_connection: object) -> None:
        raise RuntimeError("They find it too expensive.")

    sa.event.listen(engine, "commit", fail)
    try:
        response = client.post("/v1/notes", json=note("a"))
    finally:
        sa.event.remove(engine, "commit", fail)
    assert response.status_code == 500
    assert "expensive" not in response.text


def test_concurrent_posts_of_one_note_make_one_row(client: TestClient, engine: sa.Engine) -> None:
    results: list[str] = []

    def send() -> None:
        results.append(post(client, note("a"))[0]["result"])

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["created"] + ["unchanged"] * 11
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(NoteTable)) == 1


def test_concurrent_batches_in_opposite_order_do_not_lock_each_other_out(client: TestClient) -> None:
    def batch(names: list[str]) -> list[dict]:
        links = {"account": {"id": f"acc-{names[0]}"}, "deal": {"id": "d"}}
        return [note(name, account={"id": f"acc-{name}"}, deal=links["deal"]) for name in names]

    names = [f"n{i}" for i in range(40)]
    answers: list[int] = []

    def send(order: list[str]) -> None:
        answers.append(client.post("/v1/notes", json={"notes": batch(order)}).status_code)

    threads = [threading.Thread(target=send, args=(order,)) for order in (names, names[::-1]) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [202] * 8
    assert client.get("/v1/notes").json()["total"] == 40


def test_deals_and_accounts_are_locked_before_notes(client: TestClient, engine: sa.Engine) -> None:
    def send() -> None:
        assert client.post("/v1/notes", json=note("n", account={"id": "a"}, deal={"id": "d"})).status_code == 202

    asked: list[str] = []

    def listen(*event: Any) -> None:
        asked.append(" ".join(event[2].split()))

    send()
    sa.event.listen(engine, "before_cursor_execute", listen)
    try:
        send()
    finally:
        sa.event.remove(engine, "before_cursor_execute", listen)
    tables = [
        match[1] for one in asked if (match := re.search(r"FROM (accounts|deals|notes) WHERE \1\.\W?(key|source)", one))
    ]
    assert sorted(set(tables), key=tables.index) == ["deals", "accounts", "notes"]


def test_list_is_paged_filtered_and_latest_first(client: TestClient) -> None:
    days = [f"2026-09-{day:02d}T08:00:00Z" for day in range(1, 8)]
    post(client, *(note(f"n{i}", f"Note {i}.", occurred_at=day) for i, day in enumerate(days)))
    seen, cursor = [], None
    while True:
        page = client.get("/v1/notes", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        assert page["total"] == 7
        seen += [item["external_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"n{i}" for i in reversed(range(7))]
    some = client.get("/v1/notes", params={"from": "2026-09-02", "to": "2026-09-03"}).json()
    assert [item["external_id"] for item in some["items"]] == ["n2", "n1"]
    assert client.get("/v1/notes", params={"external_id": "n4"}).json()["total"] == 1
    assert client.get("/v1/notes", params={"state": "failed"}).json()["total"] == 0
