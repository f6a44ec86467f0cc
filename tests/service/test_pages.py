"""What people see: signing in, the ranking, one item, one note, in English and French."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from string import Formatter

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth.queries import SessionKind, create_key, open_session, revoke_key
from service.auth.scopes import Scope
from service.catalog.queries import replace_catalog
from service.catalog.schemas import CatalogBody
from service.database import write_session
from service.dependencies import COOKIE
from service.insights.measures import About
from service.notes.intake import parse_note
from service.notes.queries import store_notes
from service.notes.schemas import IncomingNote
from service.pages.answers import excerpt
from service.pages.highlights import Highlight, cut
from service.pages.strings import STRINGS
from service.pages.words import Lang, Words
from service.settings import Settings
from service.tables import ApiKeyTable, NoteTable, PassageTable, SessionTable, ThemeTable
from tests.analyzers import UNREADABLE, FakeAnalyzer
from tests.work import analyse_all, note

NOW = datetime.now(UTC)
SCRIPT = "<script>alert(1)</script>"
ACCENTED = "🙂 Énoncé : l'été dernier, too expensive — 👩‍🔬 dit-elle."


@pytest.fixture
def browser(settings: Settings, engine: sa.Engine) -> Iterator[TestClient]:
    """A browser that nobody signed in."""
    app = create_app(settings, engine)
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    with TestClient(app, raise_server_exceptions=False, headers=headers, follow_redirects=False) as client:
        yield client


@pytest.fixture
def signed(browser: TestClient, engine: sa.Engine) -> TestClient:
    """A browser that is signed in with a key that may read."""
    with write_session(engine) as session:
        key, _ = create_key(session, name="reader", scopes=[Scope.READ], now=NOW)
        browser.cookies.set(COOKIE, open_session(session, key, SessionKind.COOKIE, NOW), domain="testserver.local")
    return browser


def make_key(engine: sa.Engine, *scopes: Scope) -> tuple[int, str]:
    with write_session(engine) as session:
        key, secret = create_key(session, name="a key", scopes=list(scopes), now=NOW)
        return key.id, secret


def make_link(engine: sa.Engine, *scopes: Scope, at: datetime = NOW) -> str:
    with write_session(engine) as session:
        key, _ = create_key(session, name="a link", scopes=list(scopes), now=at)
        return open_session(session, key, SessionKind.LINK, at)


def take_in(engine: sa.Engine, *notes: dict) -> list[int]:
    parsed = [parse_note(n) for n in notes]
    incoming = [p for p in parsed if isinstance(p, IncomingNote)]
    assert len(incoming) == len(notes)
    with write_session(engine) as session:
        return [stored.id for stored in store_notes(session, incoming, NOW)]


def read_in(engine: sa.Engine, *notes: dict) -> list[int]:
    ids = take_in(engine, *notes)
    analyse_all(engine, FakeAnalyzer())
    return ids


def name_competitor(engine: sa.Engine, name: str) -> None:
    with write_session(engine) as session:
        replace_catalog(session, CatalogBody.model_validate({"competitors": [{"name": name}]}).to_catalog())


def make_theme(engine: sa.Engine, key: str, en: str, fr: str) -> int:
    with write_session(engine) as session:
        theme = ThemeTable(
            key=key, label_en=en, label_fr=fr, keywords={"en": ["door"]}, centroid=b"", created_at=NOW, updated_at=NOW
        )
        session.add(theme)
        session.flush()
        session.execute(sa.update(PassageTable).values(theme_id=theme.id, similarity=0.9))
        return theme.id


def by_account(count: int, **fields: object) -> list[dict]:
    return [note(f"n{i}", account={"id": f"a{i}", "name": f"Account {i}"}, **fields) for i in range(count)]


def shown(html: str) -> str:
    """Return a page's text as a person reads it."""
    text = re.sub(r"<[^>]+>", " ", html).replace("\u00a0", " ").replace("\u202f", " ")
    return " ".join(unescape(text).split())


# Signing in


def test_a_link_signs_in_once(browser: TestClient, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ)
    first = browser.get(f"/sign-in?token={link}")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert browser.get("/").status_code == 200

    browser.cookies.clear()
    second = browser.get(f"/sign-in?token={link}")
    assert second.status_code == 401
    assert "used already or has expired" in second.text
    assert "set-cookie" not in second.headers
    assert link not in second.text


def test_the_session_cookie_stays_out_of_reach(browser: TestClient, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ)
    cookie = browser.get(f"/sign-in?token={link}").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert link not in cookie
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert "secure" not in flags


def test_the_cookie_is_secure_over_https(settings: Settings, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ)
    with TestClient(create_app(settings, engine), base_url="https://testserver", follow_redirects=False) as client:
        assert "Secure" in client.get(f"/sign-in?token={link}").headers["set-cookie"]


def test_a_link_opened_again_where_it_signed_in_leads_in(browser: TestClient, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ)
    browser.get(f"/sign-in?token={link}")
    again = browser.get(f"/sign-in?token={link}")
    assert (again.status_code, again.headers["location"]) == (303, "/")


