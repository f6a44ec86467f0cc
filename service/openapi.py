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
        for operation in (one for path in document["paths"].values() for one in path.values()):
            refusals = {**by_protocol, **(by_body if "requestBody" in operation else {})}
            operation["responses"] = {str(status): refusals[status] for status in refusals} | operation["responses"]
        for schema in schemas.values():
            _give_example(schema, schemas)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


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


def _first_example(part: dict[str, Any], schemas: Schemas) -> Any:
    """Return the first example of a schema, of what it refers to or of one of its alternatives; None without any."""
    if "$ref" in part:
        part = schemas[part["$ref"].rsplit("/", 1)[1]]
    if "examples" in part:
        return part["examples"][0]
    return next((found for one in part.get("anyOf", []) if (found := _first_example(one, schemas)) is not None), None)
