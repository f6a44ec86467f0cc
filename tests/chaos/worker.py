"""A worker process with a fast reader, for tests that kill it: `python -m tests.chaos.worker --url ... --name ...`."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Sequence

from models.types import Catalog, NoteAnalysis, NoteText
from service.database import make_engine
from service.jobs import engine as job_engine
from service.jobs.worker import Worker
from service.logs import configure_logs
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


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--slow", type=float, default=0.0, help="seconds for each batch")
    parser.add_argument("--recoveries", type=int, help="how often a job may kill its worker")
    arguments = parser.parse_args()
    configure_logs()
    if arguments.recoveries is not None:
        job_engine.MAX_RECOVERY_ATTEMPTS = arguments.recoveries
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine = make_engine(arguments.url)
    Worker(engine, arguments.url, arguments.name, lambda: SlowAnalyzer(arguments.slow)).run(stop)


if __name__ == "__main__":
    main()
