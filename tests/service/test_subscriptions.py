"""Digests and alerts: by a real mail server, to real receivers, in both languages, at most one alert a day."""

from __future__ import annotations

import email
import email.policy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from fastapi.testclient import TestClient
from slack_sdk.models.blocks import Block

from service.database import read_session, write_session
from service.deliveries.watching import Watcher
from service.outgoing_tables import OutgoingTable, SubscriptionTable, WatchTable
from service.settings import Settings, Switch
from service.subscriptions.queries import digest_due, plan_messages
from service.tables import ObjectionTable
from tests.receivers import Receiver, deliver_due, receiving
from tests.service.test_announcing import notes, quiet
from tests.service.test_launch import free_port
from tests.service.visits import SCRIPT, read_in, shown

NOW = datetime.now(UTC)


class Mailbox:
    """What a mail server took in; it answers as told."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 OK"
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.answer.startswith("2"):
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.answer


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    changes = {
        "outgoing_private": Switch.ON,
        "public_url": "https://binome.firm.com",
        "smtp_url": f"smtp://127.0.0.1:{mailbox.port}",
        "smtp_from": "Binôme <binome@firm.com>",
    }
    return settings.model_copy(update=changes)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        receiver.status, receiver.body = 200, b"ok"
        yield receiver


def subscribe(client: TestClient, **fields: object) -> dict:
    body = {"name": "Marketing", "channel": "email", "address": "marketing@firm.com", **fields}
    answer = client.post("/v1/subscriptions", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def send_now(client: TestClient, engine: sa.Engine, settings: Settings, subscription: dict) -> dict:
    delivery = client.post(f"/v1/subscriptions/{subscription['id']}/send")
    assert delivery.status_code == 202, delivery.text
    deliver_due(engine, settings)
    return client.get(f"/v1/deliveries/{delivery.json()['id']}").json()


def told(engine: sa.Engine) -> None:
    """Two months of notes in which a competitor rises; one quote names a person, one is hostile."""
    quiet(engine)
    read_in(engine, *notes("rise", 8, 3, "They look at Orbiport now, it is too expensive."))
    read_in(engine, *notes("name", 3, 2, "Simon Marchetti says that Orbiport is too expensive."))
    read_in(engine, *notes("hostile", 1, 2, f"Orbiport <{SCRIPT}> & it is too expensive.", account={"name": SCRIPT}))


def test_a_digest_arrives_by_mail(client: TestClient, engine: sa.Engine, settings: Settings, mailbox: Mailbox) -> None:
    told(engine)
    sent = send_now(client, engine, settings, subscribe(client))
    assert (sent["state"], sent["kind"], sent["status_code"]) == ("delivered", "digest", 250)
    (mail,) = mailbox.mails
    assert mail["From"] == "Binôme <binome@firm.com>"
    assert mail["To"] == "marketing@firm.com"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"].endswith("@firm.com>")
    assert mail["Subject"].startswith("What customers said, ")
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for part in (text, shown(html)):
        assert "Orbiport" in part
        assert "New: 12 notes, 0 in the 30 days before" in part
        assert "too expensive" in part
        assert "Simon" not in part
        assert "Marchetti" not in part
    assert SCRIPT not in html
    assert "https://binome.firm.com/insights/competitor/orbiport?from=" in html
    assert mail["List-Unsubscribe"].strip("<>") in html
    assert "They look at" not in json.dumps(sent), "words stay out of the log"


def test_a_digest_in_french_for_some_notes(client: TestClient, engine: sa.Engine, settings: Settings) -> None:
    told(engine)
    made = subscribe(client, language="fr", filters={"team": "nord"})
    text = client.get(f"/v1/subscriptions/{made['id']}/preview", params={"format": "text"}).text
    assert "Ce que disent les clients" in text
    assert "équipe\u00a0: nord" in text
    assert "Aucune note" in text
    everything = client.patch(f"/v1/subscriptions/{made['id']}", json={"filters": {}}).json()
    assert everything["filters"] == {}
    preview = client.get(f"/v1/subscriptions/{made['id']}/preview")
    assert preview.headers["content-type"].startswith("text/html")
    assert "Nouveau\u00a0: 12 notes, 0 les 30 jours d'avant" in preview.text.replace("&#39;", "'")


def test_a_digest_quotes_what_customers_said_not_what_reps_expect(client: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *notes("said", 3, 2, "We find it too expensive for a small site like ours."))
    made = subscribe(client)
    address = f"/v1/subscriptions/{made['id']}/preview?format=text"
    assert "too expensive" in client.get(address).text
    with write_session(engine) as session:
        session.execute(sa.update(ObjectionTable).values(status="anticipated"))
    later = client.get(address).text
    assert "Price" in later
    assert "too expensive" not in later


def test_slack_and_teams_get_what_they_take(
    client: TestClient, engine: sa.Engine, settings: Settings, receiver: Receiver
) -> None:
    told(engine)
    for channel in ("slack", "teams"):
        made = subscribe(client, channel=channel, address=f"{receiver.url}/{channel}")
        assert "hook" not in made["address"], "who has the URL may post there"
        assert send_now(client, engine, settings, made)["state"] == "delivered"
    slack, teams = (json.loads(got.body) for got in receiver.got)
    blocks = Block.parse_all(slack["blocks"])
    assert len(blocks) == len(slack["blocks"]) <= 50
    for block in blocks:
        block.validate_json()
    words = json.dumps(slack["blocks"])
    assert "|Orbiport>" in words
    assert "<script>" not in words
    (attachment,) = teams["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {part["type"] for part in card["body"]} == {"TextBlock", "Container"}


def test_one_click_ends_it_and_only_its_own_link_does(
    client: TestClient, browser: TestClient, engine: sa.Engine, settings: Settings, mailbox: Mailbox
) -> None:
    one, other = subscribe(client), subscribe(client, name="Strategy")
    for subscription in (one, other):
        send_now(client, engine, settings, subscription)
    path, foreign = (
        mail["List-Unsubscribe"].strip("<>").removeprefix("https://binome.firm.com") for mail in mailbox.mails
    )
    swapped = foreign.replace(f"/{other['id']}/", f"/{one['id']}/")
    assert browser.post(swapped).status_code == 404
    assert browser.get("/unsubscribe/1/x").status_code == 404
    page = browser.get(path)
    assert page.status_code == 200
    assert f'action="{path}"' in page.text
    assert not client.get(f"/v1/subscriptions/{one['id']}").json()["disabled"], "opening a link ends nothing"
    assert browser.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    ended = client.get(f"/v1/subscriptions/{one['id']}").json()
    assert (ended["disabled"], ended["disabled_reason"]) == (True, "unsubscribed")
    assert client.post(f"/v1/subscriptions/{one['id']}/send").status_code == 409
    assert not client.get(f"/v1/subscriptions/{other['id']}").json()["disabled"]


def test_mail_that_is_refused_for_now_is_tried_again_and_for_good_is_not(
    client: TestClient, engine: sa.Engine, settings: Settings, mailbox: Mailbox
) -> None:
    made = subscribe(client)
    mailbox.answer = "451 later"
    assert send_now(client, engine, settings, made)["state"] == "waiting"
    mailbox.answer = "554 no"
    sent = send_now(client, engine, settings, made)
    assert (sent["state"], sent["failure"]) == ("failed", "the mail server answered 554")


def look(engine: sa.Engine, settings: Settings, subscription: dict, at: datetime) -> int:
    """Look at a subscription's ranking, plan what is due, and return how many messages were planned."""
    with read_session(engine) as session:
        watch = sa.select(WatchTable.id).where(WatchTable.subscription_id == int(subscription["id"]))
        watch_id = session.scalars(watch).one()
    Watcher(engine, settings).run(watch_id)
    with write_session(engine) as session:
        return plan_messages(session, at)


