"""The forms of corrections, as a browser without JavaScript sends them."""

from __future__ import annotations

import re

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.pages.corrections import find_words
from tests.service.visits import name_competitor, read_in, shown
from tests.work import note

TEXT = "Rival is in place.\nIt is too expensive for us. No budget\nbefore spring, no budget at all."


def _field(page: str, name: str) -> str:
    return re.findall(rf'name="{name}" value="([^"]*)"', page)[0]


def test_correct_deny_and_undo(curator: TestClient, engine: sa.Engine) -> None:
    name_competitor(engine, "Rival")
    (note_id,) = read_in(engine, note("a", TEXT))
    page = curator.get(f"/notes/{note_id}").text
    finding = re.findall(r'id="objection-(\d+)"', page)[0]
    here = f"/notes/{note_id}"
    form = {"about": "objection", "finding": finding, "here": here, "at": f"found-objection-{finding}"}
    saved = curator.post("/corrections", data={**form, "do": "save", "type": "budget", "status": "open"})
    assert saved.status_code == 303
    assert re.fullmatch(rf"{here}\?changed=\d+#found-objection-{finding}", saved.headers["location"])
    page = curator.get(saved.headers["location"]).text
    assert "Corrected. All counts follow at once." in page
    assert "Objection: No budget, unanswered" in shown(page)
    assert "No budget" in shown(curator.get("/").text)
    undone = curator.post("/corrections/undo", data={"here": here, "corrections": _field(page, "corrections")})
    page = curator.get(undone.headers["location"]).text
    assert "Undone." in page
    assert "Objection: Price, unanswered" in shown(page)
    curator.post("/corrections", data={**form, "do": "deny"})
    page = curator.get(here).text
    assert "Objection: Price" not in shown(page)
    assert "Not an objection “" in shown(page) or "Not an objection too expensive" in shown(page)
    assert "Price" not in shown(curator.get("/").text)
    assert curator.get("/insights/competitor/rival").text.count('action="/corrections"') == 1


def test_mark_what_was_missed(curator: TestClient, engine: sa.Engine) -> None:
    (note_id,) = read_in(engine, note("a", TEXT))
    here = f"/notes/{note_id}"
    form = {"here": here, "about": "objection", "type": "budget", "status": "resolved"}
    near_the_end = {"quote": " no  budget at all", "start": str(TEXT.rindex("no budget"))}
    added = curator.post(f"{here}/missed", data={**form, **near_the_end})
    assert "changed=" in added.headers["location"]
    assert "Objection: No budget, answered" in shown(curator.get(here).text)
    again = curator.post(f"{here}/missed", data={**form, **near_the_end, "type": "price"})
    assert again.headers["location"] == f"{here}?fault=stands"
    assert "found or denied at this place already" in curator.get(again.headers["location"]).text
    absent = curator.post(f"{here}/missed", data={**form, "quote": "not said"})
    assert "do not stand in the note" in curator.get(absent.headers["location"]).text
    named = {"here": here, "about": "competitor", "quote": "Rival", "relation": "incumbent", "standing": "neutral"}
    curator.post(f"{here}/missed", data=named)
    assert "Competitor: Rival, in place" in shown(curator.get(here).text)


def test_words_are_found_across_lines_and_nearest_first() -> None:
    assert find_words(TEXT, "no budget before", 0) == (47, 63)
    first, last = TEXT.index("No budget"), TEXT.index("no budget")
    assert find_words(TEXT, "no budget", 0) == (first, first + 9)
    assert find_words(TEXT, "no budget", 10_000) == (last, last + 9)
    assert find_words(TEXT, " ", 0) is None


def test_corrections_need_the_right_and_lead_inside(signed: TestClient, engine: sa.Engine) -> None:
    (note_id,) = read_in(engine, note("a", TEXT))
    page = signed.get(f"/notes/{note_id}?changed=1<script>&undone=").text
    assert 'action="/corrections' not in page.replace('action="/corrections/undo"', "")
    assert "<script" not in page
    assert signed.post("/corrections", data={"about": "objection", "finding": "1"}).status_code == 403
    assert signed.post(f"/notes/{note_id}/missed", data={"about": "objection"}).status_code == 403


def test_wrong_forms_are_told(curator: TestClient, engine: sa.Engine) -> None:
    read_in(engine, note("a", TEXT))
    cases = [
        ({"about": "theme", "finding": "1"}, 422),
        ({"about": "objection", "finding": "x"}, 409),
        ({"about": "objection", "finding": "1", "do": "save", "type": "fame"}, 422),
        ({"about": "objection", "finding": "999", "do": "deny"}, 422),
    ]
    for form, status in cases:
        assert curator.post("/corrections", data=form).status_code == status, form
    away = curator.post("/corrections/undo", data={"here": "//evil.example", "corrections": "1,x", "at": '"><b>'})
    assert away.headers["location"] == "/?undone=yes"


def test_findings_are_corrected_where_they_are_listed(curator: TestClient, engine: sa.Engine) -> None:
    name_competitor(engine, "Rival")
    resolved = note("b", "They said it was too expensive. We offered to pay by month, and they are fine with that now.")
    read_in(engine, note("a", TEXT), resolved)
    for page in ("/", "/search?q=expensive", "/insights/objection/price", "/insights/competitor/rival"):
        text = curator.get(page).text
        assert f'name="here" value="{page}"' in text, page
        assert 'action="/corrections"' in text, page
    found = re.search(r'<div class="finding">.*?</div>\s*</form>', curator.get("/search?q=expensive").text, re.DOTALL)
    assert found
    finding, at = _field(found[0], "finding"), _field(found[0], "at")
    forms = curator.get("/search?q=expensive").text.count('name="finding"')
    form = {"about": "objection", "finding": finding, "here": "/search?q=expensive", "at": at, "do": "deny"}
    told = curator.post("/corrections", data=form).headers["location"]
    assert re.fullmatch(rf"/search\?q=expensive&changed=\d+#{at}", told)
    page = curator.get(told).text
    assert page.count('name="finding"') == forms - 1
    curator.post("/corrections/undo", data={"here": "/", "corrections": _field(page, "corrections")})
    assert curator.get("/search?q=expensive").text.count('name="finding"') == forms


def test_who_may_not_correct_sees_no_form_in_lists(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, note("a", TEXT))
    for page in ("/", "/search?q=expensive", "/insights/objection/price"):
        assert 'action="/corrections"' not in signed.get(page).text, page
