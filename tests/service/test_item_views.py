"""A competitor's points and an objection's answers, in customers' words; and where each is heard."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.objections.queries import following
from service.tables import CompetitorMentionTable, NoteTable, ObjectionTable, PassageTable, ThemeTable
from tests.analyzers import FakeAnalyzer
from tests.service.visits import shown
from tests.work import analyse_all, note

PERIOD = "from=2026-09-01&to=2026-09-30"
AHEAD = "Orbiport is half of it, we are too expensive. Nothing more."
SOLVED = "They found us too expensive. We showed the cost over five years. They agreed. Then lunch."


def posted(number: int, text: str, *, team: str, segment: str, outcome: str, stage: str | None = "proposal") -> Any:
    return note(
        f"n{number}",
        text,
        occurred_at=f"2026-09-{number + 1:02}T10:00:00Z",
        account={"id": f"a{number}", "segment": segment},
        author={"id": f"rep-{team}", "team": team},
        deal={"id": f"d{number}", "amount": 1000, "currency": "EUR", "stage": stage, "outcome": outcome},
    )


@pytest.fixture
def workspace(client: TestClient, engine: sa.Engine) -> TestClient:
    """Six lost deals in the north where Orbiport is ahead on price; two solved objections in the south."""
    client.put("/v1/catalog", json={"us": [], "competitors": [{"name": "Orbiport"}]})
    notes = [posted(n, AHEAD, team="north", segment="small", outcome="lost") for n in range(6)]
    notes += [posted(6 + n, SOLVED, team="south", segment="large", outcome="won", stage=None) for n in range(2)]
    notes.append(posted(9, "Orbiport came by. Fine.", team="south", segment="large", outcome="open"))
    assert client.post("/v1/notes", json={"notes": notes}).status_code == 202
    analyse_all(engine, FakeAnalyzer())
    moment = sa.func.current_timestamp()
    theme = {"id": 1, "key": "theme-1", "label_en": "Cost", "label_fr": "Coût", "keywords": {}, "centroid": b""}
    ahead = sa.select(NoteTable.id).where(NoteTable.text == AHEAD)
    solved = sa.select(NoteTable.id).where(NoteTable.text == SOLVED)
    mention = CompetitorMentionTable
    with write_session(engine) as session:
        session.execute(
            sa.insert(ThemeTable).values(
                **theme, state="active", label_edited=False, created_at=moment, updated_at=moment
            )
        )
        first = PassageTable.start == 0
        session.execute(sa.update(PassageTable).where(first, PassageTable.note_id.in_(ahead)).values(theme_id=1))
        session.execute(
            sa.update(mention).where(mention.note_id.in_(ahead)).values(standing="ahead", relation="lost_to")
        )
        session.execute(sa.update(ObjectionTable).where(ObjectionTable.note_id.in_(solved)).values(status="resolved"))
    return client


def test_a_competitor_shows_on_what_it_is_ahead_in_customers_words(workspace: TestClient) -> None:
    view = workspace.get(f"/v1/competitors/orbiport?{PERIOD}").json()
    points = {point["id"]: point for point in view["points"]}
    assert set(points) == {"price", "theme-1"}
    for point in points.values():
        assert point["notes"] == {"ahead": 6, "behind": 0, "neutral": 0}
        assert (point["accounts"], point["previous"]) == (6, 0)
        assert len({quote["account"] for quote in point["quotes"]["ahead"]}) == 2
    assert points["price"]["quotes"]["ahead"][0]["quote"] == "too expensive"
    assert points["theme-1"]["quotes"]["ahead"][0]["quote"].startswith("Orbiport is half of it")
    assert points["theme-1"]["title"] == {"en": "Cost", "fr": "Coût"}


def test_a_competitor_shows_where_it_stands_and_the_interval_of_the_win_rate(workspace: TestClient) -> None:
    view = workspace.get(f"/v1/competitors/orbiport?{PERIOD}").json()
    assert view["accounts_by_relation"]["lost_to"] == 6
    assert view["outcomes"]["win_rate"] == 0
    low, high = view["win_rate_interval"]
    assert (low, round(high, 3)) == (0, 0.39)
    assert workspace.get(f"/v1/competitors/orbiport?{PERIOD}&team=south").json()["win_rate_interval"] is None


def test_parts_tell_shares_and_keep_silent_under_five_deals(workspace: TestClient) -> None:
    parts = workspace.get(f"/v1/objections/price?{PERIOD}").json()["parts"]
    teams = {part["value"]: part for part in parts["team"]}
    assert (teams["north"]["accounts"], teams["north"]["share"], teams["north"]["win_rate"]) == (6, 1.0, 0.0)
    assert (teams["south"]["notes"], teams["south"]["share"], teams["south"]["win_rate"]) == (2, 0.6667, None)
    assert [part["value"] for part in parts["segment"]] == ["small", "large"]
    assert [part["value"] for part in parts["stage"]] == ["proposal"]


def test_an_objection_shows_what_resolved_it_with_offsets(workspace: TestClient) -> None:
    answers = workspace.get(f"/v1/objections/price?{PERIOD}").json()["answers"]
    assert len({answer["objection"]["account"] for answer in answers}) == 2
    for answer in answers:
        text = workspace.get(f"/v1/notes/{answer['objection']['note_id']}").json()["text"]
        assert answer["text"] == text[answer["start"] : answer["end"]]
        assert answer["text"] == "We showed the cost over five years. They agreed."
    assert workspace.get("/v1/objections/budget").json()["answers"] == []


def test_the_pages_of_items_show_them(workspace: TestClient, signed: TestClient) -> None:
    competitor = signed.get(f"/insights/competitor/orbiport?{PERIOD}").text
    assert "On which points it is ahead or behind" in competitor
    assert "Where it is ahead of us" in competitor
    assert "Orbiport is half of it" in competitor
    assert "By segment" in competitor
    objection = signed.get(f"/insights/objection/price?{PERIOD}").text
    assert "<mark>We showed the cost over five years. They agreed.</mark>" in objection
    assert "Proposal" in objection
    assert "too few closed deals" in objection
    french = signed.get(f"/insights/objection/price?{PERIOD}", headers={"Accept-Language": "fr"}).text
    assert "Ce qui l&#39;a levée" in french


def test_the_page_of_the_competitors_shows_where_each_stands(workspace: TestClient, signed: TestClient) -> None:
    workspace.put("/v1/catalog", json={"us": [], "competitors": [{"name": "Orbiport"}, {"name": "Nowhere Ltd"}]})
    text = shown(signed.get(f"/competitors?{PERIOD}").text)
    # accounts; in place, evaluated, lost to, won against; behind, ahead; win rate of six deals lost
    assert "Orbiport No clear trend 7 notes, 0 before 7 – – 6 – 0 6 0%" in text
    assert "Nowhere Ltd Not heard in this period." in text
    south = shown(signed.get(f"/competitors?{PERIOD}&team=south").text)
    assert "Orbiport No clear trend 1 note, 0 before 1 – – – – 0 0" in south
    assert signed.get("/competitors?from=2026-09-30&to=2026-01-01").status_code == 422


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("too dear", ""),
        ("too dear.", ""),
        ("too dear, but they took it", "but they took it"),
        ("too dear.\nOk now. And then. Third.", "Ok now. And then."),
        ("too dear " + "word " * 100, ("word " * 55).strip()),
        ("too dear " + "x" * 10_000, ""),
    ],
)
def test_the_words_that_follow_end_with_a_sentence_and_are_short(text: str, words: str) -> None:
    start, end = following(text, len("too dear"))
    assert text[start:end] == words


@pytest.mark.parametrize("what", ["/evidence", "/series", ""])
def test_an_unknown_competitor_is_not_found(what: str, client: TestClient, engine: sa.Engine) -> None:
    client.put("/v1/catalog", json={"us": [], "competitors": [{"name": "Orbiport", "aliases": []}]})
    assert client.get(f"/v1/competitors/nobody{what}").status_code == 404
    if what:
        assert client.get(f"/v1/competitors/orbiport{what}").status_code == 200, "in the catalogue, and not heard"


def test_quotes_of_an_unknown_competitor_are_not_exported(client: TestClient) -> None:
    answer = client.get("/v1/exports/evidence", params={"about": "competitor", "id": "nobody", "format": "csv"})
    assert answer.status_code == 404


def test_points_and_parts_are_exported_as_they_are_seen(workspace: TestClient) -> None:
    view = workspace.get(f"/v1/competitors/orbiport?{PERIOD}").json()
    points = workspace.get(f"/v1/exports/points?id=orbiport&format=json&{PERIOD}").json()
    assert points
    assert [(row["id"], row["ahead"], row["accounts"]) for row in points] == [
        (point["id"], point["notes"]["ahead"], point["accounts"]) for point in view["points"]
    ]
    parts = workspace.get(f"/v1/exports/parts?about=competitor&id=orbiport&format=json&{PERIOD}").json()
    assert [(row["dimension"], row["value"], row["notes"], row["won_deals"], row["win_rate"]) for row in parts] == [
        (dimension, part["value"], part["notes"], part["won"], part["win_rate"])
        for dimension, of_dimension in view["parts"].items()
        for part in of_dimension
    ]
    answered = workspace.get(f"/v1/exports/parts?about=objection&id=price&lang=fr&{PERIOD}").text
    assert answered.lstrip("\ufeff").startswith("Par;Nom;Mentions;Notes;Comptes")
    stands = workspace.get(f"/v1/exports/competitors?format=json&known=true&{PERIOD}").json()
    assert [(row["id"], row["lost_to"], row["won_against"], row["ahead"]) for row in stands] == [("orbiport", 6, 0, 6)]
    assert workspace.get(f"/v1/exports/competitors?format=json&known=false&{PERIOD}").json() == []
    for wrong, status in (
        ("points?id=nobody", 404),
        ("parts?about=objection&id=nothing", 422),
        ("parts?about=theme&id=theme-1", 422),
        ("parts?about=competitor&id=nobody", 404),
    ):
        assert workspace.get(f"/v1/exports/{wrong}&{PERIOD}").status_code == status, wrong


@pytest.mark.parametrize(("about", "item"), [("objection", "price"), ("competitor", "orbiport"), ("theme", "theme-1")])
@pytest.mark.parametrize("by", ["week", "month"])
def test_a_course_is_exported_as_it_is_seen(workspace: TestClient, about: str, item: str, by: str) -> None:
    points = workspace.get(f"/v1/{about}s/{item}/series?by={by}&{PERIOD}").json()["points"]
    rows = workspace.get(f"/v1/exports/series?about={about}&id={item}&by={by}&format=json&{PERIOD}").json()
    assert [tuple(row.values()) for row in rows] == [tuple(point.values()) for point in points]
    assert sum(row["notes"] for row in rows) >= 6
    assert workspace.get(f"/v1/exports/series?about={about}&id=nothing&{PERIOD}").status_code in {404, 422}


def test_the_page_of_an_item_links_the_course_that_it_shows(workspace: TestClient, signed: TestClient) -> None:
    for lang in ("en", "fr"):
        page = signed.get(f"/insights/competitor/orbiport?{PERIOD}&team=north&by=month&lang={lang}").text
        links = [unescape(link) for link in re.findall(r'href="(/v1/exports/series[^"]+)"', page)]
        assert [link.rpartition("format=")[2] for link in links] == ["csv", "xlsx", "json"]
        assert all("by=month" in link and "team=north" in link and f"lang={lang}" in link for link in links)
        assert [(row["step"], row["notes"]) for row in signed.get(links[2]).json()] == [("2026-09", 6)]
