"""Bodies without end, over real sockets: each refused in plain words before more than the limit is taken in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path

import pytest

from tests.access.test_protocol import connect, problem, served
from tests.conftest import ADMIN_KEY

LIMIT = 1024 * 1024
SLACK = 12 * 1024 * 1024  # what the two ends of a socket hold on the way
CHUNK = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
KINDS = {"/v1/imports": "multipart/form-data; boundary=b"}
PATHS = ["/v1/webhooks/generic", "/v1/webhooks/salesforce/x", "/v1/notes", *KINDS, "/v1/themes", "/sign-in"]


@pytest.fixture(scope="module")
def port(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(sqlite_template, tmp_path_factory.mktemp("bodies"), max_body_bytes=LIMIT, receive_seconds=20) as port:
        yield port


def head(path: str, length: str, kind: str = "application/json") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {ADMIN_KEY}", f"Content-Type: {kind}", length]
    return "\r\n".join([*lines, "", ""]).encode()


def poured(port: int, first: bytes, pieces: Iterator[bytes]) -> tuple[bytes, int, float]:
    """Send pieces until the server answers; return the answer, the bytes that it was sent, and the seconds."""
    began, sent, answer = time.monotonic(), 0, b""
    with connect(port) as line:
        line.sendall(first)
        line.settimeout(0)
        for piece in pieces:
            with suppress(BlockingIOError):
                answer += line.recv(65_536)
            if answer:
                break
            line.settimeout(15)
            try:
                line.sendall(piece)
            except OSError:
                break
            line.settimeout(0)
            sent += len(piece)
        line.settimeout(15)
        while not answer.endswith(b"}"):
            answer += line.recv(65_536)
    return answer, sent, time.monotonic() - began


@pytest.mark.parametrize("path", PATHS)
def test_chunks_without_end_are_refused_at_the_limit(port: int, path: str) -> None:
    kind = KINDS.get(path, "application/json")
    form = [f"{len(FORM):x}\r\n".encode() + FORM + b"\r\n"] if path in KINDS else []
    start = head(path, "Transfer-Encoding: chunked", kind)
    answer, sent, lasted = poured(port, start, chain(form, repeat(CHUNK, 1_000)))
    assert (problem(answer)["status"], problem(answer)["code"]) == (413, "too_large")
    assert sent < LIMIT + SLACK
    assert lasted < 10


@pytest.mark.parametrize("path", PATHS)
def test_fifty_megabytes_are_refused_before_they_come(port: int, path: str) -> None:
    answer, sent, _ = poured(port, head(path, "Content-Length: 50000000"), repeat(b"x" * 65_536, 763))
    assert problem(answer)["code"] == "too_large"
    assert sent < SLACK


def test_one_byte_at_a_time_is_refused(port: int) -> None:
    start = head("/v1/webhooks/generic", "Transfer-Encoding: chunked")
    answer, sent, _ = poured(port, start, repeat(b"1\r\nx\r\n" * 5_000, 200))
    assert problem(answer)["code"] == "too_large"
    assert sent < SLACK


@pytest.mark.parametrize(
    ("length", "body"),
    [
        ("Transfer-Encoding: chunked", b"zz\r\nx"),
        ("Transfer-Encoding: chunked", b"-5\r\nx"),
        ("Content-Length: 4\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
        ("Content-Length: -1", b""),
        ("Content-Length: 2\r\nContent-Length: 3", b"{}"),
        ("X-A: \x00", b""),
    ],
)
def test_what_is_no_http_is_400_and_the_connection_closed(port: int, length: str, body: bytes) -> None:
    with connect(port) as line:
        line.sendall(head("/v1/webhooks/generic", length) + body)
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
