"""A TCP line to PostgreSQL that can be cut while a COMMIT is on its way."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa


class Proxy:
    """Passes bytes between clients and the server's Unix socket.

    `cut_next_commit` cuts every line in the moment when a client sends COMMIT: before the server hears of it, or after,
    so that the client never learns that it is committed.
    """

    def __init__(self, server: sa.URL) -> None:
        self._server = server
        self._upstream = str(Path(str(server.query["host"])) / ".s.PGSQL.5432")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lines: set[tuple[socket.socket, socket.socket]] = set()
        self._armed: bool | None = None  # whether the server hears the COMMIT at which all is cut
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database: str) -> str:
        """Return the URL of a database over this line."""
        host, port = self._listener.getsockname()
        url = self._server.set(host=host, port=port, database=database, query={})
        return url.render_as_string(hide_password=False)

    def cut_next_commit(self, *, heard: bool) -> None:
        """Cut all lines at the next COMMIT; the server hears it or not."""
        self._armed = heard

    def close(self) -> None:
        """Cut everything for good."""
        self._listener.close()
        self._cut()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self._upstream)
                except OSError:
                    client.close()
                    continue
                line = (client, server)
                self._lines.add(line)
                threading.Thread(target=self._up, args=(line,), daemon=True).start()
                threading.Thread(target=self._down, args=(line,), daemon=True).start()

    def _up(self, line: tuple[socket.socket, socket.socket]) -> None:
        client, server = line
        with suppress(OSError):
            while data := client.recv(65536):
                heard = self._armed
                if heard is not None and b"COMMIT" in data:
                    self._armed = None
                    self.cuts += 1
                    client.shutdown(socket.SHUT_RDWR)  # first: no answer gets through
                    if heard:
                        server.sendall(data)
                    break
                server.sendall(data)
            else:
                self._hang_up(line)
                return
            self._cut()
        self._hang_up(line)

    def _down(self, line: tuple[socket.socket, socket.socket]) -> None:
        client, server = line
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        self._hang_up(line)

    def _cut(self) -> None:
        for line in list(self._lines):
            self._hang_up(line)

    def _hang_up(self, line: tuple[socket.socket, socket.socket]) -> None:
        self._lines.discard(line)
        for end in line:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
