"""How fast a CSV file is imported, and what memory that takes: it must not grow with the file.

SQLite's cache of pages (64 MB) fills within the first 100,000 rows, whatever is written; so the import's own memory is
measured in a process whose cache is 2 MB, and as what it takes beyond what the process held before.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.database import make_engine, migrate
from service.imports.queries import store_records
from service.imports.records import Options
from service.imports.running import batches, knowing, opened
from tests.bench.memory import peak_mb

ROWS = (10_000, 100_000, 300_000)
SMALL_CACHE_KB = 2_000


def measure_imports(folder: Path) -> dict[str, Any]:
    """Import files of growing length, each in a process of its own.

    Returns:
        By number of rows: rows per second and the process's peak memory in megabytes; the import's own memory.
    """
    return {str(rows): _measured(folder, rows) for rows in ROWS}


def _measured(folder: Path, rows: int) -> dict[str, Any]:
    figures, narrow = (_run(folder / f"import-{rows}-{cache}", rows, cache) for cache in (None, SMALL_CACHE_KB))
    return {**figures, "memory_of_import_mb": round(narrow["memory_peak_mb"] - narrow["memory_before_mb"], 1)}


def _run(folder: Path, rows: int, cache: int | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.imports", str(folder), str(rows), str(cache or "")]
    answer = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return dict(json.loads(answer))


def write_rows(path: Path, rows: int, first: int = 0) -> None:
    """Write a CSV file as a French spreadsheet does, its rows numbered from `first`."""
    with path.open("w", encoding="cp1252", newline="") as file:
        file.write("Référence;Date;Client;Commercial;Montant;Compte rendu\r\n")
        for row in range(first, first + rows):
            day = f"{1 + row % 28:02}/{1 + row % 9:02}/2026"
            text = f"Visite {row}. Le prix est 20 % au-dessus de l'autre offre, ils attendent juin. " * 3
            file.write(f'V-{row};{day};Client {row % 500};Rep {row % 50};18 000,00 €;"{text}"\r\n')


def main() -> None:
    """Import a file of so many rows into a new SQLite database; print the figures."""
    from datetime import UTC, datetime

    from service.database import write_session

    folder, rows, cache = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    folder.mkdir()
    path = folder / "rows.csv"
    write_rows(path, rows)
    url = f"sqlite:///{folder / 'bench.sqlite3'}"
    migrate(url)
    engine = make_engine(url)
    if cache:
        sa.event.listen(engine, "connect", lambda line, _: line.execute(f"pragma cache_size=-{int(cache)}"))
    before = peak_mb()
    began = time.perf_counter()
    taken = 0
    with path.open("rb") as file, opened(file, knowing(engine, Options())) as reading:
        for batch in batches(reading.records):
            with write_session(engine) as session:
                taken += store_records(session, batch, datetime.now(UTC))[0]["created"]
    seconds = time.perf_counter() - began
    assert taken == rows, taken
    figures = {"rows_per_second": round(rows / seconds, 1), "megabytes": round(path.stat().st_size / 1e6, 1)}
    print(json.dumps({**figures, "memory_before_mb": round(before, 1), "memory_peak_mb": round(peak_mb(), 1)}))


if __name__ == "__main__":
    main()
