"""What events tell beside the text: whose deal it is, who wrote, what a note hangs on; and where texts stand."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.sources.senders import ADMIN, SIGNERS, notes, send
from tests.sources.test_outcomes import DEAL, TEXT, dynamics, dynamics_note, pipedrive_note, salesforce_note, zoho
from tests.sources.test_outcomes import zoho_note as zoho_call
from tests.sources.test_vendors import AT, post, soap


def pipedrive(entity: str, key: str, action: str = "create", **data: Any) -> dict[str, Any]:
    at = "2026-09-20T10:00:00Z" if action == "change" else "2026-09-14T10:00:00Z"
    meta = {"id": f"{entity}-{key}-{action}", "entity": entity, "entity_id": key, "action": action, "timestamp": at}
    return {"meta": meta, "data": {"id": int(key), "update_time": at, **data}, "previous": None}


def account_of(client: TestClient) -> Any:
    (note,) = notes(client)
    account = note["account"]
    return account and (account["id"], account["name"])


def faults(client: TestClient) -> list[tuple[str, str]]:
    found = client.get("/v1/sources/faults", headers=ADMIN).json()["items"]
    return [(one["source"], one["code"]) for one in found]


OPPORTUNITY = {"Id": "006000000000002AAA", "AccountId": "001000000000003", "Amount": "1.25E7"}
ACCOUNT = {"LogicalName": "account", "Id": "{A1}", "Name": "Harrow Foods"}
DEALS: dict[str, tuple[Any, Any, tuple[str, str | None]]] = {
    "salesforce": (salesforce_note(), soap({}, OPPORTUNITY), ("001000000000003AAA", None)),
    "pipedrive": (
        pipedrive_note(),
        pipedrive("deal", "104", "change", org_id=19, organization={"name": "Harrow Foods"}),
        ("19", "Harrow Foods"),
    ),
    "zoho": (zoho_call(), zoho("Deals", "900", 3, Account_Name={"id": "55", "name": "Harrow"}), ("55", "Harrow")),
    "dynamics": (
        dynamics_note(),
        dynamics("opportunity", DEAL, 3, parentaccountid=ACCOUNT, transactioncurrencyid={"Name": "Euro"}),
        ("a1", "Harrow Foods"),
    ),
}


@pytest.mark.parametrize("source", DEALS)
def test_a_deal_tells_its_notes_whose_it_is(client: TestClient, source: str) -> None:
    note, deal, account = DEALS[source]
    post(client, source, note)
    assert account_of(client) is None
    post(client, source, deal)
    assert account_of(client) == account
    if source == "salesforce":
        assert notes(client)[0]["deal"]["amount"] == 12_500_000
    if source == "dynamics":
        assert notes(client)[0]["deal"]["currency"] == "EUR"


def test_pipedrive_names_are_taken_and_an_edit_that_tells_no_links_keeps_them(client: TestClient) -> None:
    begun = "2026-09-01T08:00:00Z"
    known = {"user_id": 77, "user": {"name": "R. Marchetti"}, "org_id": 19, "organization": {"name": "Harrow"}}
    post(
        client,
        "pipedrive",
        pipedrive("note", "417", content=TEXT, deal_id=104, add_time=begun, **known),
    )
    post(client, "pipedrive", pipedrive("note", "417", "change", content="Much too dear.", user_id=77))
    (note,) = notes(client)
    assert (note["text"], note["author"]["name"], note["occurred_at"]) == (
        "Much too dear.",
        "R. Marchetti",
        "2026-09-01T08:00:00Z",
    )
    assert (account_of(client), note["deal"]["id"]) == (("19", "Harrow"), "104")


def test_zoho_call_about_an_account_is_about_no_deal(client: TestClient) -> None:
    about = {"What_Id": {"id": "55", "name": "Harrow Foods"}, "$se_module": "Accounts"}
    post(client, "zoho", zoho("Calls", "21", 0, Description=TEXT, **about))
    assert (account_of(client), notes(client)[0]["deal"]) == (("55", "Harrow Foods"), None)


CONTENT = base64.b64encode(b"<p>They find it <b>too expensive</b>.</p>").decode()
RECORDS: dict[str, tuple[dict[str, str], str]] = {
    "content note": ({"Id": "069000000000001", "Title": "Visit", "Content": CONTENT}, f"Visit\n\n{TEXT}"),
    "content that is no base64": ({"Id": "069000000000001", "Content": "Pricing1"}, "Pricing1"),
    "note": ({"Id": "002000000000001", "Title": "Visit", "Body": TEXT}, f"Visit\n\n{TEXT}"),
    "fields of one's own": ({"Id": "a01000000000001", "Call_Notes__c": TEXT}, TEXT),
    "own words first": ({"Id": "00T000000000001", "Description": TEXT, "Notes__c": "x"}, TEXT),
}


@pytest.mark.parametrize("record", RECORDS)
def test_salesforce_records_of_every_kind_have_their_text(client: TestClient, record: str) -> None:
    fields, text = RECORDS[record]
    post(client, "salesforce", soap({**fields, "ParentId": "001000000000003"}))
    assert [note["text"] for note in notes(client)] == [text]
    assert account_of(client) == ("001000000000003AAA", None)


def test_salesforce_words_that_are_cleared_are_gone(client: TestClient) -> None:
    task = {"Id": "00T000000000001", "Description": TEXT, "LastModifiedDate": "2026-09-14T10:00:00Z"}
    post(client, "salesforce", soap(task))
    cleared = {**task, "Description": "", "LastModifiedDate": "2026-09-15T10:00:00Z"}
    post(client, "salesforce", soap({}, cleared).replace(b"000001AAA", b"000009AAA"))
    assert (notes(client), faults(client)) == ([], [])


def test_what_can_t_be_asked_for_by_api_is_told_the_operator(client: TestClient) -> None:
    post(client, "salesforce", soap({"Id": "00T000000000001", "OwnerId": "005000000000001"}))
    request = dynamics("annotation", "d1d1d1d1-0000-0000-0000-000000000001", 0, notetext=None)
    post(client, "dynamics", {**request, "MessageName": "Create"})
    assert faults(client) == [("salesforce", "no_text")]
    waiting = client.get("/v1/sources", headers=ADMIN).json()["items"]
    assert not [one["source"] for one in waiting if one["waiting_fetches"]]


def test_dynamics_that_leaves_the_text_out_is_told_the_operator(client: TestClient) -> None:
    request = SIGNERS["dynamics"](dynamics("annotation", "d1d1d1d1-0000-0000-0000-000000000001", 0))
    request.headers["x-ms-dynamics-msg-size-exceeded"] = "True"
    assert send(client, request).status_code == 200
    assert faults(client) == [("dynamics", "oversize")]


def test_hubspot_association_of_numbered_types_asks_for_the_links(client: TestClient) -> None:
    ends = {"fromObjectTypeId": "0-46", "toObjectTypeId": "0-3", "fromObjectId": 802, "toObjectId": 104}
    told = {"associationTypeId": 214, "associationCategory": "HUBSPOT_DEFINED", **ends}
    change = {"subscriptionType": "object.associationChange", "portalId": 62515, "occurredAt": AT, **told}
    assert post(client, "hubspot", [change]).json()["results"]["to_fetch"] == 1


def test_hubspot_action_of_one_s_own_is_read_by_its_fields(client: TestClient) -> None:
    fields = {"text": TEXT, "account": "Harrow Foods"}
    action = {"callbackId": "ap-1", "origin": {"portalId": 62515}, "object": {"objectId": 904}, "inputFields": fields}
    post(client, "hubspot v2", action)
    (note,) = notes(client)
    assert (note["external_id"], note["text"], note["account"]["name"]) == ("904", TEXT, "Harrow Foods")
