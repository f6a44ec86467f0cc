"""A worker process with a fast reader, for tests that kill it: `python -m tests.chaos.worker --url ... --name ...`."""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from models.types import Catalog, NoteAnalysis, NoteText
from service.database import make_engine
from service.jobs import engine as job_engine
from service.jobs import worker
from service.logs import configure_logs
from service.sealing.keyring import Keyring
from tests.analyzers import FakeAnalyzer


class SlowAnalyzer(FakeAnalyzer):
    """Takes its time for each batch, so that a kill meets it at work."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def analyze(self, notes: Sequence[NoteText], catalog: Catalog) -> list[NoteAnalysis]:
        """Wait, then read."""
        time.sleep(self.seconds)
        return super().analyze(notes, catalog)


def run(
    url: str,
    name: str,
    slow: float = 0.0,
    recoveries: int | None = None,
    reap_seconds: float = 5,
    keys: Path | None = None,
) -> None:
    """Run until SIGTERM.

    Args:
        url: The database.
        name: Of the worker.
        slow: Seconds for each batch.
        recoveries: How often a job may kill its worker.
        reap_seconds: How often it looks for jobs that broke.
        keys: The file of the keys that open the database's secrets, where it has any.
    """
    configure_logs()
    worker.REAP_SECONDS = reap_seconds
    if recoveries is not None:
        job_engine.MAX_RECOVERY_ATTEMPTS = recoveries
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine = make_engine(url, keyring=Keyring(keys) if keys else None)
    worker.Worker(engine, url, name, lambda: SlowAnalyzer(slow)).run(stop)


def started(url: str, name: str, **how: Any) -> BaseProcess:
    """Start a worker in a process of its own, forked from one that has loaded all that it needs: most of a start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=run, args=(url, name), kwargs=how)
    process.start()
    return process


def main() -> None:
    """Run a worker by the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--keys", type=Path)
    run(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
