"""An import holds a batch at a time, however long its file is."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from service.database import make_engine, migrate, write_session
from service.imports.queries import store_records
from service.imports.records import Options
from service.imports.running import BATCH_RECORDS, batches, knowing, opened
from tests.bench.imports import write_rows


def imported(engine: sa.Engine, path: Path, rows: int) -> int:
    """Import a file of so many rows and return the most memory, in bytes, that its second half took."""
    write_rows(path, rows)
    taken = 0
    with path.open("rb") as file, opened(file, knowing(engine, Options())) as reading:
        for batch in batches(reading.records):
            with write_session(engine) as session:
                taken += sum(store_records(session, batch, datetime.now(UTC))[0].values())
            if taken <= rows // 2:
                tracemalloc.reset_peak()
    assert taken == rows
    return tracemalloc.get_traced_memory()[1]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'binome.sqlite3'}"
    migrate(url)
    engine = make_engine(url)
    tracemalloc.start()
    try:
        imported(engine, tmp_path / "first.csv", 4 * BATCH_RECORDS)  # fills what is kept for names and statements
        short, long = (imported(engine, tmp_path / f"{n}.csv", n * BATCH_RECORDS) for n in (4, 16))
    finally:
        tracemalloc.stop()
        engine.dispose()
    assert long < 1.1 * short, (short, long)
