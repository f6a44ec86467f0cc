"""Keys: what they open, and how they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.dependencies import Caller
from service.settings import Settings
from service.start import KEY_FILE, ensure_first_key, rotate
from tests.work import note

ROUTES = [
    ("POST", "/v1/notes", "ingest"),
    ("GET", "/v1/notes", "read"),
    ("GET", "/v1/catalog", "read"),
    ("PUT", "/v1/catalog", "curate"),
    ("GET", "/v1/jobs", "read"),
    ("GET", "/v1/backlog", "read"),
    ("POST", "/v1/themes/refit", "curate"),
    ("GET", "/v1/keys", "admin"),
]
BODIES = {"/v1/notes": note("a"), "/v1/catalog": {"us": [], "competitors": []}}


def ask(client: TestClient, method: str, path: str, key: str) -> int:
    body = BODIES.get(path) if method in {"POST", "PUT"} else None
    return client.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"}).status_code


@pytest.mark.parametrize("scope", ["ingest", "read", "curate"])
def test_a_scope_opens_its_routes_and_no_others(client: TestClient, scope: str) -> None:
    created = client.post("/v1/keys", json={"name": "crm", "scopes": [scope]}).json()
    for method, path, wanted in ROUTES:
        status = ask(client, method, path, created["key"])
        assert (status == 403) == (wanted != scope), (method, path, status)


def test_missing_unknown_expired_and_revoked_keys_are_401(client: TestClient) -> None:
    assert ask(client, "GET", "/v1/notes", "bn_unknown") == 401
    bare = TestClient(client.app, raise_server_exceptions=False)
    response = bare.get("/v1/notes")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    old = client.post("/v1/keys", json={"name": "old", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}).json()
    assert ask(client, "GET", "/v1/notes", old["key"]) == 401
    key = client.post("/v1/keys", json={"name": "crm", "scopes": ["read"]}).json()
    assert ask(client, "GET", "/v1/notes", key["key"]) == 200
    assert client.delete(f"/v1/keys/{key['id']}").status_code == 204
    assert ask(client, "GET", "/v1/notes", key["key"]) == 401
    assert client.delete(f"/v1/keys/{key['id']}").status_code == 404


def test_secrets_are_shown_once(client: TestClient) -> None:
    created = client.post("/v1/keys", json={"name": "crm", "scopes": ["read"]}).json()
    assert created["key"] not in client.get("/v1/keys").text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "", "scopes": ["read"]},
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["root"]},
        {"name": "a", "scopes": ["read"], "expires_at": "2026-01-01T00:00:00"},
        {"name": "a\x00", "scopes": ["read"]},
    ],
)
def test_bad_keys_are_refused(client: TestClient, body: dict) -> None:
    assert client.post("/v1/keys", json=body).status_code == 422


@pytest.mark.parametrize(
    ("scopes", "sees"),
    [(["read"], False), (["read", "curate"], False), (["read", "personal"], True), (["admin"], True)],
)
def test_who_sees_personal_data(scopes: list[str], sees: bool) -> None:
    assert Caller(1, "a key", tuple(scopes)).sees_personal is sees


def test_a_rotated_key_has_a_grace(client: TestClient) -> None:
    made = client.post("/v1/keys", json={"name": "crm", "scopes": ["read"]}).json()
    turned = client.post(f"/v1/keys/{made['id']}/rotate").json()
    assert turned["key"] != made["key"]
    assert turned["previous_until"]
    assert [ask(client, "GET", "/v1/notes", key) for key in (made["key"], turned["key"])] == [200, 200]
    again = client.post(f"/v1/keys/{made['id']}/rotate", json={"grace_hours": 0}).json()
    keys = (made["key"], turned["key"], again["key"])
    assert [ask(client, "GET", "/v1/notes", key) for key in keys] == [401, 401, 200]
    assert client.post("/v1/keys/99/rotate").status_code == 404


def test_a_key_says_why_it_is_refused(client: TestClient) -> None:
    def code(key: str) -> str:
        return client.get("/v1/notes", headers={"Authorization": f"Bearer {key}"}).json()["code"]

    body = {"name": "old", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    assert code(client.post("/v1/keys", json=body).json()["key"]) == "key_expired"
    made = client.post("/v1/keys", json={"name": "crm", "scopes": ["read"]}).json()
    turned = client.post(f"/v1/keys/{made['id']}/rotate", json={"grace_hours": 0}).json()
    assert code(made["key"]) == "key_rotated"
    client.delete(f"/v1/keys/{made['id']}")
    assert code(turned["key"]) == "key_revoked"
    assert code("bn_unknown") == "unauthorized"


def test_the_key_of_the_settings_is_rotated_there(client: TestClient) -> None:
    (only,) = client.get("/v1/keys").json()["items"]
    assert client.post(f"/v1/keys/{only['id']}/rotate").status_code == 409


def test_the_key_in_the_data_folder_follows_its_rotation(engine: sa.Engine, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, _env_file=None)
    at = datetime.now(UTC)
    with write_session(engine) as session:
        first = ensure_first_key(session, settings, at)
        turned = rotate(session, settings, first.row.id, at, timedelta())
        assert turned is not None
        assert (tmp_path / KEY_FILE).read_text().strip() == turned[1]
        assert ensure_first_key(session, settings, at).made is None


def test_last_use_is_written_now_and_then(client: TestClient, engine: sa.Engine) -> None:
    assert client.get("/v1/keys").json()["items"][0]["last_used_at"] is None
    client.app.state.usage.flush()
    assert client.get("/v1/keys").json()["items"][0]["last_used_at"] is not None


def test_keys_are_listed_by_pages(client: TestClient) -> None:
    for name in "abc":
        client.post("/v1/keys", json={"name": name, "scopes": ["read"]})
    first = client.get("/v1/keys?limit=2").json()
    rest = client.get("/v1/keys", params={"limit": 2, "cursor": first["next"]}).json()
    ids = [one["id"] for one in first["items"] + rest["items"]]
    assert (len(first["items"]), first["total"], rest["next"]) == (2, len(ids), None)
    assert len(set(ids)) == len(ids) >= 3
    assert client.get("/v1/keys?limit=0").status_code == 422
