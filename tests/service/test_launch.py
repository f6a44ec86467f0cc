"""`binome serve` as a process: plain refusals, a first start, a second one, a clean end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.work import note, wait_until

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BINOME_")}
    return {**kept, **{f"BINOME_{name.upper()}": value for name, value in settings.items()}}


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=120,
    )


@contextmanager
def served(log: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve"],
            cwd=ROOT,
            env=environment(**settings),
            stdout=out,
            stderr=out,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def get(port: int, path: str, key: str = "") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def refused(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def test_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(run("serve", data_dir=str(tmp_path), port=str(port)))
    assert f"Port {port}" in said
    assert "BINOME_PORT" in said
    assert not (tmp_path / "binome.sqlite3").exists()


def test_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused(run("serve", data_dir=str(tmp_path / "file" / "var"), port=str(free_port())))
    assert "can't be written" in said
    assert "BINOME_DATA_DIR" in said


def test_misspelt_setting_is_said() -> None:
    assert "did you mean BINOME_PORT?" in refused(run("serve", prot="8001"))


def test_unknown_host_is_said(tmp_path: Path) -> None:
    assert "BINOME_HOST" in refused(run("serve", data_dir=str(tmp_path), host="no-such-host.invalid"))


@pytest.mark.slow
def test_first_start_second_start_and_end(tmp_path: Path) -> None:
    """The sample is read, the key kept, the data there after a restart; SIGTERM ends it with exit code 0."""
    port = free_port()
    settings = {"data_dir": str(tmp_path / "var"), "port": str(port)}
    log = tmp_path / "log"
    with served(log, **settings) as process:
        wait_until(lambda: get(port, "/readyz")[0] == 200, 90, 0.3)
        key_file = tmp_path / "var" / "admin.key"
        key = key_file.read_text().strip()
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        said = log.read_text()
        assert key in said
        token = re.search(r"/sign-in\?token=(\S+)", said)
        assert token
        wait_until(lambda: json.loads(get(port, "/v1/backlog", key)[1])["analysed"] >= 240, 120, 0.5)
        assert json.loads(get(port, "/v1/insights", key)[1])["total"] > 5
        assert get(port, f"/sign-in?token={token[1]}")[0] in {200, 303}
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    said = log.read_text()
    assert said.count(token[1]) == 1, "the token is not logged"
    assert "Traceback" not in said
    with served(log, **settings) as process:
        wait_until(lambda: get(port, "/healthz")[0] == 200, 60, 0.2)
        assert json.loads(get(port, "/v1/notes", key)[1])["total"] >= 240
        assert key not in log.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@pytest.mark.slow
def test_workers_stop_when_their_parent_is_killed_and_come_back_when_they_die(tmp_path: Path) -> None:
    port = free_port()
    settings = {"data_dir": str(tmp_path), "port": str(port), "sample": "off", "admin_key": "a-key-for-this-test"}
    with served(tmp_path / "log", **settings) as process:
        wait_until(lambda: get(port, "/readyz")[0] == 200, 90, 0.3)
        (first,) = children(process.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: set(children(process.pid)) - {first}, 30)
        (second,) = children(process.pid)
        process.kill()
        process.wait()
    wait_until(lambda: not Path(f"/proc/{second}").exists(), 60, 0.2)


def children(pid: int) -> list[int]:
    """Return the running children of a process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(path.parent.name))
    return found


AUDIT = """
import sys
def watch(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            print("OUTSIDE", address, file=sys.stderr, flush=True)
            raise OSError("no network in this test")
    if event == "socket.getaddrinfo" and arguments[0] not in (None, "127.0.0.1", "::1", "localhost"):
        print("OUTSIDE", arguments[0], file=sys.stderr, flush=True)
        raise OSError("no network in this test")
sys.addaudithook(watch)
"""


@pytest.mark.slow
def test_nothing_leaves_the_house(tmp_path: Path) -> None:
    """Start, taking in and analysis, with every connection to another machine refused and reported."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(AUDIT)
    port = free_port()
    log = tmp_path / "log"
    key = "a-key-for-this-test"
    settings = environment(data_dir=str(tmp_path), port=str(port), admin_key=key)
    settings["PYTHONPATH"] = str(tmp_path / "hook")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve"], cwd=ROOT, env=settings, stdout=out, stderr=out
        )
    try:
        wait_until(lambda: get(port, "/readyz")[0] == 200, 90, 0.3)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/notes",
            json.dumps(note("a")).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        assert urllib.request.urlopen(request, timeout=10).status == 202
        wait_until(lambda: json.loads(get(port, "/v1/backlog", key)[1])["analysed"] >= 240, 120, 0.5)
        wait_until(lambda: json.loads(get(port, "/v1/themes", key)[1])["total"] > 0, 120, 0.5)
    finally:
        process.terminate()
        process.wait(40)
    assert "OUTSIDE" not in log.read_text()