def test_alerts_come_once_a_day_at_most(
    client: TestClient, engine: sa.Engine, settings: Settings, mailbox: Mailbox
) -> None:
    quiet(engine)
    made = subscribe(client, digest=False)
    assert look(engine, settings, made, NOW) == 0, "the first look takes stock"
    read_in(engine, *notes("rise", 10, 2, "They look at Orbiport now."))
    assert look(engine, settings, made, NOW) == 1
    deliver_due(engine, settings)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Rising among customers: Orbiport"
    read_in(engine, *notes("price", 20, 1, "It is too expensive."))
    assert look(engine, settings, made, NOW) == 0, "not twice on a day"
    assert look(engine, settings, made, NOW + timedelta(days=1)) == 1
    deliver_due(engine, settings)
    assert len(mailbox.mails) == 1, "its time is tomorrow"
    with write_session(engine) as session:
        session.execute(sa.update(OutgoingTable).values(next_at=NOW))
    deliver_due(engine, settings)
    assert mailbox.mails[1]["Subject"] == "Rising among customers: Price"
    assert "Orbiport" not in shown(mailbox.mails[1].get_body(("html",)).get_content())


def test_sensitivity(client: TestClient, engine: sa.Engine, settings: Settings) -> None:
    quiet(engine)
    calm, keen = (subscribe(client, digest=False, sensitivity=s) for s in ("calm", "keen"))
    for one in (calm, keen):
        look(engine, settings, one, NOW)
    read_in(engine, *notes("rise", 7, 2, "They look at Orbiport now."))
    assert (look(engine, settings, calm, NOW), look(engine, settings, keen, NOW)) == (0, 1)
    read_in(engine, *notes("more", 20, 2, "They look at Orbiport now."))
    assert look(engine, settings, calm, NOW) == 1


