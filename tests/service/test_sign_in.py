"""Signing in by link and key, and out; who is led where."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth.queries import revoke_key
from service.auth.scopes import Scope
from service.auth.tables import ApiKeyTable, SessionTable
from service.database import write_session
from service.dependencies import COOKIE
from service.settings import Settings
from tests.service.test_users import add_person
from tests.service.visits import (
    NOW,
    SCRIPT,
    make_key,
    make_link,
)


def test_the_form_for_keys_is_open_while_nobody_has_an_account(browser: TestClient, engine: sa.Engine) -> None:
    assert '<details class="by-key" open>' in browser.get("/sign-in").text
    add_person(engine)
    assert '<details class="by-key">' in browser.get("/sign-in").text


def test_a_link_signs_in_once(browser: TestClient, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ)
    first = browser.get(f"/sign-in?token={link}")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert browser.get("/").status_code == 200

    browser.cookies.clear()
    second = browser.get(f"/sign-in?token={link}")
    assert second.status_code == 401
    assert "used already or has expired" in second.text
    assert "set-cookie" not in second.headers
    assert link not in second.text


def test_the_session_cookie_stays_out_of_reach(browser: TestClient, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ)
    cookie = browser.get(f"/sign-in?token={link}").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert link not in cookie
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert "secure" not in flags


def test_the_cookie_is_secure_over_https(settings: Settings, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ)
    with TestClient(create_app(settings, engine), base_url="https://testserver", follow_redirects=False) as client:
        assert "Secure" in client.get(f"/sign-in?token={link}").headers["set-cookie"]


def test_a_link_opened_again_where_it_signed_in_leads_in(browser: TestClient, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ)
    browser.get(f"/sign-in?token={link}")
    again = browser.get(f"/sign-in?token={link}")
    assert (again.status_code, again.headers["location"]) == (303, "/")


def test_an_old_link_is_refused(browser: TestClient, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ, at=NOW - timedelta(hours=13))
    assert browser.get(f"/sign-in?token={link}").status_code == 401


def test_a_key_signs_in_and_leads_where_one_wanted_to_go(browser: TestClient, engine: sa.Engine) -> None:
    _, secret = make_key(engine, Scope.READ)
    answer = browser.post("/sign-in", data={"key": f" {secret} ", "next": "/notes/3?lang=fr"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/notes/3?lang=fr")
    assert browser.get("/").status_code == 200


def test_signing_in_never_leads_to_another_site(browser: TestClient, engine: sa.Engine) -> None:
    cases = ["https://evil.example", "//evil.example", "/\\evil.example", "/\tx", "x"]
    _, secret = make_key(engine, Scope.READ)
    for elsewhere in cases:
        assert browser.post("/sign-in", data={"key": secret, "next": elsewhere}).headers["location"] == "/"


def test_a_wrong_key_is_refused_in_words(browser: TestClient) -> None:
    answer = browser.post("/sign-in", data={"key": SCRIPT})
    assert answer.status_code == 401
    assert "unknown, expired or revoked" in answer.text
    assert "set-cookie" not in answer.headers
    assert "alert(1)" not in answer.text


def test_a_form_that_is_none_is_a_wrong_key(browser: TestClient) -> None:
    cases = [b"", b"key", b"\xff\xfe%ff%00=&&&", b"&".join([b"a=1"] * 500)]
    for body in cases:
        assert browser.post("/sign-in", content=body).status_code == 401


def test_a_huge_form_is_refused(browser: TestClient) -> None:
    answer = browser.post("/sign-in", content=b"key=" + b"x" * 20_000)
    assert answer.status_code == 413
    assert "<html" in answer.text


def test_a_key_that_may_not_read_is_refused_by_form_and_link(browser: TestClient, engine: sa.Engine) -> None:
    _, secret = make_key(engine, Scope.INGEST)
    for answer in (
        browser.post("/sign-in", data={"key": secret}),
        browser.get(f"/sign-in?token={make_link(engine, Scope.INGEST)}"),
    ):
        assert answer.status_code == 403
        assert "lacks the scope" in answer.text
        assert "set-cookie" not in answer.headers


def test_a_form_of_another_site_is_refused(browser: TestClient, engine: sa.Engine) -> None:
    _, secret = make_key(engine, Scope.READ)
    answer = browser.post("/sign-in", data={"key": secret}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session(signed: TestClient, engine: sa.Engine) -> None:
    token = signed.cookies[COOKIE]
    answer = signed.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(SessionTable)) == 0
    signed.cookies.set(COOKIE, token, domain="testserver.local")
    assert signed.get("/").headers["location"] == "/sign-in"


def test_visitors_are_led_to_the_sign_in(browser: TestClient) -> None:
    cases = [
        ("/", "/sign-in"),
        ("/notes/1", "/sign-in?next=/notes/1"),
        ("/?team=north&about=theme", "/sign-in?next=/%3Fteam%3Dnorth%26about%3Dtheme"),
        ("/insights/objection/price", "/sign-in?next=/insights/objection/price"),
    ]
    for path, sign_in in cases:
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, sign_in)


def test_a_revoked_key_ends_the_visit(signed: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        key_id = session.scalar(sa.select(ApiKeyTable.id))
        assert key_id is not None
        assert revoke_key(session, key_id, NOW)
    assert signed.get("/").status_code == 303
