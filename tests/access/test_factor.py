"""The second factor: set up, asked for, used once, slowed down, recovered from, required and taken away."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.audit.tables import AuditEventTable
from service.auth.scopes import Role
from service.auth.tables import SessionTable, UserTable
from service.cli import cli
from service.database import read_session, write_session
from service.dependencies import COOKIE, now
from service.settings import SecondFactor, Settings
from service.users import factor, queries, throttle
from service.users.passwords import hash_password
from tests.service.test_users import EMAIL, PASSWORD, add_person

START = datetime(2026, 11, 28, 9, 0, 10, tzinfo=UTC)
PRESENT = {"present": PASSWORD}
FACTOR_COOKIE = f"{COOKIE}_factor"


class Phone:
    """An authenticator application that has read the page's secret."""

    def __init__(self, page: str) -> None:
        typed = re.search(r'class="typed"[^>]*>(.*?)</p>', page, re.DOTALL)
        assert typed is not None, page
        self.secret = re.sub(r"<[^>]+>|\s", "", typed[1])

    def code(self, at: datetime) -> str:
        return TOTP(base64.b32decode(self.secret), 6, SHA1(), 30).generate(int(at.timestamp())).decode()


@pytest.fixture
def clock(browser: TestClient) -> Callable[[float], datetime]:
    """Set the clock to so many seconds after the start; return the time."""

    def set_to(seconds: float) -> datetime:
        at = START + timedelta(seconds=seconds)
        browser.app.dependency_overrides[now] = lambda: at
        return at

    set_to(0)
    return set_to


