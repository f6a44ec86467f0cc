"""Search by meaning: across languages, and nothing for what means nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from starlette.datastructures import State

from service.database import read_session, write_session
from service.filters import NoteFilters
from service.masks.view import read_for
from service.search.finding import Hit, Way, find
from service.search.meaning import MeaningIndex
from service.tables import NoteTable
from tests.bench.search import seed_texts


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    seed_texts(engine, 300, every=40)
    return engine


def found(engine: sa.Engine, query: str) -> list[Hit]:
    with read_session(engine) as session:
        read_for(session, State({"sees_personal": True}))
        return find(session, MeaningIndex(), query, NoteFilters()).hits


def test_what_means_nothing_is_near_nothing(filled: sa.Engine) -> None:
    for query in ("zzzz", "qqxx", "the zzzz", "qqx*", '"asdfgh qwertyuiop"', "qqxx -price", "1234"):
        assert found(filled, query) == [], query
    for query in ("expensive", "trop cher", "qqxx expensive"):
        assert [hit for hit in found(filled, query) if Way.MEANING in hit.matched], query


def test_a_word_that_a_note_has_is_looked_for_by_meaning_too(filled: sa.Engine) -> None:
    """Names and words of a trade are new to the encoder, and yet like others that are spelled so."""
    with write_session(filled) as session:
        session.execute(sa.update(NoteTable).where(NoteTable.id == 7).values(text="They compare us with Blorf."))
    ways = [hit.matched for hit in found(filled, "blorf") if hit.note_id != 7]
    assert ways
    assert {way for matched in ways for way in matched} == {Way.MEANING}
    assert (7, (Way.WORDS,)) in [(hit.note_id, hit.matched) for hit in found(filled, "blorfs")]
