"""A search tells nobody that a word is there which they may not see."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.auth.scopes import Scope
from tests.analyzers import FakeAnalyzer
from tests.service.visits import make_key
from tests.work import analyse_all, note

NOTES = (
    note("1", "Mr Expensive Vasseur finds it dear."),
    note("2", "The price is dear to Mr Vasseur."),
    note("3", "The price is dear, vasseur is a word here too, says Mr Vasseur."),
)
Search = Callable[[str], set[str]]


@pytest.fixture
def search(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> Search:
    """Searches by words, without the right to see what names persons."""
    client.post("/v1/notes", json={"notes": list(NOTES)})
    analyse_all(engine, analyzer)
    client.post("/v1/notes", json=note("4", "Nobody knows yet whom this dear price names."))
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.READ)[1]}"}

    def found(q: str) -> set[str]:
        answer = client.get("/v1/search", params={"q": q}, headers=headers).json()
        return {one["note"]["external_id"] for one in answer["items"] if "words" in one["matched"]}

    return found


@pytest.mark.parametrize(
    ("q", "notes"),
    [
        ("vasseur", {"3"}),
        ("dear vasseur", {"3"}),
        ("dear -vasseur", {"1", "2"}),
        ("vass*", {"3"}),
        ('"mr vasseur"', set()),
        ("expensive", set()),
        ("dear", {"1", "2", "3"}),
        ("dear -expensive", {"1", "2", "3"}),
    ],
)
def test_hidden_words_are_not_there(search: Search, q: str, notes: set[str]) -> None:
    assert search(q) == notes


def test_who_may_see_them_finds_them(search: Search, client: TestClient) -> None:
    found = client.get("/v1/search", params={"q": "vasseur"}).json()["items"]
    assert {one["note"]["external_id"] for one in found if "words" in one["matched"]} == {"1", "2", "3"}


def test_places_are_the_same_for_all(search: Search, client: TestClient, engine: sa.Engine) -> None:
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.READ)[1]}"}
    assert search("price")
    hidden = client.get("/v1/search", params={"q": "dear"}, headers=headers).json()["items"]
    for item in hidden:
        text = client.get(f"/v1/notes/{item['note']['id']}").json()["text"]
        shown = item["snippet"]
        assert len(shown["text"]) == shown["end"] - shown["start"]
        assert "Vasseur" in text
        assert "Vasseur" not in shown["text"]
        assert [text[h["start"] : h["end"]] for h in item["highlights"]] == ["dear"]


def test_meaning_leads_to_no_name(search: Search, client: TestClient, engine: sa.Engine) -> None:
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.READ)[1]}"}
    assert client.get("/v1/search", params={"q": "Zorbulon Kervadec"}, headers=headers).json()["total"] == 0
    assert search("zorbulon") == set()
