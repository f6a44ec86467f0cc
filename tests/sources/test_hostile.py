"""Hostile requests over real HTTP: each answered as the reference says, and the right notes left."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.tables import NoteTable
from tests.sources.hostile import Step, cases


@pytest.fixture
def port(client: TestClient, shared_app: FastAPI) -> Iterator[int]:
    """The application, which the client's fixture has set up, behind a real server."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)  # who connects before the server is up waits
        server = uvicorn.Server(uvicorn.Config(shared_app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        server.should_exit = True
        thread.join(10)


def answer(port: int, step: Step) -> tuple[int, str]:
    """Send a request, its headers as bytes; return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    request = step.request
    try:
        connection.putrequest(step.method, request.path, skip_accept_encoding=True)
        if "content-length" not in {name.lower() for name in request.headers}:
            connection.putheader("Content-Length", str(len(request.body)))
        for name, value in request.headers.items():
            connection.putheader(name, value.encode("utf-8", "surrogateescape"))
        connection.endheaders(request.body)
        reply = connection.getresponse()
        return reply.status, reply.read().decode("utf-8", "replace")
    finally:
        connection.close()


def test_every_request_is_answered_as_the_reference_says(port: int, engine: sa.Engine) -> None:
    wrong: list[str] = []
    played = 0
    finals: list[tuple[str, str, str | None]] = []
    for case in cases():
        for step in case.steps:
            status, body = answer(port, step)
            played += 1
            if status not in step.right or step.holds not in body:
                wrong.append(f"{case.name}: {status}, right is {sorted(step.right)}: {body[:160]}")
        if case.mark:
            finals.append((case.name, case.mark, case.text))
    with engine.connect() as connection:
        texts = list(connection.scalars(sa.select(NoteTable.text).where(NoteTable.deleted_at.is_(None))))
    for name, mark, text in finals:
        found = [one for one in texts if mark in one]
        right = (
            len(found) == int(text[1:] or 1)
            if text and text[0] == "*"
            else [one.split("\n")[-1] for one in found] == [text] * (text is not None)
        )
        if not right:
            wrong.append(f"{name}: the notes are {[one[:80] for one in found]}, right is {text!r}")
    assert not wrong, f"{len(wrong)} of {played}:\n" + "\n".join(wrong)
    assert played >= 480
