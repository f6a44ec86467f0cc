"""Who sends slowly is not waited for, and no address holds too many connections.

uvicorn waits for ever for the head and the body of a request. Here each has its time: `BINOME_RECEIVE_SECONDS`, and
for a body a second more for each 16 KiB that came. While it is we who are slow (reading is paused), the time stands
still.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import BadRequest, HeadTooLarge, Problem, TooLarge, TooSlow, Unavailable
from service.problems import MEDIA_TYPE, problem_body
from service.settings import Settings

BYTES_A_SECOND = 16_384
MOST_HEAD_BYTES = 65_536
MOST_ADDRESS_BYTES = 65_535  # that the parser reads
MOST_PIECES = 100_000  # of a body: whoever sends it byte by byte, in chunks, costs more time than what it holds
READ_SECONDS = 60  # in which a client takes in what waits to be sent to it
HELD_UP_SECONDS = 0.1  # by which a timer is late where this process was busy: what came meanwhile is not yet read
_NET_BITS = 64  # of an IPv6 address: its owner has all the others


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(f"The head of the request is over {MOST_HEAD_BYTES} bytes.")


@dataclass(slots=True)
class Limits:
    """Limits of connections, and how many there are.

    Attributes:
        seconds: For a head, and for a body beside what its length allows.
        per_address: Connections of one address at most; 0 for any number.
        exempt: Networks of trusted proxies, which stand for many.
    """

    seconds: float
    per_address: int
    exempt: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = field(default_factory=list)
    open: Counter[str] = field(default_factory=Counter)

    def owner(self, host: str) -> str | None:
        """Return whose connections are counted together; None for who has no limit."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:  # a Unix socket
            return None
        if not self.per_address or any(address in network for network in self.exempt):
            return None
        return str(ipaddress.ip_network(f"{address}/{_NET_BITS}", strict=False)) if address.version == 6 else host


def protocol(settings: Settings) -> Callable[..., GuardedProtocol]:
    """Return what uvicorn makes of each connection."""
    exempt = []
    for name in settings.proxies:
        try:
            exempt.append(ipaddress.ip_network(name, strict=False))
        except ValueError:
            continue  # a name, which tells no address
    return partial(GuardedProtocol, limits=Limits(settings.receive_seconds, settings.max_connections, exempt))


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits of time and number.

    Args:
        limits: Shared by all connections.
    """

    def __init__(self, *args: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*args, **named)
        self._limits = limits
        self._owner: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._until = 0.0
        self._due = 0.0
        self._in_body = False
        self._head_bytes = 0
        self._pieces = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and wait for the head of a request."""
        super().connection_made(transport)
        owner = self._limits.owner(self.client[0]) if self.client else None
        if owner is not None and self._limits.open[owner] >= self._limits.per_address:
            self._refuse(Unavailable("Too many connections: close some.", code="too_many_connections"))
            return
        if owner is not None:
            self._limits.open[owner] += 1
            self._owner = owner
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        self._cancel()
        if self._sending is not None:
            self._sending.cancel()
        if self._owner is not None:
            self._limits.open[self._owner] -= 1
            if not self._limits.open[self._owner]:
                del self._limits.open[self._owner]
            self._owner = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; any that begin something start its time."""
        if self._timer is None:
            self._expect()
        self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_body and self._timer is not None and self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(_head_too_large())

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser can't read; it reads no address over its length, however fast the head came."""
        begun = hasattr(self, "url")
        too_long = begun and (len(self.url) > MOST_ADDRESS_BYTES or self._header_bytes() > MOST_HEAD_BYTES)
        self._refuse(_head_too_large() if too_long else BadRequest(f"{msg} Send HTTP/1.1."))

    def _header_bytes(self) -> int:
        return sum(len(name) + len(value) for name, value in self.headers)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._expect()

    def on_headers_complete(self) -> None:
        """Go on to the body; the parser gives a head up whose headers are too large though they came at once."""
        if self._header_bytes() > MOST_HEAD_BYTES:
            raise ValueError("too large")
        super().on_headers_complete()
        self._expect()
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; what came allows more time, while there is no answer yet."""
        if not self.cycle.response_complete:
            self._until += len(body) / BYTES_A_SECOND
        self._pieces += 1
        if self._pieces > MOST_PIECES:
            self._give_up(TooLarge(f"The body came in over {MOST_PIECES} pieces: send larger ones."))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing more until the next request."""
        self._cancel()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on; whoever is answered before the body is there has no more time for it than for a head."""
        super().on_response_complete()
        if self._timer is not None and self._in_body:
            self._cancel()
            self._until = self.loop.time() + self._limits.seconds
            self._wait()

    def pause_writing(self) -> None:
        """Give a client that reads slowly its time."""
        super().pause_writing()
        self._sending = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on sending."""
        if self._sending is not None:
            self._sending.cancel()
        super().resume_writing()

    def _expect(self) -> None:
        self._cancel()
        self._in_body, self._head_bytes, self._pieces = False, 0, 0
        self._until = self.loop.time() + self._limits.seconds
        self._wait()

    def _wait(self) -> None:
        """Look again when the time is up; uvloop's own handle tells no time where that is within a millisecond."""
        self._due = self._until
        self._timer = self.loop.call_at(self._due, self._look)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Give up what is not there in time."""
        now = self.loop.time()
        held_up = now - self._due
        if self.flow.read_paused:
            self._until = now + self._limits.seconds
        elif held_up > HELD_UP_SECONDS:
            self._until = now + held_up
        if self._until > now:
            self._wait()
        else:
            detail = f"The request did not arrive within {self._limits.seconds:g} seconds and one for each 16 KiB."
            self._give_up(TooSlow(detail))

    def _give_up(self, problem: Problem) -> None:
        """Refuse what is under way, without words where the answer has begun."""
        if self._in_body and self.cycle.response_started:
            self._cancel()
            self.transport.abort()
        else:
            self._refuse(problem)

    def _refuse(self, problem: Problem) -> None:
        """Answer in the shape of all errors, and close the connection."""
        self._cancel()
        if self.transport.is_closing():
            return
        body = json.dumps(problem_body(problem, "")).encode()
        head = (
            f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
