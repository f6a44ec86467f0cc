"""Amazon SES by way of SNS: confirmations, verdicts, raw delivery, what holds no message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.sources.registry import SOURCES
from tests.imports.files import mail
from tests.sources.senders import ADMIN, notes, send, ses
from tests.sources.test_links import faults

URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"
SAMPLE = json.loads(SOURCES["ses"].sample)


def changed(**values: Any) -> dict[str, Any]:
    return {**SAMPLE, "Message": json.dumps({**json.loads(SAMPLE["Message"]), **values})}


@pytest.mark.parametrize(
    ("address", "shown"),
    [(URL, URL), ("https://elsewhere.example/?a=sns.eu-west-1.amazonaws.com", None), (URL.replace("s:", ":"), None)],
)
def test_the_operator_is_told_which_address_confirms_a_topic(
    client: TestClient, address: str, shown: str | None
) -> None:
    answer = send(client, ses({"Type": "SubscriptionConfirmation", "MessageId": "1", "SubscribeURL": address}))
    assert answer.status_code == 200
    (fault,) = client.get("/v1/sources/faults", headers=ADMIN).json()["items"]
    assert (fault["code"], address in json.dumps(fault)) == ("confirmation", shown is not None)


@pytest.mark.parametrize(
    ("body", "results"),
    [
        (changed(receipt={"virusVerdict": {"status": "FAIL"}}), {"skipped": 1}),
        (changed(receipt={"spamVerdict": {"status": "FAIL"}}), {"skipped": 1}),
        (changed(notificationType="Bounce"), {"skipped": 1}),
        ({"Type": "UnsubscribeConfirmation"}, {"skipped": 1}),
        (json.loads(SAMPLE["Message"]), {"created": 1}),  # raw delivery
    ],
)
def test_what_is_taken_and_what_is_left(client: TestClient, body: dict[str, Any], results: dict[str, int]) -> None:
    answer = send(client, ses(body))
    assert (answer.status_code, answer.json()) == (200, {"results": results})
    assert len(notes(client)) == results.get("created", 0)


@pytest.mark.parametrize("body", [changed(content=""), changed(content=None), {**SAMPLE, "Message": "no JSON"}])
def test_what_holds_no_message_is_acknowledged_and_told(client: TestClient, body: dict[str, Any]) -> None:
    assert send(client, ses(body)).status_code == 200
    assert [source for source, _ in faults(client)] == ["ses"]


def test_a_notification_counts_once_and_its_writer_is_a_rep(client: TestClient) -> None:
    raw = bytes(mail(From="Ann <ann@firm.example>"))
    first, second = send(client, ses(raw)), send(client, ses(raw))
    assert [one.json() for one in (first, second)] == [{"results": {"created": 1}}, {"results": {"duplicate": 1}}]
    (note,) = notes(client)
    assert note["author"]["id"] == "ann@firm.example"
