"""`binome serve` and `binome worker`."""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import Annotated

import typer

from service.children import executor_id, single_threaded, stop_at_end_of_input
from service.logs import configure_logs
from service.settings import load_settings


def serve() -> None:
    """Start Binôme: database, first key, sample workspace, workers and the service, in the foreground."""
    from service.launch import serve as launch

    launch(load_settings())


def worker(
    slot: Annotated[int | None, typer.Option(min=1, help="Number of this worker on this machine.")] = None,
    child: Annotated[bool, typer.Option("--child", hidden=True, help="Stop when standard input closes.")] = False,
) -> None:
    """Start one more worker, on this machine or another with the same database."""
    configure_logs()
    single_threaded()
    # Imported here: numpy reads the number of threads when it is loaded, and other commands start faster.
    from models.analyzer import load_analyzer
    from service.jobs.worker import Worker
    from service.start import open_database

    settings = load_settings()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if child:
        stop_at_end_of_input(stop)
    name = executor_id(settings.data_dir, slot) if slot else f"{socket.gethostname()}-{os.getpid()}"
    with open_database(settings) as engine:
        Worker(engine, settings.sqlalchemy_url, name, load_analyzer, settings).run(stop)
