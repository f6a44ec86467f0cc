"""How fast notes are read, and what that takes.

A module of its own, because the reading processes import it.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from models.types import Analyzer, Catalog, Competitor, NoteText
from service.database import make_engine, migrate, write_session
from service.notes.intake import parse_note
from service.notes.queries import store_notes
from service.notes.schemas import IncomingNote
from tests.bench.memory import peak_mb
from tests.work import analyse_all

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "clavance"
KEYWORDS = re.compile(
    r"too expensive|trop cher|budget|no time|contract|contrat|missing|manque|security|hébergement", re.I
)


def measure_analysis(folder: Path) -> dict[str, Any]:
    """Read the sample notes alone, one process a core, and with the database; beside a list of keywords."""
    began = time.perf_counter()
    reader = _reader()
    loading = time.perf_counter() - began
    rows = [json.loads(line) for line in (SAMPLE / "notes.jsonl").read_text(encoding="utf-8").splitlines()]
    names = json.loads((SAMPLE / "catalog.json").read_text(encoding="utf-8"))
    catalog = Catalog(
        tuple(names["us"]), tuple(Competitor(c["name"], tuple(c["aliases"])) for c in names["competitors"])
    )
    notes = [NoteText(row["text"], row["kind"]) for row in rows]
    reader.analyze(notes[:20], catalog)
    alone = len(notes) / seconds_of(lambda: reader.analyze(notes, catalog))
    plain = 50 * len(notes) / seconds_of(lambda: [KEYWORDS.findall(n.text) for _ in range(50) for n in notes])
    return {
        "notes": len(notes),
        "characters_per_note": round(statistics.mean(len(n.text) for n in notes)),
        "loading_seconds": round(loading, 2),
        "peak_megabytes": round(peak_mb()),
        "reader_notes_per_second": round(alone, 1),
        "one_process_a_core_notes_per_second": round(_on_all_cores(notes, catalog), 1),
        "with_database_notes_per_second": round(_through_database(folder, reader, rows), 1),
        "ratio_to_keyword_list": round(alone / plain, 5),
    }


def _on_all_cores(notes: list[NoteText], catalog: Catalog) -> float:
    """Return notes a second with one reading process a core, as `BINOME_WORKERS` sets them, each reading all notes."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        list(pool.map(_read_all, [notes[:20]] * cores, [catalog] * cores))  # load first
        return cores * len(notes) / seconds_of(lambda: list(pool.map(_read_all, [notes] * cores, [catalog] * cores)))


@cache
def _reader() -> Analyzer:
    from models.analyzer import load_analyzer

    return load_analyzer()


def _read_all(notes: list[NoteText], catalog: Catalog) -> int:
    return len(_reader().analyze(notes, catalog))


def _through_database(folder: Path, reader: Analyzer, rows: list[dict[str, Any]]) -> float:
    url = f"sqlite:///{folder / 'analysis.sqlite3'}"
    migrate(url)
    engine = make_engine(url)
    notes = [note for note in map(parse_note, rows) if isinstance(note, IncomingNote)]
    with write_session(engine) as session:
        store_notes(session, notes, datetime.now(UTC))
    speed = len(notes) / seconds_of(lambda: analyse_all(engine, reader))
    engine.dispose()
    return speed


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
