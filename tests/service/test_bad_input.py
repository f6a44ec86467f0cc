"""Bad input is answered 4xx, names the field, and never costs the good notes of a batch."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.work import note

JSON = {"Content-Type": "application/json"}

BAD_NOTES: list[tuple[str, dict[str, Any], str]] = [
    ("text is a number", {"text": 5}, "text"),
    ("text is a list", {"text": ["x"]}, "text"),
    ("text is null", {"text": None}, "text"),
    ("text is empty", {"text": ""}, "text"),
    ("text is blank", {"text": " \n\t"}, "text"),
    ("text is empty HTML", {"text": "<p> </p><script>x</script>"}, "text"),
    ("text holds NUL", {"text": "a\x00b"}, "text"),
    ("text holds a lone surrogate", {"text": "a\ud800b"}, "text"),
    ("text is over the limit", {"text": "a" * 1_000_000}, "text"),
    ("unknown field", {"txet": "x"}, "txet"),
    ("unknown field within", {"account": {"id": "a", "colour": "red"}}, "account.colour"),
    ("date without zone", {"occurred_at": "2026-09-14T10:20:00"}, "occurred_at"),
    ("date as a number", {"occurred_at": 1_757_844_000}, "occurred_at"),
    ("date that is none", {"occurred_at": "yesterday"}, "occurred_at"),
    ("date out of range", {"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at"),
    ("date before the first in UTC", {"occurred_at": "0001-01-01T00:00:00+12:00"}, "occurred_at"),
    ("update after the last in UTC", {"updated_at": "9999-12-31T23:59:59-12:00"}, "updated_at"),
    ("update without zone", {"updated_at": "2026-09-14T10:20:00"}, "updated_at"),
    ("unknown kind", {"kind": "sms"}, "kind"),
    ("unknown language", {"language": "de"}, "language"),
    ("id is an object", {"external_id": {}}, "external_id"),
    ("id is empty", {"external_id": " "}, "external_id"),
    ("id holds NUL", {"external_id": "a\x00"}, "external_id"),
    ("id is too long", {"external_id": "x" * 501}, "external_id"),
    ("id is a boolean", {"external_id": True}, "external_id"),
    ("source holds a lone surrogate", {"source": "\udfff"}, "source"),
    ("author is a name", {"author": "Ann"}, "author"),
    ("author without id", {"author": {"name": "Ann"}}, "author.id"),
    ("account without id and name", {"account": {}}, "account"),
    ("account is a list", {"account": []}, "account"),
    ("amount is text", {"deal": {"id": "d", "amount": "5"}}, "deal.amount"),
    ("amount is negative", {"deal": {"id": "d", "amount": -1}}, "deal.amount"),
    ("amount is huge", {"deal": {"id": "d", "amount": 1e300}}, "deal.amount"),
    ("currency is a word", {"deal": {"id": "d", "currency": "euro"}}, "deal.currency"),
    ("unknown outcome", {"deal": {"id": "d", "outcome": "maybe"}}, "deal.outcome"),
    ("deleted is text", {"deleted": "yes"}, "deleted"),
]


@pytest.mark.parametrize(("fault", "field"), [(b, f) for _, b, f in BAD_NOTES], ids=[name for name, _, _ in BAD_NOTES])
def test_bad_note_is_named_and_the_good_ones_kept(client: TestClient, fault: dict[str, Any], field: str) -> None:
    bad = {**note("bad"), **fault}
    alone = client.post("/v1/notes", content=json.dumps(bad), headers=JSON)
    assert alone.status_code == 422, alone.text
    assert alone.json()["errors"][0]["field"] == field
    batch = client.post("/v1/notes", content=json.dumps({"notes": [note("a"), bad, note("b")]}), headers=JSON)
    assert batch.status_code == 202
    results = batch.json()["results"]
    assert [r["result"] for r in results] == ["created", "rejected", "created"]
    assert results[1]["error"]["field"] == field
    assert client.get("/v1/notes").json()["total"] == 2


def test_text_within_the_limit_is_kept_whole(client: TestClient) -> None:
    text = "Customers wait. " * 31_250
    assert client.post("/v1/notes", json=note("a", text)).status_code == 202
    assert client.get("/v1/notes/1").json()["text"] == text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"\xff\xfe{}", "invalid_utf8"),
        (b'{"external_id": "a", "text": "\xe9t\xe9"}', "invalid_utf8"),
        (b'{"external_id": "a", "text": "x", "deal": {"id": "d", "amount": NaN}}', "invalid_json"),
        (b'{"external_id": "a", "text": "x", "deal": {"id": "d", "amount": Infinity}}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "invalid_json"),
    ],
    ids=["empty", "cut off", "wrong encoding", "latin-1", "NaN", "Infinity", "deep list", "deep object"],
)
def test_body_that_is_no_json_is_400(client: TestClient, body: bytes, code: str) -> None:
    response = client.post("/v1/notes", content=body, headers=JSON)
    assert response.status_code == 400
    assert response.json()["code"] == code


@pytest.mark.parametrize(
    "body",
    [
        [],
        "note",
        5,
        None,
        {"notes": []},
        {"notes": {}},
        {"notes": [note(str(i)) for i in range(1001)]},
        {"notes": [note("a")], "x": 1},
        {"notes": [5, None]},
    ],
    ids=["list", "text", "number", "null", "no notes", "notes is an object", "too many", "extra field", "no objects"],
)
def test_body_of_another_shape_is_422(client: TestClient, body: Any) -> None:
    response = client.post("/v1/notes", content=json.dumps(body), headers=JSON)
    assert response.status_code == 422
    assert response.json()["errors"]
    assert client.get("/v1/notes").json()["total"] == 0


def test_body_over_the_limit_is_413(client: TestClient) -> None:
    declared = client.post("/v1/notes", content=b"x" * (33 * 1024 * 1024), headers=JSON)
    streamed = client.post("/v1/notes", content=(b"x" * 1024 * 1024 for _ in range(33)), headers=JSON)
    for response in (declared, streamed):
        assert response.status_code == 413
        assert response.json()["code"] == "too_large"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"us": ["Clavance"]},
        {"competitors": [{"name": "Zendesk"}]},
        {"us": "Clavance", "competitors": []},
        {"us": [5], "competitors": []},
        {"us": [""], "competitors": []},
        {"us": [" "], "competitors": []},
        {"us": ["a\x00"], "competitors": []},
        {"us": [], "competitors": ["Zendesk"]},
        {"us": [], "competitors": [{"aliases": ["zd"]}]},
        {"us": [], "competitors": [{"name": "Zendesk", "alias": ["zd"]}]},
        {"us": [], "competitors": [{"name": "Zendesk", "aliases": "zd"}]},
        {"us": [], "competitors": [{"name": "Zendesk"}, {"name": "ZENDESK"}]},
        {"us": ["Clavance"], "competitors": [{"name": "Clavance"}]},
        {"us": [], "competitors": [{"name": "A", "aliases": ["x"]}, {"name": "B", "aliases": ["X"]}]},
        {"us": [], "competitors": [], "rivals": []},
    ],
)
def test_catalogue_of_another_shape_is_422_and_changes_nothing(client: TestClient, body: Any) -> None:
    good = {"us": ["Clavance"], "competitors": [{"name": "Zendesk", "aliases": ["zd"]}]}
    assert client.put("/v1/catalog", json=good).status_code == 200
    response = client.put("/v1/catalog", json=body)
    assert response.status_code == 422, response.text
    assert response.json()["errors"]
    assert client.get("/v1/catalog").json() == good


@pytest.mark.parametrize(
    "path",
    [
        "/v1/notes?limit=0",
        "/v1/notes?limit=201",
        "/v1/notes?limit=x",
        "/v1/notes?cursor=nonsense",
        "/v1/notes?cursor=WzFd",
        "/v1/notes?cursor=W1tdLDFd",
        "/v1/notes?from=14.09.2026",
        "/v1/notes?state=maybe",
        "/v1/notes?acount=a",
        "/v1/notes?language=de",
        "/v1/notes/0",
        "/v1/notes/x",
        "/v1/jobs/99999999999999999999999",
        "/v1/notes?external_id=%00&kind=sms",
    ],
)
def test_bad_parameters_are_422(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"]


@pytest.mark.parametrize(
    "path", ["/v1/notes?external_id=%00", "/v1/notes?source=%00", "/v1/notes?account=%ff", "/v1/notes?team=%ed%a0%80"]
)
def test_odd_characters_in_parameters_are_no_server_error(client: TestClient, path: str) -> None:
    assert client.get(path).status_code < 500


@pytest.mark.parametrize("path", ["/v1/notes", "/v1/corrections"])
def test_a_packed_body_is_refused_with_what_to_do(client: TestClient, path: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = client.post(path, content=gzip.compress(b"{}"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "without Content-Encoding" in answer.json()["detail"]


def test_json_may_begin_with_a_byte_order_mark(client: TestClient) -> None:
    body = json.dumps({"external_id": "a", "text": "They left."}).encode("utf-8-sig")
    assert client.post("/v1/notes", content=body).status_code == 202
    catalog = json.dumps({"us": ["Clavance"], "competitors": []}).encode("utf-8-sig")
    headers = {"Content-Type": "application/json"}
    assert client.put("/v1/catalog", content=catalog, headers=headers).status_code == 200


@pytest.mark.parametrize("body", [[], {"notes": [], "other": 1}, {"notes": []}])
def test_each_fault_of_a_batch_says_what_to_do(client: TestClient, body: Any) -> None:
    (fault,) = client.post("/v1/notes", json=body).json()["errors"]
    assert "detail" not in fault["message"]
    assert "send" in fault["message"] or "remove" in fault["message"]


def test_no_field_of_a_body_takes_what_no_database_holds(client: TestClient, openapi: dict[str, Any]) -> None:
    """U+0000 in each text of each body, by its example: PostgreSQL can't store it, nor compare with it."""
    bodies = list(_bodies_with_nul(openapi))
    answers = [client.request(method, path, json=body).status_code for path, method, body in bodies]
    assert not [(one, status) for one, status in zip(bodies, answers, strict=True) if not 400 <= status < 500]
    assert len(bodies) > 30


def _bodies_with_nul(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    schemas = openapi["components"]["schemas"]
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            named = [one["$ref"] for one in _alternatives(content.get("schema", {})) if "$ref" in one]
            for schema in (schemas[name.rsplit("/", 1)[1]] for name in named):
                texts = [n for n, part in schema.get("properties", {}).items() if _takes_text(part)]
                for name in texts:
                    address = re.sub(r"\{\w+\}", "1", path)
                    yield address, method, {**schema["examples"][0], name: "enough text\x00"}


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *schema.get("anyOf", []), *schema.get("oneOf", [])]


def _takes_text(schema: dict[str, Any]) -> bool:
    return any(one.get("type") == "string" and "enum" not in one for one in _alternatives(schema))
