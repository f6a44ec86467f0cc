"""What every request passes first: hosts, limits, proxies, headers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.boundary import MOST_BUCKETS, Buckets
from service.database import make_engine
from service.settings import Settings

Ask = Callable[..., TestClient]


@pytest.fixture
def asking(sqlite_template: Path, tmp_path: Path) -> Iterator[Ask]:
    """Makes clients of applications with settings."""
    with ExitStack() as stack:

        def client(url: str = "http://testserver", **values: Any) -> TestClient:
            shutil.copy(sqlite_template, tmp_path / "binome.sqlite3")
            engine = make_engine(f"sqlite:///{tmp_path / 'binome.sqlite3'}")
            stack.callback(engine.dispose)
            app = create_app(Settings(data_dir=tmp_path, _env_file=None, **values), engine)
            return stack.enter_context(TestClient(app, base_url=url, follow_redirects=False))

        yield client


def test_a_bucket_holds_a_minute_and_fills_evenly() -> None:
    buckets = Buckets(60)
    assert [buckets.take("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert buckets.take("a", 0.0) == pytest.approx(1.0)
    assert buckets.take("b", 0.0) == 0.0
    assert buckets.take("a", 0.5) == pytest.approx(0.5)
    assert buckets.take("a", 1.1) == 0.0
    assert [Buckets(0).take("a", 0.0) for _ in range(100)] == [0.0] * 100


def test_buckets_of_many_names_stay_few() -> None:
    buckets = Buckets(1)
    for number in range(MOST_BUCKETS + 10):
        buckets.take(str(number), 0.0)
    assert len(buckets._levels) == MOST_BUCKETS


def test_a_key_that_asks_too_often_waits_and_others_do_not(asking: Ask) -> None:
    client = asking(rate_limit=3)
    answers = [client.get("/v1/notes", headers={"Authorization": "Bearer one"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[3].json()["code"] == "too_many_requests"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 21
    assert client.get("/v1/notes", headers={"Authorization": "Bearer two"}).status_code == 401


def test_an_address_is_limited_whatever_keys_it_tries(asking: Ask) -> None:
    client = asking(rate_limit_address=3)
    statuses = [client.get("/v1/notes", headers={"Authorization": f"Bearer {i}"}).status_code for i in range(4)]
    assert statuses == [401, 401, 401, 429]
    assert client.get("/healthz").status_code == 200


def test_taking_in_has_a_limit_of_its_own(asking: Ask) -> None:
    client = asking(rate_limit=1, rate_limit_address=1, rate_limit_ingest=3)
    statuses = [client.post("/v1/notes", json={}, headers={"Authorization": "Bearer x"}).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_other_hosts_are_refused_where_hosts_are_named(asking: Ask) -> None:
    client = asking(allowed_hosts="binome.firm.example, localhost")
    assert client.get("/sign-in", headers={"Host": "evil.example"}).json()["code"] == "unknown_host"
    assert client.get("/sign-in", headers={"Host": "Binome.firm.example:8443"}).status_code == 200
    assert client.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200
    assert asking().get("/sign-in", headers={"Host": "any.example"}).status_code == 200


def test_only_trusted_proxies_say_who_asks(asking: Ask) -> None:
    said = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert "strict-transport-security" not in asking().get("/sign-in", headers=said).headers
    trusting = asking(trusted_proxies="testclient", rate_limit_address=1)
    assert trusting.get("/sign-in", headers=said).headers["strict-transport-security"] == "max-age=31536000"
    assert trusting.get("/sign-in", headers=said).status_code == 429
    assert trusting.get("/sign-in", headers={**said, "X-Forwarded-For": "203.0.113.10"}).status_code == 200


def test_every_answer_carries_safe_headers(asking: Ask) -> None:
    client = asking()
    types = {
        "/v1/notes": "application/problem+json",
        "/openapi.json": "application/json",
        "/static/binome.css": "text/css; charset=utf-8",
        "/nowhere": "application/problem+json",
        "/sign-in": "text/html; charset=utf-8",
        "/healthz": "application/json",
    }
    for path, kind in types.items():
        headers = client.get(path, headers={"Origin": "https://evil.example"}).headers
        assert headers["content-type"] == kind, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"], path
        assert "access-control-allow-origin" not in headers, path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert "camera=()" in headers["permissions-policy"], path
    assert client.get("/v1/notes").headers["cache-control"] == "no-store"


def test_over_https_the_cookie_belongs_to_this_host_alone(asking: Ask) -> None:
    client = asking("https://testserver")
    session, language = client.post("/sign-out"), client.get("/sign-in?lang=fr")
    for answer, name in ((session, "session"), (language, "lang")):
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"__Host-binome_{name}=")
        assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert '<html lang="fr">' in client.get("/sign-in").text, "the language is remembered"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "OPTIONS", "PROPFIND"])
def test_methods_that_no_route_has_are_refused(asking: Ask, method: str) -> None:
    for path in ("/", "/v1/insights", "/static/binome.css"):
        assert asking().request(method, path).status_code == 405, path