def password(browser: TestClient, **more: str) -> str:
    """Give the password; return where that leads."""
    answer = browser.post("/sign-in", data={"email": EMAIL, "password": PASSWORD, **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def code(browser: TestClient, text: str) -> int:
    return browser.post("/sign-in/code", data={"code": text, "next": "/account"}).status_code


def codes_of(page: str) -> list[str]:
    return re.findall(r"<li><code>([A-Z2-9-]+)</code></li>", page)


def set_up(browser: TestClient, at: datetime) -> tuple[Phone, list[str]]:
    page = browser.post("/account/factor", data=PRESENT)
    assert page.status_code == 200, page.text
    phone = Phone(page.text)
    done = browser.post("/account/factor/confirm", data={"code": phone.code(at)})
    assert done.status_code == 200, done.text
    return phone, codes_of(done.text)


def enrolled(browser: TestClient, engine: sa.Engine, clock: Callable[[float], datetime]) -> tuple[Phone, list[str]]:
    """Have a person with a second factor, signed out."""
    add_person(engine)
    password(browser)
    phone, codes = set_up(browser, clock(0))
    browser.cookies.clear()
    return phone, codes


def stored(engine: sa.Engine) -> UserTable:
    with read_session(engine) as session:
        return session.scalars(sa.select(UserTable).where(UserTable.email == EMAIL)).one()


def test_codes_are_those_of_rfc_6238() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    for seconds, wanted in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        at = datetime.fromtimestamp(seconds, UTC)
        assert factor.step_of(secret, wanted, at, None) == seconds // 30
        assert factor.step_of(secret, wanted, at + timedelta(seconds=30), None) == seconds // 30
        assert factor.step_of(secret, wanted, at + timedelta(seconds=61), None) is None
        assert factor.step_of(secret, wanted, at, seconds // 30) is None
    for wrong in ("", "28708", "2870820", "abcdef", "é"):
        assert factor.step_of(secret, wrong, datetime.fromtimestamp(59, UTC), None) is None


def test_recovery_codes_hold_120_bits_and_are_read_as_typed() -> None:
    codes = factor.new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([A-HJ-NP-Z2-9]{6}-){3}[A-HJ-NP-Z2-9]{6}", one) for one in codes)
    assert factor.hash_recovery_code(codes[0]) == factor.hash_recovery_code(f" {codes[0].lower().replace('-', ' ')}\n")


def test_a_code_is_asked_after_the_password(
    browser: TestClient, engine: sa.Engine, clock: Callable[[float], datetime]
) -> None:
    add_person(engine)
    password(browser)
    other = browser.cookies[COOKIE]
    browser.cookies.clear()
    password(browser)
    phone, _ = set_up(browser, clock(0))
    present = browser.cookies[COOKIE]
    browser.cookies.set(COOKIE, other, domain="testserver.local")
    assert browser.get("/account").status_code == 303  # sessions of before have ended
    browser.cookies.set(COOKIE, present, domain="testserver.local")
    assert "On since" in browser.get("/account").text

    browser.cookies.clear()
    at = clock(60)
    assert password(browser, next="/account?lang=fr") == "/sign-in/code?next=%2Faccount%3Flang%3Dfr"
    assert COOKIE not in browser.cookies
    assert browser.get("/account").headers["location"].startswith("/sign-in")
    assert browser.get("/v1/insights").status_code == 401
    assert 'value="/account"' in browser.get("/sign-in/code?next=/account").text
    assert 'value="/"' in browser.get("/sign-in/code?next=//evil.example").text
    assert code(browser, "000000" if phone.code(at) != "000000" else "000001") == 401
    answer = browser.post("/sign-in/code", data={"code": f" {phone.code(at)[:3]} {phone.code(at)[3:]}", "next": "/x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/x")
    assert browser.get("/account").status_code == 200
    assert FACTOR_COOKIE not in browser.cookies
    with read_session(engine) as session:
        assert {one.kind for one in session.scalars(sa.select(SessionTable))} == {"cookie"}


def test_no_code_counts_twice_nor_after_a_later_one(
    browser: TestClient, engine: sa.Engine, clock: Callable[[float], datetime]
) -> None:
    phone, _ = enrolled(browser, engine, clock)
    password(browser)
    assert code(browser, phone.code(START)) == 401  # it set the factor up
    at = clock(60)
    assert code(browser, phone.code(at)) == 303
    password(browser)
    assert code(browser, phone.code(at)) == 401
    assert code(browser, phone.code(at - timedelta(seconds=30))) == 401
    assert code(browser, phone.code(at + timedelta(seconds=30))) == 303


def test_a_recovery_code_counts_once(
    browser: TestClient, engine: sa.Engine, clock: Callable[[float], datetime]
) -> None:
    add_person(engine)
    password(browser)
    _, codes = set_up(browser, clock(0))
    assert len(codes) == 10
    row = stored(engine)
    assert not {one for one in codes if one in str(row.recovery_codes)}
    for status in (303, 401):
        browser.cookies.clear()
        password(browser)
        assert code(browser, codes[3].lower()) == status
    browser.cookies.clear()
    password(browser)
    assert code(browser, codes[0]) == 303
    assert "8 recovery codes are left" in browser.get("/account").text
    anew = codes_of(browser.post("/account/factor/codes", data=PRESENT).text)
    assert len(anew) == 10
    assert browser.post("/account/factor/codes", data={"present": "wrong"}).status_code == 422
    browser.cookies.clear()
    password(browser)
    assert code(browser, codes[1]) == 401
    assert code(browser, anew[0]) == 303


def test_codes_are_slowed_and_the_password_does_not_forgive(
    browser: TestClient, engine: sa.Engine, clock: Callable[[float], datetime]
) -> None:
    phone, codes = enrolled(browser, engine, clock)
    at = clock(60)
    statuses = []
    for _ in range(throttle.FREE_OF_ACCOUNT + 1):
        password(browser)
        statuses.append(code(browser, "12345"))
    assert statuses == [401] * throttle.FREE_OF_ACCOUNT + [429]
    answer = browser.post("/sign-in/code", data={"code": phone.code(at)})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert code(browser, codes[0]) == 429
    clock(63)
    assert code(browser, phone.code(at)) == 303


def test_ten_minutes_are_left_for_the_code(
    browser: TestClient, engine: sa.Engine, clock: Callable[[float], datetime]
) -> None:
    phone, _ = enrolled(browser, engine, clock)
    password(browser)
    at = clock(601)
    answer = browser.post("/sign-in/code", data={"code": phone.code(at)})
    assert answer.status_code == 401
    assert "Too much time has passed" in answer.text
    browser.cookies.clear()
    for path in ("/sign-in/code", "/sign-in/factor"):
        assert browser.get(path).headers["location"] == "/sign-in"
        assert browser.post(path, data={"code": phone.code(at)}).status_code == 401


def test_setting_up_needs_the_password_and_a_code(
    browser: TestClient, engine: sa.Engine, clock: Callable[[float], datetime]
) -> None:
    add_person(engine)
    password(browser)
    assert browser.post("/account/factor", data={"present": "wrong"}).status_code == 422
    assert stored(engine).factor_secret is None
    assert browser.post("/account/factor/confirm", data={"code": "123456"}).headers["location"] == "/account"
    page = browser.post("/account/factor", data=PRESENT)
    phone = Phone(page.text)
    address = unescape(re.findall(r'href="(otpauth:[^"]+)"', page.text)[0])
    assert address.startswith("otpauth://totp/Bin%C3%B4me:ana%40firm.example?")
    assert f"secret={phone.secret}" in address
    assert page.text.count("<svg ") == 1
    wrong = browser.post("/account/factor/confirm", data={"code": "abc"})
    assert wrong.status_code == 422
    assert Phone(wrong.text).secret == phone.secret
    browser.cookies.clear()
    assert password(browser) == "/"  # it does not count yet
    with engine.connect() as connection:
        raw = connection.scalar(sa.text("select factor_secret from users"))
        assert str(raw).startswith("gAAAA")
    assert browser.post("/account/factor/confirm", data={"code": phone.code(clock(0))}).status_code == 200
    for path in ("/account/factor", "/account/factor/off"):
        assert browser.post(path, data={"present": "wrong"}).status_code == 422
    assert browser.post("/account/factor", data=PRESENT).status_code == 422  # it is on: turned off first
    assert browser.post("/account/factor/off", data=PRESENT).status_code == 303
    assert stored(engine).factor_secret is None
    assert browser.get("/account").status_code == 200
    assert browser.post("/account/factor/off", data=PRESENT).status_code == 422


def require(browser: TestClient, settings: Settings, wanted: SecondFactor) -> None:
    browser.app.state.settings = settings.model_copy(update={"second_factor": wanted})


@pytest.mark.parametrize(
    ("wanted", "role", "asked"),
    [
        (SecondFactor.OPTIONAL, Role.ADMIN, False),
        (SecondFactor.ADMINS, Role.CURATOR, False),
        (SecondFactor.ADMINS, Role.ADMIN, True),
        (SecondFactor.REQUIRED, Role.READER, True),
    ],
)
def test_administrators_may_require_it(
    browser: TestClient,
    engine: sa.Engine,
    settings: Settings,
    clock: Callable[[float], datetime],
    wanted: SecondFactor,
    role: Role,
    asked: bool,
) -> None:
    require(browser, settings, wanted)
    add_person(engine, role)
    led = password(browser, next="/account")
    assert led == ("/sign-in/factor?next=%2Faccount" if asked else "/account")
    assert browser.get("/account").status_code == (303 if asked else 200)
    if not asked:
        return
    page = browser.get(led).text
    phone = Phone(page)
    assert "Your administrator asks for" in page
    assert browser.post("/sign-in/factor", data={"code": "1", "next": "/account"}).status_code == 422
    assert browser.get("/account").status_code == 303
    done = browser.post("/sign-in/factor", data={"code": phone.code(clock(0)), "next": "/account"})
    assert len(codes_of(done.text)) == 10
    assert 'href="/account"' in done.text
    assert "Turn off" not in browser.get("/account").text
    assert browser.post("/account/factor/off", data=PRESENT).status_code == 422
    assert stored(engine).factor_since is not None


def test_a_link_to_choose_a_password_does_not_go_round_it(
    browser: TestClient, engine: sa.Engine, clock: Callable[[float], datetime]
) -> None:
    user_id = add_person(engine)
    password(browser)
    set_up(browser, clock(0))
    browser.cookies.clear()
    with write_session(engine) as session:
        token = queries.invite(session, session.get_one(UserTable, user_id), START)
    form = {"token": token, "password": "another long sentence"}
    assert browser.post("/invitation", data=form).headers["location"] == "/sign-in/code?next=%2F"
    assert browser.get("/account").status_code == 303


def test_administrators_take_a_lost_one_away(
    browser: TestClient,
    client: TestClient,
    engine: sa.Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BINOME_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("BINOME_DATA_DIR", str(settings.data_dir))
    user_id = add_person(engine, Role.ADMIN)
    ways: list[Callable[[], object]] = [
        lambda: client.delete(f"/v1/users/{user_id}/factor").raise_for_status(),
        lambda: browser.post(f"/people/{user_id}/factor"),
        lambda: CliRunner().invoke(cli, ["users", "reset-factor", EMAIL], catch_exceptions=False),
    ]
    for take_away in ways:
        browser.cookies.clear()
        assert password(browser) == "/"
        set_up(browser, datetime.now(UTC))
        assert client.get("/v1/users").json()["items"][0]["second_factor"] is True
        assert "Take the second factor away" in browser.get("/people").text
        take_away()
        assert client.get("/v1/users").json()["items"][0]["second_factor"] is False
        assert browser.get("/account").status_code == 303  # sessions have ended
    assert client.delete("/v1/users/99/factor").status_code == 404
    with read_session(engine) as session:
        acts = [one.action for one in session.scalars(sa.select(AuditEventTable))]
    assert {"DELETE /v1/users/{user_id}/factor", "POST /people/{user_id}/factor"} <= set(acts)
    assert {"binome users reset-factor", "POST /account/factor/confirm"} <= set(acts)


def test_who_signs_in_at_a_provider_has_it_there(browser: TestClient, engine: sa.Engine) -> None:
    user_id = add_person(engine)
    password(browser)
    with write_session(engine) as session:
        session.get_one(UserTable, user_id).password_hash = None
    page = browser.post("/account/factor", data=PRESENT)
    assert page.status_code == 422
    assert "You have no password here" in page.text


def test_two_tries_at_once_count_one(engine: sa.Engine) -> None:
    """The row is locked while a code is looked at: the second of two finds it used."""
    user_id = add_person(engine)
    with write_session(engine) as session:
        user = session.get_one(UserTable, user_id)
        queries.begin_factor(user)
        phone_code = TOTP(base64.b32decode(user.factor_secret or ""), 6, SHA1(), 30).generate(int(START.timestamp()))
        assert queries.confirm_factor(session, user, phone_code.decode(), START)
    with write_session(engine) as session:
        user = queries.lock_user(session, user_id)
        assert user is not None
        assert not queries.use_code(user, phone_code.decode(), START)
        later = TOTP(base64.b32decode(user.factor_secret or ""), 6, SHA1(), 30).generate(int(START.timestamp()) + 30)
        assert queries.use_code(user, later.decode(), START)
        assert not queries.use_code(user, later.decode(), START)
    assert hash_password(PASSWORD)
