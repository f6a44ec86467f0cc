"""The harm that `make chaos` does, each with the database it concerns and how it is brought about."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from service.database import migrate
from service.jobs.worker import BATCH_NOTES
from tests.analyzers import FakeAnalyzer
from tests.chaos.overload import run_overload
from tests.chaos.proxy import Proxy
from tests.chaos.storm import Processes, Report, Strike, kill, run_storm
from tests.postgres import Server, find_binaries, fresh_database

SLOW_READER_SECONDS = 0.1
OVERLOADED_READER_SECONDS = 3.2  # a batch of 64: 20 notes a second
SYNC_MILLISECONDS = 100
SHIM = Path(__file__).with_name("shim.c")
DISK_MIB = {"sqlite": 48, "postgresql": 224}


class NotHere(Exception):
    """This machine lacks what the fault needs; the message says what."""


def kills(database: str, **how: Any) -> Report:
    """SIGKILL of service and worker at random moments."""
    with _database(database) as (url, folder, _):
        return _storm(url, folder, fault="kills", strike=kill, **how)


def database_restarted(database: str, **how: Any) -> Report:
    """The database server stops at once, as without power, and comes back after a second or two."""
    with _database(database) as (url, folder, server):
        if server is None:
            raise NotHere("SQLite has no server; its process is killed under `kills`")

        def strike(_processes: Processes, chance: random.Random) -> None:
            server.stop(signal.SIGQUIT)
            time.sleep(chance.uniform(0.2, 2))
            server.start()

        return _storm(url, folder, fault="database_restarted", strike=strike, **how)


def cut_at_commit(database: str, **how: Any) -> Report:
    """All lines to the database are cut while a COMMIT is on its way: before the server has it, or after."""
    with _database(database) as (url, folder, server):
        if server is None:
            raise NotHere("SQLite has no line to cut; a commit broken off is under `kills`")
        proxy = Proxy(server.url)

        def strike(_processes: Processes, chance: random.Random) -> None:
            before = proxy.cuts
            proxy.cut_next_commit(heard=chance.random() < 0.5)
            end = time.monotonic() + 20
            while proxy.cuts == before and time.monotonic() < end:
                time.sleep(0.02)

        try:
            served = proxy.url(url.rsplit("/", 1)[1].split("?")[0])
            report = _storm(url, folder, fault="cut_at_commit", strike=strike, served_url=served, **how)
        finally:
            proxy.close()
        report.strikes = proxy.cuts
        return report


def disk_full(database: str, **how: Any) -> Report:
    """The disk of the database is filled to the last byte for three seconds."""
    with _small_disk(DISK_MIB[database]) as disk, _database(database, disk) as (url, folder, server):
        ballast = disk / "ballast"

        def strike(_processes: Processes, _chance: random.Random) -> None:
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * 65536)
            with suppress(OSError), ballast.open("ab", buffering=0) as file:
                while True:
                    file.write(b"\0" * 512)
            time.sleep(3)
            ballast.unlink()
            if server is not None and not server.is_running():
                server.start()

        environment = {"BINOME_MIN_FREE_MIB": "0"}  # else new notes stop before the disk is full
        return _storm(url, folder, fault="disk_full", strike=strike, environment=environment, **how)


def clock_set_back(database: str, **how: Any) -> Report:
    """The clock of service and worker jumps back by an hour; then one of them is killed, for another to take over."""
    with _database(database) as (url, folder, _):
        clock = _number(folder / "clock", 0)
        hours = [0]

        def strike(processes: Processes, chance: random.Random) -> None:
            hours[0] += 1
            _number(clock, -3600 * hours[0])
            time.sleep(chance.uniform(0, 1))
            processes.kill(chance.choice(("service", "worker")))

        environment = {"LD_PRELOAD": _shim(folder), "CHAOS_CLOCK": str(clock)}
        return _storm(url, folder, fault="clock_set_back", strike=strike, environment=environment, dated=False, **how)


def slow_disk(database: str, **how: Any) -> Report:
    """Each fsync of the process that writes takes 100 ms more; service and worker are killed meanwhile."""
    with tempfile.TemporaryDirectory() as place:
        delay = _number(Path(place) / "delay", 0)
        slow = {"LD_PRELOAD": _shim(Path(place)), "CHAOS_SYNC": str(delay)}
        Path(place).chmod(0o755)
        with _database(database, environment=slow, options={"fsync": "on"}) as (url, folder, server):
            migrate(url)
            environment = slow if server is None else {}
            _number(delay, SYNC_MILLISECONDS)
            try:
                return _storm(url, folder, fault="slow_disk", strike=kill, environment=environment, **how)
            finally:
                _number(delay, 0)


FAULTS: dict[str, Callable[..., Report]] = {
    fault.__name__: fault for fault in (kills, database_restarted, cut_at_commit, disk_full, clock_set_back, slow_disk)
}


def overload(database: str, *, seconds: float, times: float = 10) -> tuple[Report, dict[str, Any]]:
    """Ten times as many notes as the worker reads, which is made slow for it."""
    with _database(database) as (url, folder, _):
        return run_overload(
            url,
            folder,
            seconds=seconds,
            notes_per_second=times * BATCH_NOTES / OVERLOADED_READER_SECONDS,
            worker_command=[*_worker(url), "--slow", str(OVERLOADED_READER_SECONDS)],
            reader=FakeAnalyzer(),
        )


def _worker(url: str) -> list[str]:
    return [sys.executable, "-m", "tests.chaos.worker", "--url", url, "--name", "storm-1"]


def _storm(url: str, folder: Path, *, notes: int, strikes: int, strike: Strike, **how: Any) -> Report:
    command = [*_worker(how.get("served_url") or url), "--slow", str(SLOW_READER_SECONDS)]
    return run_storm(
        url, folder, notes=notes, strikes=strikes, worker_command=command, reader=FakeAnalyzer(), strike=strike, **how
    )


@contextmanager
def _database(
    database: str, disk: Path | None = None, environment: Any = None, options: Any = None
) -> Iterator[tuple[str, Path, Server | None]]:
    """Give the URL of an empty database, a folder for the service's data, and the database's own server."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if database == "sqlite":
            yield f"sqlite:///{disk or folder}/binome.sqlite3", folder, None
            return
        binaries = find_binaries()
        if binaries is None:
            raise NotHere("no PostgreSQL on this machine")
        place = disk or Path(tempfile.mkdtemp(prefix="binome-pg-"))
        small = {"min_wal_size": "32MB", "max_wal_size": "48MB"} if disk else {}
        server = Server(place, binaries, {**small, **(options or {})}, environment)
        try:
            server.start()
            with fresh_database(server.url) as url:
                yield url, folder, server
        finally:
            server.stop()
            if disk is None:
                shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _small_disk(mib: int) -> Iterator[Path]:
    """Mount a file system of a few megabytes in memory."""
    place = tempfile.mkdtemp(prefix="binome-disk-")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        Path(place).rmdir()
        raise NotHere("mounting a small disk needs root")
    try:
        yield Path(place)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
        Path(place).rmdir()


def _number(path: Path, value: int) -> Path:
    """Write a number that the shim reads each time anew."""
    path.touch(0o644)
    with path.open("r+b") as file:
        file.write(value.to_bytes(8, "little", signed=True))
    return path


def _shim(folder: Path) -> str:
    """Compile what is loaded before the C library."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        raise NotHere("needs Linux and a C compiler")
    library = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SHIM, "-ldl"], check=True)
    library.chmod(0o755)
    return str(library)
