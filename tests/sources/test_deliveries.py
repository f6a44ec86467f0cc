"""Every source, the same questions: valid, tampered, unsigned, stale, future, repeated, empty, huge, broken."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.source_tables import FetchTable
from service.sources.registry import SOURCES
from tests.sources.senders import ADMIN, CLOCKED, SIGNERS, notes, send
from tests.sources.test_vendors import soap

NAMES = [name for name in SIGNERS if name != "make"]
FETCHED = {"gong"}  # its text comes by API
TEXT = "They find it too expensive."


def sample(name: str) -> Any:
    """Return the payload sample of a source's page."""
    if name == "hubspot v2":
        return {"external_id": "w-1", "text": TEXT, "deal": {"id": "d-1", "amount": "18 000,00 €"}}
    if name in {"mail", "mailgun", "sendgrid"}:
        return SOURCES["mail"].sample.encode()
    source = SOURCES[name]
    return json.loads(source.sample) if source.media_type.endswith("json") else source.sample.encode()


def signed(name: str, body: Any = None, **how: Any) -> Any:
    body = sample(name) if body is None else body
    if name == "zoho" and isinstance(body, dict):
        body = {key: value for key, value in body.items() if key not in {"token", "channel_id"}}
    return SIGNERS[name](body, **how)


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_taken_and_a_repeat_changes_nothing(client: TestClient, engine: sa.Engine, name: str) -> None:
    request = signed(name)
    first, second = send(client, request), send(client, request)
    assert (first.status_code, second.status_code) in {(202, 202), (200, 200)}, first.text
    if name in FETCHED:
        with engine.connect() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(FetchTable)) == 1
        return
    (stored,) = notes(client)
    assert "expensive" in stored["text"] or "trop élevé" in stored["text"]
    assert "<p>" not in stored["text"]


@pytest.mark.parametrize("name", NAMES)
def test_wrong_secret_is_401(client: TestClient, name: str) -> None:
    wrong = (
        "whsec_" + "A" * 43 + "=" if name == "standard" else "binôme:wrong" if name == "pipedrive" else "wrong-secret"
    )
    answer = send(client, signed(name, secret=wrong))
    assert answer.status_code == 401, answer.text
    assert wrong not in answer.text
    assert notes(client) == []


@pytest.mark.parametrize("name", NAMES)
def test_without_any_proof_is_401(client: TestClient, name: str) -> None:
    request = signed(name)
    keep = {key: value for key, value in request.headers.items() if key == "Content-Type"}
    path = f"/v1/webhooks/{name.split()[0]}"
    body = b"{}" if name in {"zoho"} else b"--xYz--\r\n" if name == "mailgun" else request.body
    assert client.post(path, content=body, headers=keep).status_code == 401


@pytest.mark.parametrize("name", ["hubspot", "hubspot v2", "gong", "standard", "slack"])
def test_tampered_body_is_401(client: TestClient, name: str) -> None:
    request = signed(name)
    request.body = request.body.replace(b"e", b"a", 1)
    assert send(client, request).status_code == 401


@pytest.mark.parametrize("shift", [-301, 305, 86_400, -86_400])
@pytest.mark.parametrize("name", CLOCKED)
def test_stale_and_future_are_401(client: TestClient, name: str, shift: float) -> None:
    assert send(client, signed(name, shift=shift)).status_code == 401


@pytest.mark.parametrize("shift", [-290, 290])
@pytest.mark.parametrize("name", CLOCKED)
def test_within_five_minutes_is_taken(client: TestClient, name: str, shift: float) -> None:
    assert send(client, signed(name, shift=shift)).status_code in {200, 202}


def test_expired_jwt_is_401(client: TestClient) -> None:
    assert send(client, signed("gong", shift=-120)).status_code == 401


ODD = ["", "é", "\x7f", "v1,", "v0=", "=" * 5000, "Bearer", "Basic ====", "Basic /w==", "1e999", "-1", "９９９", "null"]


@pytest.mark.parametrize("name", NAMES)
def test_odd_headers_are_401(client: TestClient, name: str) -> None:
    for value in ODD:
        request = signed(name)
        proofs = [key for key in request.headers if key.lower() not in {"content-type", "soapaction"}]
        if name in {"zoho", "salesforce", "dynamics", "sendgrid", "mailgun", "ses"}:
            continue
        for key in proofs:
            if key.lower() in {"x-hubspot-signature-version", "webhook-id"}:
                continue
            headers: dict[str, Any] = {**request.headers, key: value.encode("utf-8")}
            answer = client.post(request.path, content=request.body, headers=headers)
            assert answer.status_code == 401, (key, value, answer.text)


