"""`make bench`: how fast notes are taken in and analysed, and insights answered at a million findings.

Speeds are also given against something plain that is measured in the same run, because machines differ: taking in
against bare SQLite commits, analysis against a list of keywords. Writes data/metrics/bench.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.database import make_engine, migrate
from service.reports.building import build
from tests.bench import search, webhooks
from tests.bench.analysis import measure_analysis, seconds_of
from tests.bench.imports import measure_imports
from tests.bench.load import ask, post_all, running, service
from tests.bench.seed import LAST_DAY, seed
from tests.bench.sustained import sustain
from tests.postgres import fresh_database, postgres_server

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "data" / "metrics" / "bench.json"
SINGLE_NOTES = 2_000
BATCHES_OF_100 = 200
WEBHOOKS = 500
CONNECTIONS = 8
REPORTED = 50_000  # notes of the month of a report
FULL_SIZE = 233_000  # notes with 1,000,000 findings
QUERIES = {
    "last 90 days": "/v1/insights",
    "one year": "/v1/insights?from=2025-10-01&to=2026-09-30",
    "90 days, one segment": "/v1/insights?segment=mid-market",
    "90 days, one team": "/v1/insights?team=north",
    "90 days, one rival": "/v1/insights?competitor=Rival%203",
    "objections, 90 days": "/v1/objections",
    "one rival, 90 days": "/v1/competitors/rival3",
    "one objection, 90 days": "/v1/objections/price",
    "quotes of an objection": "/v1/objections/price/evidence",
    "quotes of a rival": "/v1/competitors/rival3/evidence",
    "an objection by week": "/v1/objections/price/series",
    "notes, first page": "/v1/notes",
    "search, words of all notes": "/v1/search?q=customer+room",
    "search, 90 days": "/v1/search?q=customer+room&from=2026-07-03&to=2026-09-30",
}


class Part(StrEnum):
    """What can be measured alone."""

    ANALYSIS = "analysis"
    IMPORTS = "imports"
    SERVICE = "service"
    SUSTAINED = "sustained"
    REPORT = "report"


def main() -> None:
    """Measure, print, write; of parts that are not asked for, the file keeps what it has."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--notes", type=int, default=FULL_SIZE, help="notes of the large workspace")
    parser.add_argument("--repeats", type=int, default=20, help="times that each query is asked")
    parser.add_argument("--minutes", type=float, default=10, help="of sustained taking in and queries together")
    parser.add_argument("--only", nargs="+", type=Part, choices=list(Part), default=list(Part), help="parts to measure")
    arguments = parser.parse_args()
    result = json.loads(METRICS.read_text()) if len(arguments.only) < len(Part) else {"machine": {}}
    for part in arguments.only:
        result["machine"][part] = _machine()
        with tempfile.TemporaryDirectory() as name:
            result |= _measured(part, Path(name), arguments)
    METRICS.write_text(json.dumps(result, indent=2) + "\n")
    _print(result)


