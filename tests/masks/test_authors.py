"""Authors go by pseudonyms for who may not see who they are."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.auth.scopes import Scope
from tests.analyzers import FakeAnalyzer
from tests.service.visits import make_key
from tests.work import analyse_all, note

Headers = dict[str, str]


@pytest.fixture
def reader(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> Headers:
    """A key that may read, over notes of two authors."""
    for number, author in enumerate(("solveig", "solveig", "rep-00000001")):
        client.post("/v1/notes", json=note(str(number), author={"id": author, "name": "S. Ferrandi", "team": "north"}))
    analyse_all(engine, analyzer)
    return {"Authorization": f"Bearer {make_key(engine, Scope.READ)[1]}"}


def authors(client: TestClient, headers: Headers | None = None, **asked: str) -> list[tuple[str, str | None]]:
    items = client.get("/v1/notes", headers=headers, params=asked).json()["items"]
    return [(item["author"]["id"], item["author"]["name"]) for item in reversed(items)]


def test_pseudonyms_are_stable_and_tell_nothing(client: TestClient, reader: Headers) -> None:
    first, second, third = authors(client, reader)
    assert first == second != third
    assert re.fullmatch(r"rep-[0-9a-f]{8}", first[0])
    assert {name for _, name in (first, third)} == {None}
    assert authors(client) == [("solveig", "S. Ferrandi")] * 2 + [("rep-00000001", "S. Ferrandi")]
    client.post("/v1/notes", json=note("0", "Another text.", author={"id": "solveig", "name": "S. Ferrandi-Ost"}))
    assert authors(client, reader)[0] == first


def test_filters_take_what_is_shown(client: TestClient, reader: Headers) -> None:
    pseudonym = authors(client, reader)[0][0]
    assert len(authors(client, reader, author=pseudonym)) == 2
    assert len(authors(client, author=pseudonym)) == len(authors(client, author="solveig")) == 2
    mentions = client.get("/v1/objections", headers=reader, params={"author": pseudonym}).json()["items"][0]["mentions"]
    assert mentions == 2


@pytest.mark.parametrize("author", ["solveig", "rep-00000001", "nobody", "rep-ffffffff", ""])
@pytest.mark.parametrize("path", ["/v1/notes", "/v1/insights", "/v1/search?q=expensive", "/v1/exports/notes"])
def test_nobody_is_looked_for_by_their_id(client: TestClient, reader: Headers, author: str, path: str) -> None:
    joined = "&" if "?" in path else "?"
    answer = client.get(f"{path}{joined}author={author}", headers=reader)
    assert answer.status_code == 403
    assert "personal" in answer.json()["detail"]
