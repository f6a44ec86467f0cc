"""Gong, Zoho and Pipedrive by API: events' records and whole histories."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.settings import Settings
from service.source_tables import ApiStateTable
from service.tables import NoteTable
from tests.fetching.conftest import fetch_due, shown, states, sync, texts, want
from tests.fetching.servers import ApiServer, Fault, GongApi, PipedriveApi, ZohoApi, serving
from tests.fetching.test_hubspot import worker_process
from tests.work import wait_until

Connect = Callable[..., None]


def call_of(key: str, language: str = "eng") -> dict:
    return {
        "metaData": {"id": key, "started": "2026-09-14T10:20:00Z", "primaryUserId": "u1", "language": language},
        "parties": [
            {"speakerId": "1", "userId": "u1", "name": "Ann Lee", "affiliation": "Internal"},
            {"speakerId": "2", "name": "Mr Bo: Wray", "affiliation": "External",
             "context": [{"objects": [{"objectType": "Contact", "objectId": "c-9"}]}]},
        ],
        "context": [
            {"objects": [
                {"objectType": "Account", "objectId": "acc-1", "fields": [{"name": "Name", "value": "Harrow"}]},
                {"objectType": "Opportunity", "objectId": "d-1",
                 "fields": [{"name": "Amount", "value": 5000}, {"name": "StageName", "value": "Closed Lost"}]},
            ]}
        ],
    }  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_gong(client: TestClient, engine: sa.Engine, settings: Settings, connect: Connect) -> None:
    login = base64.b64encode(b"key:secret").decode()
    with serving(GongApi(scheme="Basic ", tokens={login})) as api:
        assert isinstance(api, GongApi)
        connect("gong", access_key="key", access_key_secret="secret", base_url=api.url)
        said = [("1", "What do you think?"), ("2", "It is too expensive."), ("2", "And slow."), ("1", "I see.")]
        api.called = {str(number): call_of(str(number)) for number in range(11, 16)}
        api.called["12"] = call_of("12", "fra")
        api.transcripts = {"12": said}
        want(engine, "gong", "call", "11", "12", "404")
        fetch_due(engine, settings)
        assert states(engine)["11"] == ("waiting", "it is not complete yet")
        assert states(engine)["404"][0] == "done"
        note = shown(client, "12")
        assert note["text"].splitlines() == [
            "Commercial: What do you think?",
            "Mr Bo Wray: It is too expensive. And slow.",
            "Commercial: I see.",
        ]
        assert (note["kind"], note["author"]["id"], note["account"]["id"]) == ("transcript", "u1", "acc-1")
        assert (note["deal"]["amount"], note["deal"]["outcome"]) == (5000.0, "lost")
        api.transcripts = dict.fromkeys(api.called, said)
        assert sync(engine, settings, "gong")["created"] == 4
        assert shown(client, "11")["text"].startswith("Rep: What")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_zoho(client: TestClient, engine: sa.Engine, settings: Settings, connect: Connect) -> None:
    with serving(ZohoApi(page_size=2)) as api:
        assert isinstance(api, ZohoApi)
        options = {"base_url": api.url, "accounts_url": api.url, "client_id": "a", "client_secret": "b"}
        connect("zoho", refresh_token="refresh-1", **options)
        common = {"Owner": {"id": "7", "name": "Ann"}, "Modified_Time": "2026-09-02T10:00:00+00:00"}
        deal = {"What_Id": {"id": "900"}, "$se_module": "Deals"}
        firm = {"What_Id": {"id": "800", "name": "Harrow"}, "$se_module": "Accounts"}
        api.modules = {
            "Calls": {str(n): {"Description": f"Call {n}", **common, **deal} for n in range(1, 6)},
            "Events": {"21": {"Description": "Meeting", **common, **firm}},
            "Tasks": {"31": {"Description": None, **common}},
            "Deals": {
                "900": {**common, "Amount": 70, "Stage": "Closed Won", "Account_Name": {"id": "801", "name": "B"}}
            },
        }
        want(engine, "zoho", "Calls", "1", "404")
        fetch_due(engine, settings)
        note = shown(client, "1")
        assert (note["text"], note["author"]["name"], note["account"]["id"]) == ("Call 1", "Ann", "801")
        assert (note["deal"]["amount"], note["deal"]["outcome"]) == (70.0, "won")
        assert sync(engine, settings, "zoho")["created"] == 5
        assert shown(client, "21")["account"] == {"id": "800", "name": "Harrow", "segment": None}
        api.modules["Calls"]["3"] |= {"Description": "Edited", "Modified_Time": "2026-09-09T10:00:00+00:00"}
        results = sync(engine, settings, "zoho", since="2026-09-08")
        assert (results["updated"], results["records"]) == (1, 1)
        # a refresh token that is refused is told, and the next one is used at once
        with write_session(engine) as session:
            session.execute(sa.update(ApiStateTable).values(refresh_token="old", access_until=None))
        want(engine, "zoho", "Calls", "2")
        fetch_due(engine, settings)
        (shown_source,) = [one for one in client.get("/v1/sources").json()["items"] if one["source"] == "zoho"]
        assert "invalid_code" in shown_source["api"][0]["attention"]
        assert shown_source["api"][0]["waiting"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pipedrive(client: TestClient, engine: sa.Engine, settings: Settings, connect: Connect) -> None:
    with serving(PipedriveApi()) as api:
        assert isinstance(api, PipedriveApi)
        connect("pipedrive", "user:password", api_token="token-1", base_url=api.url)
        at = {"add_time": "2026-09-01T10:00:00Z", "update_time": "2026-09-02T10:00:00Z"}
        notes = range(1, 6)
        api.held = {
            "notes": {
                str(n): {"id": n, "content": f"<p>Note {n}</p>", "user_id": 7, "deal_id": 104, **at} for n in notes
            },
            "activities": {"3": {"id": 3, "note": "Visit", "owner_id": 7, "org_id": 19, "person_id": 5, **at}},
            "deals": {"104": {"id": 104, "value": 9, "currency": "EUR", "status": "open", "org_id": 20, **at}},
            "organizations": {str(n): {"id": n, "name": f"Firm {n}"} for n in (19, 20)},
            "users": {"7": {"id": 7, "name": "Ann Lee"}},
        }
        want(engine, "pipedrive", "activity", "3", "404")
        want(engine, "pipedrive", "note", "1", "404")
        fetch_due(engine, settings)
        visit = shown(client, "activity:3")
        assert (visit["text"], visit["author"]["name"], visit["account"]["name"]) == ("Visit", "Ann Lee", "Firm 19")
        assert shown(client, "1")["account"]["name"] == "Firm 20", "the deal's, where the note has none"
        assert {state for state, _ in states(engine).values()} == {"done"}
        assert sync(engine, settings, "pipedrive")["created"] == 4
        assert len(texts(engine)) == 6
        api.held["deals"]["104"] |= {"status": "won", "update_time": "2026-09-09T10:00:00Z"}
        assert sync(engine, settings, "pipedrive", since="2026-09-08")["records"] == 1
        assert shown(client, "5")["deal"]["outcome"] == "won", "a later outcome counts for earlier notes"
        with read_session(engine) as session:
            assert session.scalars(sa.select(ApiStateTable)).one().attention is None


AT = {"add_time": "2026-09-01T10:00:00Z", "update_time": "2026-09-02T10:00:00Z"}
KILLED = 60


def _gong() -> GongApi:
    keys = [str(number) for number in range(1, KILLED + 1)]
    said = [("1", "What do you think?"), ("2", "It is too expensive.")]
    login = base64.b64encode(b"key:secret").decode()
    calls, transcripts = {key: call_of(key) for key in keys}, dict.fromkeys(keys, said)
    return GongApi(scheme="Basic ", tokens={login}, called=calls, transcripts=transcripts, page_size=7)


def _zoho() -> ZohoApi:
    about = {"Modified_Time": "2026-09-02T10:00:00+00:00"}
    calls = {str(number): {"Description": f"Call {number}", **about} for number in range(1, KILLED + 1)}
    return ZohoApi(modules={"Calls": calls, "Events": {}, "Tasks": {}, "Deals": {}}, page_size=7)


def _pipedrive() -> PipedriveApi:
    found = {str(number): {"id": number, "content": f"Note {number}", **AT} for number in range(1, KILLED + 1)}
    return PipedriveApi(held={"notes": found, "users": {}}, page_size=7)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("source", "api", "stream", "options"),
    [
        ("gong", _gong(), "call", {"access_key": "key", "access_key_secret": "secret"}),
        ("zoho", _zoho(), "Calls", {"refresh_token": "refresh-1", "client_id": "a", "client_secret": "b"}),
        ("pipedrive", _pipedrive(), "note", {"api_token": "token-1"}),
    ],
    ids=["gong", "zoho", "pipedrive"],
)
def test_every_note_once_through_kills(
    client: TestClient, engine: sa.Engine, settings: Settings, database_url: str, connect: Connect,
    source: str, api: ApiServer, stream: str, options: dict[str, str],
) -> None:  # fmt: skip
    """A worker is killed amid a first synchronisation and events' records; limits and outages come between."""
    with serving(api):
        urls = {"base_url": api.url, **({"accounts_url": api.url} if source == "zoho" else {})}
        connect(source, "user:password", **options, **urls)
        api.faults.extend([None, Fault(502), None, Fault(429, {"x-ratelimit-reset": "1"}), Fault(slow=0.3)])
        want(engine, source, stream, *map(str, range(KILLED - 9, KILLED + 1)))
        job = client.post(f"/v1/sources/{source}/sync").json()
        with worker_process(database_url, "victim", settings.keyring.path) as worker:
            wait_until(lambda: len(api.calls) >= 6, 60)
            worker.kill()
            worker.join(10)
        with worker_process(database_url, "victim", settings.keyring.path):
            wait_until(lambda: all(state == "done" for state, _ in states(engine).values()), 90, 0.3)
            wait_until(lambda: client.get(f"/v1/jobs/{job['id']}").json()["state"] == "done", 90, 0.3)
    with read_session(engine) as session:
        rows = list(session.scalars(sa.select(NoteTable)))
        assert sorted(int(row.external_id) for row in rows) == list(range(1, KILLED + 1))
        assert {row.revision for row in rows} == {1}, "no note was written twice"
