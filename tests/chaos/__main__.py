"""`make chaos`: 2,000 notes and 50 kills on each database; writes data/metrics/chaos.json."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.analyzers import FakeAnalyzer
from tests.chaos.storm import Report, run_storm
from tests.postgres import fresh_database, postgres_server

NOTES = 2_000
KILLS = 50
METRICS = Path(__file__).parents[2] / "data" / "metrics" / "chaos.json"


def main() -> int:
    """Run a storm on SQLite and, where there is one, on PostgreSQL; return 1 where anything went wrong."""
    reports = []
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        reports.append(_storm(f"sqlite:///{folder}/binome.sqlite3", Path(folder)))
        if server is None:
            print("no PostgreSQL on this machine: that half is left out", file=sys.stderr)
        else:
            with fresh_database(server) as url:
                reports.append(_storm(url, Path(folder)))
    METRICS.write_text(json.dumps([report.as_dict() for report in reports], indent=2) + "\n")
    return int(any(report.faults() for report in reports))


def _storm(url: str, folder: Path) -> Report:
    command = [sys.executable, "-m", "tests.chaos.worker", "--url", url, "--name", "storm-1", "--slow", "0.1"]
    report = run_storm(url, folder, notes=NOTES, kills=KILLS, worker_command=command, reader=FakeAnalyzer())
    print(json.dumps(report.as_dict(), indent=2), flush=True)
    print("faults:", report.faults() or "none", flush=True)
    return report


if __name__ == "__main__":
    sys.exit(main())
