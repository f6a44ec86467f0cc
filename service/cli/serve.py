"""`binome serve` and `binome worker`."""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import Annotated

import typer

from service import __version__
from service.children import executor_id, single_threaded, stop_at_end_of_input
from service.logs import configure_logs
from service.memory import share_arenas
from service.settings import load_settings


def serve() -> None:
    """Start Binôme: database, first key, sample workspace, workers and the service, in the foreground."""
    from service.launch import serve as launch

    launch(load_settings())


def worker(
    slot: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of this worker on this machine, used by no other: `serve` uses 1 to BINOME_WORKERS."
        ),
    ] = None,
    child: Annotated[bool, typer.Option("--child", hidden=True, help="Stop when standard input closes.")] = False,
) -> None:
    """Start one more worker, on this machine or another with the same database."""
    settings = load_settings()
    configure_logs(settings.log_format)
    single_threaded()
    share_arenas()
    # Imported here: numpy reads the number of threads when it is loaded, and other commands start faster.
    from models.analyzer import load_analyzer
    from service.jobs.worker import Worker
    from service.start import open_database
    from service.tracing import configure_tracing, stop_tracing

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if child:
        stop_at_end_of_input(stop)
    name = executor_id(settings.data_dir, slot) if slot else f"{socket.gethostname()}-{os.getpid()}"
    with open_database(settings) as engine:
        configure_tracing(settings.otlp_endpoint, "worker", __version__, engine)
        Worker(engine, settings.sqlalchemy_url, name, load_analyzer, settings).run(stop)
        stop_tracing()
