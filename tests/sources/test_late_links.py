"""What is told of deals and accounts before their notes counts for these when they come, and the other way round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.notes.links import FINDINGS
from service.settings import Settings
from service.tables import NoteTable, ObjectionTable
from tests.fetching.conftest import fetch_due
from tests.fetching.servers import HubSpotApi, serving
from tests.sources.senders import ADMIN, SIGNERS, notes, send
from tests.sources.test_links import DEALS, account_of, pipedrive
from tests.sources.test_outcomes import TEXT, dynamics, salesforce_deal, zoho
from tests.sources.test_vendors import AT, event, post, soap

NOTES, CALLS, DEAL_TYPE, COMPANIES = "0-46", "0-48", "0-3", "0-2"


@pytest.mark.parametrize("source", DEALS)
def test_a_deal_known_before_its_first_note_tells_whose_it_is(client: TestClient, source: str) -> None:
    note, deal, account = DEALS[source]
    post(client, source, deal)
    post(client, source, later(note))
    assert account_of(client) == account


def later(message: Any) -> Any:
    """Return a message of Salesforce as a notification of its own; others are as they are."""
    return message.replace(b"<n:Id>04l0", b"<n:Id>04l9") if isinstance(message, bytes) else message


def test_findings_move_with_their_note(client: TestClient, engine: sa.Engine) -> None:
    note, deal, _ = DEALS["pipedrive"]
    post(client, "pipedrive", note)
    with write_session(engine) as session:
        row = session.scalars(sa.select(NoteTable)).one()
        found = {"start": 0, "end": 4, "quote": TEXT[:4], "type": "price", "status": "open", "origin": "rule"}
        session.add(ObjectionTable(note_id=row.id, occurred_on=row.occurred_at.date(), deal_id=row.deal_id, **found))
    post(client, "pipedrive", deal)
    with engine.connect() as connection:
        account = connection.scalar(sa.select(NoteTable.account_id))
        assert account is not None
        assert connection.scalar(sa.select(ObjectionTable.account_id)) == account
    assert ObjectionTable in FINDINGS


def test_an_older_message_gives_a_deal_no_other_account(client: TestClient) -> None:
    def deal(day: int, account: str) -> bytes:
        told = f"<s:AccountId>{account}</s:AccountId></n:sObject>".encode()
        return salesforce_deal(day, "open").replace(b"</n:sObject>", told)

    post(client, "salesforce", deal(9, "001000000000009"))
    post(client, "salesforce", deal(5, "001000000000005"))
    post(client, "salesforce", later(DEALS["salesforce"][0]))
    assert account_of(client) == ("001000000000009AAA", None)


def salesforce_account(day: int, name: str) -> bytes:
    fields = {"Id": "001000000000003AAA", "Name": name, "LastModifiedDate": f"2026-09-{day:02}T10:00:00Z"}
    return soap(fields).replace(b"04l000000000000", f"04l0000000001{day:02}".encode())


def pipedrive_account(day: int, name: str) -> dict[str, Any]:
    told = pipedrive("organization", "19", "change", name=name)
    told["meta"] |= {"id": f"o{day}"}
    told["data"] |= {"update_time": f"2026-09-{day:02}T10:00:00Z"}
    return told


def hubspot_account(day: int, name: str) -> list[dict[str, Any]]:
    return [event(name, AT + day, propertyName="name", objectTypeId="0-2", objectId=19)]


ACCOUNTS: dict[str, tuple[str, Callable[[int, str], Any], Any]] = {
    "salesforce": (
        "001000000000003AAA",
        salesforce_account,
        soap({"Id": "00T000000000001", "Description": TEXT, "AccountId": "001000000000003"}),
    ),
    "pipedrive": ("19", pipedrive_account, pipedrive("note", "417", content=TEXT, org_id=19)),
    "zoho": (
        "55",
        lambda day, name: zoho("Accounts", "55", day, Account_Name=name),
        zoho("Calls", "21", 0, Description=TEXT, What_Id={"id": "55"}, **{"$se_module": "Accounts"}),
    ),
    "dynamics": (
        "a1",
        lambda day, name: dynamics("account", "{A1}", day, name=name),
        dynamics("phonecall", "c1", 0, description=TEXT, regardingobjectid={"LogicalName": "account", "Id": "{A1}"}),
    ),
}


@pytest.mark.parametrize("source", ACCOUNTS)
@pytest.mark.parametrize("note_first", [True, False])
def test_an_account_has_its_name_whichever_comes_first(client: TestClient, source: str, note_first: bool) -> None:
    key, account, note = ACCOUNTS[source]
    if note_first:
        post(client, source, note)
        assert account_of(client) == (key, None)
    assert post(client, source, account(9, "Harrow Foods")).status_code < 300
    post(client, source, account(5, "Harrow Ltd"))
    if not note_first:
        post(client, source, note)
    assert account_of(client) == (key, "Harrow Foods"), "an older name comes late"
    post(client, source, account(12, "Harrow Group"))
    assert account_of(client) == (key, "Harrow Group")


def test_a_report_finds_an_account_that_only_events_told(client: TestClient) -> None:
    post(client, "pipedrive", pipedrive_account(3, "Harrow Foods"))
    head = "From: ann@firm.example\nMessage-ID: <w@firm.example>\nSubject: Weekly\n\n"
    body = "Harrow Foods\n- 20% above the other quote.\n\nDanone\n- They wait for a budget.\n"
    post(client, "mail", (head + body).encode())
    told = {note["text"]: note["account"] and note["account"]["id"] for note in notes(client)}
    assert [account for text, account in told.items() if "20%" in text] == ["19"]
    assert [account for text, account in told.items() if "budget" in text] == [None]


@pytest.mark.parametrize("note_first", [True, False])
def test_hubspot_deals_and_companies_in_both_orders(
    client: TestClient, engine: sa.Engine, settings: Settings, note_first: bool
) -> None:
    with serving(HubSpotApi()) as api:
        assert isinstance(api, HubSpotApi)
        options = {"access_token": "token-1", "base_url": api.url}
        connection = {"source": "hubspot", "name": "api", "secret": "hubspot-of-the-api", "options": options}
        assert client.post("/v1/connections", json=connection, headers=ADMIN).status_code == 201

        def tell(*events: dict[str, Any]) -> None:
            request = SIGNERS["hubspot"](list(events), secret="hubspot-of-the-api")
            assert send(client, request).status_code == 202
            fetch_due(engine, settings)

        def note() -> None:
            api.put(NOTES, "7", hs_note_body=TEXT)
            tell(event(TEXT, AT, objectId=7))

        def deal() -> None:
            api.put(DEAL_TYPE, "104", amount="5000", dealstage="closedwon")
            api.put(COMPANIES, "19", name="Harrow Foods")
            api.link(DEAL_TYPE, "104", COMPANIES, "19")
            tell(event("5000", AT + 1, propertyName="amount", objectTypeId="0-3", objectId=104))

        for step in (note, deal) if note_first else (deal, note):
            step()
        api.link(NOTES, "7", DEAL_TYPE, "104")
        ends = {"fromObjectTypeId": "0-46", "toObjectTypeId": "0-3", "fromObjectId": 7, "toObjectId": 104}
        tell({"subscriptionType": "object.associationChange", "portalId": 62515, "occurredAt": AT + 2, **ends})
        assert account_of(client) == ("19", "Harrow Foods")
        assert notes(client)[0]["deal"]["outcome"] == "won"
        tell(*hubspot_account(9, "Harrow Group"), *hubspot_account(5, "Harrow Ltd"))
        assert account_of(client) == ("19", "Harrow Group")
