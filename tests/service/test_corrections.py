"""Corrections: they count at once, outlive new analyses and edits, and can be undone."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from fastapi.testclient import TestClient

from models.types import (
    CompetitorMention,
    Language,
    NoteAnalysis,
    NoteText,
    Objection,
    ObjectionStatus,
    ObjectionType,
    Relation,
    Standing,
)
from service.auth.scopes import Scope
from service.tables import CorrectedNoteTable, CorrectionTable
from tests.analyzers import FakeAnalyzer
from tests.service.correcting import (
    CATALOG,
    PERIOD,
    TEXT,
    analysis,
    correct,
    counts,
    mention_id,
    missed,
    objection_id,
    read_again,
)
from tests.service.visits import make_key
from tests.work import analyse_all, note


class Later(FakeAnalyzer):
    """A later version that finds what it is told to."""

    version = "fake-2"

    def __init__(self, *objections: tuple[str, ObjectionType], mentions: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._objections, self._mentions = objections, mentions

    def analyze(self, notes: list[NoteText], catalog: Any) -> list[NoteAnalysis]:
        return [self._read(note.text) for note in notes]

    def _read(self, text: str) -> NoteAnalysis:
        objections = tuple(
            Objection(text.index(q), text.index(q) + len(q), q, kind, ObjectionStatus.OPEN, 0.5, "later")
            for q, kind in self._objections
            if q in text
        )
        mentions = tuple(
            CompetitorMention(
                *(text.index(q), text.index(q) + len(q), q, "Zendesk", True),
                *(Relation.INCUMBENT, Standing.AHEAD, 0.5, "later"),
            )
            for q in self._mentions
            if q in text
        )
        return NoteAnalysis(Language.EN, objections, mentions)


def test_what_is_no_objection_counts_no_more(reviewed: TestClient) -> None:
    assert counts(reviewed, "objections") == {"price": 1}
    made = correct(reviewed, "not_an_objection", finding_id=objection_id(reviewed), quote="too expensive")
    assert (made["found"], made["right"], made["state"]) == ({"type": "price", "status": "open"}, None, "applied")
    assert counts(reviewed, "objections") == {}
    assert analysis(reviewed)["objections"] == []
    insights = reviewed.get("/v1/insights", params=PERIOD).json()["items"]
    assert [i["about"] for i in insights] == ["competitor"]
    assert reviewed.get("/v1/objections/price/evidence", params=PERIOD).json()["items"] == []


def test_another_type_status_and_span(reviewed: TestClient) -> None:
    finding = objection_id(reviewed)
    correct(reviewed, "wrong_type", finding_id=finding, type="budget")
    correct(reviewed, "wrong_status", finding_id=finding, status="resolved")
    correct(reviewed, "wrong_span", finding_id=finding, start=0, end=35)
    assert counts(reviewed, "objections") == {"budget": 1}
    (objection,) = analysis(reviewed)["objections"]
    assert objection == {
        "id": finding,
        "start": 0,
        "end": 35,
        "quote": TEXT[:35],
        "type": "budget",
        "status": "resolved",
        "score": None,
        "corrected": True,
    }
    (quote,) = reviewed.get("/v1/objections/budget/evidence", params=PERIOD).json()["items"]
    assert quote["quote"] == TEXT[:35]
    assert reviewed.get("/v1/objections/budget", params=PERIOD).json()["statuses"]["resolved"] == 1


def test_a_missed_objection(reviewed: TestClient) -> None:
    made = correct(reviewed, "missed_objection", **missed("No offline mode", type="product_gap"))
    assert made["right"]["status"] == "open"
    assert counts(reviewed, "objections") == {"price": 1, "product_gap": 1}
    added = analysis(reviewed)["objections"][1]
    assert (added["quote"], added["corrected"], added["id"]) == ("No offline mode", True, made["finding_id"])
    correct(reviewed, "wrong_status", finding_id=added["id"], status="anticipated")
    assert analysis(reviewed)["objections"][1]["status"] == "anticipated"


def test_mentions(reviewed: TestClient) -> None:
    finding = mention_id(reviewed)
    correct(reviewed, "wrong_relation", finding_id=finding, relation="incumbent")
    correct(reviewed, "wrong_standing", finding_id=finding, standing="behind")
    made = correct(reviewed, "wrong_name", finding_id=finding, name="FRESHDESK")
    assert made["right"] == {"name": "Freshdesk"}
    assert counts(reviewed, "competitors") == {"freshdesk": 1}
    (mention,) = analysis(reviewed)["competitors"]
    assert (mention["name"], mention["known"]) == ("Freshdesk", True)
    assert (mention["relation"], mention["standing"], mention["corrected"]) == ("incumbent", "behind", True)
    correct(reviewed, "missed_competitor", **missed("Orbel", relation="evaluating"))
    assert counts(reviewed, "competitors") == {"freshdesk": 1, "orbel": 1}
    added = analysis(reviewed)["competitors"][1]
    assert (added["name"], added["known"], added["standing"]) == ("Orbel", False, "neutral")
    correct(reviewed, "not_a_competitor", finding_id=finding)
    assert counts(reviewed, "competitors") == {"orbel": 1}


def test_the_same_twice_is_one(reviewed: TestClient) -> None:
    finding = objection_id(reviewed)
    bodies = [
        {"kind": "wrong_type", "finding_id": finding, "type": "budget"},
        {"kind": "missed_objection", **missed("No offline mode", type="product_gap")},
        {"kind": "not_an_objection", "finding_id": finding},
        {"kind": "not_a_competitor", "finding_id": mention_id(reviewed)},
    ]
    for body in bodies:
        first = reviewed.post("/v1/corrections", json=body)
        again = reviewed.post("/v1/corrections", json=body)
        assert (first.status_code, again.status_code) == (201, 200), again.text
        assert first.json() == again.json()
    assert reviewed.get("/v1/corrections").json()["total"] == 4


def test_another_value_replaces_the_first(reviewed: TestClient) -> None:
    finding = objection_id(reviewed)
    correct(reviewed, "wrong_type", finding_id=finding, type="budget")
    last = correct(reviewed, "wrong_type", finding_id=finding, type="value")
    assert counts(reviewed, "objections") == {"value": 1}
    assert [c["id"] for c in reviewed.get("/v1/corrections").json()["items"]] == [last["id"]]
    assert last["found"] == {"type": "price", "status": "open"}


def test_corrections_are_listed_page_by_page(reviewed: TestClient) -> None:
    finding = objection_id(reviewed)
    for status in ("resolved", "anticipated"):
        correct(reviewed, "wrong_status", finding_id=finding, status=status)
    correct(reviewed, "wrong_type", finding_id=finding, type="budget")
    correct(reviewed, "missed_competitor", **missed("Orbel"))
    first = reviewed.get("/v1/corrections", params={"limit": 2}).json()
    second = reviewed.get("/v1/corrections", params={"limit": 2, "cursor": first["next"]}).json()
    kinds = [c["kind"] for c in first["items"] + second["items"]]
    assert kinds == ["missed_competitor", "wrong_type", "wrong_status"]
    assert (first["total"], second["next"]) == (3, None)
    assert reviewed.get("/v1/corrections", params={"kind": "wrong_type", "note_id": 1}).json()["total"] == 1
    assert reviewed.get("/v1/corrections", params={"note_id": 2}).json()["total"] == 0
    assert reviewed.get("/v1/corrections", params={"state": "set_aside"}).json()["items"] == []


def test_a_new_analysis_keeps_corrections(reviewed: TestClient, engine: sa.Engine) -> None:
    """The new version finds the objection a little elsewhere, and finds what a person had added."""
    finding, mention = objection_id(reviewed), mention_id(reviewed)
    correct(reviewed, "wrong_type", finding_id=finding, type="budget")
    correct(reviewed, "missed_objection", **missed("No offline mode", type="product_gap"))
    correct(reviewed, "not_a_competitor", finding_id=mention)
    later = Later(
        ("finds it too expensive", ObjectionType.PRICE), ("offline mode", ObjectionType.VALUE), mentions=("zd",)
    )
    after = read_again(reviewed, engine, later)
    assert after["analyzer_version"] == "fake-2"
    assert [(o["quote"], o["type"]) for o in after["objections"]] == [
        ("finds it too expensive", "budget"),
        ("No offline mode", "product_gap"),
    ]
    assert after["competitors"] == []
    assert correct(reviewed, "not_a_competitor", 200, finding_id=mention)["state"] == "applied"
    moved = correct(reviewed, "wrong_status", finding_id=after["objections"][0]["id"], status="resolved")
    for correction in reviewed.get("/v1/corrections").json()["items"]:
        assert reviewed.delete(f"/v1/corrections/{correction['id']}").status_code == 204
    assert moved["quote"] == "too expensive"
    left = analysis(reviewed)
    assert [(o["type"], o["score"], o["corrected"]) for o in left["objections"]] == [
        ("price", 0.5, False),
        ("value", 0.5, False),
    ]
    assert [m["relation"] for m in left["competitors"]] == ["incumbent"]


def test_what_a_person_confirmed_stays_where_a_new_version_misses_it(reviewed: TestClient, engine: sa.Engine) -> None:
    finding = objection_id(reviewed)
    correct(reviewed, "wrong_status", finding_id=finding, status="resolved")
    (objection,) = read_again(reviewed, engine, Later())["objections"]
    assert (objection["quote"], objection["type"], objection["status"]) == ("too expensive", "price", "resolved")
    assert counts(reviewed, "objections") == {"price": 1}


def test_corrections_follow_their_words_through_an_edit(
    reviewed: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer
) -> None:
    correct(reviewed, "wrong_type", finding_id=objection_id(reviewed), type="budget")
    correct(reviewed, "missed_objection", **missed("No offline mode", type="product_gap"))
    edited = "Second call. " + TEXT.replace("No offline mode. ", "")
    after = read_again(reviewed, engine, analyzer, edited)
    assert [(o["quote"], o["type"], o["start"]) for o in after["objections"]] == [("too expensive", "budget", 35)]
    (aside,) = reviewed.get("/v1/corrections", params={"state": "set_aside"}).json()["items"]
    assert (aside["kind"], aside["reason"]) == (
        "missed_objection",
        "The note's text does not hold these words any more.",
    )
    back = read_again(reviewed, engine, analyzer, "Third call. " + TEXT)
    assert [o["type"] for o in back["objections"]] == ["budget", "product_gap"]
    assert reviewed.get("/v1/corrections", params={"state": "set_aside"}).json()["total"] == 0


def test_a_repeated_quote_is_told_by_the_words_around_it(
    client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer
) -> None:
    client.post("/v1/notes", json=note("a", "The module is too expensive. For Lyon the van is too expensive."))
    analyse_all(engine, analyzer)
    correct(client, "wrong_type", finding_id=analysis(client)["objections"][1]["id"], type="value")
    after = read_again(client, engine, analyzer, "For Lyon the van is too expensive. Also the bus is too expensive.")
    assert [o["type"] for o in after["objections"]] == ["value", "price"]


def test_a_wrong_span_moves_with_its_words(reviewed: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    correct(reviewed, "wrong_span", finding_id=objection_id(reviewed), start=0, end=35)
    (objection,) = read_again(reviewed, engine, analyzer, "Again: " + TEXT)["objections"]
    assert (objection["start"], objection["quote"]) == (7, TEXT[:35])
    (objection,) = read_again(reviewed, engine, analyzer, "It is too expensive.")["objections"]
    assert (objection["quote"], objection["corrected"]) == ("too expensive", False)


def test_a_correction_during_the_analysis_is_kept(reviewed: TestClient, engine: sa.Engine) -> None:
    finding = objection_id(reviewed)

    class Overtaken(FakeAnalyzer):
        def analyze(self, notes, catalog):  # type: ignore[no-untyped-def]
            correct(reviewed, "wrong_type", finding_id=finding, type="budget")
            return super().analyze(notes, catalog)

    (objection,) = read_again(reviewed, engine, Overtaken())["objections"]
    assert (objection["type"], objection["corrected"]) == ("budget", True)


def test_the_same_at_once_is_one(reviewed: TestClient) -> None:
    body = {"kind": "missed_objection", **missed("No offline mode", type="product_gap")}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: reviewed.post("/v1/corrections", json=body), range(8)))
    assert sorted(a.status_code for a in answers) == [200] * 7 + [201]
    assert len({a.json()["id"] for a in answers}) == 1
    with ThreadPoolExecutor(8) as pool:
        gone = list(pool.map(lambda _: reviewed.delete(f"/v1/corrections/{answers[0].json()['id']}"), range(8)))
    assert sorted(a.status_code for a in gone) == [204] + [404] * 7
    assert counts(reviewed, "objections") == {"price": 1}


def test_erasing_a_note_erases_its_corrections(reviewed: TestClient, engine: sa.Engine) -> None:
    correct(reviewed, "wrong_type", finding_id=objection_id(reviewed), type="budget")
    assert reviewed.delete("/v1/notes/1").status_code == 204
    assert reviewed.get("/v1/corrections").json()["total"] == 0
    with engine.connect() as connection:
        for table in (CorrectionTable, CorrectedNoteTable):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_a_dismissed_name_stays_away(reviewed: TestClient) -> None:
    made = correct(reviewed, "missed_competitor", **missed("Orbel"))
    reviewed.post("/v1/catalog/candidates", json={"name": "Orbel", "decision": "dismiss"})
    correct(reviewed, "wrong_relation", finding_id=mention_id(reviewed), relation="incumbent")
    assert counts(reviewed, "competitors") == {"zendesk": 1}
    assert reviewed.delete(f"/v1/corrections/{made['id']}").status_code == 204
    correct(reviewed, "missed_competitor", 409, **missed("Orbel"))


def test_a_name_that_the_catalogue_gets_later(reviewed: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    correct(reviewed, "missed_competitor", **missed("Orbel"))
    catalog = {**CATALOG, "competitors": [*CATALOG["competitors"], {"name": "Orbel Systems", "aliases": ["Orbel"]}]}
    assert reviewed.put("/v1/catalog", json=catalog).json()["requeued_notes"] == 1
    analyse_all(engine, analyzer)
    assert [(m["name"], m["known"]) for m in analysis(reviewed)["competitors"]] == [
        ("Zendesk", True),
        ("Orbel Systems", True),
    ]


def test_curating_needs_its_scope(reviewed: TestClient, engine: sa.Engine) -> None:
    body = {"kind": "not_an_objection", "finding_id": objection_id(reviewed)}
    for scope, status in ((Scope.READ, 403), (Scope.CURATE, 201)):
        headers = {"Authorization": f"Bearer {make_key(engine, scope)[1]}"}
        assert reviewed.post("/v1/corrections", json=body, headers=headers).status_code == status
    reader = {"Authorization": f"Bearer {make_key(engine, Scope.READ)[1]}"}
    assert reviewed.get("/v1/corrections", headers=reader).json()["items"][0]["created_by"] == "a key"
    assert reviewed.delete("/v1/corrections/1", headers=reader).status_code == 403


BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "wrong"}, "kind"),
    ({}, "kind"),
    ({"kind": "not_an_objection"}, "finding_id"),
    ({"kind": "not_an_objection", "finding_id": "99"}, "finding_id"),
    ({"kind": "not_an_objection", "finding_id": "x"}, "finding_id"),
    ({"kind": "not_an_objection", "finding_id": 2**80}, "finding_id"),
    ({"kind": "not_an_objection", "finding_id": "1", "type": "price"}, "type"),
    ({"kind": "not_an_objection", "finding_id": "1", "quote": "too dear"}, "quote"),
    ({"kind": "not_an_objection", "finding_id": "1", "quote": "\x00"}, "quote"),
    ({"kind": "wrong_type", "finding_id": "1"}, "type"),
    ({"kind": "wrong_type", "finding_id": "1", "type": "dear"}, "type"),
    ({"kind": "wrong_type", "finding_id": "1", "type": "price"}, "type"),
    ({"kind": "wrong_status", "finding_id": "1", "status": "closed"}, "status"),
    ({"kind": "wrong_span", "finding_id": "1", "start": 0, "end": 5000}, "end"),
    ({"kind": "wrong_span", "finding_id": "1", "start": 9, "end": 9}, "end"),
    ({"kind": "wrong_span", "finding_id": "1", "start": -1, "end": 9}, "start"),
    ({"kind": "wrong_span", "finding_id": "1", "start": 0, "end": 5, "quote": "other"}, "quote"),
    ({"kind": "missed_objection", "note_id": "99", "start": 0, "end": 5, "type": "price"}, "note_id"),
    ({"kind": "missed_objection", "note_id": "1", "start": 0, "type": "price"}, "end"),
    ({"kind": "missed_objection", "note_id": "1", "start": 3, "end": 4, "type": "price"}, "start"),
    ({"kind": "missed_objection", "note_id": "1", "start": 0, "end": 10**9, "type": "price"}, "end"),
    ({"kind": "missed_objection", "note_id": "1", "start": "0", "end": 5, "type": "price"}, "start"),
    ({"kind": "wrong_name", "finding_id": "1", "name": "Nobody"}, "name"),
    ({"kind": "wrong_name", "finding_id": "1", "name": "\ud800"}, "name"),
    ({"kind": "wrong_relation", "finding_id": "1", "relation": "friend"}, "relation"),
    ({"kind": "missed_competitor", "note_id": "1", "start": 0, "end": 3, "name": " "}, "name"),
    ({"kind": "missed_competitor", "note_id": "1", "start": 0, "end": 3, "colour": "red"}, "colour"),
]


def test_bad_corrections_are_422_and_change_nothing(reviewed: TestClient) -> None:
    before = analysis(reviewed)
    headers = {"Content-Type": "application/json"}
    for body, field in BAD:
        answer = reviewed.post(
            "/v1/corrections", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json()["errors"][0]["field"] == field, (body, answer.text)
    assert reviewed.post("/v1/corrections", content=b"{", headers=headers).status_code == 400
    assert analysis(reviewed) == before
    assert reviewed.get("/v1/corrections").json()["total"] == 0


def test_conflicts(reviewed: TestClient, engine: sa.Engine) -> None:
    finding = objection_id(reviewed)
    correct(reviewed, "missed_objection", 409, **missed("it too expensive", type="budget"))
    denial = correct(reviewed, "not_an_objection", finding_id=finding)
    for kind, fields in [
        ("wrong_type", {"finding_id": finding, "type": "budget"}),
        ("missed_objection", missed("it too expensive", type="budget")),
    ]:
        assert "undo it first" in correct(reviewed, kind, 409, **fields)["detail"]
    assert reviewed.delete(f"/v1/corrections/{denial['id']}").status_code == 204
    assert reviewed.delete(f"/v1/corrections/{denial['id']}").status_code == 404
    reviewed.post("/v1/notes", json=note("a", "All is well."))
    assert "read again" in correct(reviewed, "not_an_objection", 409, finding_id=finding)["detail"]
