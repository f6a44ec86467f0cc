"""Outgoing webhooks: signed, tried again, sent anew, and never into the house."""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from standardwebhooks import Webhook, WebhookVerificationError

from service.database import read_session, write_session
from service.deliveries import sending
from service.deliveries.addresses import allowed, check_url
from service.deliveries.delivering import SCHEDULE, next_delay
from service.deliveries.events import EventType, announce
from service.deliveries.queries import forget_old
from service.deliveries.sending import post, retry_after
from service.errors import InvalidInput
from service.jobs import worker as worker_module
from service.outgoing_tables import EndpointTable, EventTable, OutgoingTable
from service.settings import Settings, Switch
from tests.analyzers import FakeAnalyzer
from tests.receivers import Receiver, deliver_due, receiving
from tests.work import wait_until, worker_running

DATA = {"report": "2026-09", "title": "Rapport « été »"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"outgoing_private": Switch.ON})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def add(client: TestClient, receiver: Receiver, **fields: object) -> dict:
    answer = client.post("/v1/webhook-endpoints", json={"url": receiver.url, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def tell(engine: sa.Engine, event_type: EventType = EventType.REPORT_FINISHED) -> str:
    with write_session(engine) as session:
        return announce(session, event_type, DATA).key


def deliveries(client: TestClient, **params: object) -> list[dict]:
    answer = client.get("/v1/deliveries", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def make_due(engine: sa.Engine) -> None:
    with write_session(engine) as session:
        session.execute(sa.update(OutgoingTable).values(next_at=datetime.now(UTC) - timedelta(seconds=1)))


def test_an_event_arrives_signed_and_is_logged(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    made = add(client, receiver, event_types=["report.finished"])
    key = tell(engine)
    tell(engine, EventType.THEME_EMERGING)  # not asked for
    assert deliver_due(engine, settings) == 1
    (got,) = receiver.got
    event = Webhook(made["secret"]).verify(got.body, got.headers)
    assert (event["type"], event["data"]) == ("report.finished", DATA)
    assert got.headers["webhook-id"] == key
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(got.body.replace(b"09", b"10"), got.headers)
    (sent,) = deliveries(client, state="delivered", endpoint=made["id"])
    assert (sent["event_id"], sent["status_code"], sent["attempts"], sent["next_at"]) == (key, 204, 1, None)
    (attempt,) = client.get(f"/v1/deliveries/{sent['id']}").json()["tries"]
    assert attempt["status_code"] == 204
    assert deliver_due(engine, settings) == 0


def test_an_event_that_is_rolled_back_is_told_to_nobody(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    add(client, receiver)
    with sa.orm.Session(engine) as session:
        announce(session, EventType.REPORT_FINISHED, DATA)
        session.rollback()
    assert deliver_due(engine, settings) == 0
    assert deliveries(client) == []


def test_during_a_change_both_secrets_sign(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    made = add(client, receiver)
    changed = client.post(f"/v1/webhook-endpoints/{made['id']}/rotate").json()
    assert made["secret"] != changed["secret"]
    assert changed["previous_until"]
    tell(engine)
    deliver_due(engine, settings)
    for secret in (made["secret"], changed["secret"]):
        Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)
    with write_session(engine) as session:
        session.execute(sa.update(EndpointTable).values(previous_until=datetime.now(UTC)))
    tell(engine)
    deliver_due(engine, settings)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(receiver.got[1].body, receiver.got[1].headers)
    assert "secret" not in client.get("/v1/webhook-endpoints").text


def test_a_failure_is_tried_again_with_the_same_key_and_can_be_sent_anew(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    add(client, receiver)
    receiver.status, receiver.headers = 503, {"Retry-After": "120"}
    tell(engine)
    deliver_due(engine, settings)
    (row,) = deliveries(client, state="waiting")
    wait = datetime.fromisoformat(row["next_at"]) - datetime.now(UTC)
    assert timedelta(seconds=110) < wait <= timedelta(seconds=121)
    assert deliver_due(engine, settings) == 0, "not before its time"
    make_due(engine)
    receiver.status = 200
    deliver_due(engine, settings)
    assert deliveries(client)[0]["state"] == "delivered"
    again = client.post(f"/v1/deliveries/{row['id']}/redeliver")
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    deliver_due(engine, settings)
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    tries = client.get(f"/v1/deliveries/{row['id']}").json()["tries"]
    assert [t["status_code"] for t in tries] == [503, 200, 200]


def test_redirects_are_not_followed_and_gone_switches_off(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    made = add(client, receiver)
    receiver.status, receiver.headers = 302, {"Location": receiver.url}
    tell(engine)
    deliver_due(engine, settings)
    assert len(receiver.got) == 1
    assert "not followed" in deliveries(client)[0]["failure"]
    receiver.status = 410
    tell(engine)
    deliver_due(engine, settings)
    (endpoint,) = client.get("/v1/webhook-endpoints").json()["items"]
    assert (endpoint["disabled"], endpoint["disabled_reason"]) == (True, "gone")
    assert client.post(f"/v1/webhook-endpoints/{made['id']}/test").status_code == 409
    make_due(engine)
    assert deliver_due(engine, settings) == 0, "what waits stays while it is off"
    receiver.status = 204
    assert not client.patch(f"/v1/webhook-endpoints/{made['id']}", json={"disabled": False}).json()["disabled"]
    make_due(engine)
    assert deliver_due(engine, settings) == 1


def test_an_endpoint_that_fails_for_days_is_switched_off(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    add(client, receiver)
    receiver.status = 500
    tell(engine)
    with write_session(engine) as session:
        session.execute(sa.update(OutgoingTable).values(attempts=len(SCHEDULE)))
        session.execute(sa.update(EndpointTable).values(failing_since=datetime.now(UTC) - timedelta(days=4)))
    deliver_due(engine, settings)
    assert deliveries(client)[0]["state"] == "failed"
    assert client.get("/v1/webhook-endpoints").json()["items"][0]["disabled_reason"] == "failing"


def test_a_slow_receiver_holds_nobody_up(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    add(client, receiver)
    with receiving() as other:
        add(client, other)
        for _ in range(5):
            tell(engine)
        assert deliver_due(engine, settings) == 4, "two of each at once"
    assert len(receiver.got) == 2


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    try:
        for number in range(100):
            handler.wfile.write(f"X-{number}: drip\r\n".encode())
            time.sleep(0.05)
    except OSError:
        pass


def flood(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 500 No\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 5000)
    time.sleep(0.1)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x01 no HTTP at all\r\n\r\n")


def test_strange_answers_end_in_bounded_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "DEADLINE_SECONDS", 0.6)
    found = []
    for strange in (drip, flood, nonsense, lambda handler: time.sleep(1)):
        receiver.answer = strange
        begin = time.monotonic()
        found.append(post(receiver.url, {}, b"{}", allow_private=True))
        assert time.monotonic() - begin < 2
    assert [answer.status for answer in found] == [None, 500, None, None]
    assert all(answer.failure for answer in found)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        closed = silent.getsockname()[1]
    assert "no connection" in str(post(f"http://127.0.0.1:{closed}/", {}, b"", allow_private=True).failure)
    assert "no connection" in str(post("http://name.invalid/", {}, b"", allow_private=True).failure)


def test_nothing_is_posted_into_the_house(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a name resolves to is checked when it is called, each of its addresses."""
    inside = receiver.url.replace("127.0.0.1", "hooks.firm.com")
    for addresses in (["127.0.0.1"], ["10.0.0.8"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"]):
        monkeypatch.setattr(sending, "_resolve", lambda _host, _port, found=addresses: found)
        assert "may not be called" in str(post(inside, {}, b"{}", allow_private=False).failure)
    assert receiver.got == []
    monkeypatch.setattr(sending, "_resolve", lambda _host, _port: ["127.0.0.1"])
    assert post(inside, {}, b"{}", allow_private=True).failure is None
    assert receiver.got[0].headers["host"].startswith("hooks.firm.com")


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("93.184.216.34", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("100.64.0.1", False, False),
        ("169.254.169.254", False, False),
        ("0.0.0.0", False, False),
        ("224.0.0.1", False, False),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("fe80::1", False, False),
        ("64:ff9b::7f00:1", False, True),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("2002:0a00:0001::", False, True),
        ("2606:4700::1111", True, True),
    ],
)
def test_addresses(address: str, public: bool, private: bool) -> None:
    parsed = ipaddress.ip_address(address)
    assert allowed(parsed, allow_private=False) == public
    assert allowed(parsed, allow_private=True) == private


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.firm.com/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://localhost/",
        "https://metadata.internal/",
        "https://user:pass@hooks.firm.com/",
        "https://hooks.firm.com/#part",
        "https://hooks.firm.com:99999/",
        "https://",
        "ftp://hooks.firm.com/",
        "https://hooks.firm.com/\r\nX: y",
        "https://h\u00f4te.fr/",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="url"):
        check_url(url, allow_private=False)


def test_input_is_checked(client: TestClient) -> None:
    for body, field in (
        ({"url": "gopher://x"}, "url"),
        ({"url": "https://hooks.firm.com", "event_types": ["note.new"]}, "event_types.0"),
        ({"url": "https://hooks.firm.com", "surprise": 1}, "surprise"),
        ({}, "url"),
    ):
        answer = client.post("/v1/webhook-endpoints", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    for method, path in (
        ("patch", "/v1/webhook-endpoints/9"),
        ("delete", "/v1/webhook-endpoints/9"),
        ("post", "/v1/webhook-endpoints/9/test"),
        ("get", "/v1/deliveries/9"),
        ("post", "/v1/deliveries/9/redeliver"),
    ):
        assert client.request(method, path, json={} if method == "patch" else None).status_code == 404


def test_schedule() -> None:
    assert [next_delay(n, None, 0) for n in range(1, len(SCHEDULE) + 2)] == [*map(float, SCHEDULE), None]
    assert next_delay(1, None, 1) == pytest.approx(6)
    assert next_delay(1, 60, 0) == 60
    assert sum(SCHEDULE) > 3 * 86_400 - 7200
    at = datetime(2026, 9, 14, 10, 20, tzinfo=UTC)
    assert retry_after("Mon, 14 Sep 2026 10:21:00 GMT", at) == 60
    assert (retry_after("99999999999", at), retry_after("soon", at), retry_after("-5", at)) == (86_400, None, None)


def test_what_is_over_is_forgotten_after_a_month(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    made = add(client, receiver)
    client.post(f"/v1/webhook-endpoints/{made['id']}/test")
    deliver_due(engine, settings)
    assert json.loads(receiver.got[0].body)["type"] == "endpoint.test"
    with write_session(engine) as session:
        forget_old(session, datetime.now(UTC) + timedelta(days=29))
    assert len(deliveries(client)) == 1
    with write_session(engine) as session:
        forget_old(session, datetime.now(UTC) + timedelta(days=31))
    assert deliveries(client) == []
    with read_session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(EventTable)) == 0
    assert client.delete(f"/v1/webhook-endpoints/{made['id']}").status_code == 204


@pytest.mark.slow
def test_an_event_outlives_the_worker_that_is_killed_while_sending(
    client: TestClient,
    engine: sa.Engine,
    settings: Settings,
    database_url: str,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    analyzer: FakeAnalyzer,
) -> None:
    monkeypatch.setattr("service.jobs.queries.SILENT_AFTER", timedelta(seconds=2))
    monkeypatch.setattr(worker_module, "BEAT_SECONDS", 0.5)
    monkeypatch.setattr(worker_module, "REAP_SECONDS", 0.5)
    add(client, receiver)
    receiver.answer = lambda _handler: time.sleep(8)
    key = tell(engine)
    command = [sys.executable, "-m", "tests.chaos.worker", "--url", database_url, "--name", "never-back"]
    command += ["--keys", str(settings.keyring.path)]
    killed = subprocess.Popen(command, env={**os.environ, "BINOME_OUTGOING_PRIVATE": "on"})
    try:
        wait_until(lambda: receiver.got, 120)
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    receiver.answer = None
    with worker_running(engine, database_url, analyzer, settings=settings):
        wait_until(lambda: deliveries(client)[0]["state"] == "delivered", 120)
    assert [got.headers["webhook-id"] for got in receiver.got] == [key, key]
