"""Every error has one shape, application/problem+json, whatever goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service import errors
from tests.work import note

FAILING: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/v1/nothing", {}, 404, "not_found"),
    ("PATCH", "/v1/notes", {}, 405, "method_not_allowed"),
    ("GET", "/v1/notes/999", {}, 404, "not_found"),
    ("DELETE", "/v1/notes/999", {}, 404, "not_found"),
    ("POST", "/v1/notes/999/retry", {}, 404, "not_found"),
    ("POST", "/v1/notes/1/retry", {}, 409, "conflict"),
    ("POST", "/v1/notes", {"content": b"{"}, 400, "invalid_json"),
    ("POST", "/v1/notes", {"json": {}}, 422, "invalid_input"),
    ("PUT", "/v1/catalog", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "invalid_json"),
    ("PUT", "/v1/catalog", {"json": {"us": 1}}, 422, "invalid_input"),
    ("PUT", "/v1/catalog", {"content": b'{"us": [], "competitors": []}'}, 415, "unsupported_media_type"),
    ("POST", "/v1/corrections", {"data": {"kind": "wrong_type"}}, 415, "unsupported_media_type"),
    ("POST", "/v1/keys/1/rotate", {"content": b'{"grace_hours": 0}'}, 415, "unsupported_media_type"),
    ("GET", "/v1/notes?limit=0", {}, 422, "invalid_input"),
    ("GET", "/v1/notes?team=north&team=south", {}, 422, "invalid_input"),
    ("GET", "/v1/audit?since=9999-12-31T23:59:59-12:00", {}, 422, "invalid_input"),
    (
        "POST",
        "/v1/keys",
        {"json": {"name": "a", "scopes": ["read"], "expires_at": "0001-01-01T00:00:00+12:00"}},
        422,
        "invalid_input",
    ),
    ("GET", "/v1/notes?nothing=1", {}, 422, "invalid_input"),
    ("GET", "/v1/notes", {"headers": {"Authorization": "Bearer wrong"}}, 401, "unauthorized"),
    ("GET", "/v1/jobs/999", {}, 404, "not_found"),
    ("DELETE", "/v1/keys/999", {}, 404, "not_found"),
    ("GET", "/readyz", {}, 503, "no_worker"),
    ("POST", "/v1/notes", {"headers": {"Content-Length": "99999999999"}, "content": b"{}"}, 413, "too_large"),
]


@pytest.mark.parametrize(("method", "path", "request_", "status", "code"), FAILING)
def test_shape(client: TestClient, method: str, path: str, request_: dict[str, Any], status: int, code: str) -> None:
    client.post("/v1/notes", json=note("a"))
    response = client.request(method, path, **request_)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "code", "detail", "errors", "request_id"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    assert all(set(fault) == {"field", "code", "message"} for fault in body["errors"])
    assert body["request_id"] == response.headers["x-request-id"] != ""


def test_every_problem_has_its_own_code_and_status() -> None:
    problems = errors.Problem.__subclasses__()
    assert len({p.code for p in problems}) == len({p.status for p in problems}) == len(problems)


def test_what_was_sent_is_not_repeated(client: TestClient) -> None:
    response = client.post("/v1/notes", json=note("a", kind="The secret of the customer"))
    assert response.status_code == 422
    assert "secret" not in response.text
