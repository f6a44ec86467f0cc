"""Fair counting: loud accounts, edits, filters, months."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.filters import Filters, Period
from service.insights.items import Item, measuring_frame
from service.insights.measures import About, Counts
from service.insights.queries import rank_insights
from service.insights.schemas import measures
from service.insights.statistics import (
    STEADY,
    Direction,
    Share,
    Voices,
    WinRates,
    design_effect,
    grown_at_least,
    hold,
    reading,
    trends,
)
from service.tables import PassageTable, ThemeTable
from service.themes.queries import note_months, theme_months
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

CATALOG = {"us": [], "competitors": [{"name": "Orbiport", "aliases": []}]}
PERIOD = "from=2026-09-01&to=2026-09-30"


def post(client: TestClient, *notes: dict[str, Any]) -> list[str]:
    answer = client.post("/v1/notes", json={"notes": list(notes)})
    assert answer.status_code == 202, answer.text
    return [result["id"] for result in answer.json()["results"]]


def said(number: int, text: str, account: str, month: int = 9, **fields: Any) -> dict[str, Any]:
    at = f"2026-{month:02}-{number % 28 + 1:02}T10:00:00Z"
    return note(f"{month}-{number}", text, occurred_at=at, account={"id": account}, author={"id": "rep"}, **fields)


def quiet(count: int, month: int) -> list[dict[str, Any]]:
    return [said(100 + n, "All is well.", f"quiet-{n}", month) for n in range(count)]


def trend_of_price(client: TestClient) -> dict[str, Any]:
    return client.get(f"/v1/objections/price?{PERIOD}").json()["trend"]


def test_a_rise_in_many_accounts_is_an_arrow(client: TestClient, engine: sa.Engine) -> None:
    post(client, *quiet(30, 8), *quiet(30, 9), *(said(n, "too expensive", f"acc-{n}") for n in range(12)))
    analyse_all(engine, FakeAnalyzer())
    assert trend_of_price(client)["direction"] == "new"


def test_a_rise_in_one_loud_account_is_none(client: TestClient, engine: sa.Engine) -> None:
    loud = [said(n, "too expensive", "loud") for n in range(10)]
    others = [said(50 + n, "too expensive", f"acc-{n}") for n in range(2)]
    post(client, *quiet(30, 8), *quiet(30, 9), *loud, *others)
    analyse_all(engine, FakeAnalyzer())
    trend = trend_of_price(client)
    assert (trend["direction"], trend["significant"]) == ("steady", False)


def test_a_fall_in_one_loud_account_is_none(client: TestClient, engine: sa.Engine) -> None:
    loud = [said(n, "too expensive", "loud", month=8) for n in range(10)]
    others = [said(50 + n, "too expensive", f"acc-{n}", month=8) for n in range(2)]
    post(client, *quiet(30, 8), *quiet(30, 9), *loud, *others)
    analyse_all(engine, FakeAnalyzer())
    assert trend_of_price(client)["direction"] == "steady"


def voices(total: int, said: list[int]) -> Voices:
    """Return who said a thing: notes of each account, of so many notes by accounts that are otherwise silent."""
    heard = dict(enumerate(said, start=1))
    return Voices(heard | {1000 + n: 1 for n in range(total - sum(said))}, heard)


@pytest.mark.parametrize(
    ("now", "before", "direction"),
    [
        ([4] + [2] * 8, [1, 1], Direction.RISING),
        ([18, 1, 1], [1, 1], Direction.STEADY),
        ([10, 10], [1, 1], Direction.STEADY),
        ([1, 1], [4] + [2] * 8, Direction.FALLING),
        ([], [18, 1, 1], Direction.STEADY),
    ],
)
def test_a_trend_holds_without_the_loudest_account(now: list[int], before: list[int], direction: Direction) -> None:
    pair = (Share(sum(now), 100), Share(sum(before), 100))
    found = trends([pair])
    assert found[0].significant
    assert hold([pair], found, {0: (voices(100, now), voices(100, before))})[0].direction is direction


def effect(now: Voices, before: Voices) -> float:
    return design_effect(now, before, reading(now.read, before.read))


def test_the_effect_of_repetition_is_that_of_a_sum_over_all_accounts() -> None:
    """The service looks at the accounts alone that say an item: of many items and accounts most do not."""
    chance = random.Random(3)
    for accounts in (1, 4, 40, 400) * 20:
        periods = []
        for _ in range(2):
            read = {a: chance.randint(1, 9) for a in chance.sample(range(accounts + 1), chance.randint(1, accounts))}
            periods.append(Voices(read, {a: chance.randint(0, n) for a, n in read.items() if chance.random() < 0.4}))
        assert effect(*periods) == pytest.approx(_over_all_accounts(*periods))


def _over_all_accounts(now: Voices, before: Voices) -> float:
    totals = [sum(voices.read.values()) for voices in (now, before)]
    rate = sum(sum(voices.said.values()) for voices in (now, before)) / sum(totals)
    left = {  # what an account says more than it would if all said it alike, as a part of all notes
        account: [
            (voices.said.get(account, 0) - rate * voices.read.get(account, 0)) / total
            for voices, total in zip((now, before), totals, strict=True)
        ]
        for account in now.read | before.read
    }
    found = sum((more - less) ** 2 for account, (more, less) in left.items() if account)
    for voices, total in zip((now, before), totals, strict=True):
        said, read = voices.said.get(0, 0), voices.read.get(0, 0)
        found += (said * (1 - rate) ** 2 + (read - said) * rate**2) / total**2
    expected = rate * (1 - rate) * sum(1 / total for total in totals)
    return max(1.0, found / expected) if expected else 1.0


def test_accounts_that_repeat_themselves_count_for_less() -> None:
    """Twelve notes after two: from twelve accounts a rise, from four that say it three times each none."""
    assert effect(voices(100, [1] * 12), voices(100, [1, 1])) == pytest.approx(1, abs=0.02)
    assert effect(voices(100, [3] * 4), voices(100, [1, 1])) > 1.5
    often, seldom = (Voices({a: 10 for a in range(10)}, {a: n for a in range(1, 4)}) for n in (8, 2))
    assert effect(often, often) == 1, "who says it as often as before makes no change less sure"
    assert effect(often, seldom) > 1
    pair = (Share(12, 100), Share(1, 100))
    found = trends([pair])
    for said, direction in (([1] * 12, Direction.RISING), ([3] * 4, Direction.STEADY)):
        held = hold([pair], found, {0: (voices(100, said), voices(100, [1]))})
        assert held[0].direction is direction


def test_growth_is_counted_as_far_as_it_is_sure() -> None:
    assert grown_at_least(Share(6, 100), Share(0, 100)) == pytest.approx(0.05 ** (1 / 6) / (1 - 0.05 ** (1 / 6)))
    assert grown_at_least(Share(3, 100), Share(0, 100)) == 1
    assert (
        2.5
        < grown_at_least(Share(60, 100), Share(30, 200))
        < 4
        < 1.1 * grown_at_least(Share(6000, 10_000), Share(3000, 20_000))
    )
    assert grown_at_least(Share(5, 100), Share(6, 100)) == grown_at_least(Share(5, 100), Share(0, 0)) == 1


def test_one_loud_account_gives_no_points_for_growth() -> None:
    pair = (Share(20, 100), Share(2, 100))
    for said, grown in (([1] * 20, True), ([18, 1, 1], False), ([10, 10], False)):
        (held,) = hold([pair], trends([pair]), {0: (voices(100, said), voices(100, [1, 1]))})
        assert (held.at_least > 1) is grown


def test_an_item_alone_has_the_trend_that_it_has_among_all(client: TestClient, engine: sa.Engine) -> None:
    """Five notes after none: significant alone, not among the many items of the list."""
    client.put("/v1/catalog", json={"us": [], "competitors": [{"name": f"Rival{n:02}"} for n in range(40)]})
    rivals = [said(200 + 10 * n + k, f"Saw Rival{n:02}.", f"acc-{k}") for n in range(1, 40) for k in (0, 1, 2)]
    before = [said(200 + 10 * n + k, f"Saw Rival{n:02}.", f"acc-{k}", 8) for n in range(1, 40) for k in (0, 1, 2)]
    post(client, *rivals, *before, *(said(k, "Saw Rival00.", f"acc-{k}") for k in range(7)))
    analyse_all(engine, FakeAnalyzer())
    listed = {i["id"]: i["trend"] for i in client.get(f"/v1/competitors?{PERIOD}").json()["items"]}
    assert len(listed) == 40
    assert 0.05 < listed["rival00"]["p_value"] < 1
    assert client.get(f"/v1/competitors/Rival00?{PERIOD}").json()["trend"] == listed["rival00"]


def test_a_quote_leaves_when_its_note_is_edited(client: TestClient, engine: sa.Engine) -> None:
    client.put("/v1/catalog", json=CATALOG)
    post(client, said(1, "It is too expensive. They see Orbiport.", "a"))
    analyse_all(engine, FakeAnalyzer())
    paths = ("/v1/objections/price/evidence", "/v1/competitors/orbiport/evidence")
    assert [len(client.get(path).json()["items"]) for path in paths] == [1, 1]
    post(client, said(1, "All that was wrong, forget it all, we agreed on everything.", "a"))
    assert [client.get(path).json()["items"] for path in paths] == [[], []]
    analyse_all(engine, FakeAnalyzer())
    assert [client.get(path).json()["total"] for path in paths] == [0, 0]


@pytest.mark.parametrize("filters", ["competitor=Orbiport", "objection_type=price", "language=en", "kind=call_note"])
def test_quotes_follow_the_filters_on_notes(client: TestClient, engine: sa.Engine, filters: str) -> None:
    client.put("/v1/catalog", json=CATALOG)
    both, other = post(
        client,
        said(1, "It is too expensive, says Orbiport.", "a"),
        said(2, "All is well.", "b", kind="email"),
    )
    analyse_all(engine, FakeAnalyzer())
    insights = client.get(f"/v1/insights?{PERIOD}&{filters}").json()["items"]
    assert {i["id"] for i in insights} == {"price", "orbiport"}
    assert {q["note_id"] for i in insights for q in i["quotes"]} == {both}
    assert other not in {both}


def test_filters_on_what_a_note_says_leave_out_the_others(client: TestClient, engine: sa.Engine) -> None:
    client.put("/v1/catalog", json=CATALOG)
    post(client, said(1, "too expensive", "a"), said(2, "too expensive for Orbiport", "b"))
    analyse_all(engine, FakeAnalyzer())
    (price,) = [
        i for i in client.get(f"/v1/insights?{PERIOD}&competitor=orbi%20port").json()["items"] if i["id"] == "price"
    ]
    assert (price["measures"]["notes"], len(price["quotes"])) == (1, 1)


def test_amounts_add_up_without_rounding(client: TestClient, engine: sa.Engine) -> None:
    deals = [{"id": f"d{n}", "amount": 0.1, "currency": "EUR", "outcome": "open"} for n in range(3)]
    post(client, *(said(n, "too expensive", f"a{n}", deal=deal) for n, deal in enumerate(deals)))
    analyse_all(engine, FakeAnalyzer())
    assert client.get("/v1/objections/price").json()["money"]["open"] == [{"currency": "EUR", "amount": 0.3}]


def test_months_are_those_of_utc(client: TestClient, engine: sa.Engine) -> None:
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            name = connection.scalar(sa.text("select current_database()"))
            connection.execute(sa.text(f"alter database {name} set timezone to 'America/New_York'"))
        engine.dispose()
    post(
        client,
        note("a", occurred_at="2026-08-31T23:59:59Z"),
        note("b", occurred_at="2026-09-01T00:30:00Z"),
        note("c", occurred_at="2026-11-30T23:59:59.999999Z"),
    )
    analyse_all(engine, FakeAnalyzer())
    with read_session(engine) as session:
        assert note_months(session) == {2026 * 12 + 7: 1, 2026 * 12 + 8: 1, 2026 * 12 + 10: 1}


def test_rates_have_four_decimals() -> None:
    """As all figures of an item: more would say more than is known."""
    told = measures(Item(About.OBJECTION, "price", Counts(), 1 / 3, STEADY, WinRates(1, 5, 7, 4)))
    rates = told["outcomes"]
    assert (told["share"], rates.win_rate, rates.win_rate_without) == (0.3333, 0.1667, 0.6364)
    assert [round(bound, 4) for bound in rates.difference] == list(rates.difference)


def test_the_similarity_of_a_passage_has_four_decimals(client: TestClient, engine: sa.Engine) -> None:
    (note_id,) = post(client, said(1, "Slow.", "a"))
    analyse_all(engine, FakeAnalyzer())
    with write_session(engine) as session:
        session.execute(sa.update(PassageTable).values(similarity=0.123456789))
    (passage,) = client.get(f"/v1/notes/{note_id}").json()["analysis"]["passages"]
    assert passage["similarity"] == 0.1235


def test_months_of_a_theme_count_notes_and_up_to_three_people(client: TestClient, engine: sa.Engine) -> None:
    accounts = ["a", "a", "b", "c", "d"]
    post(client, *(said(n, "Slow. Slow again.", account, month=8 + n % 2) for n, account in enumerate(accounts)))
    analyse_all(engine, FakeAnalyzer())
    now = Filters.model_validate({"from": "2026-01-01"})
    with write_session(engine) as session:
        at = measuring_frame(session, now).period.end
        labels = {"label_en": "slow", "label_fr": "lent", "keywords": {}, "centroid": b""}
        moment = sa.func.current_timestamp()
        for number in (1, 2):
            session.execute(
                sa.insert(ThemeTable).values(
                    id=number,
                    key=f"theme-{number}",
                    label_edited=False,
                    state="active",
                    created_at=moment,
                    updated_at=moment,
                    **labels,
                )
            )
        session.execute(sa.update(PassageTable).values(theme_id=1, similarity=0.9))
    assert at == date(2026, 9, 4)
    with read_session(engine) as session:
        months = theme_months(session, [1, 2])
    assert dict(months[1].notes) == {2026 * 12 + 7: 3, 2026 * 12 + 8: 2}
    assert (months[1].accounts, months[1].authors) == (3, 1)
    assert (dict(months[2].notes), months[2].accounts) == ({}, 0)


def test_a_period_of_one_day_compares_with_the_day_before(client: TestClient, engine: sa.Engine) -> None:
    post(client, said(1, "too expensive", "a"), said(2, "too expensive", "b"))
    analyse_all(engine, FakeAnalyzer())
    with read_session(engine) as session:
        asked = Filters.model_validate({"from": "2026-09-03", "to": "2026-09-03"})
        ranking = rank_insights(session, asked)
    assert ranking.frame.previous == Period(date(2026, 9, 2), date(2026, 9, 2))
    assert [(r.item.counts.notes, r.item.trend.previous) for r in ranking.items] == [(1, 1)]
