"""Slow senders, slow readers and too many connections, over real sockets."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from structlog.testing import capture_logs

from service import protocol as guarded
from service.app import create_app
from service.auth.queries import store_key
from service.auth.scopes import Scope
from service.database import make_engine, write_session
from service.protocol import Limits, protocol
from service.settings import Settings
from tests.conftest import ADMIN_KEY

HEAD = f"POST /v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\nContent-Length: 100000\r\n\r\n"
FORM = "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
Serve = Callable[..., int]


@contextmanager
def served(template: Path, folder: Path, **values: Any) -> Iterator[int]:
    """Serve an application over a database of its own, as `binome serve` does; give its port."""
    shutil.copy(template, folder / "binome.sqlite3")
    engine = make_engine(f"sqlite:///{folder / 'binome.sqlite3'}")
    with write_session(engine) as session:
        store_key(session, ADMIN_KEY, name="tests", scopes=[Scope.ADMIN], now=datetime.now(UTC))
    settings = Settings(data_dir=folder, _env_file=None, **values)
    app = create_app(settings, engine)
    config = uvicorn.Config(app, port=0, http=protocol(settings), log_config=None, lifespan="off")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join()
    engine.dispose()


@pytest.fixture
def serve(sqlite_template: Path, tmp_path: Path) -> Iterator[Serve]:
    """Serves applications as `binome serve` does; gives their ports."""
    with ExitStack() as stack:
        yield lambda **values: stack.enter_context(
            served(sqlite_template, tmp_path, **{"receive_seconds": 1, **values})
        )


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def trickle(port: int, first: str, piece: bytes, every: float = 0.1, most: float = 8) -> tuple[bytes, float]:
    """Send a piece now and then; return the answer, and how long the connection lasted."""
    began = time.monotonic()
    answer = b""
    with connect(port) as line:
        line.sendall(first.encode())
        line.settimeout(every)
        while time.monotonic() - began < most:
            try:
                line.sendall(piece)
                part = line.recv(65536)
                answer += part
                if not part:
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        return answer, time.monotonic() - began


def is_cut(line: socket.socket, piece: bytes, times: int, every: float = 0.001) -> bool:
    """Send a piece again and again without reading; tell whether the server closed the connection."""
    try:
        for _ in range(times):
            line.sendall(piece)
            time.sleep(every)
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    return json.loads(body)


@pytest.mark.parametrize("first", ["", "GET /healthz HTTP/1.1\r\nHost: x\r\n", "GE"])
def test_a_head_that_trickles_is_given_up(serve: Serve, first: str) -> None:
    answer, lasted = trickle(serve(), first, b"X-A: b\r\n" if first.endswith("\n") else b"")
    assert problem(answer)["code"] == "too_slow"
    assert lasted < 4


def test_blank_lines_hold_no_connection(serve: Serve) -> None:
    _, lasted = trickle(serve(), "", b"\r\n")
    assert lasted < 4


@pytest.mark.parametrize(
    ("first", "expected"),
    [(HEAD, [408]), (FORM, [408]), (HEAD.replace("100000", "99999999999"), [413])],  # 413 comes before the body
)
def test_a_body_that_trickles_is_given_up_quietly(serve: Serve, first: str, expected: list[int]) -> None:
    with capture_logs() as logs:
        answer, lasted = trickle(serve(), first, b"x")
    statuses = [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1")]
    assert statuses == expected
    assert lasted < 4
    assert not [one for one in logs if one["event"] == "request_failed"]


def test_a_body_of_which_a_few_bytes_come_with_the_head_is_given_up(serve: Serve) -> None:
    """They allow less time than a millisecond, in which uvloop's clock counts."""
    port = serve()
    with ExitStack() as stack:
        lines = [stack.enter_context(connect(port)) for _ in range(16)]
        for count, line in enumerate(lines, start=1):
            line.settimeout(4)
            line.sendall(f"{HEAD}{'x' * count}".encode())
        answers = [line.recv(65536) for line in lines]
    assert {problem(answer)["code"] for answer in answers} == {"too_slow"}


def test_who_goes_on_after_the_answer_is_cut(serve: Serve) -> None:
    with connect(serve(max_body_bytes=4_096)) as line:
        line.sendall(HEAD.replace("Content-Length: 100000", "Transfer-Encoding: chunked").encode())
        assert is_cut(line, b"1000\r\n" + b"x" * 4_096 + b"\r\n", 1_000, every=0.01)


def test_a_body_that_comes_steadily_has_its_time(serve: Serve) -> None:
    """Slower than the limit of seconds, faster than 16 KiB a second."""
    body = b'{"notes": []}'.ljust(100_000)
    port = serve()
    with connect(port) as line:
        line.sendall(HEAD.encode())
        for start in range(0, len(body), 5_000):
            time.sleep(0.1)
            line.sendall(body[start : start + 5_000])
        answer = line.recv(65536)
    assert b" 422 " in answer.splitlines()[0]


def test_a_connection_goes_on_after_a_request(serve: Serve) -> None:
    with connect(serve()) as line:
        for _ in range(3):
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.6)
            assert b"200 OK" in line.recv(65536)
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        time.sleep(0.5)
        assert line.recv(65536).count(b"200 OK") == 3


def test_a_head_without_end_is_refused(serve: Serve) -> None:
    with connect(serve(receive_seconds=30)) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        assert is_cut(line, b"X-A: " + b"b" * 1000 + b"\r\n", 2_000)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /v1/notes?q=" + "x" * 70_000, 431),
        ("BREW /\x00", 400),
        (f"GET /healthz HTTP/1.1\r\n{'X-A: b' * 9_999}\r\n" + "X-A: b\r\n" * 9_999, 431),
    ],
)
def test_what_the_parser_can_not_read_is_refused_as_all_errors_are(serve: Serve, line: str, status: int) -> None:
    with connect(serve()) as connection:
        connection.sendall(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


def test_an_address_has_so_many_connections_and_gets_them_back(serve: Serve) -> None:
    port = serve(max_connections=3, receive_seconds=30)
    lines = [connect(port) for _ in range(3)]
    time.sleep(0.2)
    with connect(port) as fourth:
        assert problem(fourth.recv(65536))["code"] == "too_many_connections"
    for line in lines:
        line.close()
    time.sleep(0.2)
    with connect(port) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in line.recv(65536)


def test_trusted_proxies_have_no_limit(serve: Serve) -> None:
    port = serve(max_connections=1, trusted_proxies="127.0.0.0/8")
    with connect(port), connect(port), connect(port) as third:
        third.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in third.recv(65536)


def test_an_owner_of_many_ipv6_addresses_is_one(serve: Serve) -> None:
    limits = Limits(1, 1)
    assert limits.owner("2001:db8::1") == limits.owner("2001:db8::ffff")
    assert limits.owner("2001:db8::1") != limits.owner("2001:db8:0:1::1")
    assert limits.owner("fe80::1%eth0") is not None
    assert limits.owner("") is None


def test_who_does_not_read_the_answer_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "READ_SECONDS", 0.5)
    with connect(serve(receive_seconds=30)) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert is_cut(line, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 200, every=0.05)
