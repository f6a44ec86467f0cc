"""Print the digests of a month's report, its data and all its files, without storing it.

python -m tests.reports.digests DATABASE_URL 2026-09 2026-10-02T06:00:00+00:00
"""

from __future__ import annotations

import hashlib
import sys
from datetime import datetime

from service.database import make_engine, read_session
from service.reports.editions import draft, render_all


def main(url: str, month: str, now: str) -> None:
    """Build, digest, print."""
    engine = make_engine(url)
    with read_session(engine) as session:
        made = draft(session, month, datetime.fromisoformat(now), by="tests")
    assert made is not None, "nothing is stored yet"
    print("data", made.edition.sha256)
    for one in render_all(made):
        print(one.format, one.language, one.accounts, hashlib.sha256(one.content).hexdigest())
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
