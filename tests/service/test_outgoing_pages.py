"""The page of what goes out: endpoints and subscriptions made, tested and ended; the log, and sending again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth.scopes import Scope
from service.database import write_session
from service.deliveries.queries import switch_off
from service.outgoing_tables import EndpointTable, OutgoingTable
from service.settings import Settings, Switch
from tests.service.visits import NOW, SCRIPT, shown, sign_in


@pytest.fixture
def admin(settings: Settings, engine: sa.Engine) -> Iterator[TestClient]:
    """A browser of an administrator, where mail can be sent and addresses are not looked up."""
    more = {"smtp_url": "smtp://127.0.0.1:1", "outgoing_private": Switch.ON}
    app = create_app(settings.model_copy(update=more), engine)
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    with TestClient(app, raise_server_exceptions=False, headers=headers, follow_redirects=False) as client:
        yield sign_in(client, engine, Scope.ADMIN)


def test_an_endpoint_is_made_tested_and_forgotten(admin: TestClient, engine: sa.Engine) -> None:
    form = {"url": "http://127.0.0.1:9/in", "description": SCRIPT, "event-insight.new": "on", "quotes": "on"}
    made = admin.post("/outgoing/endpoints", data=form)
    assert made.status_code == 201
    assert re.search(r"<code>whsec_[\w+/=]+</code>", made.text)
    page = admin.get("/outgoing").text
    assert "whsec_" not in page
    assert SCRIPT not in page
    assert "http://127.0.0.1:9/in" in page
    assert "insight.new" in shown(page)
    (number,) = re.findall(r"/outgoing/endpoints/(\d+)/test", page)
    assert admin.post(f"/outgoing/endpoints/{number}/test").status_code == 303
    log = shown(admin.get("/outgoing?lang=fr").text)
    assert "endpoint.test" in log
    assert "En attente" in log
    with write_session(engine) as session:
        row = session.scalars(sa.select(OutgoingTable)).one()
        row.state, row.attempts, row.status_code, row.failure = "failed", 10, 500, "it answered 500"
        delivery = row.id
    seen = admin.get("/outgoing?lang=en").text
    assert "Failed, 10 tries, 500 it answered 500" in shown(seen)
    (link,) = re.findall(r'href="(/v1/exports/deliveries[^"]+=json)"', seen)
    (sent,) = admin.get(unescape(link)).json()
    assert (sent["event"], sent["to"], sent["failure"]) == ("endpoint.test", form["url"], "it answered 500")
    assert admin.post(f"/outgoing/deliveries/{delivery}/again").status_code == 303
    with write_session(engine) as session:
        row = session.get_one(OutgoingTable, delivery)
        assert (row.state, row.attempts) == ("waiting", 0)
        row.state = "sending"
    assert admin.post(f"/outgoing/deliveries/{delivery}/again").status_code == 409
    assert "whsec_" in admin.post(f"/outgoing/endpoints/{number}/rotate").text
    admin.post(f"/outgoing/endpoints/{number}/off")
    assert "Switched off" in shown(admin.get("/outgoing").text)
    refused = admin.post(f"/outgoing/endpoints/{number}/test")
    assert (refused.status_code, "switch it on first" in shown(refused.text)) == (409, True)
    admin.post(f"/outgoing/endpoints/{number}/on")
    with write_session(engine) as session:
        switch_off(session.get_one(EndpointTable, int(number)), "gone", NOW)
    assert "it answered that it is gone" in shown(admin.get("/outgoing").text)
    assert admin.post(f"/outgoing/endpoints/{number}/remove").status_code == 303
    assert "No event is posted anywhere" in shown(admin.get("/outgoing").text)
    assert admin.post(f"/outgoing/endpoints/{number}/remove").status_code == 404
    assert admin.post("/outgoing/endpoints/1/nothing").status_code == 404


def test_what_is_wrong_is_told_and_what_was_filled_in_stays(admin: TestClient) -> None:
    wrong = admin.post("/outgoing/endpoints", data={"url": "ftp://firm.example/x", "description": "the data team"})
    assert wrong.status_code == 422
    assert "the data team" in wrong.text
    assert 'id="endpoint-fault"' in wrong.text
    for change in ({"address": "nobody"}, {"time_zone": "Mars"}, {"name": ""}, {"hour": "99"}, {"channel": "fax"}):
        form = {"name": "Marketing", "channel": "email", "address": "marketing@firm.example", **change}
        answer = admin.post("/outgoing/subscriptions", data=form)
        assert answer.status_code == 422, change
        assert 'id="subscription-fault"' in answer.text


def test_a_subscription_is_made_sent_and_ended(admin: TestClient) -> None:
    form = {
        "name": "Product marketing", "channel": "email", "address": "marketing@firm.example", "language": "fr",
        "digest": "on", "sensitivity": "calm", "weekday": "2", "hour": "9", "time_zone": "Europe/Paris",
        "segment": "retail", "team": "",
    }  # fmt: skip
    assert admin.post("/outgoing/subscriptions", data=form).status_code == 303
    page = admin.get("/outgoing").text
    assert "Product marketing E-mail, marketing@firm.example" in shown(page)
    assert "retail" in shown(page)
    (number,) = re.findall(r"/outgoing/subscriptions/(\d+)/send", page)
    assert admin.post(f"/outgoing/subscriptions/{number}/send").status_code == 303
    assert "digest" in shown(admin.get("/outgoing").text)
    admin.post(f"/outgoing/subscriptions/{number}/off")
    assert admin.post(f"/outgoing/subscriptions/{number}/send").status_code == 409
    admin.post(f"/outgoing/subscriptions/{number}/on")
    assert admin.post(f"/outgoing/subscriptions/{number}/nothing").status_code == 404
    assert admin.post(f"/outgoing/subscriptions/{number}/remove").status_code == 303
    assert "Nobody gets digests" in shown(admin.get("/outgoing").text)


def test_only_an_administrator_sees_it(signed: TestClient) -> None:
    assert signed.get("/outgoing").status_code == 403
    assert signed.post("/outgoing/endpoints", data={"url": "https://x.example"}).status_code == 403
    assert 'href="/outgoing"' not in signed.get("/sources").text
