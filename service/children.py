"""The worker processes that `binome serve` starts, watches and stops."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

STOP_SECONDS = 22  # a worker has 20 to finish its batch
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0

_log = structlog.get_logger()


def executor_id(data_dir: Path, slot: int) -> str:
    """Name a worker: the same after a restart, so that it takes its own jobs back at once."""
    place = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:8]
    return f"{socket.gethostname()}-{place}-{slot}"


def single_threaded() -> None:
    """Give this process and its children one thread for linear algebra, unless the environment says otherwise.

    The workers are the parallelism: with a thread per core in each of them they would fight for the cores.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


@dataclass(slots=True)
class _Child:
    slot: int
    process: subprocess.Popen[bytes]
    started: float
    pause: float = FIRST_PAUSE_SECONDS
    due: float | None = None


class WorkerProcesses:
    """Keeps worker processes alive. A worker stops by itself when its standard input, a pipe from here, closes."""

    def __init__(self, command: Sequence[str], count: int) -> None:
        """Prepare.

        Args:
            command: Starts a worker; its slot, from 1, is appended.
            count: How many workers.
        """
        self._command = list(command)
        self._count = count
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watch-workers", daemon=True)
        self._children: list[_Child] = []

    def start(self) -> None:
        """Start the workers and watch them."""
        self._children = [_Child(slot, self._spawn(slot), time.monotonic()) for slot in range(1, self._count + 1)]
        self._watcher.start()

    def stop(self) -> None:
        """Let the workers finish what they do, for 22 seconds at most."""
        self._stop.set()
        if self._watcher.ident is not None:
            self._watcher.join()
        for child in self._children:
            if child.process.stdin:
                child.process.stdin.close()
        end = time.monotonic() + STOP_SECONDS
        for child in self._children:
            try:
                child.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.warning("worker_killed", slot=child.slot)
                child.process.kill()
                child.process.wait()

    def _spawn(self, slot: int) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches the parent alone, which then stops the workers in order.
        return subprocess.Popen([*self._command, str(slot)], stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            for child in self._children:
                self._look_after(child, time.monotonic())

    def _look_after(self, child: _Child, now: float) -> None:
        """Start a worker again that ended, after a pause that doubles while it keeps ending."""
        code = child.process.poll()
        if code is None:
            return
        if child.due is None:
            if now - child.started > STEADY_SECONDS:
                child.pause = FIRST_PAUSE_SECONDS
            child.due = now + child.pause
            _log.warning("worker_ended", slot=child.slot, exit_code=code, restart_in_seconds=child.pause)
            child.pause = min(2 * child.pause, LONGEST_PAUSE_SECONDS)
        elif now >= child.due:
            child.process, child.started, child.due = self._spawn(child.slot), now, None


def stop_at_end_of_input(stop: threading.Event) -> None:
    """Set `stop` when standard input closes: whoever started this process is gone."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        stop.set()

    threading.Thread(target=wait, name="watch-parent", daemon=True).start()
