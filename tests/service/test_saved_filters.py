"""Filters under a name: for whom they are seen, and what they lead to."""

from __future__ import annotations

import re

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.auth.scopes import Scope
from service.saved_filters import queries
from tests.service.visits import make_key, read_in, shown
from tests.work import note

RETAIL = {"from": "2026-07-01", "segment": "retail", "about": ["objection"]}


def _key(engine: sa.Engine, *scopes: Scope) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key(engine, *scopes)[1]}"}


def _names(client: TestClient, key: dict[str, str]) -> list[str]:
    return [one["name"] for one in client.get("/v1/saved-filters", headers=key).json()["items"]]


def test_own_and_shared_filters(client: TestClient, engine: sa.Engine) -> None:
    reader, curator = _key(engine, Scope.READ), _key(engine, Scope.READ, Scope.CURATE)
    own = client.post("/v1/saved-filters", headers=reader, json={"name": " Retail ", "filters": RETAIL})
    assert own.status_code == 201, own.text
    assert own.json()["query"] == "from=2026-07-01&segment=retail&about=objection"
    assert (own.json()["name"], own.json()["own"], own.json()["filters"]) == ("Retail", True, RETAIL)
    body = {"name": "All of it", "shared": True, "filters": {}}
    assert client.post("/v1/saved-filters", headers=reader, json=body).status_code == 403
    shared = client.post("/v1/saved-filters", headers=curator, json=body).json()
    assert _names(client, reader) == ["All of it", "Retail"]
    assert _names(client, curator) == ["All of it"]
    assert client.delete(f"/v1/saved-filters/{shared['id']}", headers=reader).status_code == 403
    assert client.delete(f"/v1/saved-filters/{own.json()['id']}", headers=curator).status_code == 404
    again = client.post("/v1/saved-filters", headers=reader, json={"name": "Retail", "filters": {"team": "north"}})
    assert again.json()["id"] == own.json()["id"]
    assert client.delete(f"/v1/saved-filters/{own.json()['id']}", headers=reader).status_code == 204
    assert client.delete(f"/v1/saved-filters/{shared['id']}", headers=curator).status_code == 204
    assert _names(client, reader) == []


def test_wrong_ones_are_named(client: TestClient, engine: sa.Engine) -> None:
    reader = _key(engine, Scope.READ)
    cases = [
        {"name": "", "filters": {}},
        {"name": "x" * 81, "filters": {}},
        {"name": "a", "filters": {"team_": "x"}},
        {"name": "a", "filters": {"from": "soon"}},
        {"name": "a"},
    ]
    for body in cases:
        answer = client.post("/v1/saved-filters", headers=reader, json=body)
        assert answer.status_code == 422, body
        assert answer.json()["errors"], body
    for number in range(queries.MOST_SAVED):
        client.post("/v1/saved-filters", headers=reader, json={"name": str(number), "filters": {}})
    full = client.post("/v1/saved-filters", headers=reader, json={"name": "one more", "filters": {}})
    assert full.status_code == 409


def test_a_person_saves_returns_and_deletes(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, note("a", "It is too expensive for us."))
    here = "/?language=en&about=objection"
    assert 'action="/saved-filters"' not in signed.get("/").text
    page = signed.get(here).text
    assert 'action="/saved-filters"' in page
    assert "Show them to everyone" not in page
    saved = signed.post("/saved-filters", data={"name": "<b>English</b>", "here": here})
    assert saved.headers["location"] == f"{here}#saved"
    for path, link in {
        "/": "/?language=en&amp;about=objection",
        "/search?q=too+dear": "/search?language=en&amp;about=objection&amp;q=too+dear",
        "/insights/objection/price": "/insights/objection/price?language=en&amp;about=objection",
    }.items():
        page = signed.get(path).text
        assert "<b>English" not in page
        assert f'href="{link}">&lt;b&gt;English' in page, path
    assert "Filtres enregistrés" in shown(signed.get("/?lang=fr").text)
    number = re.findall(r"/saved-filters/(\d+)/delete", page)[0]
    assert signed.post("/saved-filters", data={"name": " ", "here": here}).status_code == 422
    assert signed.post("/saved-filters", data={"name": "a", "here": here, "shared": "on"}).status_code == 403
    assert signed.post("/saved-filters/x/delete", data={}).status_code == 404
    gone = signed.post(f"/saved-filters/{number}/delete", data={"here": "//evil.example"})
    assert gone.headers["location"] == "/#saved"
    assert "/delete" not in signed.get("/").text


def test_an_erasure_takes_them_along(client: TestClient, engine: sa.Engine) -> None:
    admin = _key(engine, Scope.ADMIN)
    read_in(engine, note("a", "Too expensive.", account={"id": "acc-900", "name": "Harrow Foods"}))
    for name, filters in {"Harrow Foods": {}, "them": {"account": "acc-900"}, "others": {"account": "acc-901"}}.items():
        assert (
            client.post("/v1/saved-filters", headers=admin, json={"name": name, "filters": filters}).status_code == 201
        )
    wanted = {"kind": "account", "id": "acc-900", "also": ["Harrow Foods"], "confirm": True}
    erased = client.post("/v1/erasures", headers=admin, json=wanted)
    assert erased.status_code < 300, erased.text
    assert _names(client, admin) == ["others"]
