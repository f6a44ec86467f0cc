"""What tests do over and over: make a note, have everything analysed, wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from models.types import Analyzer
from service.analysis.batch import BatchAnalysis
from service.analysis.queries import claim_waiting
from service.database import write_session
from service.jobs.worker import Worker
from service.settings import Settings


def note(external_id: str, text: str = "The director finds it too expensive.", **fields: Any) -> dict[str, Any]:
    """Return a note as a CRM posts it."""
    return {"external_id": external_id, "text": text, "occurred_at": "2026-09-14T10:20:00Z", **fields}


def analyse_all(engine: sa.Engine, analyzer: Analyzer) -> None:
    """Analyse what waits, as a worker does but without the job engine."""
    handler = BatchAnalysis(engine, analyzer)
    while True:
        with write_session(engine) as session:
            batches = claim_waiting(session, 64)
        if not batches:
            return
        for batch in batches:
            handler.run([[item.note_id, item.revision] for item in batch])


@contextmanager
def worker_running(
    engine: sa.Engine,
    url: str,
    analyzer: Analyzer,
    name: str = "test-worker",
    settings: Settings | None = None,
) -> Iterator[None]:
    """Run a worker with its job engine in a thread of this process."""
    stop = threading.Event()
    worker = Worker(engine, url, name, lambda: analyzer, settings)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(40)
        assert not thread.is_alive(), "the worker stops when asked to"


def wait_until(condition: Callable[[], object], seconds: float = 30, pause: float = 0.05) -> None:
    """Wait for a condition, or fail."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this took too long"
        time.sleep(pause)
