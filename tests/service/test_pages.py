"""What people see: the ranking, one item, one note."""

from __future__ import annotations

import re
from html import unescape

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.auth.scopes import Scope
from service.database import write_session
from service.insights.measures import About
from service.pages.highlights import Highlight, cut
from service.tables import NoteTable, PassageTable, ThemeTable
from tests.analyzers import UNREADABLE
from tests.service.visits import (
    NOW,
    SCRIPT,
    by_account,
    make_key,
    make_theme,
    name_competitor,
    read_in,
    shown,
    sign_in,
    take_in,
)
from tests.work import note

ACCENTED = "🙂 Énoncé : l'été dernier, too expensive — 👩‍🔬 dit-elle."


# The ranking


def test_without_notes_the_page_says_how_to_post_one(signed: TestClient) -> None:
    answer = signed.get("/")
    assert answer.status_code == 200
    text = shown(answer.text)
    assert "No notes yet" in text
    assert "curl http://testserver/v1/notes" in text


def test_the_example_of_the_empty_page_is_a_note_that_is_taken(signed: TestClient, engine: sa.Engine) -> None:
    _, secret = make_key(engine, Scope.INGEST)
    example = re.search(r"-d '(.*?)'", shown(signed.get("/").text))
    assert example
    answer = signed.post("/v1/notes", content=example[1], headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["results"][0]["result"] == "created"


def test_notes_that_wait_are_said_to_wait(signed: TestClient, engine: sa.Engine) -> None:
    take_in(engine, note("a"), note("b"))
    text = shown(signed.get("/").text)
    assert "2 notes wait to be read." in text
    assert "0 notes read 2 waiting" in text
    assert "no worker is running" in text


def test_failed_notes_are_counted(signed: TestClient, engine: sa.Engine) -> None:
    take_in(engine, note("a"), note("b", UNREADABLE))
    with write_session(engine) as session:
        session.execute(sa.update(NoteTable).where(NoteTable.external_id == "b").values(failure="can't be read"))
        session.execute(sa.update(NoteTable).where(NoteTable.external_id == "a").values(analysed_revision=1))
    assert "1 note read 1 failed" in shown(signed.get("/").text)


def test_an_insight_says_what_why_and_with_whose_words(signed: TestClient, engine: sa.Engine) -> None:
    deal = {"id": "d", "amount": 48000, "currency": "EUR", "outcome": "open"}
    (note_id, _) = read_in(
        engine,
        note("a", account={"id": "a", "name": "Harrow Foods"}, author={"id": "r", "team": "north"}, deal=deal),
        note("b", "All is well."),
    )
    page = signed.get("/").text
    text = shown(page)
    assert "17 June to 14 September 2026. Compared with 19 March to 16 June 2026." in text
    for words in ("Objection", "Price", "48,000 EUR", "Heard at 1 account of 1", "Unanswered in 1 of 1 mention"):
        assert words in text
    assert "No clear trend : 1 note, 0 before" in text
    assert "Harrow Foods 14 Sep 2026 north deal open" in text
    sentence = '<span class="around">The director finds it </span>too expensive<span class="around">.</span>'
    assert f'<blockquote lang="en"><p>{sentence}</p></blockquote>' in page
    assert f'href="/notes/{note_id}#objection-' in page


def test_the_parts_of_the_bar_add_up_to_the_score(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *by_account(3))
    page = signed.get("/").text
    gains = [float(points) for points in re.findall(r"\+(\d+\.\d) pts", page)]
    score = re.search(r"(\d+\.\d) of 100 pts", page)
    assert score
    assert len(gains) >= 2
    assert sum(gains) == pytest.approx(float(score[1]), abs=0.1 * len(gains))
    widths = [float(width) for width in re.findall(r'<rect class="part-\w+" x="[\d.]+" width="([\d.]+)"', page)]
    assert sum(widths) == pytest.approx(float(score[1]), abs=0.5 * len(gains))


def test_filters_narrow_the_ranking_and_stay_in_the_form(signed: TestClient, engine: sa.Engine) -> None:
    name_competitor(engine, "Rival")
    read_in(
        engine,
        note("a", "too expensive", author={"id": "r1", "team": "north"}),
        note("b", "Rival was here", author={"id": "r2", "team": "south"}),
    )
    both = shown(signed.get("/").text)
    assert "2 insights" in both
    page = signed.get("/?team=south&language=&from=&to=").text
    assert "1 insight" in shown(page)
    assert "Rival" in page
    assert '<option value="south" selected>' in page
    assert ">Price<" not in signed.get("/?about=competitor").text
    kinds = shown(signed.get("/?about=competitor&about=objection").text)
    assert "2 insights" in kinds
    assert "Show: Competitors, Objections" in kinds


def test_links_keep_the_filters(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, note("a", author={"id": "r", "team": "north & south"}))
    page = signed.get("/?team=north+%26+south&outcome=&lang=en").text
    assert '/insights/objection/price?team=north+%26+south"' in page
    assert '<input type="hidden" name="outcome"' not in page
    carried = signed.get("/?source=api&competitor=x").text
    assert '<input type="hidden" name="source" value="api">' in carried


def test_no_result_is_said(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, note("a"))
    answer = signed.get("/?team=nobody")
    assert answer.status_code == 200
    assert "Nothing for these filters" in answer.text
    assert '<option value="nobody" selected>' in answer.text


def test_wrong_filters_show_the_form_with_a_message(signed: TestClient, engine: sa.Engine) -> None:
    cases = [
        ("from=2026-10-01&to=2026-09-01", "The period ends before it starts: swap the two dates."),
        ("from=yesterday", "“From” is not a date: write it like 2026-07-01."),
        ("to=2026-02-30", "“To” is not a date: write it like 2026-09-30."),
        ("from=0001-01-01", "Dates go from 1900 to 2200."),
        ("to=9999-12-31", "Dates go from 1900 to 2200."),
        ("from=2030-01-01", "The period starts after the latest note: choose an earlier day."),
        ("language=de", "This language is not one of the list: choose one of it."),
        ("about=people", "This kind is not one of the list: choose objections, competitors or themes."),
        ("outcome=maybe", "The filter “Deal” has a value that can't be."),
        (f"team={'x' * 300}", "The filter “Team” has a value that can't be."),
    ]
    read_in(engine, note("a"))
    for query, message in cases:
        answer = signed.get(f"/?{query}")
        assert answer.status_code == 422, query
        assert message in shown(answer.text)
        assert '<form method="get" action="/"' in answer.text


def test_widest_period_and_odd_values_do_no_harm(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, note("a"))
    for query in ("from=1900-01-01&to=2200-12-31", "page=0", "page=99", "page=x", "unknown=1", "team=%ff"):
        assert signed.get(f"/?{query}").status_code == 200, query


def test_text_that_looks_like_a_page_is_only_text(signed: TestClient, engine: sa.Engine) -> None:
    rival = f"Rival{SCRIPT}"
    name_competitor(engine, rival)
    (note_id,) = read_in(
        engine,
        note(
            "a",
            f"{SCRIPT} {rival} is too expensive",
            account={"id": "a", "name": SCRIPT, "segment": f'"{SCRIPT}'},
            author={"id": "r", "name": SCRIPT, "team": f'"><b>{SCRIPT}'},
            deal={"id": "d", "stage": SCRIPT, "amount": 1, "currency": "EUR"},
        ),
    )
    make_theme(engine, "theme-1", SCRIPT, SCRIPT)
    for path in (
        "/",
        "/?team=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/?from=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        f"/notes/{note_id}",
        "/insights/theme/theme-1",
        "/insights/competitor/rival%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/sign-in?next=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/insights/theme/%3Cscript%3Ealert(1)%3C/script%3E",
    ):
        page = signed.get(path).text
        assert "<html" in page
        assert "<script" not in page, path
        assert "<b>&lt;" not in page.replace("×", ""), path


def test_long_rankings_have_pages(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, note("a"))
    with write_session(engine) as session:
        (passage,) = session.scalars(sa.select(PassageTable))
        for i in range(21):
            theme = ThemeTable(
                key=f"theme-{i}",
                label_en=f"Theme {i}",
                label_fr=f"Thème {i}",
                keywords={},
                centroid=b"",
                created_at=NOW,
                updated_at=NOW,
            )
            session.add(theme)
            session.flush()
            columns = {c.name: getattr(passage, c.name) for c in PassageTable.__table__.columns if c.name != "id"}
            session.add(PassageTable(**{**columns, "theme_id": theme.id, "similarity": 0.5}))
    first, last = signed.get("/?about=theme").text, signed.get("/?about=theme&page=2").text
    assert (first.count('<li class="card">'), last.count('<li class="card">')) == (20, 1)
    assert "Page 1 of 2" in first
    assert 'rel="next" href="/?about=theme&amp;page=2"' in first
    assert '<ol class="cards" start="21">' in last


# One item


def test_an_item_shows_its_measures_course_and_quotes(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *by_account(25))
    page = signed.get("/insights/objection/price").text
    text = shown(page)
    assert "Rank 1" in text
    assert "unanswered 25" in text
    assert "Share of the notes read 100%" in text
    assert "Win rate with it too few closed deals" in text
    assert page.count("<blockquote") == 20
    assert "Page 1 of 2" in text
    second = signed.get("/insights/objection/price?page=2").text
    assert second.count("<blockquote") == 5
    accounts = re.findall(r"<strong>(Account \d+)</strong>", page + second)
    assert len(set(accounts)) == 25
    monthly = signed.get("/insights/objection/price?by=month").text
    assert len(re.findall(r'<th scope="row">', monthly)) == 4


def test_each_kind_has_its_own_measures(signed: TestClient, engine: sa.Engine) -> None:
    name_competitor(engine, "Rival / Sons")
    read_in(engine, note("a", "Rival / Sons was here"))
    make_theme(engine, "theme-1", "Doors", "Portes")
    link = re.search(r'href="(/insights/competitor/[^"]+)"', signed.get("/").text)
    assert link
    competitor = shown(signed.get(link[1]).text)
    assert "Rival / Sons" in competitor
    assert "mentioned 1" in competitor
    theme = shown(signed.get("/insights/theme/theme-1").text)
    for words in ("Doors", "Life Established", "Nature Too early to tell", "Keywords (English) door"):
        assert words in theme


def test_an_item_that_was_not_heard_is_shown_silent(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, note("a"))
    answer = signed.get("/insights/objection/security_compliance?to=2026-01-31")
    assert answer.status_code == 200
    assert "Not heard in this period." in answer.text


# One note


def test_a_note_is_shown_with_its_findings_marked(signed: TestClient, engine: sa.Engine) -> None:
    (note_id,) = read_in(
        engine, note("a", ACCENTED, account={"id": "a", "name": "Crémerie Ancel"}, author={"id": "r", "team": "nord"})
    )
    page = signed.get(f"/notes/{note_id}").text
    text = re.search(r'<div class="text" lang="en">(.*?)</div>', page, re.DOTALL)
    assert text
    marked = re.sub(r'<a class="ref.*?</a>', "", text[1])
    assert '<mark class="objection" title="Objection: Price, unanswered">too expensive</mark>' in marked
    assert unescape(re.sub(r"<[^>]+>", "", marked)) == ACCENTED
    assert 'aria-label="Objection: Price, unanswered"' in text[1]
    for words in ("Crémerie Ancel", "14 September 2026", "nord", "Call note"):
        assert words in shown(page)


def test_overlapping_findings_are_all_marked(signed: TestClient, engine: sa.Engine) -> None:
    text = "Rival is too expensive for us."
    name_competitor(engine, "Rival is too")
    (note_id,) = read_in(engine, note("a", text))
    make_theme(engine, "theme-1", "Doors", "Portes")
    page = signed.get(f"/notes/{note_id}").text
    assert ">too</mark>" in page
    assert '<mark class="objection competitor theme"' in page
    body = re.search(r'<div class="text"[^>]*>(.*?)</div>', page, re.DOTALL)
    assert body
    assert unescape(re.sub(r'<a class="ref.*?</a>|<[^>]+>', "", body[1])) == text
    assert re.findall(r'id="(\w+)-\d+" href', page) == ["competitor", "theme", "objection"]


def test_findings_of_an_older_text_are_not_marked(browser: TestClient, engine: sa.Engine) -> None:
    (note_id,) = read_in(engine, note("a", "It is too expensive."))
    make_theme(engine, "theme-1", "Doors", "Portes")
    take_in(engine, note("a", "Short."))
    hidden = sign_in(browser, engine, Scope.READ).get(f"/notes/{note_id}").text
    assert "Short." not in hidden, "whom it names is not known yet"
    page = sign_in(browser, engine, Scope.READ, Scope.PERSONAL).get(f"/notes/{note_id}").text
    assert "Short." in page
    assert "<mark" not in page
    assert "waits to be read" in page


def test_a_cut_text_is_the_whole_text() -> None:
    def mark(about: About, start: int, end: int) -> Highlight:
        return Highlight(about, start, end, f"{about}-{start}", "label", "", "/")

    outer, inner, crossing = (
        mark(*m) for m in [(About.THEME, 0, 20), (About.OBJECTION, 2, 9), (About.COMPETITOR, 5, 30)]
    )
    wrong = [mark(About.THEME, 5, 5), mark(About.THEME, -1, 4), mark(About.THEME, 3, 10**6)]
    segments = cut(ACCENTED, [outer, inner, crossing, *wrong])
    assert "".join(s.text for s in segments) == ACCENTED
    assert [s.kinds for s in segments] == [
        "theme",
        "objection theme",
        "objection competitor theme",
        "competitor theme",
        "competitor",
        "",
    ]
    assert [h for s in segments for h in s.beginning] == [outer, inner, crossing]
    assert cut("", []) == []
