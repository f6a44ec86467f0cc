"""The page of the sources: how fresh they are, letting one in, and who may."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.pages.strings import STRINGS
from service.pages.words import Lang, Words
from service.sources.contract import Aside, FetchWanted
from service.sources.faults.queries import set_aside
from service.sources.queries import (
    create_connection,
    hold_mailbox,
    note_activity,
    release_mailbox,
    request_fetch,
)
from service.sources.record_links import link_options
from service.sources.registry import SOURCES
from tests.service.visits import NOW, SCRIPT, shown


def test_freshness_and_faults(admin: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        for hours in (9, 8, 7):
            note_activity(session, "hubspot", "main", 2, NOW - timedelta(hours=hours))
        set_aside(session, "hubspot", "main", Aside("foreign_portal", "the event is of portal 7", SCRIPT), NOW)
    text = shown(admin.get("/sources").text)
    assert "HubSpot main Silent for unusually long Last note 7 h ago, usually every 60 min" in text
    assert "6 notes, 3 deliveries" in text
    assert "the event is of portal 7" in text
    assert SCRIPT not in admin.get("/sources").text
    assert "Dernière note il y a 7 h, d'ordinaire toutes les 60 min" in shown(admin.get("/sources?lang=fr").text)


def test_let_in_switch_off_rotate_forget(admin: TestClient) -> None:
    page = admin.get("/sources/add/salesforce").text
    assert "/v1/webhooks/salesforce" in page
    form = {"name": "main", "secret": "", "option-org_id": "00D000000000062"}
    made = admin.post("/sources/add/salesforce", data=form)
    assert made.status_code == 201
    assert re.search(r"<code>[\w-]{43}</code>", made.text)
    (number,) = re.findall(r"/sources/(\d+)/rotate", admin.get("/sources").text)
    assert "Nothing came yet" in admin.get("/sources").text
    admin.post(f"/sources/{number}/switch", data={"do": "off"})
    assert "Switched off" in admin.get("/sources").text
    assert "a-secret-of-ours" in admin.post(f"/sources/{number}/rotate", data={"secret": "a-secret-of-ours"}).text
    assert "former secret valid until" in admin.get("/sources").text
    assert admin.post(f"/sources/{number}/remove").status_code == 303
    assert "/rotate" not in admin.get("/sources").text


def test_what_is_wrong_with_a_source_is_told_at_its_field(admin: TestClient) -> None:
    whole = {"name": "main", "secret": "long-enough", "option-org_id": "00D000000000062"}
    for wrong, words in (
        ({"secret": "short"}, "at least 8 characters"),
        ({"option-org_id": ""}, "An option is missing"),
        ({"option-org_id": "{"}, "An option is missing"),
        ({"name": ""}, "Give it a name"),
    ):
        answer = admin.post("/sources/add/salesforce", data={**whole, **wrong})
        assert answer.status_code == 422
        assert words in answer.text
        assert "long-enough" not in answer.text
    assert admin.post("/sources/add/salesforce", data=whole).status_code == 201
    assert "already" in admin.post("/sources/add/salesforce", data=whole).text
    assert admin.get("/sources/add/nothing").status_code == 404
    token = {"name": "", "option-access_token": "pat-of-ours"}
    page = admin.post("/sources/add/hubspot", data=token).text
    assert "pat-of-ours" not in page
    assert re.search(r'name="option-access_token"[^>]*type="password"', page)


def test_only_an_administrator_changes_sources(signed: TestClient) -> None:
    page = signed.get("/sources").text
    assert "An administrator adds sources" in page
    assert "What could not be taken" not in page
    assert signed.get("/sources/add/hubspot").status_code == 403
    for path in ("/sources/add/hubspot", "/sources/1/switch", "/sources/1/rotate", "/sources/1/remove"):
        assert signed.post(path, data={"name": "main"}).status_code == 403


def test_spans_are_told_in_their_largest_unit() -> None:
    words = Words(Lang.EN)
    assert [words.span(s).replace("\u00a0", " ") for s in (-1, 59, 119, 120, 7_199, 7_200, 172_800)] == [
        "0 s",
        "59 s",
        "119 s",
        "2 min",
        "120 min",
        "2 h",
        "2 days",
    ]


def test_a_mailbox_is_let_in_and_says_why_it_can_t_be_read(admin: TestClient, engine: sa.Engine) -> None:
    form = {"name": "main", "secret": "", "option-host": "imap.firm.example", "option-user": "notes"}
    assert "/v1/webhooks/imap" not in admin.get("/sources/add/imap?lang=en").text
    assert admin.post("/sources/add/imap", data=form).status_code == 422
    assert admin.post("/sources/add/imap", data=form | {"secret": "a-long-password"}).status_code == 201
    with write_session(engine) as session:
        hold_mailbox(session, "main", "INBOX", NOW, NOW, NOW)
        release_mailbox(session, "main", "The server refuses the user or the password.", NOW)
    text = shown(admin.get("/sources").text)
    assert "IMAP main Can't be read The server refuses the user or the password." in text
    assert "a-long-password" not in text


def test_each_source_says_in_both_languages_how_it_is_set_up_and_shows_what_it_posts(admin: TestClient) -> None:
    for source in SOURCES.values():
        for name in {**source.options, **link_options(source.name)}:
            assert f"option_{name}" in STRINGS, (source.name, name)
    for name in ("ses", "pipedrive"):
        for language, setup in (("en", SOURCES[name].setup.en), ("fr", SOURCES[name].setup.fr)):
            page = html.unescape(admin.get(f"/sources/add/{name}?lang={language}").text)
            assert setup.splitlines()[-1] in page
            assert SOURCES[name].sample in page
            assert "firm.com/notes/{id}" in page or "entreprise.fr/notes/{id}" in page


@contextmanager
def counted(engine: sa.Engine) -> Iterator[Counter[str]]:
    """Count the statements that are executed, by their text."""
    statements: Counter[str] = Counter()

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements[statement] += 1

    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)


def test_twenty_sources_cost_as_many_statements_as_two(admin: TestClient, engine: sa.Engine) -> None:
    def add(names: list[str]) -> None:
        with write_session(engine) as session:
            for source in names:
                options = {"access_token": "t", "api_token": "t", "host": "localhost", "user": "u", "org_id": "00D"}
                name = f"{source} {len(names)}"
                create_connection(session, source, name, f"a secret of {name}", options, NOW)
                note_activity(session, source, name, 1, NOW)
                request_fetch(session, source, name, FetchWanted("0-46", "1", "links"), NOW)
                set_aside(session, source, name, Aside("no_id", "it has none"), NOW)

    asked: dict[str, list[Counter[str]]] = {"/sources": [], "/v1/sources": []}
    for names in (["hubspot", "imap"], list(SOURCES)):
        add(names)
        for path, each in asked.items():
            with counted(engine) as statements:
                answer = admin.get(path)
            assert answer.status_code == 200
            assert all(name in answer.text for name in names)
            each.append(Counter({sql: n for sql, n in statements.items() if "FROM" in sql and "audit" not in sql}))
            assert set(each[-1].values()) == {1}, "asked for each source anew"
    assert len(SOURCES) >= 20
    for two, twenty in asked.values():
        assert twenty - two == Counter()