def _measured(part: Part, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    match part:
        case Part.ANALYSIS:
            return {"analysis": measure_analysis(folder)}
        case Part.IMPORTS:
            return {"imports": measure_imports(folder)}
        case Part.SERVICE:
            return _measure_service(folder, arguments)
        case Part.SUSTAINED:
            return {"sustained": _measure_sustained(folder, arguments)}
        case Part.REPORT:
            return {"report": measure_report(f"sqlite:///{folder / 'bench.sqlite3'}")}


def _measure_service(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = {"taking_in": {}, "queries": {"notes": arguments.notes}}
    result |= {"webhooks": {}, "search": {"notes": search.NOTES}}
    result["plain"] = {"sqlite_commits_per_second": _bare_commits(folder)}
    with _databases(folder) as (server, databases):
        for backend, url in databases.items():
            with running(url, folder, CONNECTIONS=webhooks.CONNECTIONS) as (port, _):
                result["taking_in"][backend] = _measure_intake(port, result["plain"]["sqlite_commits_per_second"])
                result["webhooks"][backend] = _spread(webhooks.deliver(port, WEBHOOKS))
            _empty(url)
            result["queries"][backend] = _measure_queries(url, folder, arguments.notes, arguments.repeats)
            result["search"][backend] = _measure_search(backend, folder, server)
    return result


def _measure_sustained(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    result = {}
    with _databases(folder) as (_, databases):
        for backend, url in databases.items():
            _fill(url, arguments.notes)
            result[backend] = sustain(url, folder, arguments.minutes)
    return result


@contextmanager
def _databases(folder: Path) -> Iterator[tuple[sa.URL | None, dict[str, str]]]:
    """Give a migrated, empty database of each kind that is here, and the server."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server())
        databases = {"sqlite": f"sqlite:///{folder / 'bench.sqlite3'}"}
        if server is not None:
            databases["postgresql"] = stack.enter_context(fresh_database(server))
        for url in databases.values():
            migrate(url)
        yield server, databases


def _fill(url: str, notes: int) -> None:
    engine = make_engine(url)
    seed(engine, notes)
    engine.dispose()


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _bare_commits(folder: Path) -> float:
    """Return how many one-row transactions SQLite commits to this disk in a second, fully synchronised."""
    connection = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    connection.execute("create table t (id integer primary key, body text)")
    count = 0
    began = time.perf_counter()
    while time.perf_counter() - began < 3:
        connection.execute("insert into t (body) values (?)", ("x" * 400,))
        count += 1
    connection.close()
    return round(count / (time.perf_counter() - began), 1)


def _note(number: int) -> dict[str, Any]:
    return {
        "external_id": f"n-{number}",
        "occurred_at": "2026-09-14T10:20:00Z",
        "author": {"id": f"rep-{number % 50}", "team": "north"},
        "account": {"id": f"acc-{number % 500}", "name": "Harrow Foods", "segment": "mid-market"},
        "deal": {"id": f"d-{number % 700}", "amount": 48000, "currency": "EUR", "outcome": "open"},
        "text": f"Call {number}. They like the demo, but our price is 20% above the other quote. " * 4,
    }


def _measure_intake(port: int, commits: float) -> dict[str, Any]:
    seconds, times = post_all(port, [_note(i) for i in range(SINGLE_NOTES)], CONNECTIONS)
    single = SINGLE_NOTES / seconds
    batches = [{"notes": [_note(10**6 + 100 * b + i) for i in range(100)]} for b in range(BATCHES_OF_100)]
    seconds_batches, batch_times = post_all(port, batches, CONNECTIONS // 2)
    hundreds = 100 * BATCHES_OF_100 / seconds_batches
    return {
        "single_notes_per_second": round(single, 1),
        "single_ratio_to_bare_commits": round(single / commits, 3),
        "single_ms": _spread(times),
        "hundreds_notes_per_second": round(hundreds, 1),
        "hundreds_ratio_to_bare_commits": round(hundreds / commits, 3),
        "hundreds_ms": _spread(batch_times),
    }


def _spread(times: list[float]) -> dict[str, float]:
    """Return median, 95th and 99th percentile in milliseconds."""
    ordered = sorted(1000 * t for t in times)
    spread = {f"p{percent}": round(ordered[int(percent / 100 * (len(ordered) - 1))], 1) for percent in (95, 99)}
    return {"median": round(statistics.median(ordered), 1), **spread}


def _empty(url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for table in ("notes", "accounts", "authors", "deals"):
            connection.execute(sa.text(f"delete from {table}"))
    engine.dispose()


def _measure_queries(url: str, folder: Path, notes: int, repeats: int) -> dict[str, Any]:
    seeding = seconds_of(lambda: _fill(url, notes))
    answers: dict[str, Any] = {"seeding_seconds": round(seeding, 1)}
    with service(url, folder) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for name, path in QUERIES.items():
            times = [seconds_of(lambda path=path: ask(connection, "GET", path)) for _ in range(repeats)]
            answers[name] = {"first_ms": round(1000 * times[0], 1), **_spread(times)}
    return answers


def _measure_search(backend: str, folder: Path, server: sa.URL | None) -> dict[str, Any]:
    """Search a database of its own."""
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'search.sqlite3'}"
        if backend == "postgresql" and server is not None:
            url = stack.enter_context(fresh_database(server))
        migrate(url)
        engine = make_engine(url)
        search.seed_texts(engine, search.NOTES)
        engine.dispose()
        return search.measure_search(url)


def measure_report(url: str) -> dict[str, float]:
    """Return how many seconds of wall and processor time the report of a month of many notes takes, with its files."""
    migrate(url)
    engine = make_engine(url)
    seed(engine, REPORTED, days=30)
    began = time.process_time()
    seconds = seconds_of(lambda: build(engine, f"{LAST_DAY:%Y-%m}", LAST_DAY + timedelta(days=2), by="bench"))
    processor = time.process_time() - began
    engine.dispose()
    return {"notes": REPORTED, "seconds": round(seconds, 1), "processor_seconds": round(processor, 1)}


def _print(result: dict[str, Any]) -> None:
    for part, machine in result["machine"].items():
        print(f"machine, {part}: {machine}")
    print(f"bare SQLite commits: {result['plain']['sqlite_commits_per_second']}/s")
    for backend, figures in result["taking_in"].items():
        print(f"taken in, {backend}: one by one {figures['single_notes_per_second']} notes/s", end=" ")
        print(f"({figures['single_ratio_to_bare_commits']} of bare commits; {figures['single_ms']} ms),", end=" ")
        print(f"in hundreds {figures['hundreds_notes_per_second']} notes/s")
    for backend, figures in result["webhooks"].items():
        print(f"webhooks, {backend}: {figures} ms")
    for backend, figures in result["sustained"].items():
        print(f"sustained, {backend}: {figures['verdict']}; by minute {figures['by_minute']}")
    analysis = result["analysis"]
    print(f"analysed: {analysis['reader_notes_per_second']} notes/s by the reader alone,", end=" ")
    print(f"{analysis['one_process_a_core_notes_per_second']} with one process a core,", end=" ")
    print(f"{analysis['with_database_notes_per_second']} with the database and 1 worker, ready in", end=" ")
    print(f"{analysis['loading_seconds']} s, {analysis['peak_megabytes']} MB at most")
    for rows, figures in result["imports"].items():
        print(f"imported, CSV of {rows} rows: {figures['rows_per_second']} rows/s,", end=" ")
        print(f"{figures['memory_peak_mb']} MB at most, {figures['memory_of_import_mb']} MB of them the import's own")
    for backend in result["taking_in"]:
        print(f"queries at {result['queries']['notes']} notes, {backend}:")
        for name in QUERIES:
            print(f"  {name:<22} {result['queries'][backend][name]} ms")
    for backend in result["taking_in"]:
        print(f"search at {result['search']['notes']} notes, {backend}: {result['search'][backend]} ms")
    report = result["report"]
    print(
        f"report of {report['notes']} notes: {report['seconds']} s, {report['processor_seconds']} s of processor time"
    )


if __name__ == "__main__":
    main()
