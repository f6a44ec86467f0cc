"""Measures, evidence, series and ranking over HTTP, from stored notes, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.tables import NoteTable, ObjectionTable
from service.thresholds import Thresholds
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

CATALOG = {"us": ["Clavance"], "competitors": [{"name": "Orbiport", "aliases": ["Orbi"]}]}


def post(client: TestClient, external_id: str, day: str, account: str, text: str, **fields: Any) -> None:
    note = {
        "external_id": external_id,
        "occurred_at": f"{day}T10:00:00Z",
        "account": {"id": account, "name": account.title(), "segment": "office" if account < "c" else "hospital"},
        "author": {"id": f"rep-{account}", "team": "north"},
        "text": text,
        **fields,
    }
    assert client.post("/v1/notes", json=note).status_code == 202


def deal(number: int, outcome: str, amount: int = 1000) -> dict[str, Any]:
    return {"id": f"d{number}", "amount": amount, "currency": "EUR", "stage": "x", "outcome": outcome}


@pytest.fixture
def workspace(client: TestClient, engine: sa.Engine) -> TestClient:
    """August: one objection. September: one each at four accounts, three from a loud one, and a competitor at three."""
    client.put("/v1/catalog", json=CATALOG)
    post(client, "aug-1", "2026-08-10", "a", "It is too expensive.", deal=deal(1, "open"))
    post(client, "aug-2", "2026-08-11", "b", "All is well here.")
    for index, account in enumerate("abcd"):
        post(client, f"sep-{account}", f"2026-09-0{index + 1}", account, "It is too expensive.")
    for index in range(3):
        post(client, f"loud-{index}", f"2026-09-2{index}", "a", "Still too expensive, and too expensive again.")
    for account, outcome in (("b", "lost"), ("c", "won"), ("d", "open")):
        post(client, f"orbi-{account}", "2026-09-15", account, "They also see Orbi.", deal=deal(ord(account), outcome))
    post(client, "quiet", "2026-09-30", "e", "Nothing to say.")
    analyse_all(engine, FakeAnalyzer())
    return client


SEPTEMBER = "from=2026-09-01&to=2026-09-30&compare=previous"


def test_customers_words_stand_before_what_reps_expect(workspace: TestClient, engine: sa.Engine) -> None:
    said = sa.select(NoteTable.id).where(NoteTable.external_id.in_(["sep-b", "loud-0"]))
    expected = sa.update(ObjectionTable).where(ObjectionTable.note_id.not_in(said)).values(status="anticipated")
    with write_session(engine) as session:
        session.execute(expected)
    first = workspace.get(f"/v1/insights?{SEPTEMBER}&about=objection").json()["items"][0]
    listed = workspace.get(f"/v1/objections/price/evidence?{SEPTEMBER}").json()["items"]
    assert [quote["detail"]["status"] for quote in first["quotes"]] == ["open"] * 3
    assert [quote["detail"]["status"] for quote in listed] == ["open"] * 3 + ["anticipated"] * 7
    for quotes in (first["quotes"], listed):
        assert [quote["account"] for quote in quotes[:2]] == ["A", "B"]


def test_measures_of_an_objection(workspace: TestClient) -> None:
    item = workspace.get(f"/v1/objections/price?{SEPTEMBER}").json()
    assert (item["mentions"], item["notes"], item["accounts"], item["authors"]) == (10, 7, 4, 4)
    assert item["share"] == pytest.approx(7 / 11, abs=1e-4)
    assert item["statuses"] == {"open": 10, "resolved": 0, "anticipated": 0}
    assert item["trend"]["previous"] == 1
    assert item["trend"]["direction"] == "steady"


def test_each_deal_counts_once_and_by_its_latest_outcome(workspace: TestClient, engine: sa.Engine) -> None:
    item = workspace.get(f"/v1/competitors/orbiport?{SEPTEMBER}").json()
    assert item["money"] == {
        "open": [{"currency": "EUR", "amount": 1000.0}],
        "won": [{"currency": "EUR", "amount": 1000.0}],
        "lost": [{"currency": "EUR", "amount": 1000.0}],
    }
    assert item["outcomes"]["enough_data"] is False
    assert item["outcomes"]["win_rate"] is None
    post(workspace, "later", "2026-10-20", "d", "The deal is closed.", deal=deal(ord("d"), "won", 1500))
    item = workspace.get(f"/v1/competitors/orbiport?{SEPTEMBER}").json()
    assert item["money"]["open"] == []
    assert item["money"]["won"] == [{"currency": "EUR", "amount": 2500.0}]


def test_a_competitor_is_known_by_its_catalogue_name(workspace: TestClient) -> None:
    (item,) = workspace.get(f"/v1/competitors?{SEPTEMBER}").json()["items"]
    assert (item["id"], item["name"], item["known"], item["accounts"]) == ("orbiport", "Orbiport", True, 3)
    assert workspace.get(f"/v1/competitors?{SEPTEMBER}&known=false").json()["items"] == []


@pytest.mark.parametrize(
    ("filters", "notes"),
    [
        ("segment=office", 5),
        ("segment=hospital", 2),
        ("account=a", 4),
        ("author=rep-c", 1),
        ("team=north", 7),
        ("team=south", 0),
        ("kind=call_note", 7),
        ("kind=email", 0),
        ("language=en", 7),
        ("source=api", 7),
        ("objection_type=price", 7),
        ("objection_type=trust", 0),
        ("outcome=won", 0),
        ("competitor=Orbiport", 0),
        ("theme=theme-1", 0),
    ],
)
def test_filters(workspace: TestClient, filters: str, notes: int) -> None:
    assert workspace.get(f"/v1/objections/price?{SEPTEMBER}&{filters}").json()["notes"] == notes


def test_evidence_gives_each_account_a_turn_before_any_has_two(workspace: TestClient) -> None:
    first = workspace.get(f"/v1/objections/price/evidence?{SEPTEMBER.split('&compare')[0]}&limit=4").json()
    assert first["total"] == 10
    assert {quote["account"] for quote in first["items"]} == {"A", "B", "C", "D"}
    assert {quote["quote"] for quote in first["items"]} == {"too expensive"}
    rest = workspace.get(
        f"/v1/objections/price/evidence?from=2026-09-01&to=2026-09-30&limit=4&cursor={first['next']}"
    ).json()
    assert {quote["account"] for quote in rest["items"]} == {"A"}
    assert not {q["id"] for q in first["items"]} & {q["id"] for q in rest["items"]}


def test_evidence_of_a_competitor_shows_the_line_around_its_name(workspace: TestClient) -> None:
    quotes = workspace.get("/v1/competitors/orbiport/evidence").json()["items"]
    assert quotes[0]["quote"] == "They also see Orbi."


def test_a_series_has_every_week_also_the_silent_ones(workspace: TestClient) -> None:
    points = workspace.get("/v1/objections/price/series?from=2026-08-01&to=2026-09-30&by=month").json()["points"]
    assert [(p["label"], p["mentions"], p["notes"], p["accounts"]) for p in points] == [
        ("2026-08", 1, 1, 1),
        ("2026-09", 10, 7, 4),
    ]
    weeks = workspace.get("/v1/objections/price/series?from=2026-09-01&to=2026-09-30").json()["points"]
    assert [p["label"] for p in weeks] == ["2026-W36", "2026-W37", "2026-W38", "2026-W39", "2026-W40"]
    assert [p["mentions"] for p in weeks] == [4, 0, 2, 4, 0]


def test_figures_on_too_few_accounts_are_withheld(workspace: TestClient, engine: sa.Engine) -> None:
    workspace.app.state.engine = engine.execution_options(thresholds=Thresholds(accounts=3))
    assert workspace.get(f"/v1/insights?{SEPTEMBER}").json()["withheld"] == 0
    price = workspace.get(f"/v1/objections/price?{SEPTEMBER}").json()
    assert (price["accounts"], price["trend"]["previous"]) == (4, None)
    assert price["parts"] == {"segment": [], "team": price["parts"]["team"], "stage": []}  # two accounts each
    assert (price["parts"]["team"][0]["accounts"], price["parts_withheld"]["segment"]) == (4, 2)
    weeks = workspace.get("/v1/objections/price/series?from=2026-09-01&to=2026-09-30").json()["points"]
    assert [week["accounts"] for week in weeks] == [None, 0, None, None, 0]
    orbiport = workspace.get(f"/v1/competitors/orbiport?{SEPTEMBER}").json()
    assert orbiport["withheld"] == ["money", "outcomes"]
    assert orbiport["outcomes"] == {**orbiport["outcomes"], "won": 0, "lost": 0, "enough_data": False}
    assert workspace.get("/v1/objections/price/evidence?from=2026-08-01&to=2026-08-31").status_code == 404
    assert workspace.get("/v1/themes/tree").json()["withheld"] == 0


def test_insights_are_ranked_with_reasons_that_add_up_and_quotes(workspace: TestClient) -> None:
    page = workspace.get(f"/v1/insights?{SEPTEMBER}").json()
    assert [(i["rank"], i["about"], i["id"]) for i in page["items"]] == [
        (1, "competitor", "orbiport"),  # all the open money there is
        (2, "objection", "price"),
    ]
    assert page["period"] == {"start": "2026-09-01", "end": "2026-09-30"}
    assert page["previous"] == {"start": "2026-08-01", "end": "2026-08-31"}
    for insight in page["items"]:
        assert insight["score"] == pytest.approx(sum(r["points"] for r in insight["reasons"]), abs=0.02)
        assert 1 <= len(insight["quotes"]) <= 3
        assert len({quote["account"] for quote in insight["quotes"]}) == len(insight["quotes"])


def test_quotes_that_say_something_stand_before_bare_names(client: TestClient, engine: sa.Engine) -> None:
    client.put("/v1/catalog", json=CATALOG)
    post(client, "told", "2026-09-01", "a", "They have used Orbi at two of their sites since May.")
    post(client, "bare", "2026-09-20", "b", "Orbi.")
    post(client, "bare-too", "2026-09-21", "c", "Orbi?")
    analyse_all(engine, FakeAnalyzer())
    (insight,) = client.get(f"/v1/insights?{SEPTEMBER}").json()["items"]
    assert [quote["account"] for quote in insight["quotes"]] == ["A", "C", "B"]


def test_insights_come_in_pages_that_join(workspace: TestClient) -> None:
    first = workspace.get(f"/v1/insights?{SEPTEMBER}&limit=1").json()
    second = workspace.get(f"/v1/insights?{SEPTEMBER}&limit=1&cursor={first['next']}").json()
    assert [i["id"] for i in first["items"] + second["items"]] == ["orbiport", "price"]
    assert second["next"] is None


def test_insights_of_one_kind(workspace: TestClient) -> None:
    assert [i["id"] for i in workspace.get("/v1/insights?about=competitor").json()["items"]] == ["orbiport"]


def test_the_default_period_ends_with_the_latest_note(workspace: TestClient) -> None:
    period = {"start": "2026-07-03", "end": "2026-09-30"}
    assert workspace.get("/v1/insights").json()["period"] == period
    workspace.post("/v1/notes", json=note("wrong-year", occurred_at="2126-09-30T10:20:00Z"))
    assert workspace.get("/v1/insights").json()["period"] == period
    after = workspace.get("/v1/insights?from=2126-01-01")
    assert "after the latest note (2026-09-30)" in after.json()["detail"]


def test_the_default_period_of_notes_that_are_all_dated_after_they_came(client: TestClient) -> None:
    client.post("/v1/notes", json=note("a", occurred_at="2126-09-30T10:20:00Z"))
    assert client.get("/v1/insights").json()["period"]["end"] == "2126-09-30"


def test_without_comparison_there_is_no_trend(workspace: TestClient) -> None:
    page = workspace.get("/v1/insights?compare=none").json()
    assert page["previous"] is None
    assert {i["measures"]["trend"]["direction"] for i in page["items"]} == {"steady"}


def test_an_erased_note_counts_no_more(workspace: TestClient) -> None:
    (note,) = workspace.get("/v1/notes?external_id=sep-b").json()["items"]
    workspace.delete(f"/v1/notes/{note['id']}")
    assert workspace.get(f"/v1/objections/price?{SEPTEMBER}").json()["notes"] == 6


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/v1/insights?from=2026-09-30&to=2026-09-01", "to"),
        ("/v1/insights?from=yesterday", "from"),
        ("/v1/insights?from=0001-01-01", "from"),
        ("/v1/insights?to=9999-12-31", "to"),
        ("/v1/insights?fron=2026-09-30", "fron"),
        ("/v1/insights?about=people", "about.0"),
        ("/v1/insights?cursor=nonsense", "cursor"),
        ("/v1/insights?limit=0", "limit"),
        ("/v1/objections/price/series?by=hour", "by"),
        ("/v1/objections/rudeness", "type_id"),
    ],
)
def test_wrong_questions_are_named(client: TestClient, url: str, field: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("url", ["/v1/competitors/nobody", "/v1/themes/theme-9", "/v1/themes/theme-9/evidence"])
def test_unknown_items_are_not_found(client: TestClient, url: str) -> None:
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("period", ["", "?from=1900-01-01&to=2200-12-31", "?to=1900-01-01"])
def test_an_empty_workspace_has_plain_answers(client: TestClient, period: str) -> None:
    for kind in ("insights", "objections", "competitors", "themes"):
        answer = client.get(f"/v1/{kind}{period}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["items"] == []


@pytest.mark.parametrize("name", ["Orbi", "ÓRBI", "orbiport", "Orbi%20Port"])
def test_a_competitor_is_found_under_any_of_its_names(workspace: TestClient, name: str) -> None:
    item = workspace.get(f"/v1/competitors/{name}?{SEPTEMBER}").json()
    assert (item["id"], item["accounts"]) == ("orbiport", 3)
    assert workspace.get(f"/v1/competitors/{name}/evidence?{SEPTEMBER}").json()["total"] == 3
    assert workspace.get(f"/v1/competitors/{name}/series?{SEPTEMBER}").json()["id"] == "orbiport"
    for path in ("/v1/notes", "/v1/competitors", "/v1/search"):
        asked = f"{path}?competitor={name}&{SEPTEMBER}" + ("&q=Orbi" if path == "/v1/search" else "")
        found = workspace.get(asked)
        assert found.json()["total"] == (1 if path == "/v1/competitors" else 3), asked


def test_a_competitor_may_have_a_slash_in_its_name(client: TestClient, engine: sa.Engine) -> None:
    client.put("/v1/catalog", json={"us": ["Clavance"], "competitors": [{"name": "a/b"}]})
    post(client, "one", "2026-09-10", "a", "They also see a/b.")
    analyse_all(engine, FakeAnalyzer())
    assert client.get("/v1/competitors/a%2Fb").json()["name"] == "a/b"
    assert client.get("/v1/competitors/a%2Fb/evidence").json()["total"] == 1
    assert client.get("/v1/competitors/a%2Fb/series?by=month").json()["id"] == "a/b"
    unknown = client.get("/v1/competitors/a%2Fb?tema=x")
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "unknown_parameter")


@pytest.mark.parametrize("end", ["evidence", "series"])
def test_a_competitor_may_be_named_as_an_address_ends(client: TestClient, engine: sa.Engine, end: str) -> None:
    client.put("/v1/catalog", json={"us": ["Clavance"], "competitors": [{"name": f"a/{end}"}]})
    post(client, "one", "2026-09-10", "a", f"They also see a/{end}.")
    analyse_all(engine, FakeAnalyzer())
    assert client.get(f"/v1/competitors/a%2F{end}").json()["name"] == f"a/{end}"
    assert client.get(f"/v1/competitors/a%2F{end}/evidence").json()["total"] == 1
    assert client.get(f"/v1/competitors/a%2F{end}/series?by=month").json()["id"] == f"a/{end}"
    assert "name" not in client.get(f"/v1/competitors/a/{end}").json()


@pytest.mark.parametrize("path", ["notes", "search?q=price", "objections/price/evidence", "objections/price/series"])
def test_every_list_takes_compare(client: TestClient, path: str) -> None:
    address = f"/v1/{path}{'&' if '?' in path else '?'}compare"
    assert client.get(f"{address}=none").status_code == 200
    assert client.get(f"{address}=sideways").status_code == 422


@pytest.mark.parametrize("asked", ["notes?team=", "notes?from=", "insights?kind=%20", "search?q=%20", "search?q="])
def test_an_empty_filter_is_refused(client: TestClient, asked: str) -> None:
    answer = client.get(f"/v1/{asked}")
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["field"]) == (422, asked.partition("?")[2].partition("=")[0])
