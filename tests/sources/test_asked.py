"""Each sentence of the reference of sources, asked over real HTTP: the answers, and what stands in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from tests.sources.asked import events, proofs, records, values
from tests.sources.asked.cases import Asked, Fields
from tests.sources.senders import ADMIN
from tests.sources.test_hostile import answer, port

__all__ = ["port"]
TABLES = (proofs, records, events, values)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"connections": json.dumps(proofs.connections())})


def stored(client: TestClient) -> dict[str, list[dict[str, Any]]]:
    """Return what all notes hold, by external id."""
    found: dict[str, list[dict[str, Any]]] = {}
    for item in _listed(client):
        note = client.get(f"/v1/notes/{item['id']}", headers=ADMIN).json()
        author, account, deal = (note[name] or {} for name in ("author", "account", "deal"))
        fields = {
            **{"text": note["text"], "kind": note["kind"], "occurred_at": datetime.fromisoformat(note["occurred_at"])},
            **{"author": author.get("id"), "account": account.get("id"), "name": account.get("name")},
            **{"deal": deal.get("id")},
            **{name: deal.get(name) for name in ("amount", "currency", "stage", "outcome")},
        }
        found.setdefault(note["external_id"], []).append(fields)
    return found


def _listed(client: TestClient) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = client.get(f"/v1/notes?limit=200{cursor}", headers=ADMIN).json()
        yield from page["items"]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


def fits(found: list[dict[str, Any]], right: Fields) -> bool:
    """Tell whether there is one note that holds what is right, or none where none is."""
    if right is None or len(found) != 1:
        return right is None and not found
    for name, value in right.items():
        values = value if isinstance(value, tuple) else (value,)
        if found[0][name] not in ([datetime.fromisoformat(one) for one in values] if name == "occurred_at" else values):
            return False
    return True


def test_what_was_asked_is_answered_and_stored(port: int, client: TestClient) -> None:
    wrong: list[str] = []
    played: list[Asked] = []
    for case in (case for table in TABLES for case in table.cases()):
        played.append(case)
        for number, step in enumerate(case.steps, 1):
            status, body = answer(port, step)
            if status not in step.right or step.holds not in body:
                wrong.append(f"{case.name} [{number}]: {status}, right is {sorted(step.right)}: {body[:160]}")
    notes = stored(client)
    for case in played:
        for key, right in case.notes.items():
            if not fits(notes.get(key, []), right):
                wrong.append(f"{case.name}: {key} is {str(notes.get(key))[:300]}, right is {right}")
    assert len(played) >= 500
    assert not wrong, f"{len(wrong)} of {len(played)}:\n" + "\n".join(wrong)
