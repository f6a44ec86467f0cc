"""The life of one note, from a CRM's request to an insight: read this first.

A sales person wrote down a call. The CRM posts it; Binôme answers once it is safe on disk; a worker reads it in the
background; what the customer said then stands in the ranked insights, with the customer's own words as evidence.
All parts are real here: storage, reader, worker, job engine. Only the network is missing.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from models.types import Analyzer
from tests.work import wait_until, worker_running

CATALOG = {"us": ["Clavance"], "competitors": [{"name": "Verrolys", "aliases": ["VRL"]}]}

NOTE = {
    "source": "hubspot",
    "external_id": "call-1042",
    "kind": "call_note",
    "occurred_at": "2026-09-14T10:20:00Z",
    "author": {"id": "rep-07", "name": "R. Marchetti", "team": "north"},
    "account": {"id": "acc-019", "name": "Harrow Foods", "segment": "mid-market"},
    "deal": {"id": "d-104", "amount": 48000, "currency": "EUR", "stage": "proposal", "outcome": "open"},
    "text": (
        "Call with the site manager. Our price is 20% above the other quote and she wants a discount. "
        "They run Verrolys today and are unhappy with its support."
    ),
}


@pytest.mark.slow
def test_a_note_becomes_an_insight(
    client: TestClient, engine: sa.Engine, database_url: str, real_analyzer: Analyzer
) -> None:
    # A marketer has said who we are and whom we compete with.
    assert client.put("/v1/catalog", json=CATALOG).status_code == 200

    # 1. Take in. The CRM posts the note; 202 means that it is committed.
    accepted = client.post("/v1/notes", json=NOTE)
    assert accepted.status_code == 202
    (result,) = accepted.json()["results"]
    assert result["result"] == "created"

    # CRMs deliver more than once: the same note again changes nothing.
    assert client.post("/v1/notes", json=NOTE).json()["results"][0]["result"] == "unchanged"

    # 2. Analyse. The note waits in the database; a worker picks it up, whenever it comes.
    note_path = f"/v1/notes/{result['id']}"
    assert client.get(note_path).json()["analysis"]["state"] == "pending"
    with worker_running(engine, database_url, real_analyzer):
        wait_until(lambda: client.get(note_path).json()["analysis"]["state"] == "done")

    # What was read in it: a reason against us, with the exact words, and a competitor.
    note = client.get(note_path).json()
    analysis = note["analysis"]
    assert analysis["language"] == "en"
    price = next(o for o in analysis["objections"] if o["type"] == "price")
    assert "20% above the other quote" in price["quote"]
    assert note["text"][price["start"] : price["end"]] == price["quote"]
    (mention,) = analysis["competitors"]
    assert (mention["name"], mention["known"], mention["relation"]) == ("Verrolys", True, "incumbent")

    # 3. Rank. The month's insights name the objection, say why it ranks where it does, and what money is behind it.
    insights = client.get("/v1/insights", params={"from": "2026-09-01", "to": "2026-09-30"}).json()["items"]
    insight = next(i for i in insights if i["about"] == "objection")
    assert insight["rank"] >= 1
    assert insight["reasons"]
    assert sum(reason["points"] for reason in insight["reasons"]) == pytest.approx(insight["score"], abs=0.05)
    assert insight["measures"]["money"]["open"] == [{"currency": "EUR", "amount": 48000}]

    # 4. Trace back. Behind every count stands a quote, and behind every quote its note.
    evidence = client.get("/v1/objections/price/evidence", params={"from": "2026-09-01", "to": "2026-09-30"}).json()
    assert evidence["items"][0]["quote"] == price["quote"]
    assert evidence["items"][0]["note_id"] == result["id"]

    # 5. Forget. The customer asks for erasure: the words go, and with them all that was found in them.
    assert client.delete(note_path).status_code == 204
    assert client.get(note_path).status_code == 404
    assert client.get("/v1/insights", params={"from": "2026-09-01", "to": "2026-09-30"}).json()["items"] == []
