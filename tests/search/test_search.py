"""Search by words: what is found, where it stands, and that nothing in a query is more than words."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from fastapi.testclient import TestClient

from service.database import alembic_config, write_session
from service.search.queries import forget_words
from service.search.words import parse_query, places
from tests.work import note

NOTES = [
    note(
        "en-1", "They find the prices too high.\nOur hosting is in the US.", account={"id": "a-1", "segment": "retail"}
    ),
    note("en-2", "The price was fine; no e-mail from the C.F.O. yet.", occurred_at="2026-08-01T00:00:00Z"),
    note("fr-1", "L'hébergement hors d'Europe pose problème au Cœur de Ville. Été.", account={"id": "a-2"}),
    note("fr-2", "Les réseaux locaux : trop cher, dit la cliente."),
]


def search(client: TestClient, q: str, **parameters: Any) -> dict[str, Any]:
    response = client.get("/v1/search", params={"q": q, **parameters})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def by_words(client: TestClient, q: str, **parameters: Any) -> set[str]:
    items = search(client, q, **parameters)["items"]
    return {item["note"]["external_id"] for item in items if "words" in item["matched"]}


@pytest.fixture
def filled(client: TestClient) -> TestClient:
    assert client.post("/v1/notes", json={"notes": NOTES}).status_code == 202
    return client


def test_words_are_found_whatever_their_case_accents_and_number(filled: TestClient) -> None:
    wanted = {
        "PRICE": {"en-1", "en-2"},
        "heberg": set(),
        "HEBERG*": {"fr-1"},
        "coeur": {"fr-1"},
        "ÉTE": {"fr-1"},
        "réseau": {"fr-2"},
        "locale": set(),
        "local": {"fr-2"},
        "price hosting": {"en-1"},
        '"too high"': {"en-1"},
        '"high too"': set(),
        "price -hosting": {"en-2"},
        'price -"no e-mail"': {"en-1"},
        "e-mail": {"en-2"},
        "l’hebergement d'europe": {"fr-1"},
        "the of": set(),
        "-price": set(),
    }
    assert {q: by_words(filled, q) for q in wanted} == wanted


def test_a_query_is_never_syntax(filled: TestClient) -> None:
    for q in (
        '"',
        "'",
        '"" * -',
        "AND OR NOT NEAR(",
        "price AND",
        "text:price",
        "rowid:1",
        "price')--",
        "^price",
        "{price} +high",
        "a:*&!|<->b",
        "-" * 400,
        '"price',
        "%_\\",
        "*",
        "🙂 ﷽",
        "x" * 500,
        "a " * 250,
    ):
        search(filled, q)
    assert filled.get("/v1/search", params={"q": ""}).json()["errors"][0]["field"] == "q"
    assert filled.get("/v1/search", params={"q": "x" * 501}).status_code == 422
    assert filled.get("/v1/search", params={"q": "a", "from": "2026-02-01", "to": "2026-01-01"}).status_code == 422
    assert filled.get("/v1/search", params={"q": "a", "cursor": "nonsense"}).status_code == 422


def test_highlights_are_offsets_into_the_stored_text(filled: TestClient) -> None:
    item = search(filled, "price hosting")["items"][0]
    text = filled.get(f"/v1/notes/{item['note']['id']}").json()["text"]
    assert [text[h["start"] : h["end"]] for h in item["highlights"]] == ["prices", "hosting"]
    assert text[item["snippet"]["start"] : item["snippet"]["end"]] == item["snippet"]["text"]


def test_filters_narrow_and_pages_follow_each_other(filled: TestClient) -> None:
    assert by_words(filled, "price", segment="retail") == {"en-1"}
    assert by_words(filled, "price", to="2026-08-31") == {"en-2"}
    first = search(filled, "price", limit=1)
    second = search(filled, "price", limit=1, cursor=first["next"])
    assert (first["total"], first["total_exact"], second["next"]) == (2, True, None)
    assert first["items"][0]["note"]["id"] != second["items"][0]["note"]["id"]


def test_the_index_follows_the_notes(filled: TestClient, engine: sa.Engine, database_url: str) -> None:
    filled.post("/v1/notes", json=note("en-2", "Nothing about money, only Zanzibar."))
    assert by_words(filled, "price") == {"en-1"}
    assert by_words(filled, "zanzibar") == {"en-2"}
    filled.post("/v1/notes", json={"external_id": "en-1", "deleted": True})
    assert by_words(filled, "price") == set()
    command.downgrade(alembic_config(database_url), "0012")
    command.upgrade(alembic_config(database_url), "head")  # existing notes are indexed
    assert by_words(filled, "zanzibar") == {"en-2"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_erased_words_leave_the_bytes_of_the_database(filled: TestClient, engine: sa.Engine, tmp_path: Path) -> None:
    filled.post("/v1/notes", json=note("en-1", "Xylophagous quarrels."))
    filled.post("/v1/notes", json={"external_id": "en-1", "deleted": True})
    with write_session(engine) as session:
        forget_words(session)
    with closing(sqlite3.connect(tmp_path / "binome.sqlite3")) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    assert b"xylophagous" not in (tmp_path / "binome.sqlite3").read_bytes().lower()
    assert by_words(filled, "price") == {"en-2"}


def test_a_note_of_any_size_is_taken(filled: TestClient) -> None:
    words = " ".join(f"w{i}" for i in range(80_000))
    assert filled.post("/v1/notes", json=note("long", f"Quagga. {words[:490_000]}")).status_code == 202
    assert by_words(filled, "quagga") == {"long"}
    assert filled.post("/v1/notes", json=note("one-word", "字" * 400_000)).status_code == 202


def test_places_do_not_overlap_and_keep_to_their_order() -> None:
    text = "Prix, prix : le prix du “prix fixe”."
    found = places(text, parse_query('prix "prix fixe"'), 100)
    assert [text[start:end] for start, end in found] == ["Prix", "prix", "prix", "prix fixe"]
    assert places(text, parse_query("prix"), 2) == [(0, 4), (6, 10)]
