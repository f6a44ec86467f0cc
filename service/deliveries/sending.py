"""Posts a body to an address outside, in bounded time, to none but allowed addresses.

The name is resolved once and the connection goes to an address that was checked: a name that resolves to another
address the next moment gains nothing. Redirects are not followed, proxies of the environment are not used, and of the
answer no more is read than its status, its headers and a short text.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore2

from service.deliveries.addresses import allowed

DEADLINE_SECONDS = 15.0
MAX_ANSWER_BYTES = 2000
MAX_RETRY_AFTER = 86_400
_CODE = re.compile(r"[a-z][a-z_ ]{1,60}")


class AddressRefused(Exception):
    """The name leads into a network that may not be called."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try.

    Attributes:
        status: The answer's status; None where there was none.
        failure: Why it failed, in words of ours; None where it went well.
        retry_after: Seconds that the receiver asks to wait.
        for_good: Whether trying again is pointless.
    """

    status: int | None
    failure: str | None = None
    retry_after: float | None = None
    for_good: bool = False


def post(url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> Answer:
    """Post a body; every fault of the other side is an answer, none raises."""
    backend = _CheckedBackend(allow_private, time.monotonic() + DEADLINE_SECONDS)
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), DEADLINE_SECONDS)
    try:
        with (
            httpcore2.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool,
            pool.stream(
                "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeouts}
            ) as response,
        ):
            return _answer(response)
    except AddressRefused:
        return Answer(None, "the address leads into a network that may not be called")
    except httpcore2.TimeoutException:
        return Answer(None, f"no answer within {DEADLINE_SECONDS:.0f} seconds")
    except ssl.SSLCertVerificationError:
        return Answer(None, "its certificate is not valid")
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError, ValueError) as error:
        known = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return Answer(None, "its certificate is not valid" if known else _plain(error))


def _plain(error: Exception) -> str:
    if isinstance(error, httpcore2.ConnectError):
        return "no connection could be made"
    if isinstance(error, httpcore2.ProtocolError):
        return "the answer is not HTTP"
    return "the connection broke"


def _answer(response: httpcore2.Response) -> Answer:
    status = response.status
    if 200 <= status < 300:
        return Answer(status)
    headers = {name.lower(): value for name, value in response.headers}
    wait = retry_after(headers.get(b"retry-after", b"").decode("latin-1"), datetime.now(UTC))
    if 300 <= status < 400:
        return Answer(status, f"it answered {status}: redirects are not followed", wait)
    said = _said(response)
    return Answer(status, f"it answered {status}{f' ({said})' if said else ''}", wait, status == 410)


def _said(response: httpcore2.Response) -> str:
    """Return what an answer says, if it is a bare code such as Slack's `invalid_blocks`; other text is not kept."""
    text = b""
    try:
        for part in response.iter_stream():
            text += part
            if len(text) > MAX_ANSWER_BYTES:
                return ""
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError):
        return ""
    said = text.decode("utf-8", "replace").strip()
    return said if _CODE.fullmatch(said) else ""


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for, at most a day: a number, or a date."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), MAX_RETRY_AFTER))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), float(MAX_RETRY_AFTER))


class _CheckedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that were checked, and ends everything at the deadline."""

    def __init__(self, allow_private: bool, deadline: float) -> None:
        self._allow_private = allow_private
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve a name, check every address that it has, and connect to the first that answers."""
        addresses = _resolve(host, port)
        if not all(allowed(ipaddress.ip_address(one), allow_private=self._allow_private) for one in addresses):
            raise AddressRefused(host)
        for index, address in enumerate(addresses):
            left = _left(self._deadline) / (len(addresses) - index)
            try:
                return _Timed(self._sockets.connect_tcp(address, port, left, None, socket_options), self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if index == len(addresses) - 1:
                    raise
        raise httpcore2.ConnectError("the name has no address")


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore2.ConnectError("the name is unknown") from None
    return list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))[:6]


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the deadline is over")
    return left


class _Timed(httpcore2.NetworkStream):
    """A connection whose reads and writes together end at a deadline: a receiver that drips bytes holds nobody up."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read within the time left."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write within the time left."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Secure the connection; the certificate is checked against the name, not the address."""
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Tell what the connection knows of itself."""
        return self._stream.get_extra_info(info)
