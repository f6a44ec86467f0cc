"""The OpenAPI document: every route says what it does, takes and gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

_OFFICE = "application/vnd.openxmlformats-officedocument"
BINARY = {"application/pdf", f"{_OFFICE}.presentationml.presentation", f"{_OFFICE}.spreadsheetml.sheet"}


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
            assert _examples(openapi, body), (path, method)


def test_every_answer_has_an_example(openapi: dict[str, Any]) -> None:
    """But 204, the handshake of CloudEvents, which has no body, and files that no text can show."""
    for path, method, operation in operations(openapi):
        for status, answer in operation["responses"].items():
            if "200" <= status < "300" and status != "204" and method != "options":
                assert answer["content"], (path, method, status)
                for media, body in answer["content"].items():
                    shown = _examples(openapi, body)
                    assert shown or (media in BINARY and body["schema"]["format"] == "binary"), (path, method, media)


def test_every_example_keeps_to_its_schema(openapi: dict[str, Any]) -> None:
    components = {"components": openapi["components"]}
    checked, wrong = 0, []
    for where, body in _json_bodies(openapi):
        validator = Draft202012Validator(body.get("schema", {}) | components, validate_formats=True)
        for example in _examples(openapi, body):
            checked += 1
            faults = validator.iter_errors(example)
            wrong += [f"{where} {fault.instance_path}: {fault.message[:200]}" for fault in faults]
    assert not wrong, "\n".join(wrong)
    assert checked > 100


def _json_bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the JSON bodies of requests and of answers that are no errors, with where they stand."""
    for path, method, operation in operations(document):
        answers = [answer for status, answer in operation["responses"].items() if status < "300"]
        for part in (operation.get("requestBody", {}), *answers):
            for media, body in part.get("content", {}).items():
                if media.partition(";")[0].endswith("json") and not media.endswith("ndjson"):
                    yield f"{method} {path} {media}", body


def test_every_list_has_an_example(openapi: dict[str, Any]) -> None:
    lists = {
        name: schema
        for name, schema in openapi["components"]["schemas"].items()
        if schema.get("properties", {}).get("items", {}).get("type") == "array"
    }
    assert len(lists) > 15
    for name, schema in lists.items():
        assert schema["examples"][0]["items"], name
        assert set(schema.get("required", [])) <= set(schema["examples"][0]), name
    page = openapi["components"]["schemas"]["InsightPage"]["examples"][0]
    assert (page["next"], page["total"], page["withheld"]) == (None, 1, 0)
    assert page["period"] == {"start": "2026-07-01", "end": "2026-09-30"}


def _examples(document: dict[str, Any], body: dict[str, Any]) -> list[Any]:
    """Return the examples of a body, from itself or from its schema."""
    if "example" in body:
        return [body["example"]]
    if "examples" in body:
        return [example["value"] for example in body["examples"].values()]
    return list(_resolved(document, body.get("schema", {})).get("examples", []))


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
