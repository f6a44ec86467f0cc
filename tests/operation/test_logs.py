"""Logs: one line each, with request and trace, and without a word of any note, whatever fails."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
import structlog
from fastapi.testclient import TestClient

from service.logs import configure_logs
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

WORD = "zwölfkäsehoch"


class Faulty(FakeAnalyzer):
    """Fails on every note, with the note's text in the message."""

    def analyze(self, notes, catalog):
        raise ValueError(f"can't read {notes[0].text}")


@pytest.fixture
def json_logs(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Logs as JSON into what is captured."""
    configure_logs("json")
    yield
    configure_logs()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.strip()]


def test_no_word_of_a_note_is_logged_whatever_fails(
    json_logs: None,
    client: TestClient,
    engine: sa.Engine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [client.post("/v1/notes", json=note("a", f"They say {WORD}."))]
    answers.append(client.post("/v1/notes", json=note("b", f"{WORD} " * 9, kind=WORD)))
    answers.append(client.post("/v1/notes", content=f'{{"text": "{WORD}'))
    answers.append(client.post(f"/v1/webhooks/standard/{WORD}", json={"text": WORD}))
    answers.append(client.post("/v1/imports", content=f"{WORD} was said.".encode()))
    answers.append(client.get("/v1/search", params={"q": WORD}))
    analyse_all(engine, Faulty())

    def fail(connection: sa.Connection, *_args: object) -> None:
        raise sa.exc.DataError(f"insert {WORD}", {"text": WORD}, ValueError(WORD))

    sa.event.listen(engine, "before_cursor_execute", fail)
    try:
        answers.append(client.post("/v1/notes", json=note("c", WORD)))
    finally:
        sa.event.remove(engine, "before_cursor_execute", fail)
    monkeypatch.setattr("service.notes.routes.queries.store_notes", lambda *_: 1 / 0)
    answers.append(client.post("/v1/notes", json=note("d", WORD)))
    logging.getLogger("dbos").error(f"job failed: {WORD}", exc_info=ValueError(WORD))
    logging.getLogger("some.library").warning("could not parse %s", WORD)
    logged = lines(capsys)
    assert WORD not in json.dumps(logged, ensure_ascii=False)
    failed = [line for line in logged if line["event"] == "request_failed"]
    assert {line["error"] for line in failed} == {"DataError", "ZeroDivisionError"}
    assert {line["request_id"] for line in failed} == {answer.headers["X-Request-ID"] for answer in answers[-2:]}
    assert next(line["error"] for line in logged if line["event"] == "note_failed") == "ValueError"
    assert {line["logger"] for line in logged if line["event"].startswith("library_")} == {"dbos", "some.library"}
    assert all({"timestamp", "level"} <= line.keys() for line in logged)


def test_human_lines_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("human")
    structlog.get_logger().warning("disk_low", free_mib=12)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "disk_low" in line]
    assert "free_mib=12" in line
