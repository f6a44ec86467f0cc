"""Links from notes to their records at the sender's."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.engine_options import engine_options
from service.settings import Settings
from service.sources.queries import create_connection
from service.sources.record_links import options_by_source, record_link, template_fault
from tests.service.visits import NOW, read_in
from tests.work import note


@pytest.mark.parametrize(
    ("source", "options", "external_id", "account", "deal", "link"),
    [
        (
            "hubspot",
            {"portal_id": "62515"},
            "0-48:1042",
            None,
            None,
            "https://app.hubspot.com/contacts/62515/record/0-48/1042",
        ),
        (
            "hubspot",
            {"portal_id": "62515"},
            "0-46:7",
            "88",
            None,
            "https://app.hubspot.com/contacts/62515/record/0-2/88/?engagement=7",
        ),
        ("hubspot", {}, "0-48:1042", None, None, None),
        (
            "salesforce",
            {"instance_url": "https://firm.my.salesforce.com/"},
            "00T000000000001AAA",
            None,
            None,
            "https://firm.my.salesforce.com/00T000000000001AAA",
        ),
        ("salesforce", {"instance_url": "javascript:alert(1)//"}, "00T", None, None, None),
        ("pipedrive", {"company_domain": "firm"}, "417", "19", "104", "https://firm.pipedrive.com/deal/104"),
        ("pipedrive", {"company_domain": "firm"}, "417", "name:acme", None, None),
        ("pipedrive", {"company_domain": "evil.com/"}, "417", None, "1", "https://evil.com.pipedrive.com/deal/1"),
        (
            "zoho",
            {"org_url": "https://crm.zoho.eu/crm/org7"},
            "5",
            "12",
            None,
            "https://crm.zoho.eu/crm/org7/tab/Accounts/12",
        ),
        (
            "dynamics",
            {"organization": "firm.crm4.dynamics.com"},
            "g-1",
            None,
            "g-2",
            "https://firm.crm4.dynamics.com/main.aspx?pagetype=entityrecord&etn=opportunity&id=g-2",
        ),
        ("gong", {}, "778", None, None, "https://app.gong.io/call?id=778"),
        (
            "generic",
            {"record_url": "https://crm.firm.com/n/{id}?deal={deal}"},
            'a b"<',
            None,
            "d&1",
            "https://crm.firm.com/n/a%20b%22%3C?deal=d%261",
        ),
        ("generic", {}, "1", None, None, None),
    ],
)
def test_links(
    source: str, options: dict, external_id: str, account: str | None, deal: str | None, link: str | None
) -> None:
    assert record_link({source: options}, source, external_id, account, deal) == link


def test_templates_are_checked() -> None:
    assert template_fault("https://crm.firm.com/{type}/{id}") is None
    for wrong in ("javascript:alert({id})", "https://crm.firm.com/{secret}", "https://x/{id", 7, "https://a b/{id}"):
        assert template_fault(wrong), wrong


def test_notes_quotes_and_pages_link_to_the_record(client: TestClient, signed: TestClient, engine: sa.Engine) -> None:
    body = {"source": "generic", "options": {"record_url": "https://crm.firm.com/notes/{id}"}}
    assert client.post("/v1/connections", json=body).status_code == 201
    wrong = {**body, "name": "b", "options": {"record_url": "data:text/html,{id}"}}
    assert client.post("/v1/connections", json=wrong).json()["errors"][0]["field"] == "options.record_url"
    (linked, alone) = read_in(engine, note("n-1", source="generic"), note("n-2"))
    assert client.get(f"/v1/notes/{linked}").json()["record_url"] == "https://crm.firm.com/notes/n-1"
    assert client.get(f"/v1/notes/{alone}").json()["record_url"] is None
    quotes = client.get("/v1/objections/price/evidence").json()["items"]
    assert {q["note_id"]: q["record_url"] for q in quotes} == {
        str(linked): "https://crm.firm.com/notes/n-1",
        str(alone): None,
    }
    assert 'href="https://crm.firm.com/notes/n-1" rel="noreferrer"' in signed.get(f"/notes/{linked}").text
    assert 'href="https://crm.firm.com/notes/n-1"' in signed.get("/insights/objection/price").text


def test_connections_of_the_settings_give_links_too(engine: sa.Engine, settings: Settings) -> None:
    def linked(**connections: object) -> dict:
        options = engine_options(settings.model_copy(update={"connections": json.dumps(connections)}))
        with read_session(engine.execution_options(**options)) as session:
            return options_by_source(session)

    with write_session(engine) as session:
        create_connection(session, "zoho", "main", "zoho-secret", {"org_url": "https://crm.zoho.eu/crm/org7"}, NOW)
    found = linked(
        hubspot={"secret": "hubspot-secret", "portal_id": "62515"},
        gong=[{"secret": "gong-secret", "app_url": "https://us-1.app.gong.io"}],
        zoho={"secret": "another-secret", "org_url": "https://elsewhere.example"},
    )
    assert record_link(found, "hubspot", "0-48:7") == "https://app.hubspot.com/contacts/62515/record/0-48/7"
    assert record_link(found, "gong", "9") == "https://us-1.app.gong.io/call?id=9"
    assert found["zoho"]["org_url"].endswith("org7"), "the database goes first"
    assert linked() == {"zoho": found["zoho"]}
