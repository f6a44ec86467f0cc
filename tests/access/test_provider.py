"""Signing in by OpenID Connect, against a provider over real HTTP that can lie."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pydantic import ValidationError

from service.app import create_app
from service.auth.roles import read_grants
from service.auth.scopes import Role
from service.auth.tables import UserTable
from service.database import write_session
from service.dependencies import COOKIE
from service.settings import Settings
from service.users import queries
from service.users.identities import rights_of
from tests.access.provider import CLIENT_ID, SECRET, FakeProvider, running
from tests.service.test_users import add_person

START, BACK = "/sign-in/provider", "/sign-in/provider/callback"


@pytest.fixture(scope="module")
def _served() -> Iterator[FakeProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(_served: FakeProvider) -> FakeProvider:
    """A provider that tells the truth, until it is told otherwise."""
    fresh = FakeProvider(int(_served.issuer.split(":")[2].split("/")[0]))
    vars(_served).update(vars(fresh))
    return _served


@pytest.fixture
def visit(provider: FakeProvider, settings: Settings, engine: sa.Engine, openapi: dict[str, Any]) -> Iterator[Any]:
    """Makes a browser before an application with settings of the provider."""
    clients = []

    def opened(roles: str = "*=reader", **values: Any) -> TestClient:
        known = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": SECRET}
        given = {**settings.model_dump(), **known, "oidc_roles": roles, "public_url": "http://testserver", **values}
        app = create_app(Settings(_env_file=None, **given), engine)
        app.openapi = lambda: openapi
        headers = {"Accept": "text/html", "Accept-Language": "en"}
        client = TestClient(app, raise_server_exceptions=False, headers=headers, follow_redirects=False)
        clients.append(client.__enter__())
        return client

    yield opened
    for client in clients:
        client.__exit__(None, None, None)


def come_back(client: TestClient, provider: FakeProvider, wanted: str = "/", **changed: str) -> Any:
    """Go to the provider and back; return the answer."""
    start = client.get(START, params={"next": wanted})
    assert start.status_code == 303, start.text
    return client.get(BACK, params={**provider.authorize(start.headers["location"]), **changed})


def people(engine: sa.Engine) -> list[tuple[str, str, bool]]:
    with write_session(engine) as session:
        return [(user.email, user.role, user.sees_personal) for user in queries.list_users(session)]


def test_a_person_signs_in_and_the_account_is_made(visit: Any, provider: FakeProvider, engine: sa.Engine) -> None:
    client = visit()
    assert "Sign in with OpenID Connect" in client.get("/sign-in").text
    answer = come_back(client, provider, "/themes?from=2026-01-01")
    assert (answer.status_code, answer.headers["location"]) == (303, "/themes?from=2026-01-01")
    assert client.get("/account").status_code == 200
    assert people(engine) == [("ana@firm.example", "reader", False)]
    client.post("/sign-out")
    assert client.get("/account").status_code == 303
    assert come_back(client, provider).status_code == 303
    assert len(people(engine)) == 1


def test_a_try_counts_once_and_in_its_browser_alone(visit: Any, provider: FakeProvider) -> None:
    client = visit()
    start = client.get(START)
    cookie = start.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    back = provider.authorize(start.headers["location"])
    assert visit().get(BACK, params=back).status_code == 401  # another browser
    assert client.get(BACK, params=back).status_code == 303
    client.cookies.delete(COOKIE)
    assert client.get(BACK, params=back).status_code == 401


@pytest.mark.parametrize(
    "changed", [{"state": "other"}, {"state": ""}, {"code": "other"}, {"code": ""}, {"iss": "http://evil.example"}]
)
def test_an_answer_that_is_not_ours_is_refused(
    visit: Any, provider: FakeProvider, engine: sa.Engine, changed: dict[str, str]
) -> None:
    client = visit()
    answer = come_back(client, provider, **changed)
    assert answer.status_code == 401
    assert "does not hold" in answer.text
    assert COOKIE not in client.cookies
    assert people(engine) == []


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},  # without azp
        {"aud": CLIENT_ID, "azp": "another-client"},
        {"iss": "http://evil.example"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"at_hash": "AAAA"},
    ],
)
def test_a_token_that_does_not_hold_is_refused(
    visit: Any, provider: FakeProvider, engine: sa.Engine, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    assert come_back(visit(), provider).status_code == 401
    assert people(engine) == []


@pytest.mark.parametrize("sign", ["none", "HS256"])
def test_a_token_that_anybody_could_sign_is_refused(visit: Any, provider: FakeProvider, sign: str) -> None:
    provider.sign = sign
    assert come_back(visit(), provider).status_code == 401


def test_a_foreign_key_is_refused_and_a_rotated_one_is_asked_for(visit: Any, provider: FakeProvider) -> None:
    client = visit()
    assert come_back(client, provider).status_code == 303
    provider.rotate()
    assert come_back(client, provider).status_code == 303
    assert come_back(client, provider).status_code == 303
    assert len([path for path in provider.asked if path.endswith("/keys")]) == 2
    published = provider.get("/keys")
    provider.rotate()
    provider.get = lambda path: published if path.endswith("/keys") else None  # type: ignore[method-assign]
    assert come_back(client, provider).status_code == 401
    del provider.get


def test_a_provider_that_is_down_or_another_one_is_said(visit: Any, provider: FakeProvider) -> None:
    client = visit()
    start = client.get(START)
    back = provider.authorize(start.headers["location"])
    provider.down = True
    answer = client.get(BACK, params=back)
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert visit().get(START).status_code == 503
    provider.down, provider.issuer_said = False, "http://127.0.0.1:1/other"
    assert visit().get(START).status_code == 503
    nowhere = visit(oidc_issuer="http://127.0.0.1:9")
    assert nowhere.get(START).status_code == 503
    assert nowhere.get("/sign-in").status_code == 200


ASKED = {"oidc_acr_values": "gold silver", "oidc_amr_values": "mfa hwk", "oidc_max_age_minutes": 30}


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"acr": "silver", "amr": ["pwd", "mfa"], "auth_time": -60}, 303),
        ({"acr": "gold", "amr": ["hwk"], "auth_time": -1830}, 303),  # clocks differ a little
        ({"amr": ["mfa"], "auth_time": -60}, 401),
        ({"acr": "bronze", "amr": ["mfa"], "auth_time": -60}, 401),
        ({"acr": ["gold"], "amr": ["mfa"], "auth_time": -60}, 401),
        ({"acr": "gold", "auth_time": -60}, 401),
        ({"acr": "gold", "amr": ["pwd"], "auth_time": -60}, 401),
        ({"acr": "gold", "amr": "mfa", "auth_time": -60}, 401),
        ({"acr": "gold", "amr": [["mfa"], {}], "auth_time": -60}, 401),
        ({"acr": "gold", "amr": ["mfa"]}, 401),
        ({"acr": "gold", "amr": ["mfa"], "auth_time": -1900}, 401),
    ],
)
def test_how_the_provider_checked_is_looked_at(
    visit: Any, provider: FakeProvider, engine: sa.Engine, claims: dict[str, Any], status: int
) -> None:
    if "auth_time" in claims:
        claims = {**claims, "auth_time": int(time.time()) + claims["auth_time"]}
    provider.claims |= claims
    client = visit(**ASKED)
    address = client.get(START).headers["location"]
    assert "acr_values=gold+silver" in address
    assert "max_age=1800" in address
    answer = come_back(client, provider)
    assert answer.status_code == status
    named = "amr" not in claims or isinstance(claims["amr"], list)  # what is no list is no ID token
    assert ("with a second factor" in answer.text) is (status == 401 and named)
    assert len(people(engine)) == (status == 303)
    if named:
        assert come_back(visit(), provider).status_code == 303  # where nothing is asked for, all that is no matter


def test_groups_give_roles_and_take_them(visit: Any, provider: FakeProvider, engine: sa.Engine) -> None:
    client = visit("groups/marketing=curator, groups//heads=admin+personal")
    assert come_back(client, provider).status_code == 403
    provider.claims["groups"] = ["marketing", "other"]
    assert come_back(client, provider).status_code == 303
    assert people(engine) == [("ana@firm.example", "curator", False)]
    provider.claims["groups"] = ["marketing", "/heads"]
    assert come_back(client, provider).status_code == 303
    assert people(engine) == [("ana@firm.example", "admin", True)]
    provider.claims["groups"] = []
    answer = come_back(client, provider)
    assert answer.status_code == 403
    assert "no account here" in answer.text


def test_closed_accounts_stay_out(visit: Any, provider: FakeProvider, engine: sa.Engine) -> None:
    client = visit()
    come_back(client, provider)
    with write_session(engine) as session:
        queries.switch_user(session, session.scalars(sa.select(UserTable)).one(), datetime.now(UTC))
    assert client.get("/account").status_code == 303
    assert come_back(client, provider).status_code == 403


def test_without_roles_only_who_has_an_account_comes_in(visit: Any, provider: FakeProvider, engine: sa.Engine) -> None:
    client = visit("")
    assert come_back(client, provider).status_code == 403
    add_person(engine, Role.CURATOR, personal=True)
    assert come_back(client, provider).status_code == 303
    assert people(engine) == [("ana@firm.example", "curator", True)]
    provider.claims["email"] = "renamed@firm.example"  # the subject is what counts
    assert come_back(client, provider).status_code == 303


def test_nobody_takes_an_account_by_an_address_that_is_not_verified(
    visit: Any, provider: FakeProvider, engine: sa.Engine
) -> None:
    add_person(engine, Role.ADMIN)
    provider.claims["email_verified"] = False
    assert come_back(visit(), provider).status_code == 403
    assert come_back(visit(""), provider).status_code == 403
    del provider.claims["email_verified"]
    assert come_back(visit(""), provider).status_code == 403
    assert come_back(visit("", oidc_trust_email="on"), provider).status_code == 303
    provider.claims |= {"sub": "s-2", "email_verified": True}
    assert come_back(visit(""), provider).status_code == 403  # it is another's by now


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"])
def test_it_leads_to_no_other_site(visit: Any, provider: FakeProvider, wanted: str) -> None:
    assert come_back(visit(), provider, wanted).headers["location"] == "/"


def test_without_a_provider_there_is_none(browser: TestClient) -> None:
    assert browser.get(START).status_code == 404
    assert browser.get(BACK).status_code == 404
    assert START not in browser.get("/sign-in").text


@pytest.mark.parametrize(
    "roles", ["groups=reader", "groups/x", "groups/x=king", "*/x=reader", "a/b=reader+all", "=reader"]
)
def test_wrong_settings_are_refused(roles: str) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, oidc_roles=roles)
    with pytest.raises(ValidationError):
        Settings(_env_file=None, oidc_issuer="http://plain.example", oidc_client_id="x")
    with pytest.raises(ValidationError, match="BINOME_OIDC_CLIENT_ID"):
        Settings(_env_file=None, oidc_issuer="https://id.example")


def test_claims_lie_in_objects_too() -> None:
    grants = read_grants("realm_access.roles/dpo=reader+personal, team/a=curator")
    rights = rights_of({"realm_access": {"roles": ["dpo"]}, "team": "a"}, grants)
    assert rights is not None
    assert (rights.role, rights.personal) == (Role.CURATOR, True)
    assert rights_of({"realm_access": "dpo"}, grants) is None
