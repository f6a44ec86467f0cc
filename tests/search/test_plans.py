"""How the databases search: by their indexes, note by note only where few are left."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa
from starlette.datastructures import State

from service.database import read_session
from service.filters import NoteFilters
from service.masks.view import read_for
from service.search import queries
from service.search.finding import find
from service.search.meaning import MeaningIndex
from tests.bench.search import seed_texts
from tests.plans import plans

NOTES = 400
FILTERS: list[dict[str, str]] = [{}, {"from": "2026-07-03", "to": "2026-09-30"}, {"segment": "small"}]
WAYS = ("price too high", '"the price"', "price -high", "pri*", "the customer", "trop cher")


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    seed_texts(engine, NOTES, every=80)
    return engine


def test_a_search_reads_no_table_whole(filled: sa.Engine) -> None:
    """At 100,000 notes a look at each takes longer than all the rest."""
    index = MeaningIndex()
    with read_session(filled) as session:
        read_for(session, State({"sees_personal": True}))
        assert find(session, index, "price", NoteFilters()).hits  # the index by meaning is full now
    postgresql = filled.dialect.name == "postgresql"
    for chosen in FILTERS:
        for asked in WAYS:
            with read_session(filled) as session, plans(filled) as lines:
                read_for(session, State({"sees_personal": True}))
                if postgresql:
                    session.execute(sa.text("set local enable_seqscan = off"))  # so small a table is read whole
                find(session, index, asked, NoteFilters.model_validate(chosen))
            whole = [line for line in lines if "Seq Scan" in line or line.startswith(("SCAN notes", "SCAN passages"))]
            assert [line for line in whole if "COVERING INDEX ix_notes_day" not in line] == [], (asked, chosen)
            of_passages = [line for line in lines if "passages" in line]
            assert of_passages
            assert [line for line in of_passages if not _by_id(line)] == [], (asked, chosen)


def _by_id(line: str) -> bool:
    return "pk_passages" in line or "SEARCH passages USING INTEGER PRIMARY KEY" in line


def test_passages_are_read_before_their_notes(filled: sa.Engine) -> None:
    """PostgreSQL takes "read since it was last changed" for rare, and would begin with all notes of a join."""
    chance = random.Random(1)
    with read_session(filled) as session, plans(filled) as lines:
        rows = queries.standing_passages(session, sorted(chance.sample(range(1, 3 * NOTES), 200)))
    assert len(rows) == 200
    assert [line for line in lines if "Join" in line or "Nested Loop" in line] == []
