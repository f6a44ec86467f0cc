"""What names persons is kept with its note, as the text now is, and goes with it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from models.analyzer import load_analyzer
from models.types import Catalog, Competitor, NoteText
from service.analysis.queries import read_unmasked
from service.database import write_session
from service.tables import NoteTable
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

TEXT = "Mr Vasseur finds it too expensive. Write to vasseur@firm.example."


def stored(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(NoteTable.masks).order_by(NoteTable.id)))


@pytest.fixture
def read(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> TestClient:
    client.post("/v1/notes", json=note("1", TEXT))
    assert stored(engine) == [None]
    analyse_all(engine, analyzer)
    return client


def test_masks_are_of_the_text_as_it_is(read: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    assert stored(engine) == [[[3, 10, "person"], [44, 64, "email"]]]
    read.post("/v1/notes", json=note("1", TEXT, account={"id": "a"}))
    assert stored(engine) == [[[3, 10, "person"], [44, 64, "email"]]], "only the account is new"
    read.post("/v1/notes", json=note("1", "It was Mr Vasseur.", account={"id": "a"}))
    assert stored(engine) == [None]
    analyse_all(engine, analyzer)
    assert stored(engine) == [[[10, 17, "person"]]]


def test_masks_go_with_their_note(read: TestClient, engine: sa.Engine) -> None:
    assert read.delete("/v1/notes/1").status_code == 204
    assert stored(engine) == [None]


def test_a_customers_name_is_no_persons(client: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer) -> None:
    client.post("/v1/notes", json=note("1", "Met Mr Garage Martin.", account={"id": "a", "name": "Garage Martin SARL"}))
    client.post("/v1/notes", json=note("2", "Met Mr Martin.", account={"id": "b", "name": "Other"}))
    client.post("/v1/notes", json=note("3", "Met Mr Other.", account={"id": "a", "name": "Garage Martin SARL"}))
    analyse_all(engine, analyzer)
    assert stored(engine) == [[], [[7, 13, "person"]], []]


def test_notes_read_before_masks_were_kept_are_read_again(
    read: TestClient, engine: sa.Engine, analyzer: FakeAnalyzer
) -> None:
    with write_session(engine) as session:
        session.execute(sa.update(NoteTable).values(masks=sa.null()))
        assert read_unmasked(session) == 1
        assert read_unmasked(session) == 0
    analyse_all(engine, analyzer)
    assert stored(engine) == [[[3, 10, "person"], [44, 64, "email"]]]


def test_the_reader_finds_persons_but_not_what_the_catalogue_lists() -> None:
    text = "Claire Dumont uses Camille Cloud; call +33 6 12 34 56 78." + " Fine." * 20_000
    found = load_analyzer().analyze([NoteText(text)], Catalog(competitors=(Competitor("Camille Cloud"),)))
    told = [(text[one.start : one.end], str(one.kind)) for one in found[0].personal]
    assert told[:-1] == [("Claire Dumont", "person"), ("+33 6 12 34 56 78", "phone")]
    assert told[-1] == (text[100_000:], "unread"), "nobody knows what stands there"