def test_an_old_link_is_refused(browser: TestClient, engine: sa.Engine) -> None:
    link = make_link(engine, Scope.READ, at=NOW - timedelta(hours=13))
    assert browser.get(f"/sign-in?token={link}").status_code == 401


def test_a_key_signs_in_and_leads_where_one_wanted_to_go(browser: TestClient, engine: sa.Engine) -> None:
    _, secret = make_key(engine, Scope.READ)
    answer = browser.post("/sign-in", data={"key": f" {secret} ", "next": "/notes/3?lang=fr"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/notes/3?lang=fr")
    assert browser.get("/").status_code == 200


def test_signing_in_never_leads_to_another_site(browser: TestClient, engine: sa.Engine) -> None:
    cases = ["https://evil.example", "//evil.example", "/\\evil.example", "/\tx", "x"]
    _, secret = make_key(engine, Scope.READ)
    for elsewhere in cases:
        assert browser.post("/sign-in", data={"key": secret, "next": elsewhere}).headers["location"] == "/"


def test_a_wrong_key_is_refused_in_words(browser: TestClient) -> None:
    answer = browser.post("/sign-in", data={"key": SCRIPT})
    assert answer.status_code == 401
    assert "unknown, expired or revoked" in answer.text
    assert "set-cookie" not in answer.headers
    assert "alert(1)" not in answer.text


def test_a_form_that_is_none_is_a_wrong_key(browser: TestClient) -> None:
    cases = [b"", b"key", b"\xff\xfe%ff%00=&&&", b"&".join([b"a=1"] * 500)]
    for body in cases:
        assert browser.post("/sign-in", content=body).status_code == 401


def test_a_huge_form_is_refused(browser: TestClient) -> None:
    answer = browser.post("/sign-in", content=b"key=" + b"x" * 20_000)
    assert answer.status_code == 413
    assert "<html" in answer.text


def test_a_key_that_may_not_read_is_refused_by_form_and_link(browser: TestClient, engine: sa.Engine) -> None:
    _, secret = make_key(engine, Scope.INGEST)
    for answer in (
        browser.post("/sign-in", data={"key": secret}),
        browser.get(f"/sign-in?token={make_link(engine, Scope.INGEST)}"),
    ):
        assert answer.status_code == 403
        assert "lacks the scope" in answer.text
        assert "set-cookie" not in answer.headers


def test_a_form_of_another_site_is_refused(browser: TestClient, engine: sa.Engine) -> None:
    _, secret = make_key(engine, Scope.READ)
    answer = browser.post("/sign-in", data={"key": secret}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session(signed: TestClient, engine: sa.Engine) -> None:
    token = signed.cookies[COOKIE]
    answer = signed.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(SessionTable)) == 0
    signed.cookies.set(COOKIE, token, domain="testserver.local")
    assert signed.get("/").headers["location"] == "/sign-in"


def test_visitors_are_led_to_the_sign_in(browser: TestClient) -> None:
    cases = [
        ("/", "/sign-in"),
        ("/notes/1", "/sign-in?next=/notes/1"),
        ("/?team=north&about=theme", "/sign-in?next=/%3Fteam%3Dnorth%26about%3Dtheme"),
        ("/insights/objection/price", "/sign-in?next=/insights/objection/price"),
    ]
    for path, sign_in in cases:
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, sign_in)


def test_a_revoked_key_ends_the_visit(signed: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        key_id = session.scalar(sa.select(ApiKeyTable.id))
        assert key_id is not None
        assert revoke_key(session, key_id, NOW)
    assert signed.get("/").status_code == 303


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
    assert "0 notes read 2 waiting 0 failed" in text
    assert "no worker is running" in text


def test_failed_notes_are_counted(signed: TestClient, engine: sa.Engine) -> None:
    take_in(engine, note("a"), note("b", UNREADABLE))
    with write_session(engine) as session:
        session.execute(sa.update(NoteTable).where(NoteTable.external_id == "b").values(failure="can't be read"))
        session.execute(sa.update(NoteTable).where(NoteTable.external_id == "a").values(analysed_revision=1))
    assert "1 note read 0 waiting 1 failed" in shown(signed.get("/").text)


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
    assert "Steady : 1 note, 0 before" in text
    assert "Harrow Foods 14 Sep 2026 north deal open" in text
    assert '<blockquote lang="en"><p>too expensive</p></blockquote>' in page
    assert f'href="/notes/{note_id}#objection-' in page


def test_the_parts_of_the_bar_add_up_to_the_score(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *by_account(3))
    page = signed.get("/").text
    gains = [float(points) for points in re.findall(r"\+(\d+\.\d) pts", page)]
    score = re.search(r"(\d+\.\d) of 100 points", page)
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
    assert "At the account mentioned 1" in competitor
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


def test_findings_of_an_older_text_are_not_marked(signed: TestClient, engine: sa.Engine) -> None:
    (note_id,) = read_in(engine, note("a", "It is too expensive."))
    make_theme(engine, "theme-1", "Doors", "Portes")
    take_in(engine, note("a", "Short."))
    page = signed.get(f"/notes/{note_id}").text
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


# Errors, headers, languages


def test_what_is_not_there_is_a_page(signed: TestClient) -> None:
    cases = [
        "/notes/1",
        "/notes/0",
        "/notes/x",
        "/notes/99999999999999999999999",
        "/notes/²",
        "/insights/person/1",
        "/insights/objection/nothing",
        "/insights/theme/none",
        "/insights/theme/%00",
        "/insights/competitor/%00",
        "/nowhere",
    ]
    for path in cases:
        answer = signed.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"].startswith("text/html")
        assert "There is nothing at this address." in answer.text


def test_programs_still_get_json(signed: TestClient) -> None:
    assert signed.get("/nowhere", headers={"Accept": "*/*"}).json()["code"] == "not_found"
    assert signed.get("/v1/nowhere").json()["code"] == "not_found"
    assert signed.get("/v1/notes/1").json()["code"] == "not_found"


def test_a_fault_of_ours_is_a_page_with_its_number(signed: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the customer said so")

    monkeypatch.setattr("service.pages.routes.read_backlog", broken)
    answer = signed.get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "customer said so" not in answer.text


def test_a_database_that_does_not_answer_is_a_page(signed: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise sa.exc.OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr("service.pages.routes.read_backlog", away)
    answer = signed.get("/")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_every_page_carries_the_headers(signed: TestClient) -> None:
    cases = ["/", "/sign-in", "/notes/1", "/?from=x", "/nowhere", "/sign-in?token=x"]
    for path in cases:
        headers = signed.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


def test_pages_hold_nothing_that_the_policy_forbids(signed: TestClient, engine: sa.Engine) -> None:
    (note_id,) = read_in(engine, note("a"))
    for path in ("/", "/insights/objection/price", f"/notes/{note_id}", "/sign-in"):
        page = signed.get(path).text
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://(?!testserver)", page), path
        assert '<a class="skip" href="#content">' in page
        assert '<html lang="en">' in page
        (style,) = re.findall(r'href="(/static/[^"]+\.css[^"]*)"', page)
        assert signed.get(style).headers["content-type"].startswith("text/css")


def test_pages_stay_out_of_the_openapi_document(signed: TestClient) -> None:
    paths = signed.get("/openapi.json").json()["paths"]
    assert not {"/", "/sign-in", "/sign-out"} & set(paths)


def test_french_is_asked_for_and_remembered(signed: TestClient, engine: sa.Engine) -> None:
    deal = {"id": "d", "amount": 1048000.5, "currency": "EUR"}
    read_in(engine, note("a", deal=deal, occurred_at="2026-08-01T10:00:00Z"))
    answer = signed.get("/?lang=fr")
    text = shown(answer.text)
    assert '<html lang="fr">' in answer.text
    for words in ("Ce que disent les clients", "Prix", "1 048 000 EUR", "du 4 mai au 1er août 2026", "1 note lue"):
        assert words in text
    assert re.search(r"\d,\d points sur 100", text)
    cookie = answer.headers["set-cookie"]
    assert "binome_lang=fr" in cookie
    assert "HttpOnly" in cookie
    assert "Ce que disent les clients" in signed.get("/").text
    assert "What customers say" in signed.get("/?lang=en").text
    assert "What customers say" in signed.get("/?lang=de").text


def test_the_browser_chooses_the_language(browser: TestClient) -> None:
    cases = [
        ("fr-CA,fr;q=0.9,en;q=0.5", "fr"),
        ("en-GB,fr;q=0.9", "en"),
        ("de, fr;q=0.4, en;q=0.3", "fr"),
        ("fr;q=0, en;q=0.1", "en"),
        ("de", "en"),
        ("fr;q=x", "en"),
        ("", "en"),
    ]
    for accepted, language in cases:
        assert f'<html lang="{language}">' in browser.get("/sign-in", headers={"Accept-Language": accepted}).text


def test_both_languages_say_the_same_with_the_same_values() -> None:
    for key, (english, french) in STRINGS.items():
        assert english, key
        assert french, key
        assert english.count("|") == french.count("|"), key
        fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, french)]
        assert fields[0] == fields[1], key


def test_numbers_and_plurals_follow_the_language() -> None:
    english, french = Words(Lang.EN), Words(Lang.FR)
    assert [english.count("n_notes", n) for n in (0, 1, 2)] == ["0 notes", "1 note", "2 notes"]
    assert [french.count("n_notes", n) for n in (0, 1, 2)] == ["0 note", "1 note", "2 notes"]
    assert (english.points(12.34), french.points(12.34)) == ("12.3", "12,3")
    assert (english.change(-0.256), french.change(3.28)) == ("−26%", "+328\u202f%")
    assert french("colon") == "\u00a0: "


def test_cut_lines_are_shown_cut_at_whole_words() -> None:
    line = f"irst words of a line {'that goes on and on ' * 5}about Rival, to the poi"
    assert excerpt(line).startswith("… words")
    assert excerpt(line).endswith("the …")
    assert excerpt("short and whole") == "short and whole"
