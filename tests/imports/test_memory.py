"""An import holds a batch at a time, however long its file is."""

from __future__ import annotations

import gc
import multiprocessing
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from service.database import make_engine, migrate, write_session
from service.imports.queries import store_records
from service.imports.records import Options
from service.imports.running import BATCH_RECORDS, batches, knowing, opened
from tests.bench.imports import write_rows

SHORT, LONG = 2 * BATCH_RECORDS, 8 * BATCH_RECORDS


def imported(engine: sa.Engine, path: Path) -> int:
    """Import a file of new notes; return the most memory, in bytes, that it took beyond what was held before.

    What a batch leaves to the collector goes at once: when that runs by itself depends on all that the process holds.
    """
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    with path.open("rb") as file, opened(file, knowing(engine, Options())) as reading:
        for batch in batches(reading.records):
            with write_session(engine) as session:
                results, _ = store_records(session, batch, datetime.now(UTC))
            assert results["created"] == len(batch)
            gc.collect()
    return tracemalloc.get_traced_memory()[1] - before


def memory_taken(folder: Path, lengths: tuple[int, ...]) -> list[tuple[int, int]]:
    """Import files of so many rows, one after the other; return the size of each and the memory that it took."""
    url = f"sqlite:///{folder / 'binome.sqlite3'}"
    migrate(url)
    engine = make_engine(url)
    tracemalloc.start()
    taken = []
    for number, rows in enumerate(lengths):
        path = folder / f"{number}.csv"
        write_rows(path, rows, first=sum(lengths[:number]))
        taken.append((path.stat().st_size, imported(engine, path)))
    return taken


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    # In a process of its own no other test's threads and caches count; its first import fills the caches.
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as process:
        _, short, long = process.submit(memory_taken, tmp_path, (SHORT, SHORT, LONG)).result()
    longer, more_memory = (b - a for a, b in zip(short, long, strict=True))
    assert more_memory < longer / 10, (short, long)
