"""The same note from two sources counts once: whatever comes first, until one is edited apart or erased."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.analysis.batch import BatchAnalysis
from service.analysis.queries import claim_waiting
from service.database import write_session
from service.notes.prints import prints, same_text, words_of
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

LONG = (
    "The director finds it too expensive: our price is 20% above the other quote, and she asks for a discount before "
    "the end of the quarter. They like the demo. Next call on Tuesday with the buyer, who decides alone."
)
HARROW = {"account": {"id": "acc-19", "name": "Harrow Foods"}, "author": {"id": "77", "name": "R. Marchetti"}}


def crm(external_id: str = "c-1", text: str = LONG, **fields: Any) -> dict[str, Any]:
    return note(external_id, text, source="hubspot", **{**HARROW, **fields})


def mail(external_id: str = "m-1", text: str = f"Harrow Foods\n\n{LONG}\n", **fields: Any) -> dict[str, Any]:
    author = {"id": "rep@firm.example", "name": "R. Marchetti"}
    return note(external_id, text, source="mail", **{"author": author, "occurred_at": "2026-09-14T16:00:00Z", **fields})


def row(
    external_id: str = "r-1",
    text: str = LONG.replace(". ", " !\u00a0").replace("She", "SHE").replace("é", "e"),
    **fields: Any,
) -> dict[str, Any]:
    account = {"name": "HARROW FOODS"}
    return note(
        external_id, text, source="import", **{"account": account, "occurred_at": "2026-09-14T00:00:00Z", **fields}
    )


def post(client: TestClient, engine: sa.Engine, *items: dict[str, Any], at_once: bool = False) -> None:
    for batch in [list(items)] if at_once else [[item] for item in items]:
        assert client.post("/v1/notes", json={"notes": batch}).status_code == 202
        analyse_all(engine, FakeAnalyzer())


def counted(client: TestClient) -> tuple[int, int, int]:
    """Return how many notes are counted in all, and the notes and mentions of price objections."""
    query = "?from=2026-09-01&to=2026-09-30"
    price = [one for one in client.get(f"/v1/objections{query}").json()["items"] if one["id"] == "price"]
    measures = price[0] if price else {"notes": 0, "mentions": 0, "share": 0}
    whole = round(measures["notes"] / measures["share"]) if measures["share"] else 0
    return whole, measures["notes"], measures["mentions"]


def by_id(client: TestClient) -> dict[str, dict[str, Any]]:
    items = client.get("/v1/notes").json()["items"]
    return {item["external_id"]: client.get(f"/v1/notes/{item['id']}").json() for item in items}


@pytest.mark.parametrize(("order", "at_once"), [((0, 1, 2), False), ((2, 1, 0), False), ((1, 2, 0), True)])
def test_three_sources_count_once_in_any_order(
    client: TestClient, engine: sa.Engine, order: tuple[int, ...], at_once: bool
) -> None:
    items = [crm(), mail(account={"name": "Harrow Foods"}), row()]
    post(client, engine, *(items[place] for place in order), at_once=at_once)
    assert counted(client) == (1, 1, 1)
    found = by_id(client)
    assert sorted(one["state"] for one in found.values()) == ["done", "duplicate", "duplicate"]
    for external_id, one in found.items():
        assert {other["external_id"] for other in one["also_from"]} == found.keys() - {external_id}
        assert bool(one["analysis"]["objections"]) == (one["state"] == "done")
    listed = client.get("/v1/notes?state=duplicate").json()
    assert listed["total"] == 2


def test_edited_apart_and_together_again(client: TestClient, engine: sa.Engine) -> None:
    post(client, engine, crm(), mail())
    assert counted(client) == (1, 1, 1)
    other = "They took our offer. The connector works, and the first plant starts in May with two lines of ours."
    post(client, engine, mail(text=other))
    assert counted(client) == (2, 1, 1)
    assert by_id(client)["m-1"]["also_from"] == []
    post(client, engine, mail())
    assert counted(client) == (1, 1, 1)
    post(client, engine, crm(text=other))  # now the one that counts is edited
    analyse_all(engine, FakeAnalyzer())
    assert counted(client) == (2, 1, 1)


def test_the_other_one_counts_when_one_is_erased(client: TestClient, engine: sa.Engine) -> None:
    post(client, engine, crm(), mail(account={"name": "Harrow Foods"}), row())
    for left in (2, 1):
        counting = next(one for one in by_id(client).values() if one["state"] == "done")
        assert client.delete(f"/v1/notes/{counting['id']}").status_code == 204
        analyse_all(engine, FakeAnalyzer())
        assert (counted(client), len(by_id(client))) == ((1, 1, 1), left)
    (last,) = by_id(client).values()
    assert (last["state"], last["also_from"]) == ("done", [])


SHORT = "No answer, too expensive they said before."
APART: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
    ("short, other day", crm(text=SHORT), row(text=SHORT, occurred_at="2026-09-15T00:00:00Z"), 2),
    ("short, same day", crm(text=SHORT), row(text=SHORT), 1),
    ("short, another word", crm(text=SHORT), row(text=SHORT.replace("before", "again")), 2),
    ("too short", crm(text="Far too expensive."), row(text="Far too expensive."), 2),
    ("other account", crm(), row(account={"name": "Aubry"}), 2),
    ("other account, same author", crm(), mail(account={"name": "Aubry"}), 2),
    ("nobody named", crm(), note("x", LONG, source="import"), 2),
    ("same source", crm(), crm("c-2"), 2),
    ("long ago", crm(), row(occurred_at="2026-09-02T00:00:00Z"), 2),
    ("some days", crm(), row(occurred_at="2026-09-18T00:00:00Z"), 1),
    ("a template with another story", crm(), row(text=LONG.replace("They like the demo", "The demo failed twice and "
     "the buyer left early, so they want three references and a trial of two months first")), 2),
]  # fmt: skip


def test_what_is_one_note_and_what_is_not(client: TestClient, engine: sa.Engine) -> None:
    for number, (_, *pair, _) in enumerate(APART):  # each pair has an account and an author of its own
        for place, item in enumerate(pair):
            own = {**item, "external_id": f"{number}-{place}"}
            for name in ("account", "author"):
                if name in own:
                    own[name] = {key: f"{value} {number}" for key, value in own[name].items()}
            assert client.post("/v1/notes", json=own).status_code == 202
    analyse_all(engine, FakeAnalyzer())
    found = by_id(client)
    for number, (name, _, _, count) in enumerate(APART):
        assert len(found[f"{number}-0"]["also_from"]) == 2 - count, name


def test_two_calls_of_a_day_noted_twice_are_two(client: TestClient, engine: sa.Engine) -> None:
    post(client, engine, crm("c-1", SHORT), crm("c-2", SHORT), row("r-1", SHORT), row("r-2", SHORT))
    assert counted(client)[0] == 2
    assert sorted(len(one["also_from"]) for one in by_id(client).values()) == [1, 1, 1, 1]


def test_a_new_analysis_of_all_changes_nothing_and_corrections_stay_with_what_counts(
    client: TestClient, engine: sa.Engine
) -> None:
    post(client, engine, crm(), mail())
    before = {key: one["state"] for key, one in by_id(client).items()}
    duplicate = by_id(client)["m-1"]
    missed = {"kind": "missed_objection", "note_id": duplicate["id"], "type": "budget", "start": 0, "end": 6}
    assert client.post("/v1/corrections", json=missed).status_code == 409
    with engine.begin() as connection:
        connection.exec_driver_sql("update notes set revision = revision + 1")
    analyse_all(engine, FakeAnalyzer())
    assert {key: one["state"] for key, one in by_id(client).items()} == before
    assert counted(client) == (1, 1, 1)


def test_texts_written_out_again_are_the_same() -> None:
    words = words_of(LONG)
    for text in (f"Re: Harrow\n{LONG}\nBest regards", LONG.replace("é", "e").upper(), LONG.replace("20%", "twenty %")):
        assert same_text(words, words_of(text))
    assert not same_text(words, words_of(LONG[: len(LONG) // 3]))
    assert words_of("Élève, L’ÉTÉ œuvre") == words_of("eleve l'ete œuvre")


def test_a_text_that_a_field_cut_off_is_found_by_its_beginning() -> None:
    whole = [f"word{number}" for number in range(900)]
    cut = [*whole[:330], "wor"]
    assert same_text(cut, whole)
    assert same_text(whole, cut)
    assert set(prints(cut)) & set(prints(whole))
    assert not same_text([*whole[:160], *whole[500:560]], whole)
    assert not same_text(whole[:20], whole), "a greeting is no text"


def test_two_workers_that_read_both_at_once_count_one(client: TestClient, engine: sa.Engine) -> None:
    pairs = 4
    for number in range(pairs):
        account = {"account": {"name": f"Account {number}"}}
        for item in (crm(f"c-{number}", **account), row(f"r-{number}", **account)):
            assert client.post("/v1/notes", json=item).status_code == 202
    with write_session(engine) as session:
        items = [item for batch in claim_waiting(session, 64) for item in batch]
    items.sort(key=lambda item: item.note_id)
    halves = [[[item.note_id, item.revision] for item in items[place::2]] for place in (0, 1)]
    handler = BatchAnalysis(engine, FakeAnalyzer())
    threads = [threading.Thread(target=handler.run, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(client) == (pairs, pairs, pairs)
