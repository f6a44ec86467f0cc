"""The pages of people, keys and one's own account."""

from __future__ import annotations

import re

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.auth.scopes import Role
from service.dependencies import COOKIE
from tests.service.test_users import EMAIL, PASSWORD, add_person
from tests.service.test_users import sign_in as by_password


def test_an_invitation_is_looked_at_often_and_used_once(admin: TestClient) -> None:
    form = {"email": "bo@firm.example", "name": "Bo <b>", "role": "curator", "personal": "on"}
    made = admin.post("/people", data=form)
    assert made.status_code == 201
    assert "<b>" not in made.text
    token = re.findall(r"/invitation\?token=([\w-]+)", made.text)[0]
    assert token not in admin.get("/people").text
    assert admin.post("/people", data=form).status_code == 409
    admin.cookies.clear()
    assert [admin.get(f"/invitation?token={token}").status_code for _ in range(2)] == [200, 200]
    assert admin.post("/invitation", data={"token": token, "password": "short"}).status_code == 422
    assert admin.post("/invitation", data={"token": token, "password": PASSWORD}).status_code == 303
    page = admin.get("/account").text
    assert "reads, corrects and curates" in page
    assert "this browser" in page
    assert admin.get("/people").status_code == 403
    assert admin.post("/invitation", data={"token": token, "password": PASSWORD}).status_code == 404
    assert by_password(admin, email="bo@firm.example") == 303


def test_changing_the_password_ends_the_other_sessions(browser: TestClient, engine: sa.Engine) -> None:
    add_person(engine)
    by_password(browser)
    first = browser.cookies[COOKIE]
    browser.cookies.clear()
    by_password(browser)
    second = browser.cookies[COOKIE]
    wrong = {"present": "not the present one", "password": "another long sentence"}
    assert browser.post("/account/password", data=wrong).status_code == 422
    right = {"present": PASSWORD, "password": "another long sentence"}
    assert browser.post("/account/password", data=right).status_code == 303
    third = browser.cookies[COOKIE]
    for cookie, status in ((first, 303), (second, 303), (third, 200)):
        browser.cookies.set(COOKIE, cookie, domain="testserver.local")
        assert browser.get("/account").status_code == status
    everywhere = {"do": "everywhere", "present": "another long sentence"}
    assert browser.post("/account/sessions", data=everywhere).headers["location"] == "/sign-in"
    assert browser.get("/account").status_code == 303


def test_a_person_ends_their_own_sessions_only(browser: TestClient, engine: sa.Engine) -> None:
    add_person(engine)
    add_person(engine, email="other@firm.example")
    by_password(browser, email="other@firm.example")
    other = browser.cookies[COOKIE]
    browser.cookies.clear()
    by_password(browser)
    lost = browser.cookies[COOKIE]
    browser.cookies.clear()
    by_password(browser)
    ticked = {f"session-{number}": "on" for number in range(1, 3)}
    assert browser.post("/account/sessions", data={**ticked, "present": PASSWORD}).headers["location"] == "/account"
    for cookie, status in ((lost, 303), (other, 200)):
        browser.cookies.set(COOKIE, cookie, domain="testserver.local")
        assert browser.get("/account").status_code == status


def test_ending_sessions_asks_for_the_password(browser: TestClient, engine: sa.Engine) -> None:
    """Who left a browser open has not left it to others to shut them out."""
    add_person(engine)
    by_password(browser)
    for given in ({}, {"present": "not the present one"}):
        answer = browser.post("/account/sessions", data={"do": "everywhere", **given})
        assert answer.status_code == 422
        assert "The present password is wrong" in answer.text
    assert "Tick at least one" in browser.post("/account/sessions", data={"present": PASSWORD}).text
    assert browser.get("/account").status_code == 200
    for _ in range(6):
        answer = browser.post("/account/sessions", data={"do": "everywhere", "present": "guessed"})
    assert answer.status_code == 429


def test_administrators_change_roles_and_keys(admin: TestClient, engine: sa.Engine) -> None:
    user_id = add_person(engine, Role.ADMIN)
    assert admin.post(f"/people/{user_id}", data={"role": "reader"}).status_code == 409
    assert admin.post(f"/people/{user_id}", data={"role": "emperor"}).status_code == 422
    add_person(engine, Role.ADMIN, email="other@firm.example")
    assert admin.post(f"/people/{user_id}", data={"role": "reader"}).status_code == 303
    assert admin.post(f"/people/{user_id}", data={"do": "close"}).status_code == 303
    assert "closed" in admin.get("/people").text
    assert admin.post(f"/people/{user_id}/invitation").status_code == 201
    assert admin.post(f"/people/{user_id}/sessions").status_code == 303
    made = admin.post("/keys", data={"name": "crm", "scope-ingest": "on"})
    assert "bn_" in made.text
    assert admin.post("/keys", data={"name": "crm"}).status_code == 422
    assert "bn_" in admin.post("/keys/2/rotate", data={"at_once": "on"}).text
    assert admin.post("/keys/2/revoke").status_code == 303
    assert EMAIL in admin.get("/people?lang=fr").text
