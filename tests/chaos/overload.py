"""Ten times more notes than can be read, for minutes: what is refused is refused in time, what is taken is kept."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from models.types import Analyzer
from service.database import make_engine, migrate
from tests.chaos.storm import KEY, Ledger, Processes, Report, count, wait_for_analysis

CLIENTS = 8
BATCH = 10
MAX_BACKLOG = 1_000
WORDS = "They find it too expensive. Le directeur attend la mise en service."


@dataclass(slots=True)
class Load:
    """What one client did: answers by status, and the seconds that each took."""

    ledger: Ledger = field(default_factory=Ledger)
    times: dict[str, list[float]] = field(default_factory=dict)
    deletions_refused: int = 0
    offered: int = 0


def run_overload(
    url: str, folder: Path, *, seconds: float, notes_per_second: float, worker_command: list[str], reader: Analyzer
) -> tuple[Report, dict[str, Any]]:
    """Offer notes at a rate, whatever is answered; then stop, wait until all that was taken is read, and count.

    Returns:
        What was found, and the rates and times of answers.
    """
    began = time.monotonic()
    migrate(url)
    settings = {"BINOME_MAX_BACKLOG": str(MAX_BACKLOG), "BINOME_MAX_WRITING": "8"}
    processes = Processes(url, folder, worker_command, settings)
    loads = [Load() for _ in range(CLIENTS)]
    report = Report("overload", sa.make_url(url).get_backend_name(), 0)
    engine = make_engine(url)
    try:
        processes.wait_until_ready()
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=_offer, args=(processes.port, load, number, notes_per_second / CLIENTS, end))
            for number, load in enumerate(loads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_for_analysis(engine, processes, 600)
        count(report, engine, [load.ledger for load in loads], reader)
    finally:
        processes.stop()
        engine.dispose()
    report.notes = sum(len(load.ledger.texts) for load in loads)
    report.ended = processes.ended
    report.seconds = round(time.monotonic() - began, 1)
    return report, _figures(loads, seconds, report.notes)


def _offer(port: int, load: Load, number: int, notes_per_second: float, end: float) -> None:
    """Offer batches at a steady rate; those that are refused are offered again in their turn, as a sender does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    waiting: deque[list[dict[str, Any]]] = deque()
    made, due = 0, time.monotonic()
    while time.monotonic() < end:
        if len(waiting) < 50:
            waiting.append([_note(f"o{number}-{made + i}") for i in range(BATCH)])
            made += BATCH
        batch = waiting.popleft()
        load.offered += BATCH
        if _send(connection, load, {"notes": batch}) == "202":
            load.ledger.texts |= {note["external_id"]: note["text"] for note in batch}
            if made % (20 * BATCH) == 0:
                _erase(connection, load, batch[0]["external_id"])
        else:
            waiting.append(batch)
        due += BATCH / notes_per_second
        time.sleep(max(0.0, due - time.monotonic()))


def _note(name: str) -> dict[str, Any]:
    return {"external_id": name, "text": f"Note {name}. {WORDS}"}


def _erase(connection: http.client.HTTPConnection, load: Load, name: str) -> None:
    while (status := _send(connection, load, {"external_id": name, "deleted": True})) != "202":
        load.deletions_refused += status in {"429", "507"}
    load.ledger.texts[name] = None
    load.ledger.deletions += 1


def _send(connection: http.client.HTTPConnection, load: Load, body: Any) -> str:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    began = time.perf_counter()
    try:
        connection.request("POST", "/v1/notes", json.dumps(body), headers)
        response = connection.getresponse()
        response.read()
        status = str(response.status)
    except (OSError, http.client.HTTPException):
        connection.close()
        status = "none"
    load.times.setdefault(status, []).append(time.perf_counter() - began)
    load.ledger.answers[status] += 1
    return status


def _figures(loads: list[Load], seconds: float, taken: int) -> dict[str, Any]:
    times: dict[str, list[float]] = {}
    for load in loads:
        for status, values in load.times.items():
            times.setdefault(status, []).extend(values)
    answers = sum((load.ledger.answers for load in loads), Counter[str]())
    return {
        "minutes": round(seconds / 60, 1),
        "offered_notes_per_second": round(sum(load.offered for load in loads) / seconds, 1),
        "taken_notes_per_second": round(taken / seconds, 1),
        "deletions_refused": sum(load.deletions_refused for load in loads),
        "answered_otherwise": answers.total() - answers["202"] - answers["429"],
        "p99_ms": {status: round(1000 * sorted(v)[int(0.99 * (len(v) - 1))], 1) for status, v in sorted(times.items())},
    }
