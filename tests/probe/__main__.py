"""`make probe`: over 20,000 calls made from the OpenAPI document, on each database; writes data/metrics/probe.json."""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from models.analyzer import load_analyzer
from service.database import make_engine, write_session
from service.jobs.queries import JobKind, request_job
from service.themes.fitting import FitThemes
from tests.postgres import fresh_database, postgres_server
from tests.probe.calls import Outcome, joined, probe
from tests.work import analyse_all, wait_until

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "data" / "metrics" / "probe.json"
KEY = "key-of-the-probe-alone"


@contextmanager
def serving(folder: Path, database_url: str) -> Iterator[str]:
    """Run `binome serve` in a process of its own, with the sample workspace read; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BINOME_")}
    given = {"PORT": str(port), "DATA_DIR": str(folder), "DATABASE_URL": database_url, "ADMIN_KEY": KEY, "WORKERS": "0"}
    environment = kept | {f"BINOME_{name}": value for name, value in given.items()}
    url = f"http://127.0.0.1:{port}"
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            wait_until(lambda: _answers(url), seconds=600, pause=0.5)
            _read_sample(database_url)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def _read_sample(database_url: str) -> None:
    engine = make_engine(database_url)
    analyse_all(engine, load_analyzer())
    with write_session(engine) as session:
        job = request_job(session, JobKind.FIT_THEMES, by="probe", now=datetime.now(UTC)).id
    FitThemes(engine).run(job)
    engine.dispose()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def main() -> int:
    """Probe on SQLite and, where there is one, on PostgreSQL; return 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=110, help="calls of each operation, right and again wrong")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the names of the operations to call")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("tests.probe").setLevel(logging.INFO)
    with ExitStack() as stack:
        folders = _folders(stack, given.database)
        urls = {name: stack.enter_context(serving(folder, database)) for name, (folder, database) in folders.items()}
        with urllib.request.urlopen(f"{next(iter(urls.values()))}/openapi.json", timeout=60) as response:
            document = json.load(response)
        outcomes = probe(document, urls, KEY, each=given.each, seed=given.seed, only=given.only)
        for name, outcome in outcomes.items():
            _tell(name, outcome, (folders[name][0] / "serve.log").read_text(errors="replace"))
    written = json.loads(METRICS.read_text()) if METRICS.exists() else {}
    found = {name: outcome.as_dict() for name, outcome in outcomes.items()}
    if given.only:  # what is called again takes the place of what it was before
        found = {name: joined(written[name], told) for name, told in found.items() if name in written}
    METRICS.write_text(json.dumps(written | found, indent=2) + "\n")
    return int(any(outcome.faults for outcome in outcomes.values()))


def _folders(stack: ExitStack, wanted: str) -> dict[str, tuple[Path, str]]:
    """Return a folder and the address of an empty database for each kind that is wanted and there."""
    temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    found: dict[str, tuple[Path, str]] = {}
    if wanted in {"sqlite", "both"}:
        found["sqlite"] = (temporary / "sqlite", f"sqlite:///{temporary}/sqlite/binome.sqlite3")
    if wanted in {"postgresql", "both"}:
        server = stack.enter_context(postgres_server())
        if server is None:
            print("no PostgreSQL on this machine: that half is left out", file=sys.stderr)
        else:
            found["postgresql"] = (temporary / "postgresql", stack.enter_context(fresh_database(server)))
    for folder, _ in found.values():
        folder.mkdir()
    return found


def _tell(name: str, outcome: Outcome, log: str) -> None:
    print(*[part[:4000] for part in log.split("request_failed")[1:4]], sep="\n")
    told = outcome.as_dict()
    print(name, {key: told[key] for key in ("calls", "operations", "statuses", "faults")}, flush=True)


if __name__ == "__main__":
    sys.exit(main())