@pytest.mark.parametrize(
    ("created", "last", "at", "due"),
    [
        ("2026-09-11T10:00", None, "2026-09-14T05:59", False),  # Monday, 7:59 in Paris
        ("2026-09-11T10:00", None, "2026-09-14T06:00", True),
        ("2026-09-11T10:00", "2026-09-14T06:01", "2026-09-14T12:00", False),
        ("2026-09-11T10:00", "2026-09-07T06:01", "2026-09-15T12:00", True),  # nothing ran on Monday
        ("2026-09-11T10:00", "2026-09-07T06:01", "2026-09-17T12:00", False),
        ("2026-09-14T07:00", None, "2026-09-14T12:00", False),  # subscribed after the hour
        ("2026-09-14T07:00", None, "2026-09-21T06:00", True),
        ("2026-10-20T07:00", "2026-10-19T06:00", "2026-10-26T06:30", False),  # winter time
        ("2026-10-20T07:00", "2026-10-19T06:00", "2026-10-26T07:00", True),
    ],
)
def test_when_a_digest_is_due(created: str, last: str | None, at: str, due: bool) -> None:
    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    row = SubscriptionTable(
        weekday=1,
        hour=8,
        time_zone="Europe/Paris",
        created_at=moment(created),
        digested_on=moment(last) if last else None,
    )
    assert digest_due(row, moment(at)) == due


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"address": "a@b.com, c@d.com"}, "address"),
        ({"address": "a@b.com\r\nBcc: c@d.com"}, "address"),
        ({"channel": "slack", "address": "https://169.254.169.254/x"}, "address"),
        ({"channel": "fax"}, "channel"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"filters": {"author": "w1"}}, "filters.author"),
        ({"weekday": 0}, "weekday"),
        ({"name": "a\nb"}, "name"),
    ],
)
def test_wrong_subscriptions_are_refused(client: TestClient, changes: dict, field: str) -> None:
    body = {"name": "Marketing", "channel": "email", "address": "marketing@firm.com", **changes}
    answer = client.post("/v1/subscriptions", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_settings_of_mail() -> None:
    for wrong in ({"smtp_url": "http://x"}, {"smtp_from": "a@b\r\nBcc: c@d"}, {"smtp_url": "smtp://a b"}):
        with pytest.raises(ValueError, match="validation error"):
            Settings(_env_file=None, **wrong)
    assert re.fullmatch("binome@.+", Settings(_env_file=None, public_url="https://b.firm.com").mail_sender)
