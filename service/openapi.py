"""What the OpenAPI document says beyond what FastAPI reads from the routes."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI

from service.notes.schemas import IncomingNote
from service.problems import ProblemBody, problem_responses

Schemas = dict[str, dict[str, Any]]
_USUAL = {"integer": 0, "boolean": True}  # what beside its items a list tells, where no example says more


def describe(app: FastAPI) -> None:
    """Have the document tell how requests may be refused, what routes parse themselves, and an example of each list."""
    described = app.openapi

    @cache  # every request asks for it, to know the parameters of its route
    def openapi() -> dict[str, Any]:
        document = described()
        schemas: Schemas = document["components"]["schemas"]
        for model in (IncomingNote, ProblemBody):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= {**schema.pop("$defs", {}), model.__name__: schema}
        by_protocol, by_body = problem_responses(400, 408, 431, 503), problem_responses(413, 415)
        operations = [one for path in document["paths"].values() for one in path.values()]
        for operation in operations:
            refusals = {**by_protocol, **(by_body if "requestBody" in operation else {})}
            operation["responses"] = {str(status): refusals[status] for status in refusals} | operation["responses"]
        for schema in schemas.values():
            schema |= _whole_examples(schema, schemas)
        for schema in schemas.values():
            _give_example(schema, schemas)
        for operation in operations:
            _show_alternatives(operation["responses"], schemas)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _whole_examples(schema: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    examples = [_with_nulls(example, schema, schemas) for example in schema.get("examples", [])]
    return {"examples": examples} if examples else {}


def _with_nulls(value: Any, schema: dict[str, Any], schemas: Schemas) -> Any:
    """Put back into an example what is null in it: FastAPI leaves nulls out of the whole document."""
    schema = _resolved(schema, schemas)
    if isinstance(value, list):
        return [_with_nulls(one, schema.get("items", {}), schemas) for one in value]
    if not isinstance(value, dict):
        return value
    if "anyOf" in schema:  # in our schemas: an object or null
        schema = next((found for one in schema["anyOf"] if "properties" in (found := _resolved(one, schemas))), {})
    properties = schema.get("properties", {})
    whole = {name: _with_nulls(part, properties.get(name, {}), schemas) for name, part in value.items()}
    nulls = [name for name in schema.get("required", []) if {"type": "null"} in properties[name].get("anyOf", [])]
    return whole | {name: None for name in nulls if name not in whole}


def _resolved(schema: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    return schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _give_example(schema: dict[str, Any], schemas: Schemas) -> None:
    """Give a list that has no example one of a single item, which is its item's example."""
    properties = schema.get("properties", {})
    item = _first_example(properties.get("items", {}).get("items", {}), schemas)
    if item is None or "examples" in schema:
        return
    others = {
        name: _USUAL.get(part.get("type", ""), _first_example(part, schemas))
        for name, part in properties.items()
        if name != "items"
    }
    paging = {"next": None, "total": 1} if "next" in others else {}
    schema["examples"] = [{"items": [item], **others, **paging}]


def _show_alternatives(answers: dict[str, Any], schemas: Schemas) -> None:
    """Give an answer that may be one thing or another an example of each."""
    for body in (body for answer in answers.values() for body in answer.get("content", {}).values()):
        found = [(one["$ref"], _first_example(one, schemas)) for one in body.get("schema", {}).get("anyOf", [])]
        if found:
            body["examples"] = {name.rsplit("/", 1)[1]: {"value": value} for name, value in found}


def _first_example(part: dict[str, Any], schemas: Schemas) -> Any:
    """Return the first example of a schema, of what it refers to or of one of its alternatives; None without any."""
    part = _resolved(part, schemas)
    if "examples" in part:
        return part["examples"][0]
    return next((found for one in part.get("anyOf", []) if (found := _first_example(one, schemas)) is not None), None)
