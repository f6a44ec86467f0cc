"""`make chaos`: every fault on each database that it concerns, then overload; writes data/metrics/chaos.json."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.chaos.faults import FAULTS, NotHere, overload

METRICS = Path(__file__).parents[2] / "data" / "metrics" / "chaos.json"
DATABASES = ("sqlite", "postgresql")
OVERLOAD = "overload"


def main() -> int:
    """Do all harm; return 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--notes", type=int, default=1_000, help="different notes in each storm")
    parser.add_argument("--strikes", type=int, default=20, help="how often harm is done in each storm")
    parser.add_argument("--minutes", type=float, default=10, help="of overload")
    parser.add_argument("--database", choices=DATABASES, action="append", help="this alone; the others' figures stay")
    parser.add_argument("--fault", choices=[*FAULTS, OVERLOAD], action="append", help="this alone; likewise")
    arguments = parser.parse_args()
    wrong = 0
    for database in arguments.database or DATABASES:
        for fault in arguments.fault or [*FAULTS, OVERLOAD]:
            row, ok = _run(fault, database, arguments)
            wrong += not ok
            _write(row)
    return int(wrong > 0)


def _run(fault: str, database: str, arguments: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """Return the row of a fault on a database, and whether all is as it should be."""
    try:
        if fault == OVERLOAD:
            report, figures = overload(database, seconds=60 * arguments.minutes)
            return {**report.as_dict(), **figures}, not report.faults() and not figures["deletions_refused"]
        report = FAULTS[fault](database, notes=arguments.notes, strikes=arguments.strikes)
        return report.as_dict(), not report.faults()
    except NotHere as reason:
        return {"fault": fault, "database": database, "left_out": str(reason)}, True


def _write(row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)
    rows = json.loads(METRICS.read_text()) if METRICS.exists() else []
    rows = [one for one in rows if (one["database"], one.get("fault")) != (row["database"], row["fault"])]
    order = {name: place for place, name in enumerate([*FAULTS, OVERLOAD])}
    rows = sorted([*rows, row], key=lambda one: (order[one["fault"]], DATABASES.index(one["database"])))
    METRICS.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
