"""Traces: a request, its job and the reading of its note are one trace at a receiver of OTLP over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service import tracing
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

WORD = "zwölfkäsehoch"


class Receiver:
    """Takes spans in."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.raw = b""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces"
                receiver.raw += body
                request = ExportTraceServiceRequest.FromString(body)
                receiver.spans += [s for r in request.resource_spans for c in r.scope_spans for s in c.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def receiver(engine: sa.Engine) -> Iterator[Receiver]:
    receiver = Receiver()
    tracing.configure_tracing(receiver.address, "service", "test", engine)
    yield receiver
    tracing.stop_tracing()
    receiver.server.shutdown()
    receiver.server.server_close()


def test_request_and_reading_are_one_trace_without_a_word_of_the_note(
    client: TestClient, engine: sa.Engine, receiver: Receiver, analyzer: FakeAnalyzer
) -> None:
    client.post("/v1/notes", json=note("a", f"They say {WORD}."))
    client.get("/v1/search", params={"q": WORD})
    client.post(f"/v1/webhooks/salesforce/{WORD}", content=WORD.encode())
    analyse_all(engine, analyzer)
    tracing.stop_tracing()
    (request,) = receiver.named("POST /v1/notes")
    (reading,) = receiver.named("analyse notes")
    assert reading.trace_id == request.trace_id
    assert reading.parent_span_id == request.span_id
    assert any(span.parent_span_id == request.span_id for span in receiver.spans if span.name != "analyse notes")
    assert {span.name for span in receiver.spans} >= {"GET /v1/search", "POST /v1/webhooks/{source}/{token:path}"}
    assert WORD.encode() not in receiver.raw
    statuses = {a.value.int_value for a in request.attributes if a.key == "http.response.status_code"}
    assert statuses == {202}


def test_a_batch_of_many_requests_links_to_all_and_a_job_follows_its_request(
    client: TestClient, engine: sa.Engine, receiver: Receiver, analyzer: FakeAnalyzer
) -> None:
    for i in range(3):
        client.post("/v1/notes", json=note(f"n{i}"))
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.post("/v1/themes/refit", headers={"traceparent": caller})
    analyse_all(engine, analyzer)
    with engine.connect() as connection:
        parent = connection.scalar(sa.text("select traceparent from jobs"))
    tracing.stop_tracing()
    (reading,) = receiver.named("analyse notes")
    assert {link.trace_id for link in reading.links} == {one.trace_id for one in receiver.named("POST /v1/notes")}
    assert parent.split("-")[1] == caller.split("-")[1], "the caller's trace goes on"


def test_without_an_endpoint_nothing_is_stored(client: TestClient, engine: sa.Engine, tmp_path: Path) -> None:
    tracing.configure_tracing("", "service", "test", engine)
    client.post("/v1/notes", json=note("a"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select traceparent from notes")) is None
