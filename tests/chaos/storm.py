"""Does harm while clients post, edit, repeat and delete notes, then counts what is there.

Each client owns its notes and repeats a request until it is acknowledged, as a CRM does; so what must be in the
database in the end is known exactly.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from models.types import Analyzer, Catalog, NoteText
from service.database import make_engine, migrate, read_session
from service.tables import NoteTable, ObjectionTable, PassageTable

KEY = "storm-key-of-the-tests"
CLIENTS = 4
FIRST_TIME = datetime(2026, 9, 1, tzinfo=UTC)
SENTENCES = (
    "The director finds it too expensive.",
    "Le directeur trouve cela trop cher.",
    "They wait for the go-live of their new system.",
    "Nobody there has time for the migration.",
    "It is too expensive, says the buyer, and too expensive again.",
    "They liked the demo.",
)


@dataclass(slots=True)
class Report:
    """What a storm did and what was found after it.

    `answers` counts what the clients were answered: statuses, and `none` where the line broke. `ended` counts how often
    service or worker ended by itself.
    """

    fault: str
    database: str
    notes: int
    strikes: int = 0
    requests: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    edits: int = 0
    deletions: int = 0
    ended: int = 0
    lost: int = 0
    doubled: int = 0
    outdated: int = 0
    revived: int = 0
    unanalysed: int = 0
    failed: int = 0
    findings_expected: int = 0
    findings_found: int = 0
    seconds: float = 0.0

    def faults(self) -> dict[str, int]:
        """Return the counts that have to be 0, where they are not."""
        names = ("lost", "doubled", "outdated", "revived", "unanalysed", "failed")
        counts = {name: getattr(self, name) for name in names}
        counts["findings"] = abs(self.findings_expected - self.findings_found)
        return {name: count for name, count in counts.items() if count}

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


@dataclass(slots=True)
class Ledger:
    """What was acknowledged: for each note its latest text, None where it was deleted."""

    texts: dict[str, str | None] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    edits: int = 0
    deletions: int = 0


class Processes:
    """The service and one worker, started again when they end."""

    def __init__(
        self, url: str, folder: Path, worker_command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = _free_port()
        self.ended = 0
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("BINOME_")},
            "BINOME_DATABASE_URL": url,
            "BINOME_DATA_DIR": str(folder),
            "BINOME_PORT": str(self.port),
            "BINOME_ADMIN_KEY": KEY,
            "BINOME_SAMPLE": "off",
            "BINOME_RATE_LIMIT": "0",
            "BINOME_RATE_LIMIT_ADDRESS": "0",
            "BINOME_RATE_LIMIT_INGEST": "0",
            "BINOME_WORKERS": "0",
            **(environment or {}),
        }
        self._log = (folder / "storm.log").open("ab")
        self._commands = {"service": [sys.executable, "-m", "service.cli", "serve"], "worker": list(worker_command)}
        self._running = {name: self._start(name) for name in self._commands}

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._commands[name], env=self._environment, stdout=self._log, stderr=self._log)

    def wait_until_ready(self) -> None:
        """Wait until notes are taken in and read, for five minutes at most."""
        end = time.monotonic() + 300
        while time.monotonic() < end:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                return
            time.sleep(0.1)
        raise TimeoutError("service and worker did not start")

    def kill(self, name: str) -> None:
        """Kill a process with SIGKILL and start it again."""
        process = self._running[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._running[name] = self._start(name)

    def restart_dead(self) -> None:
        """Start again what ended by itself: what a supervisor does."""
        for name, process in self._running.items():
            if process.poll() is not None:
                self.ended += 1
                self._running[name] = self._start(name)

    def stop(self) -> None:
        """End both: all is counted by then, and a fit of themes that still runs would be waited for."""
        for process in self._running.values():
            process.kill()
            process.wait()
        self._log.close()


def kill(processes: Processes, chance: random.Random) -> None:
    """Kill the service or the worker."""
    processes.kill(chance.choice(("service", "worker")))


Strike = Callable[[Processes, random.Random], None]


def run_storm(
    url: str,
    folder: Path,
    *,
    notes: int,
    strikes: int,
    worker_command: Sequence[str],
    reader: Analyzer,
    fault: str = "kills",
    strike: Strike = kill,
    served_url: str | None = None,
    environment: Mapping[str, str] | None = None,
    dated: bool = True,
    seed: int = 1,
    longest_pause_seconds: float = 3.0,
    patience_seconds: float = 300.0,
) -> Report:
    """Run a storm over an empty database.

    Args:
        url: The database.
        folder: For the service's data and log.
        notes: How many different notes are posted.
        strikes: How often harm is done, spread over the posting and the analysis.
        worker_command: Starts the worker.
        reader: The same reader, to know what a calm run would find.
        fault: Names the harm in the report.
        strike: Does it.
        served_url: The database as service and worker reach it, where that is another way.
        environment: Further variables of service and worker.
        dated: Notes carry the time of their version; else the order of arrival counts, and nothing comes late.
        seed: Of what is posted and when harm is done.
        longest_pause_seconds: Between two strikes.
        patience_seconds: For the analysis of the rest, after the last strike.
    """
    began = time.monotonic()
    migrate(url)
    chance = random.Random(seed)
    processes = Processes(served_url or url, folder, worker_command, environment)
    ledgers = [Ledger() for _ in range(CLIENTS)]
    over = threading.Event()
    share = [0.0]  # of the strikes that are done: clients keep pace with it
    report = Report(fault, sa.make_url(url).get_backend_name(), notes)
    clients = [
        Client(processes.port, ledger, index, notes // CLIENTS, seed * 100 + index, share, over, dated)
        for index, ledger in enumerate(ledgers)
    ]
    try:
        processes.wait_until_ready()
        for client in clients:
            client.start()
        for number in range(strikes):
            time.sleep(chance.uniform(0.05, longest_pause_seconds))
            processes.restart_dead()
            share[0] = (number + 1) / strikes  # before: the harm meets clients at work
            strike(processes, chance)
            report.strikes += 1
        over.set()
        while any(client.is_alive() for client in clients):
            processes.restart_dead()
            clients[0].join(0.2)
            time.sleep(0.2)
        engine = make_engine(url)
        wait_for_analysis(engine, processes, patience_seconds)
        count(report, engine, ledgers, reader)
        engine.dispose()
    finally:
        over.set()
        processes.stop()
    assert not [client.failure for client in clients if client.failure], [client.failure for client in clients]
    report.ended = processes.ended
    report.seconds = round(time.monotonic() - began, 1)
    return report


class Client(threading.Thread):
    """Posts notes in random portions, with edits, repeats, late old versions and deletions between."""

    def __init__(
        self,
        port: int,
        ledger: Ledger,
        number: int,
        count: int,
        seed: int,
        share: list[float],
        over: threading.Event,
        dated: bool,
    ) -> None:
        super().__init__(daemon=True)
        self.failure: BaseException | None = None
        self._post = (port, ledger, number, count, seed, share, over, dated)

    def run(self) -> None:
        """Post until all is acknowledged."""
        try:
            _post_all(*self._post)
        except BaseException as failure:
            self.failure = failure
            raise


def _post_all(
    port: int,
    ledger: Ledger,
    client: int,
    count: int,
    seed: int,
    share: list[float],
    over: threading.Event,
    dated: bool,
) -> None:
    chance = random.Random(seed)
    version = 0
    names: list[str] = []
    sent: dict[str, dict[str, Any]] = {}
    while len(names) < count:
        while not over.is_set() and len(names) / count > share[0] * 1.1 + 0.02:
            time.sleep(0.02)
        batch: dict[str, dict[str, Any]] = {}
        for _ in range(min(chance.choice((1, 1, 5, 20)), count - len(names))):
            version += 1
            names.append(f"c{client}-{len(names)}")
            batch[names[-1]] = _version(chance, names[-1], version)
        late = []
        for name in chance.sample(names, min(len(names), chance.choice((0, 1, 3)))):
            version += 1
            if dated and name in sent and name not in batch:
                late.append(sent[name])
            batch[name] = _version(chance, name, version)
        for name in chance.sample(names, 1 if chance.random() < 0.3 else 0):
            version += 1
            batch[name] = {"external_id": name, "deleted": True, "updated_at": _time(version)}
        portion = [note if dated else _undated(note) for note in batch.values()]
        deliver(port, ledger, portion)
        if late or chance.random() < 0.2:  # delivered again, and out of order
            deliver(port, ledger, late or portion, late=bool(late))
        for name, note in batch.items():
            ledger.edits += name in sent
            ledger.deletions += bool(note.get("deleted"))
            ledger.texts[name] = None if note.get("deleted") else note["text"]
        sent |= batch


def _undated(note: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in note.items() if name != "updated_at"}


def _version(chance: random.Random, name: str, version: int) -> dict[str, Any]:
    text = " ".join([f"Note {name}, version {version}.", *chance.choices(SENTENCES, k=chance.randint(1, 5))])
    account = {"id": f"acc-{chance.randint(1, 40)}"}
    return {"external_id": name, "text": text, "account": account, "updated_at": _time(version)}


def _time(version: int) -> str:
    return (FIRST_TIME + timedelta(seconds=version)).isoformat()


def deliver(port: int, ledger: Ledger, notes: list[dict[str, Any]], *, late: bool = False) -> None:
    """Post until it is acknowledged."""
    body: Any = notes[0] if len(notes) == 1 else {"notes": notes}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/notes",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                results = json.load(response)["results"]
        except urllib.error.HTTPError as error:
            ledger.answers[str(error.code)] += 1
            if error.code not in {429, 503, 507}:
                raise
        except (OSError, ValueError, http.client.HTTPException):
            ledger.answers["none"] += 1
        else:
            ledger.answers["202"] += 1
            allowed = {"stale", "unchanged"} if late else {"created", "updated", "unchanged", "deleted"}
            assert {r["result"] for r in results} <= allowed, results
            return
        time.sleep(0.05)


def wait_for_analysis(engine: sa.Engine, processes: Processes, seconds: float) -> None:
    """Wait until all notes are read or failed."""
    end = time.monotonic() + seconds
    waiting = sa.select(sa.func.count()).select_from(NoteTable)
    waiting = waiting.where(NoteTable.analysed_revision < NoteTable.revision, NoteTable.failure.is_(None))
    while time.monotonic() < end:
        with read_session(engine) as session:
            if not session.scalar(waiting):
                return
        processes.restart_dead()
        time.sleep(0.2)


def count(report: Report, engine: sa.Engine, ledgers: list[Ledger], reader: Analyzer) -> None:
    """Compare what is stored with what was acknowledged, and the findings with those of a calm run."""
    expected = {name: text for ledger in ledgers for name, text in ledger.texts.items()}
    with read_session(engine) as session:
        rows = list(session.scalars(sa.select(NoteTable)))
        found = sum(
            session.scalar(sa.select(sa.func.count()).select_from(t)) or 0 for t in (ObjectionTable, PassageTable)
        )
    stored = {row.external_id: row for row in rows}
    alive = {name: text for name, text in expected.items() if text is not None}
    answers = sum((ledger.answers for ledger in ledgers), Counter[str]())
    report.answers = dict(sorted(answers.items()))
    report.requests = answers.total()
    report.edits = sum(ledger.edits for ledger in ledgers)
    report.deletions = sum(ledger.deletions for ledger in ledgers)
    report.lost = len(expected.keys() - stored.keys()) + sum(
        stored[name].deleted_at is not None for name in alive.keys() & stored.keys()
    )
    report.doubled = len(rows) - len(stored) + len(stored.keys() - expected.keys())
    report.outdated = sum(stored[n].text != text for n, text in alive.items() if n in stored)
    report.revived = sum(stored[n].deleted_at is None for n in expected.keys() - alive.keys() if n in stored)
    report.unanalysed = sum(row.analysed_revision < row.revision for row in rows)
    report.failed = sum(row.failure is not None for row in rows)
    analyses = reader.analyze([NoteText(text, "call_note") for text in alive.values()], Catalog())
    report.findings_expected = sum(len(a.objections) + len(a.passages) for a in analyses)
    report.findings_found = found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
