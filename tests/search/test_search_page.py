"""The page of search: found notes with their words marked, the query as data, filters kept in the address."""

from __future__ import annotations

import re

import sqlalchemy as sa
from fastapi.testclient import TestClient

from tests.service.visits import SCRIPT, read_in, shown
from tests.work import note


def test_results_mark_the_words_and_lead_to_the_place(signed: TestClient, engine: sa.Engine) -> None:
    ids = read_in(
        engine, note("a", f"{SCRIPT} Their price is well-known, too high.", account={"id": "x", "name": "Harrow Foods"})
    )
    page = signed.get("/search", params={"q": 'price "too high"', "segment": ""})
    assert page.status_code == 200
    assert '<mark class="hit">price</mark>' in page.text
    assert SCRIPT not in page.text
    assert f'href="/notes/{ids[0]}#:~:text=price"' in page.text
    assert "1 note" in shown(page.text)
    assert "has the words" in shown(page.text)


def test_pages_and_filters_stay_in_the_address(signed: TestClient, engine: sa.Engine) -> None:
    read_in(
        engine, *[note(f"n{i}", f"Zanzibar, note {i}.", account={"id": f"a{i}", "segment": "north"}) for i in range(25)]
    )
    page = signed.get("/search", params={"q": "zanzibar", "segment": "north"}).text
    assert 'href="/search?segment=north&amp;q=zanzibar&amp;page=2"' in page
    assert 'href="/search?q=zanzibar"' in page  # takes the filter off
    last = signed.get("/search", params={"q": "zanzibar", "page": "2"}).text
    assert len(re.findall('<li class="panel result" id', last)) == 5
    nothing = signed.get("/search", params={"q": "nowhere-word", "lang": "fr"}).text
    assert "Aucune note trouvée" in shown(nothing)


def test_what_can_t_be_searched_is_said_plainly(signed: TestClient, browser: TestClient) -> None:
    assert signed.get("/search").status_code == 200
    long = signed.get("/search", params={"q": "x" * 501})
    assert long.status_code == 422
    assert "500 characters" in shown(long.text)
    assert signed.get("/search", params={"q": "a", "from": "nonsense"}).status_code == 422
    assert SCRIPT not in signed.get("/search", params={"q": SCRIPT}).text
    assert 'action="/search"' in signed.get("/themes").text  # the box is on every page
    signed.cookies.clear()
    assert browser.get("/search?q=a").status_code == 303