REPEATERS = {"hubspot", "standard", "pipedrive", "zoho", "gong"}
"""Who would repeat for a day, or may, what is not acknowledged."""
BROKEN = {
    "empty": b"",
    "no JSON": b"{",
    "latin-1": b'{"text": "\xe9"}',
    "NaN": b'[{"a": NaN}]',
    "Infinity": b'{"a": -Infinity}',
    "deep": b"[" * 50_000,
    "deeper than we read": b'{"a":' * 200 + b"1" + b"}" * 200,
    "many digits": b'{"a": ' + b"9" * 5000 + b"}",
    "number": b"5",
    "null": b"null",
    "text": b'"x"',
    "empty object": b"{}",
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"hubspot", "hubspot v2", "slack", "standard"}])
def test_broken_body_is_4xx(client: TestClient, name: str, fault: str) -> None:
    answer = send(client, signed(name, BROKEN[fault]))
    good = {200} if name in {*REPEATERS, "postmark", "sendgrid", "ses", "mail"} else set()
    permanent = {406} if name == "mailgun" else set()
    assert answer.status_code in {400, 401, 413, 415, 422} | good | permanent, (answer.status_code, answer.text)
    assert notes(client) == []


@pytest.mark.parametrize("fault", [fault for fault in BROKEN if fault != "latin-1"])
@pytest.mark.parametrize("name", ["hubspot", "slack", "standard"])
def test_broken_signed_body_is_4xx_or_acknowledged(client: TestClient, name: str, fault: str) -> None:
    answer = send(client, signed(name, BROKEN[fault]))
    taken = name == "slack" and fault == "empty object"
    assert answer.status_code in ({200} if taken or name in REPEATERS else {400, 422}), answer.text


@pytest.mark.parametrize("name", ["hubspot", "salesforce", "generic"])
def test_packed_bodies(client: TestClient, name: str) -> None:
    for encoding, packed in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        request = signed(name)
        request.body = packed(request.body)
        request.headers["Content-Encoding"] = encoding
        assert send(client, request).status_code in {200, 202}
    assert len(notes(client)) == 1


def test_bombs_are_413_and_odd_encodings_415(client: TestClient) -> None:
    request = signed("generic")
    request.headers["Content-Encoding"] = "gzip"
    request.body = gzip.compress(b" " * (40 * 1024 * 1024))
    assert send(client, request).status_code == 413
    request.body = b"no gzip"
    assert send(client, request).status_code == 400
    request.headers["Content-Encoding"] = "br"
    assert send(client, request).status_code == 415


def test_huge_body_is_413(client: TestClient) -> None:
    request = signed("generic", b" " * (33 * 1024 * 1024))
    assert send(client, request).status_code == 413


def test_closed_and_unknown_sources(client: TestClient, settings: Any) -> None:
    settings.__dict__["configured_connections"] = {}
    answer = send(client, signed("hubspot"))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_connected")
    assert client.post("/v1/webhooks/nobody", content=b"{}").status_code == 404


UNREADABLE = {
    "hubspot": b"[{",
    "pipedrive": b"[{",
    "zoho": {"module": "Calls", "ids": "7"},
    "gong": b"[{",
    "standard": b"[{",
    "mail": b"",
    "salesforce": soap({}).replace(b"<n:Notification>", b"<n:Notification/>" * 101 + b"<n:Notification>"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_would_come_again_for_a_day_is_acknowledged_and_told(client: TestClient, name: str) -> None:
    answer = send(client, signed(name, UNREADABLE[name]))
    assert answer.status_code == 200, answer.text
    assert ("<Ack>true" if name == "salesforce" else "set_aside") in answer.text
    listed = client.get(f"/v1/sources/faults?source={name}", headers=ADMIN).json()
    assert [one["state"] for one in listed["items"]] == ["open"]


@pytest.mark.parametrize("name", ["hubspot", "pipedrive", "zoho", "gong", "standard", "mail", "salesforce"])
def test_what_is_unreadable_and_not_proved_is_neither_acknowledged_nor_kept(client: TestClient, name: str) -> None:
    request = signed(name, UNREADABLE[name])
    path = request.path.replace("salesforce-token", "another-token")
    body = request.body.replace(b"zoho-token-1", b"another")
    keep = {key: value for key, value in request.headers.items() if key == "Content-Type"}
    assert client.post(path, content=body, headers=keep).status_code == 401
    assert client.get("/v1/sources/faults", headers=ADMIN).json()["items"] == []


def test_a_workflow_is_told_what_it_can_show(client: TestClient) -> None:
    assert send(client, signed("hubspot v2", b"{")).status_code == 400
    assert send(client, signed("hubspot v2", {"external_id": "7"})).status_code == 422


def test_faults_are_kept_for_the_operator(client: TestClient) -> None:
    assert send(client, signed("standard", b"{")).status_code == 200
    listed = client.get("/v1/sources/faults?source=standard", headers=ADMIN).json()
    assert [one["code"] for one in listed["items"]] == ["invalid_json"]
    sources = client.get("/v1/sources", headers=ADMIN).json()["items"]
    (standard,) = [one for one in sources if one["source"] == "standard"]
    assert standard["set_aside"] == 1
    assert standard["setup"]["fr"]


def test_each_source_shows_what_its_sender_posts(client: TestClient) -> None:
    for one in client.get("/v1/sources", headers=ADMIN).json()["items"]:
        shown = (one["sample"], one["media_type"])
        source = SOURCES[one["source"]]
        assert shown == ((None, None) if source.polled else (source.sample, source.media_type))
        assert source.polled or source.sample
