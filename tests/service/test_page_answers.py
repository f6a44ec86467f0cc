"""Errors as pages, headers, and the two languages."""

from __future__ import annotations

import re
from string import Formatter

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.pages.strings import PAGES, STRINGS
from service.pages.words import Lang, Words
from service.reasons.fields import FIELDS
from tests.service.visits import (
    read_in,
    shown,
)
from tests.work import note


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
        styles = re.findall(r'href="(/static/[^"]+\.css[^"]*)"', page)
        assert styles[0].startswith("/static/binome.css?")
        assert all(signed.get(style).headers["content-type"].startswith("text/css") for style in styles)


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
    assert re.search(r"\d,\d pts sur 100", text)
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


def test_no_sentence_is_defined_twice() -> None:
    assert sum(len(page.STRINGS) for page in PAGES) + len(FIELDS) == len(STRINGS)


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
