"""Nothing is shown that stands on fewer accounts or authors than an operator set: on every route, page and export."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth.scopes import Scope
from service.catalog.queries import replace_catalog
from service.catalog.schemas import CatalogBody
from service.database import make_engine, read_session, write_session
from service.deliveries.events import EventType
from service.deliveries.words import quotes_of_event
from service.engine_options import engine_options
from service.insights.measures import DealBook
from service.insights.withholding import others_are_too_few
from service.outgoing_tables import EventTable, SubscriptionTable
from service.reports.content import build_content, month_period
from service.reports.ledger import read_ledger
from service.settings import Settings
from service.subscriptions.content import MessageKind, compose
from service.tables import AuthorTable, CompetitorMentionTable, NoteTable, PassageTable, ThemeTable
from service.thresholds import Thresholds, Voices
from tests.access.matrix import address_of
from tests.service.visits import NOW, make_key, read_in, sign_in
from tests.work import note

SEPTEMBER = {"from": "2026-09-01", "to": "2026-09-30"}
SECRETS = ("whisper", "Hushed")  # words and theme of what two accounts said
ACCOUNTS, AUTHORS = 3, 2


def _notes() -> list[dict[str, Any]]:
    """Price and Orbiport at four accounts, Secretia at two; one account in hospitals, one rep in the south."""

    def one(name: str, account: str, rep: str, day: str, text: str, **fields: Any) -> dict[str, Any]:
        segment, team = "hospital" if account == "d" else "office", "south" if rep == "r3" else "north"
        return note(
            name,
            text,
            occurred_at=f"2026-{day}T10:00:00Z",
            account={"id": account, "name": f"Firm {account.upper()}", "segment": segment},
            author={"id": rep, "name": f"Rep {rep}", "team": team},
            **fields,
        )

    notes = [one("aug", "a", "r1", "08-05", "Orbiport again.")]
    for account, rep in (("a", "r1"), ("b", "r2"), ("c", "r1"), ("d", "r3"), ("e", "r2")):
        text = "They use Orbiport. It is too expensive."
        currency = "GBP" if account == "a" else "EUR"
        deal = {"id": f"d-{account}", "amount": 100, "currency": currency, "stage": "x", "outcome": "open"}
        notes.append(one(f"sep-{account}", account, rep, "09-08", text, deal=deal))
    notes += [one(f"late-{n}", "a", "r1", "09-22", "It is too expensive.") for n in range(2)]
    notes += [one(f"secret-{account}", account, "r1", "09-09", "They whisper of Secretia.") for account in "ab"]
    return notes


def _fill(engine: sa.Engine) -> None:
    catalog = {"us": [], "competitors": [{"name": "Orbiport"}, {"name": "Secretia"}]}
    with write_session(engine) as session:
        replace_catalog(session, CatalogBody.model_validate(catalog).to_catalog())
    read_in(engine, *_notes())
    with write_session(engine) as session:
        for number, label in enumerate(("Open", "Hushed"), start=1):
            moment = {"created_at": NOW, "updated_at": NOW}
            session.add(
                ThemeTable(id=number, key=f"theme-{number}", label_en=label, label_fr=label, keywords={}, centroid=b"",
                           x=0.5, y=0.5, area="price", **moment)
            )  # fmt: skip
        session.flush()
        secret = sa.select(NoteTable.id).where(NoteTable.external_id.like("secret-%"))
        session.execute(sa.update(PassageTable).values(theme_id=1, similarity=0.9))
        session.execute(sa.update(PassageTable).where(PassageTable.note_id.in_(secret)).values(theme_id=2))


@pytest.fixture(scope="module")
def engine(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    path = tmp_path_factory.mktemp("thresholds") / "binome.sqlite3"
    shutil.copy(sqlite_template, path)
    engine = make_engine(f"sqlite:///{path}")
    _fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    return Settings(data_dir=folder, min_accounts=ACCOUNTS, min_authors=AUTHORS, _env_file=None)


@pytest.fixture(scope="module")
def reader(settings: Settings, engine: sa.Engine, openapi: dict[str, Any]) -> Iterator[TestClient]:
    """Somebody who may read, by key and on the pages."""
    app = create_app(settings, engine)
    app.openapi = lambda: openapi
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.READ)[1]}"}
    with TestClient(app, raise_server_exceptions=False, headers=headers, follow_redirects=False) as client:
        yield sign_in(client, engine, Scope.READ)


def _text(content: bytes) -> str:
    if not content.startswith(b"PK"):
        return content.decode()
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return "".join(packed.read(name).decode() for name in packed.namelist() if name.endswith(".xml"))


_NAMED = {"{name}": ("orbiport", "secretia"), "{type_id}": ("price", "trust"), "{theme_id}": ("theme-1", "theme-2")}
_ASKED = (
    "?q=whisper",
    "?about=competitor&id=secretia",
    "?id=orbiport",
    "?about=theme&id=theme-2&format=xlsx",
    "?format=xlsx",
    "",
)


def _addresses(openapi: dict[str, Any]) -> list[str]:
    """Return every address that gives something, of the API and of the pages, with both names in its place."""
    paths = [path for path, operations in openapi["paths"].items() if "get" in operations]
    paths += ["/", "/competitors", "/themes", "/reports", "/search", "/notes/9", "/status", "/sources"]
    paths += [f"/insights/{about}" for about in ("competitor/secretia", "theme/theme-2", "theme/theme-1")]
    found = []
    for path in paths:
        names = next((_NAMED[place] for place in _NAMED if place in path), ("",))
        place = next((place for place in _NAMED if place in path), None)
        addresses = [path.replace(place, name) if place else path for name in names]
        addresses = [address_of(a.replace("{note_id}", "9").replace("{month}", "2026-09")) for a in addresses]
        found += [
            f"{a}{asked}" for a in addresses for asked in (_ASKED if "/exports/" in a or "/search" in a else ("",))
        ]
    return found


def test_no_address_gives_the_words_or_the_theme_of_two_accounts(reader: TestClient, openapi: dict[str, Any]) -> None:
    given = {}
    for address in _addresses(openapi):
        answer = reader.get(address, headers={"Accept": "text/html, */*"})
        assert answer.status_code < 500 or address == "/readyz", (address, answer.text)  # no worker runs here
        told = _text(answer.content).replace("q=whisper", "").replace('value="whisper"', "")
        assert not [secret for secret in SECRETS if secret in told], address
        given[address] = answer.status_code
    assert sum(status == 200 for status in given.values()) > 40
    assert {given[a] for a in ("/v1/notes", "/v1/notes/9", "/v1/search?q=whisper", "/notes/9")} == {403}


@pytest.mark.parametrize("kind", ["insights", "objections", "competitors", "themes"])
def test_lists_and_exports_count_what_they_withhold(reader: TestClient, kind: str) -> None:
    page = reader.get(f"/v1/{kind}", params=SEPTEMBER).json()
    expected = {"insights": 2, "objections": 0, "competitors": 1, "themes": 1}[kind]
    assert (page["withheld"], len(page["items"])) == (expected, page["total"])
    assert all(item.get("measures", item)["accounts"] >= ACCOUNTS for item in page["items"])
    export = reader.get(f"/v1/exports/{kind}", params={**SEPTEMBER, "format": "json"})
    assert export.headers.get("X-Withheld", "0") == str(expected)
    assert len(export.json()) == len(page["items"])


@pytest.mark.parametrize("rest", ["", "/evidence", "/series"])
@pytest.mark.parametrize(
    ("little", "nothing"),
    [
        ("/v1/competitors/secretia", "/v1/competitors/nobody"),
        ("/v1/themes/theme-2", None),
        (None, "/v1/objections/trust"),
    ],
)
def test_too_little_is_answered_as_nothing_is(
    reader: TestClient, little: str | None, nothing: str | None, rest: str
) -> None:
    answers = [reader.get(address + rest, params=SEPTEMBER) for address in (little, nothing) if address]
    told = [{k: v for k, v in answer.json().items() if k not in {"request_id", "instance"}} for answer in answers]
    assert {answer.status_code for answer in answers} == {404}
    assert told[0]["code"] == "withheld"
    assert all(one == told[0] for one in told)


def test_figures_on_too_few_are_left_out_of_what_is_shown(reader: TestClient) -> None:
    item = reader.get("/v1/competitors/orbiport", params=SEPTEMBER).json()
    assert (item["accounts"], item["authors"]) == (5, 3)
    assert item["trend"]["previous"] is None  # one account in August
    assert item["trend"]["change"] is item["trend"]["p_value"] is item["trend"]["at_least"] is None
    assert item["money"]["open"] == [{"currency": "EUR", "amount": 400.0}]  # one account has pounds
    assert set(item["withheld"]) == {"trend", "money"}
    assert item["parts"]["segment"] == []  # hospitals are one account, and offices would tell of them
    assert item["parts_withheld"] == {"segment": 2, "team": 2, "stage": 0}
    assert item["accounts_by_relation"]["mentioned"] == 5
    (insight,) = (i for i in reader.get("/v1/insights", params=SEPTEMBER).json()["items"] if i["id"] == "orbiport")
    assert {reason["part"] for reason in insight["reasons"]} == {"reach", "money"}
    quotes = reader.get("/v1/competitors/orbiport/evidence", params=SEPTEMBER).json()["items"]
    assert {(quote["account"], quote["team"], quote["record_url"]) for quote in quotes} == {(None, None, None)}


def test_a_series_does_not_tell_of_a_week_by_the_others(reader: TestClient) -> None:
    points = reader.get("/v1/objections/price/series", params=SEPTEMBER).json()["points"]
    assert [point["notes"] for point in points] == [0, None, 0, None, 0]


@pytest.mark.parametrize("name", ["account", "author"])
@pytest.mark.parametrize(
    "path", ["/v1/insights", "/v1/objections/price", "/v1/competitors", "/v1/themes/unassigned", "/v1/exports/themes"]
)
def test_filters_that_leave_one_are_refused(reader: TestClient, engine: sa.Engine, path: str, name: str) -> None:
    with read_session(engine) as session:
        pseudonym = session.scalars(sa.select(AuthorTable.pseudonym).limit(1)).one()
    answer = reader.get(path, params={name: pseudonym if name == "author" else "a"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {
        "field": name,
        "code": "withheld",
        "message": f"leaves fewer than {ACCOUNTS if name == 'account' else AUTHORS} {name}s",
    }


def test_filters_that_leave_few_leave_nothing(reader: TestClient) -> None:
    page = reader.get("/v1/insights", params={**SEPTEMBER, "segment": "hospital"}).json()
    assert (page["items"], page["total"]) == ([], 0)
    assert page["withheld"] == 3
    themes = reader.get("/v1/themes", params={**SEPTEMBER, "segment": "hospital"}).json()
    assert (themes["passages"], themes["unassigned"]) == (None, None)


@pytest.mark.parametrize(
    ("address", "status", "english", "french"),
    [
        ("/?from=2026-09-01", 200, "2 more are withheld", "2 autres ne sont pas montrés"),
        ("/?segment=hospital&from=2026-09-01", 200, "nothing of them is shown", "rien n'en est montré"),
        ("/?account=a", 422, "take this filter away", "retirez ce filtre"),
        ("/competitors?account=a", 422, "take this filter away", "retirez ce filtre"),
        ("/insights/competitor/secretia", 404, "it is not shown", "montré pour cette période"),
        ("/insights/competitor/orbiport?from=2026-09-01", 200, "Figures that too few", "Les chiffres derrière"),
        ("/themes", 200, "1 more is withheld", "1 autre n'est pas montré"),
        ("/notes/9", 403, "single notes are for those", "les notes une à une"),
    ],
)
def test_pages_say_that_something_is_withheld(
    reader: TestClient, address: str, status: int, english: str, french: str
) -> None:
    for lang, words in (("en", english), ("fr", french)):
        page = reader.get(f"{address}{'&' if '?' in address else '?'}lang={lang}")
        assert page.status_code == status
        assert words in page.text.replace("&#39;", "'").replace("\u202f", " ")


def test_who_sees_what_names_persons_reads_single_notes(reader: TestClient, engine: sa.Engine) -> None:
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.READ, Scope.PERSONAL)[1]}"}
    assert reader.get("/v1/notes?account=a", headers=headers).json()["total"] == 5
    assert reader.get("/v1/search?q=whisper", headers=headers).json()["total"] == 2
    assert reader.get("/v1/competitors/secretia", headers=headers).status_code == 404


def test_corrections_that_would_show_words_need_the_right_to_see_notes(reader: TestClient, engine: sa.Engine) -> None:
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.CURATE)[1]}"}
    body = {"kind": "missed_objection", "note_id": "9", "start": 0, "end": 12, "type": "price"}
    assert reader.post("/v1/corrections", json=body, headers=headers).json()["code"] == "withheld"


def test_reports_withhold_and_say_so(engine: sa.Engine, settings: Settings) -> None:
    with read_session(engine.execution_options(**engine_options(settings))) as session:
        ledger = read_ledger(session, month_period("2026-09"))
        content = build_content(session, "2026-09", datetime(2026, 10, 2, tzinfo=UTC), ledger)
    told = content.model_dump_json()
    assert not [secret for secret in (*SECRETS, "Secretia", "Firm ", "south") if secret in told]
    assert content.withheld == 2
    assert any("2 other items are withheld" in statement.text.en for statement in content.summary)
    assert content.changes == []  # in August one account spoke
    assert content.weeks == []  # and in two weeks
    assert {part.name for part in content.coverage.teams} == {None}
    assert all(objection.segments == {} for objection in content.objections)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_insights", {"about": "competitor"}),
        ("list_items", {"about": "theme"}),
        ("read_evidence", {"about": "competitor", "item_id": "secretia"}),
        ("search_notes", {"query": "whisper"}),
        ("read_note", {"note_id": 9}),
    ],
)
def test_assistants_are_told_no_more(reader: TestClient, tool: str, arguments: dict[str, Any]) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    answer = reader.post("/mcp", json=body, headers={"Accept": "application/json, text/event-stream"})
    result = answer.json()["result"]
    assert not [secret for secret in (*SECRETS, "Secretia") if secret in answer.text]
    if tool.startswith("list"):
        assert result["structuredContent"]["withheld"] == 1
    else:
        assert result["isError"]
        assert any(why in answer.text for why in ("Too few accounts", "scope personal"))


def test_digests_and_events_withhold_and_say_so(engine: sa.Engine, settings: Settings) -> None:
    subscription = SubscriptionTable(language="en", filters={})
    narrow = SubscriptionTable(language="fr", filters={"account": "a"})
    period = month_period("2026-09")
    insight = {"about": "competitor", "id": "secretia"}
    days = {"start": "2026-09-01", "end": "2026-09-30"}
    event = EventTable(type=EventType.INSIGHT_NEW, data={"insight": insight, "period": days})
    with read_session(engine.execution_options(**engine_options(settings))) as session:
        digest, nothing = (
            compose(session, one, MessageKind.DIGEST, period, settings, unsubscribe_url="x")
            for one in (subscription, narrow)
        )
        assert quotes_of_event(session, event) == []
    assert "2 more are withheld" in digest.summary
    assert {entry.id for entry in digest.entries} == {"orbiport", "price", "theme-1"}
    assert not [secret for secret in (*SECRETS, "Firm") if secret in repr(digest)]
    assert {entry.trend for entry in digest.entries if entry.id == "orbiport"} == {"No clear trend: 5 notes"}
    assert (nothing.entries, "rien n'en est montré" in nothing.summary) == ([], True)


def test_names_to_decide_on_are_withheld_too(engine: sa.Engine, reader: TestClient) -> None:
    known = sa.update(CompetitorMentionTable).where(CompetitorMentionTable.name_key == "secretia")
    with write_session(engine) as session:
        session.execute(known.values(known=False))
    try:
        assert reader.get("/v1/catalog/candidates").json() == {"items": [], "next": None, "total": 0}
    finally:
        with write_session(engine) as session:
            session.execute(known.values(known=True))


def test_without_thresholds_all_is_shown(engine: sa.Engine, tmp_path: Path, openapi: dict[str, Any]) -> None:
    app = create_app(Settings(data_dir=tmp_path, min_accounts=1, min_authors=1, _env_file=None), engine)
    app.openapi = lambda: openapi
    headers = {"Authorization": f"Bearer {make_key(engine, Scope.READ)[1]}"}
    with TestClient(app, raise_server_exceptions=False, headers=headers) as client:
        page = client.get("/v1/competitors", params=SEPTEMBER).json()
        assert (len(page["items"]), page["withheld"]) == (2, 0)
        assert client.get("/v1/competitors/secretia", params=SEPTEMBER).json()["withheld"] == []
        assert "whisper" in client.get("/v1/competitors/secretia/evidence", params=SEPTEMBER).text
        assert client.get("/v1/objections/trust").status_code == 200
        assert client.get("/v1/insights?account=a").status_code == 200


def _voices(accounts: str, authors: str = "") -> Voices:
    return Voices({ord(a) for a in accounts}, {ord(a) for a in authors})


@pytest.mark.parametrize(
    ("parts", "hidden"),
    [
        ({"x": "abc", "y": "def"}, ""),
        ({"x": "abcd", "y": "efg", "z": "h"}, "yz"),
        ({"x": "abcd", "y": "e", "z": "fg"}, "yz"),
        ({"x": "abcd", "y": "a", "z": "a"}, "xyz"),  # the same account twice is one
        ({"x": "abcd", "y": "abc", "z": ""}, "yz"),
        ({}, ""),
    ],
)
def test_what_is_withheld_can_not_be_told_from_the_rest(parts: dict[str, str], hidden: str) -> None:
    voices = {name: _voices(accounts) for name, accounts in parts.items()}
    assert Thresholds(accounts=3).hidden_parts(voices) == set(hidden)


@pytest.mark.parametrize(("least", "few"), [(2, False), (3, True)])
def test_the_rate_without_an_item_stands_on_the_accounts_of_the_others(least: int, few: bool) -> None:
    book = DealBook()
    for deal, outcome in enumerate(("won", "won", "lost", "open"), start=1):
        book.enter(deal, outcome, "EUR", 10)
    accounts = {deal: frozenset({(account, 1)}) for deal, account in ((1, 7), (2, 8), (3, 9), (4, 10))}
    assert others_are_too_few({(7, 1, 1, 0)}, accounts, book, Thresholds(accounts=least)) is few


def test_accounts_and_authors_are_thresholds_of_their_own() -> None:
    assert Thresholds(accounts=3, authors=2).hide_voices(_voices("abc", "r"))
    assert not Thresholds(accounts=3).hide_voices(_voices("abc"))
    assert not Thresholds(1, 1).hide(0, 0)
    assert not Thresholds(1, 1).are_set
