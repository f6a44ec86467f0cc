"""What `binome serve` does: checks, database, first key, sample, workers, then HTTP in the foreground."""

from __future__ import annotations

import gc
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import sqlalchemy as sa
import uvicorn

from service import __version__
from service.app import create_app
from service.audit.acts import started
from service.auth.sessions import SessionKind, open_session
from service.children import WorkerProcesses, single_threaded
from service.database import sqlite_module, write_session
from service.errors import StartRefused
from service.insights.queries import read_ahead
from service.logs import configure_logs
from service.memory import share_arenas
from service.operation import disk
from service.protocol import protocol
from service.settings import Sample, Settings
from service.sources.intake import public_url
from service.start import KEY_FILE, base_url, check_folder, ensure_first_key, load_sample, open_database
from service.tracing import configure_tracing, stop_tracing

GRACE_SECONDS = 10  # for answers under way when the service stops
READ_AHEAD_SECONDS = 3  # after the start, which workers and the first requests need for themselves
WORKER_COMMAND = (sys.executable, "-m", "service.cli", "worker", "--child", "--slot")


def serve(settings: Settings, worker_command: Sequence[str] = WORKER_COMMAND) -> None:
    """Run Binôme until SIGINT or SIGTERM, then stop within about 35 seconds.

    Args:
        settings: Checked settings.
        worker_command: Starts a worker process; the number of its slot is appended.

    Raises:
        StartRefused: Before anything is changed, if the port is taken or the folder can't be written; later if the
            database can't be used.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    configure_logs(settings.log_format)
    single_threaded()
    share_arenas()
    check_folder(settings.data_dir)
    sqlite_module()
    with bind(settings.host, settings.port) as listener, open_database(settings) as engine:
        workers = WorkerProcesses(worker_command, settings.workers)
        try:
            configure_tracing(settings.otlp_endpoint, "service", __version__, engine)
            lines = _prepare(engine, settings)
            workers.start()
            print("\n".join(lines), flush=True)
            _answer(settings, engine, listener)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            workers.stop()
            stop_tracing()


def _leave(_number: int, _frame: Any) -> NoReturn:
    raise SystemExit(0)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address.

    Raises:
        StartRefused: If it is taken, or not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise StartRefused(f"BINOME_HOST={host} is not an address or name that this machine knows.") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)  # without it a second start could bind the same port
    except PermissionError:
        listener.close()
        raise StartRefused(f"Port {port} needs more rights: choose one over 1023 with BINOME_PORT.") from None
    except OSError as error:
        listener.close()
        raise StartRefused(
            f"Port {port} on {host} can't be used ({error.strerror}): stop what uses it, or choose another, "
            f"for example BINOME_PORT={port + 1 if port < 65535 else 8000}."
        ) from None
    return listener


def _prepare(engine: sa.Engine, settings: Settings) -> list[str]:
    """See to the first key and the sample; return what to tell the operator."""
    at = datetime.now(UTC)
    with write_session(engine) as session:
        key = ensure_first_key(session, settings, at)
        loaded = load_sample(session, at) if settings.sample is Sample.ON else 0
        token = open_session(session, key.row, SessionKind.LINK, at)
        started(session, __version__, settings.not_as_they_come())
        made = key.made
    address = base_url(settings)
    sign_in = f"{public_url(settings)}/sign-in?token={token}"
    where = "the one in BINOME_ADMIN_KEY" if settings.admin_key else str(settings.data_dir / KEY_FILE)
    lines = [
        f"Binôme {__version__}",
        f"  address    {address}  (its API: {address}/openapi.json)",
        f"  sign in    {sign_in}  (works once, for 12 hours; more: binome keys link)",
        f"  admin key  {f'{made}  (kept in {where})' if made else where}",
        f"  data       {settings.data_dir}",
        f"  workers    {settings.workers}",
    ]
    if loaded:
        lines.append(f"  sample     {loaded} notes of a made-up company were loaded and are being read")
    lines += [f"  warning    {said}" for said in disk.warnings(settings)]
    return [*lines, "Ctrl-C stops it."]


def _answer(settings: Settings, engine: sa.Engine, listener: socket.socket) -> None:
    app = create_app(settings, engine)
    app.openapi()  # takes a second: not while the first requests wait
    _settle()
    ahead = threading.Timer(READ_AHEAD_SECONDS, _read_ahead, (engine,))
    ahead.daemon = True
    ahead.start()
    config = uvicorn.Config(
        app,
        http=protocol(settings),  # type: ignore[arg-type]  # uvicorn calls it as it would call the class
        access_log=False,  # its lines hold query strings, and with them sign-in tokens
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        proxy_headers=False,  # the application trusts the proxies of its settings, and no other
    )
    uvicorn.Server(config).run(sockets=[listener])


def _settle() -> None:
    """Spare the collector what stands: it stands to the end, and need not be gone through again and again."""
    gc.collect()
    gc.freeze()


def _read_ahead(engine: sa.Engine) -> None:
    read_ahead(engine)
    _settle()
