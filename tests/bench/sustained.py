"""Taking in and queries together at a steady rate: whether times and memory stay flat.

`python -m tests.bench.sustained --minutes 1` measures it alone, on SQLite, over a small workspace.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scipy import stats

from service.database import make_engine, migrate
from tests.bench.load import HEADERS, running
from tests.bench.memory import resident_mb
from tests.bench.seed import seed

NOTES_PER_SECOND = 5.0
QUERIES_PER_SECOND = 2.0
QUERIES = ("/v1/insights", "/v1/objections", "/v1/notes", "/v1/search?q=customer+room")
RISE_ALLOWED = 0.10  # over the whole time, of the mean


@dataclass(slots=True)
class Minute:
    """Seconds that answers took, by kind, and the service's memory in MB."""

    times: dict[str, list[float]] = field(default_factory=lambda: {"notes": [], "queries": []})
    resident_mb: float = 0.0
    refused: int = 0


def sustain(url: str, folder: Path, minutes: float) -> dict[str, Any]:
    """Run the load for so many minutes, with one worker reading, and tell each minute and whether all is flat.

    The rate is kept whatever the answers take: a slow answer is measured from when it was due.
    """
    with running(url, folder, WORKERS="1") as (port, process):
        time.sleep(5)  # the worker loads
        count = max(1, round(minutes))
        rows = [Minute() for _ in range(count)]
        began = time.monotonic()
        end = began + 60 * minutes

        def minute() -> Minute:
            return rows[min(int((time.monotonic() - began) / 60), count - 1)]

        threads = [
            threading.Thread(target=_steady, args=(port, NOTES_PER_SECOND, end, minute, "notes", _note)),
            threading.Thread(target=_steady, args=(port, QUERIES_PER_SECOND, end, minute, "queries", _query)),
        ]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            minute().resident_mb = resident_mb(process)
            time.sleep(1)
        for thread in threads:
            thread.join()
    return {
        "minutes": minutes,
        "notes_per_second": NOTES_PER_SECOND,
        "queries_per_second": QUERIES_PER_SECOND,
        "refused": sum(row.refused for row in rows),
        "by_minute": [_shown(row) for row in rows],
        "verdict": {
            "p99 of notes": _verdict([_percentile(row.times["notes"], 99) for row in rows]),
            "p99 of queries": _verdict([_percentile(row.times["queries"], 99) for row in rows]),
            "median of queries": _verdict([_percentile(row.times["queries"], 50) for row in rows]),
            "memory": _verdict([row.resident_mb for row in rows]),
        },
    }


def _steady(
    port: int,
    rate: float,
    end: float,
    minute: Callable[[], Minute],
    kind: str,
    request: Callable[[int], tuple[str, str, str | None]],
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    due, number = time.monotonic(), 0
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        method, path, body = request(number)
        connection.request(method, path, body, HEADERS)
        response = connection.getresponse()
        response.read()
        row = minute()
        row.times[kind].append(time.monotonic() - due)
        row.refused += response.status >= 300
        due += 1 / rate
        number += 1


def _note(number: int) -> tuple[str, str, str | None]:
    text = f"Call {number}. They like the demo, but our price is 20% above the other quote. " * 4
    note = {"external_id": f"sustained-{number}", "account": {"id": f"acc-{number % 500}"}, "text": text}
    return "POST", "/v1/notes", json.dumps(note)


def _query(number: int) -> tuple[str, str, str | None]:
    return "GET", QUERIES[number % len(QUERIES)], None


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return 1000 * ordered[int(percent / 100 * (len(ordered) - 1))] if ordered else 0.0


def _shown(row: Minute) -> dict[str, float]:
    shown = {
        f"{kind}_p{percent}_ms": round(_percentile(values, percent), 1)
        for kind, values in row.times.items()
        for percent in (50, 99)
    }
    return {**shown, "resident_mb": round(row.resident_mb, 1)}


def _verdict(values: Sequence[float]) -> dict[str, Any]:
    """Tell whether a course is flat: the 95 % interval of its rise by least squares holds nil, or the rise is small."""
    if len(values) < 4:
        return {"flat": None, "why": "fewer than four minutes tell nothing"}
    fit = stats.linregress(range(len(values)), values)
    half = stats.t.ppf(0.975, len(values) - 2) * fit.stderr
    span, mean = len(values) - 1, sum(values) / len(values)
    low, high = ((fit.slope - half) * span / mean, (fit.slope + half) * span / mean)
    rise = fit.slope * span / mean
    return {
        "flat": bool(low <= 0 or rise <= RISE_ALLOWED),
        "rise": round(rise, 3),
        "interval": [round(low, 3), round(high, 3)],
    }


def main() -> None:
    """Measure it alone."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sustained")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--notes", type=int, default=20_000, help="notes that are there before")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/bench.sqlite3"
        migrate(url)
        engine = make_engine(url)
        seed(engine, arguments.notes)
        engine.dispose()
        print(json.dumps(sustain(url, Path(name), arguments.minutes), indent=2))


if __name__ == "__main__":
    main()
