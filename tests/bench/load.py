"""A client with several connections, and a service to point it at."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KEY = "bench-key-of-the-tests"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


@contextmanager
def service(url: str, folder: Path) -> Iterator[int]:
    """Run `binome serve` without workers over a database; give its port."""
    with running(url, folder) as (port, _):
        yield port


@contextmanager
def running(url: str, folder: Path, **more: str) -> Iterator[tuple[int, int]]:
    """Run `binome serve` over a database, without workers unless further settings say so; give port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = {"DATABASE_URL": url, "DATA_DIR": str(folder), "PORT": str(port), "ADMIN_KEY": KEY}
    settings |= {
        "SAMPLE": "off",
        "WORKERS": "0",
        "RATE_LIMIT": "0",
        "RATE_LIMIT_ADDRESS": "0",
        "RATE_LIMIT_INGEST": "0",
        **more,
    }
    environment = {**os.environ, **{f"BINOME_{name}": value for name, value in settings.items()}}
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "serve"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "GET", "/healthz")
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the service did not start")


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    """Send a request on a connection that is kept; return the answer's JSON."""
    connection.request(method, path, None if body is None else json.dumps(body), HEADERS)
    response = connection.getresponse()
    content = response.read()
    assert response.status < 300, content
    return json.loads(content)


def post_all(port: int, bodies: Sequence[Any], connections: int) -> tuple[float, list[float]]:
    """Post bodies over several connections at once; return the seconds in all, and those of each request."""
    waiting = iter(bodies)
    lock = threading.Lock()
    times: list[float] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                return
            began = time.perf_counter()
            ask(connection, "POST", "/v1/notes", body)
            times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=send) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, times
