"""The OpenAPI document: every route says what it does, takes and gives."""

from __future__ import annotations

from typing import Any

import pytest


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, op) for path, item in document["paths"].items() for method, op in item.items()]


def test_every_route_has_summary_and_description(openapi: dict[str, Any]) -> None:
    assert len(operations(openapi)) > 15
    for path, method, operation in operations(openapi):
        assert operation.get("summary"), (path, method)
        assert operation.get("description"), (path, method)
        assert operation.get("tags"), (path, method)


def test_errors_are_documented_as_problems(openapi: dict[str, Any]) -> None:
    for path, method, operation in operations(openapi):
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_how_the_protocol_refuses_any_request_is_documented(openapi: dict[str, Any]) -> None:
    """No HTTP, too slow, a head too large, too many connections: before any route is reached."""
    for path, method, operation in operations(openapi):
        assert {"400", "408", "431", "503"} <= set(operation["responses"]), (path, method)


def test_every_body_has_an_example(openapi: dict[str, Any]) -> None:
    for path, method, operation in operations(openapi):
        for media, body in operation.get("requestBody", {}).get("content", {}).items():
            assert media == "application/json" or path.startswith(("/v1/imports", "/v1/webhooks"))
            assert body.get("examples") or _example(openapi, body["schema"]), (path, method)


def test_every_list_has_an_example(openapi: dict[str, Any]) -> None:
    lists = {
        name: schema
        for name, schema in openapi["components"]["schemas"].items()
        if schema.get("properties", {}).get("items", {}).get("type") == "array" and "RefusedRow" not in name
    }
    assert len(lists) > 15
    for name, schema in lists.items():
        assert schema["examples"][0]["items"], name
        assert set(schema.get("required", [])) <= set(schema["examples"][0]), name
    page = openapi["components"]["schemas"]["InsightPage"]["examples"][0]
    assert (page["next"], page["total"], page["withheld"]) == (None, 1, 0)
    assert page["period"] == {"start": "2026-07-01", "end": "2026-09-30"}


def _example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema.get("examples")


def test_references_resolve(openapi: dict[str, Any]) -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                assert value["$ref"].startswith("#/components/schemas/"), value["$ref"]
                assert value["$ref"].rsplit("/", 1)[1] in openapi["components"]["schemas"], value["$ref"]
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    walk(openapi)


@pytest.mark.parametrize(
    "path", ["/v1/notes", "/v1/catalog", "/v1/insights", "/v1/objections", "/v1/competitors", "/v1/corrections"]
)
def test_the_design_s_routes_are_there(openapi: dict[str, Any], path: str) -> None:
    assert path in openapi["paths"]


def test_every_list_is_paged(openapi: dict[str, Any]) -> None:
    paged = 0
    for path, method, operation in operations(openapi):
        schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        properties = _resolved(openapi, schema).get("properties", {})
        if method == "get" and "items" in properties:
            paged += 1
            assert {"items", "next", "total"} <= set(properties), path
            assert {"limit", "cursor"} <= {p["name"] for p in operation["parameters"]}, path
    assert paged > 15


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
