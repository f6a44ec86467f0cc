"""What is wrong with a field is said in plain words: which field it is, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.field_words import KINDS, PATTERNS
from service.reasons.telling import in_french
from tests.work import note

LONG = "x" * 201
FAULTS: list[tuple[str, str, Any, str, str]] = [
    ("GET", "/v1/notes?limit=0", None, "limit", "must be at least 1"),
    ("GET", "/v1/notes?limit=201", None, "limit", "must be at most 200"),
    ("GET", "/v1/notes?limit=many", None, "limit", "must be a whole number"),
    ("GET", "/v1/notes?from=1899-12-31", None, "from", "must be at least 1900-01-01"),
    ("GET", "/v1/notes?from=yesterday", None, "from", "is no day: write it as 2026-09-30"),
    ("GET", "/v1/notes?language=de", None, "language", "must be 'en', 'fr', 'mixed' or 'unknown'"),
    ("GET", "/v1/notes?kind=sms", None, "kind", "must be 'call_note', "),
    ("GET", f"/v1/notes?team={LONG}", None, "team", "is longer than 200 characters: shorten it"),
    ("GET", "/v1/notes?team=", None, "team", "it is empty: give a value, or leave it out"),
    ("GET", "/v1/notes?teem=north", None, "teem", "is no parameter here: remove it"),
    ("GET", "/v1/notes/0", None, "note_id", "must be at least 1"),
    ("GET", "/v1/audit?since=2026-09-14T10:20:00", None, "since", "is no time: send RFC 3339 with a zone, such as "),
    ("GET", "/v1/reports/2026-13", None, "month", "is no month: write it as 2026-09"),
    ("GET", "/v1/persons/export", None, "query", "say who: email, name, author or contact"),
    ("PUT", "/v1/catalog", [], "body", "must be an object: send {...}"),
    ("PUT", "/v1/catalog", {"us": []}, "competitors", "is missing: send it"),
    ("PUT", "/v1/catalog", {"us": "Clavance", "competitors": []}, "us", "must be a list: send [...]"),
    ("PUT", "/v1/catalog", {"us": [1], "competitors": []}, "us.0", "must be text: send it in quotes"),
    ("PUT", "/v1/catalog", {"us": ["a"] * 1001, "competitors": []}, "us", "has more than 1000 entries: send fewer"),
    (
        "PUT",
        "/v1/catalog",
        {"us": [], "competitors": [{"name": "A", "aliases": ["b"] * 501}]},
        "competitors.0.aliases",
        "has more than 500 entries: send fewer",
    ),
    ("POST", "/v1/keys", {"name": "", "scopes": ["read"]}, "name", "is empty: give it a value, or leave it out"),
    ("POST", "/v1/keys", {"name": "a\x00", "scopes": ["read"]}, "name", "holds U+0000: remove it"),
    ("POST", "/v1/keys", {"name": "a", "scopes": ["root"]}, "scopes.0", "must be 'ingest', "),
    ("POST", "/v1/saved-filters", {"name": "a\nb", "filters": {}}, "name", "holds a line break or another control"),
    ("POST", "/v1/users", {"email": "Ann", "name": "A", "role": "reader"}, "email", "is no mail address: send one "),
    ("PATCH", "/v1/connections/1", {"disabled": "yes"}, "disabled", "must be true or false"),
    ("POST", "/v1/notes", note("a") | {"body": "They left."}, "body", "is no field here: remove it, or mend its name"),
    (
        "POST",
        "/v1/notes",
        note("a") | {"deal": {"id": "d", "currency": "euro"}},
        "deal.currency",
        "must be three capital letters",
    ),
    ("POST", "/v1/notes", note("a") | {"language": "de"}, "language", "must be 'en', 'fr' or 'mixed'"),
    ("POST", "/v1/notes", {"notes": [5, note("b")]}, "note", "must be an object: send {...}"),
]


def test_a_fault_names_its_field_and_says_what_to_do(client: TestClient) -> None:
    for method, path, body, field, message in FAULTS:
        answer = client.request(method, path, json=body).json()
        fault = answer["errors"][0] if "errors" in answer else answer["results"][0]["error"]
        assert fault["field"] == field, (path, fault)
        assert fault["message"].startswith(message), (path, fault)


def test_every_pattern_has_its_words(openapi: dict[str, Any]) -> None:
    found = set(_patterns(openapi)) - {"^[1-9][0-9]{0,17}$"}  # of an id in quotes, which is told as a number
    assert len(found) > 5
    assert found <= set(PATTERNS)


def _patterns(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for part in value.values():
            yield from _patterns(part)
    elif isinstance(value, list):
        for part in value:
            yield from _patterns(part)


@pytest.mark.parametrize("words", sorted({*KINDS.values(), *PATTERNS.values()}))
def test_every_message_has_its_french(words: str) -> None:
    shown = re.sub(r"\{\w+\}", "7", words).replace("{{", "{").replace("}}", "}")
    assert in_french(shown) not in {None, shown}
