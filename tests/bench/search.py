"""How long a search takes at 100,000 notes: questions in both languages, by words and by meaning, all and filtered.

The notes are put together from sentences of the written corpus, so that words and meanings are as various as there.
Wall and processor time are both told: on a machine with other work the first says more of that than of the search.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from models.nearest import embed_query
from service.database import make_engine, read_session
from service.filters import NoteFilters
from service.search.finding import find
from service.search.meaning import MeaningIndex
from service.search.routes import results
from service.tables import NoteTable, PassageTable
from tests.bench import seed
from tests.bench.recall import QUERIES

CORPUS = Path(__file__).parents[2] / "data" / "corpus"
NOTES = 100_000
SHOWN = 50
FILTERS: dict[str, dict[str, str]] = {
    "all notes": {},
    "90 days": {"from": "2026-07-03", "to": "2026-09-30"},
    "one segment": {"segment": "small"},
    "one team": {"team": "north"},
    "one account": {"account": "acc-17"},
    "one language": {"language": "fr"},
}


def sentences() -> list[str]:
    """Return the sentences of the written corpus."""
    found: dict[str, None] = {}
    for path in sorted(CORPUS.rglob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            text = str(json.loads(line).get("text", ""))
            found |= dict.fromkeys(part.strip() for part in text.split(". ") if 20 <= len(part.strip()) <= 300)
    return list(found)


def seed_texts(engine: sa.Engine, notes: int, every: int = 1) -> None:
    """Fill an empty, migrated database with notes of three to six sentences, each a passage with its own vector.

    Args:
        engine: The database.
        notes: How many notes.
        every: Of which of the corpus's sentences: each, each second one, and so on.
    """
    chance = random.Random(7)
    embedded = [(text, embed_query(text)) for text in sentences()[::every]]
    said = [text for text, vector in embedded if vector]
    vectors = [vector for _, vector in embedded if vector]
    seed.insert_dimensions(engine, chance)
    for begin in range(1, notes + 1, seed.CHUNK):
        rows: dict[Any, list[dict[str, Any]]] = {NoteTable: [], PassageTable: []}
        for note_id in range(begin, min(begin + seed.CHUNK, notes + 1)):
            _add(rows, note_id, chance, said, vectors)
        with engine.begin() as connection:
            for table, of_table in rows.items():
                seed.insert(connection, table, of_table)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("vacuum analyze")


def _add(
    rows: dict[Any, list[dict[str, Any]]],
    note_id: int,
    chance: random.Random,
    said: Sequence[str],
    vectors: Sequence[bytes],
) -> None:
    at = seed.LAST_DAY - timedelta(days=chance.randrange(seed.DAYS))
    account, author = chance.randint(1, seed.ACCOUNTS), chance.randint(1, seed.AUTHORS)
    links = {"account_id": account, "author_id": author, "deal_id": None}
    picked = chance.sample(range(len(said)), chance.randint(3, 6))
    text, place = ". ".join(said[one] for one in picked), 0
    rows[NoteTable].append({**seed.note(note_id, at, links, chance), "text": text})
    for one in picked:
        where = {"note_id": note_id, "occurred_on": at.date(), "start": place, "end": place + len(said[one]), **links}
        learned = {"language": "en", "vector": vectors[one], "theme_vector": seed.THEME_VECTOR}
        rows[PassageTable].append({**where, **learned, "theme_id": None, "similarity": None})
        place += len(said[one]) + 2


def measure_search(url: str, repeats: int = 2) -> dict[str, Any]:
    """Return of each filter the median, 95th percentile and longest wall time, and the median processor time, in ms.

    Beside it the median of a bare `select`, asked before each search.
    """
    engine = make_engine(url)
    index = MeaningIndex()
    began = time.perf_counter()
    _ask(engine, index, "price", NoteFilters())
    found: dict[str, Any] = {"first_seconds": round(time.perf_counter() - began, 1)}
    gc.collect()
    gc.freeze()  # as the served process does once all stands
    asked = [query for by_language in QUERIES.values() for queries in by_language.values() for query in queries]
    for name, chosen in FILTERS.items():
        filters = NoteFilters.model_validate(chosen)
        bare, times = [], []
        for query in asked * repeats:
            bare.append(_select(engine))
            times.append(_ask(engine, index, query, filters))
        wall = sorted(one[0] for one in times)
        found[name] = {
            "median": round(1000 * statistics.median(wall), 1),
            "p95": round(1000 * wall[int(0.95 * (len(wall) - 1))], 1),
            "longest": round(1000 * wall[-1], 1),
            "processor_median": round(1000 * statistics.median(one[1] for one in times), 1),
            "bare_select": round(1000 * statistics.median(bare), 2),
        }
    engine.dispose()
    return found


def _select(engine: sa.Engine) -> float:
    began = time.perf_counter()
    with read_session(engine) as session:
        session.execute(sa.select(sa.func.max(NoteTable.id))).one()
    return time.perf_counter() - began


def _ask(engine: sa.Engine, index: MeaningIndex, query: str, filters: NoteFilters) -> tuple[float, float]:
    """Search, and make the first page of results; return wall and processor time in seconds."""
    began = time.perf_counter(), time.process_time()
    with read_session(engine) as session:
        found = find(session, index, query, filters)
        shown = results(session, found, found.hits[:SHOWN])
    assert shown or filters != NoteFilters(), query  # one account may have nothing of the kind
    return time.perf_counter() - began[0], time.process_time() - began[1]
