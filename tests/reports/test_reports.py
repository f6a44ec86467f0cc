"""Monthly reports: built once, frozen, corrected by new editions, and cleared of what is erased."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import openpyxl
import pypdf
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pptx import Presentation

from service.database import read_session, write_session
from service.jobs.tables import JobTable
from service.outgoing_tables import EventTable
from service.reports import building
from service.reports.building import FollowErasures, ask_to_follow_erasures, build, close_month
from service.reports.editions import Draft, Rendering, edition_output, read_content
from service.reports.outline import Column, Kind, Table, outline, written
from service.reports.page import drawn
from service.reports.queries import find_report
from service.reports.schemas import Accounts, Format, ReportContent, ReportLanguage, Value, without_accounts
from service.reports.tables import ReportFileTable, ReportTable
from service.reports.withdrawing import Cause, follow_erasures
from service.reports.words import Phrases
from service.tables import NoteTable, ObjectionTable
from tests.service.visits import by_account, make_theme, read_in, shown
from tests.work import note

NOW = datetime(2026, 10, 2, 6, tzinfo=UTC)
WORDS = "It is too expensive for us."


@pytest.fixture
def workspace(engine: sa.Engine) -> sa.Engine:
    read_in(
        engine,
        *by_account(4, text=WORDS, author={"id": "r1", "name": "Ilona Vasseur", "team": "north"}),
        note("old", "It is too expensive.", occurred_at="2026-08-03T10:00:00Z", account={"id": "a9", "name": "Old"}),
        note("named", "Ilona says it is too expensive.", account={"id": "a5", "name": "=cmd()"}),
    )
    make_theme(engine, "theme-1", "Price", "Prix")
    return engine


def kept(engine: sa.Engine) -> list[tuple[str, str, str, str]]:
    table = ReportFileTable
    with read_session(engine) as session:
        rows = session.execute(sa.select(table.format, table.language, table.accounts, table.sha256))
        return sorted(tuple(row) for row in rows)


def test_a_report_is_frozen_in_every_form(workspace: sa.Engine, client: TestClient) -> None:
    assert build(workspace, "2026-09", NOW, by="tests") == 1
    files = kept(workspace)
    assert len(files) == 16
    report = client.get("/v1/reports/2026-09").json()
    assert report["edition"]["edition"] == 1
    assert report["content"]["coverage"]["read"] == 5
    (price,) = [o for o in report["content"]["objections"] if o["id"] == "price"]
    assert (price["notes"], price["trend"]["previous"]) == (5, 1)
    assert client.get("/v1/reports/2026-09.json").json() == report
    first = client.get("/v1/reports/2026-09.pdf?language=fr")
    assert first.content == client.get("/v1/reports/2026-09.pdf?language=fr").content
    assert "septembre" in pypdf.PdfReader(io.BytesIO(first.content)).pages[0].extract_text().lower()
    slides = Presentation(io.BytesIO(client.get("/v1/reports/2026-09.pptx").content))
    assert all(slide.shapes.title.text_frame.text for slide in slides.slides)
    assert any(shape.has_chart for slide in slides.slides for shape in slide.shapes)
    book = openpyxl.load_workbook(io.BytesIO(client.get("/v1/reports/2026-09.xlsx").content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert len(book.sheetnames) > 8
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert kept(workspace) == files
    assert build(workspace, "2026-09", NOW, by="tests") == 1, "nothing differs"


@pytest.mark.parametrize(("language", "marks"), [("en", "“”"), ("fr", "«»")])
def test_a_spreadsheet_quotes_as_its_language_does_and_shows_whole_lines(
    workspace: sa.Engine, client: TestClient, language: str, marks: str
) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/v1/reports/2026-09.xlsx?language={language}").content))
    first = [row[0] for sheet in book for row in sheet.iter_rows() if isinstance(row[0].value, str)]
    quotes = [cell.value for cell in first if set("“”«»") & set(cell.value)]
    assert quotes
    assert all(set("“”«»") & set(quote) == set(marks) for quote in quotes)
    method = book.worksheets[-1]
    long = [row[0] for row in method.iter_rows() if len(str(row[0].value or "")) > 110]
    assert long
    assert all(method.row_dimensions[cell.row].height >= 30 for cell in long), "a second line shows"


def test_quotes_name_no_person_and_accounts_only_where_asked(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    named = client.get("/v1/reports/2026-09.html").text
    hidden = client.get("/v1/reports/2026-09.html?accounts=hidden").text
    assert "Ilona" not in named + hidden
    assert re.search(r"Account \d", named)
    assert not re.search(r"Account \d", hidden)
    assert "<script" not in named


def test_what_reps_only_expect_is_no_quote(workspace: sa.Engine, client: TestClient) -> None:
    with write_session(workspace) as session:
        session.execute(sa.update(ObjectionTable).values(status="anticipated"))
    build(workspace, "2026-09", NOW, by="tests")
    objection = client.get("/v1/reports/2026-09").json()["content"]["objections"][0]
    assert objection["statuses"]["anticipated"] == objection["mentions"] > 0
    assert objection["quotes"] == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Harrow Foods find it dear, says HARROW.", "[…] find it dear, says […]."),
        ("L'équipe de Harrow & Foods attend.", "L'équipe de […] attend."),
        ("Good foods are harrowing; Harrowgate waits.", "Good foods are harrowing; Harrowgate waits."),
        ("3M+ (sic) is in place.", "[…] (sic) is in place."),
    ],
)
def test_accounts_names_leave_the_words_of_quotes_too(
    workspace: sa.Engine, client: TestClient, said: str, shown: str
) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    content = ReportContent.model_validate(client.get("/v1/reports/2026-09").json()["content"])
    first, second = content.objections[0].quotes[:2]
    first.account, first.text, second.account, second.followed_by = "Harrow Foods", said, "3M+", said
    hidden = without_accounts(content).objections[0].quotes
    assert (hidden[0].account, hidden[0].text, hidden[1].followed_by) == (None, shown, shown)
    assert first.text == said, "the content itself stays"


def test_what_is_corrected_later_makes_a_new_edition(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    before = client.get("/v1/reports/2026-09.html").content
    read_in(workspace, note("late", WORDS, account={"id": "a1", "name": "Account 1"}))
    assert build(workspace, "2026-09", NOW, by="tests", reason="a late note") == 2
    edition = client.get("/v1/reports/2026-09").json()["edition"]
    moved = {d["about"]["en"]: (d["before"], d["after"]) for d in edition["differences"]}
    assert moved["Why: notes that came late"] == (None, 1)
    assert moved["Notes read"] == (5, 6)
    assert client.get("/v1/reports/2026-09.html?edition=1").content == before
    assert [e["edition"] for e in client.get("/v1/reports").json()["items"]] == [2, 1]


def test_another_name_and_another_status_make_a_new_edition(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    assert build(workspace, "2026-09", NOW, by="tests") == 1, "nothing differs"
    found = client.get("/v1/objections/price/evidence").json()["items"]
    one = next(quote for quote in found if quote["date"] == "2026-09-14")
    corrected = {"kind": "wrong_status", "finding_id": one["id"], "status": "resolved"}
    assert client.post("/v1/corrections", json=corrected).status_code == 201
    renamed = client.patch("/v1/themes/theme-1", json={"label": {"en": "Cost of it", "fr": "Ce que cela coûte"}})
    assert renamed.status_code == 200
    assert build(workspace, "2026-09", NOW, by="tests") == 2
    edition = client.get("/v1/reports/2026-09").json()["edition"]
    moved = {d["about"]["en"]: (d["before"], d["after"]) for d in edition["differences"]}
    assert moved["Name"] == ("Price · Prix", "Cost of it · Ce que cela coûte")
    assert moved["Price: resolved"] == (0, 1)
    assert moved["Price: open"][0] - moved["Price: open"][1] == 1
    assert "Nom" in client.get("/v1/reports/2026-09.html?language=fr").text


def test_of_two_that_build_a_month_at_once_the_first_stands(
    workspace: sa.Engine, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker stores its edition while this one renders."""
    render_all = building.render_all

    def overtaken(made: Draft) -> list[Rendering]:
        monkeypatch.setattr(building, "render_all", render_all)
        assert build(workspace, "2026-09", NOW, by="another") == 1
        return render_all(made)

    monkeypatch.setattr(building, "render_all", overtaken)
    assert build(workspace, "2026-09", NOW, by="tests") == 1
    editions = client.get("/v1/reports").json()["items"]
    assert [(e["edition"], e["created_by"]) for e in editions] == [(1, "another")]
    with read_session(workspace) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(EventTable)) == 1


def test_slides_hold_no_date_but_the_reports_own(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    deck = zipfile.ZipFile(io.BytesIO(client.get("/v1/reports/2026-09.pptx").content))
    workbooks = [deck.read(name) for name in deck.namelist() if name.endswith(".xlsx")]
    assert workbooks, "charts can be edited"
    for package in (deck, *(zipfile.ZipFile(io.BytesIO(one)) for one in workbooks)):
        assert {member.date_time for member in package.infolist()} == {NOW.timetuple()[:6]}
        dates = re.findall(rb"\d{4}-\d\d-\d\dT[\d:]+Z", package.read("docProps/core.xml"))
        assert set(dates) == {b"2026-10-02T06:00:00Z"}


def test_everywhere_a_month_makes_the_same_bytes(workspace: sa.Engine) -> None:
    """Built by processes of other time zones, languages and hash seeds."""
    url = workspace.url.render_as_string(hide_password=False)
    places = (
        {"TZ": "Pacific/Kiritimati", "LANG": "C", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/Los_Angeles", "LANG": "fr_FR.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
    )
    command = [sys.executable, "-m", "tests.reports.digests", url, "2026-09", NOW.isoformat()]
    here, there = (
        subprocess.run(command, env={**os.environ, **place}, capture_output=True, text=True, check=True).stdout
        for place in places
    )
    assert len(here.splitlines()) == 1 + len(Format) * len(ReportLanguage) * len(Accounts)
    assert here == there


def held(answer: bytes) -> bytes:
    """Return the bytes of a file, unpacked."""
    packed = zipfile.ZipFile(io.BytesIO(answer))
    return b"".join(packed.read(name) for name in packed.namelist())


def test_an_erased_note_makes_a_new_edition_and_withdraws_the_old(
    workspace: sa.Engine, client: TestClient, signed: TestClient
) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    first = client.get("/v1/reports/2026-09").json()["content"]
    gone = first["objections"][0]["quotes"][0]
    assert gone["account"].encode() in held(client.get("/v1/reports/2026-09.xlsx").content)
    assert client.delete(f"/v1/notes/{gone['note_id']}").status_code < 300
    report = client.get("/v1/reports/2026-09").json()
    assert (report["edition"]["edition"], report["edition"]["created_by"]) == (2, "erasure")
    assert report["edition"]["erased"] >= 1
    (why,) = report["edition"]["differences"]
    assert why["about"]["en"] == "Why: an erasure; quotes that went"
    assert gone["note_id"] not in {q["note_id"] for q in report["content"]["objections"][0]["quotes"]}
    assert report["content"]["objections"][0]["quotes"], "other quotes stay"
    assert report["content"]["coverage"] == first["coverage"], "its figures stay"
    assert gone["account"] not in client.get("/v1/reports/2026-09.html").text
    assert gone["account"].encode() not in held(client.get("/v1/reports/2026-09.pptx").content)
    old = client.get("/v1/reports/2026-09?edition=1").json()
    assert (old["edition"]["replaced_by"], old["edition"]["withdrawn_at"] is not None) == (2, True)
    assert old["content"]["coverage"] == first["coverage"]
    assert [quote for item in old["content"]["objections"] for quote in item["quotes"] + item["resolved"]] == []
    for form in ("html", "pdf", "pptx", "xlsx"):
        refused = client.get(f"/v1/reports/2026-09.{form}?edition=1")
        assert (refused.status_code, refused.json()["code"]) == (410, "withdrawn")
    assert "Edition 2 replaces it" in refused.json()["detail"]
    page = shown(signed.get("/reports/2026-09?edition=1").text)
    assert "Edition 1 was withdrawn" in page
    assert "Read edition 2 instead" in page
    assert [e["edition"] for e in client.get("/v1/reports").json()["items"]] == [2, 1]


def test_a_name_that_is_erased_leaves_all_bytes_of_all_editions(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    read_in(workspace, note("late", WORDS, account={"id": "a7", "name": "Seventh"}))
    build(workspace, "2026-09", NOW, by="tests", reason="Quenby Ardolph asked for it")
    erasure = {"kind": "account", "id": "a1", "also": ["Quenby Ardolph"]}
    counted = client.post("/v1/erasures", json=erasure).json()["counts"]
    assert len(client.get("/v1/reports").json()["items"]) == 2, "what is only counted changes nothing"
    assert client.post("/v1/erasures", json={**erasure, "confirm": True}).json()["counts"] == counted
    assert counted["reports"] == 2
    latest, *withdrawn = client.get("/v1/reports").json()["items"]
    assert (latest["edition"], latest["reason"], latest["withdrawn_at"]) == (3, None, None)
    assert [(e["edition"], e["replaced_by"], e["reason"]) for e in withdrawn] == [
        (2, 3, "[erased] asked for it"),
        (1, 3, None),
    ]
    for form in ("xlsx", "pptx"):
        client.get(f"/v1/reports/2026-09.{form}")
    with read_session(workspace) as session:
        contents = session.scalars(sa.select(ReportTable.content)).all()
        files = session.execute(sa.select(ReportTable.edition, ReportFileTable.content).join(ReportFileTable)).all()
    assert [content for content in contents if "Account 1" in content] == []
    assert {edition for edition, _ in files} == {3}
    assert [content for _, content in files if b"Account 1" in held(content)] == []
    assert build(workspace, "2026-09", NOW, by="tests") == 4, "counted anew, the month has a note less"


def test_an_edition_made_by_retention_loses_later_quotes_in_place(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-09", NOW, by="tests")

    def editions(cause: Cause, note_id: str) -> list[int]:
        with write_session(workspace) as session:
            session.execute(sa.update(NoteTable).where(NoteTable.id == int(note_id)).values(deleted_at=NOW))
            follow_erasures(session, NOW, cause=cause)
        return [e["edition"] for e in client.get("/v1/reports").json()["items"] if not e["withdrawn_at"]]

    quotes = client.get("/v1/reports/2026-09").json()["content"]["objections"][0]["quotes"]
    first, second, third = (quote["note_id"] for quote in quotes[:3])
    assert editions(Cause.RETENTION, first) == [2]
    before = client.get("/v1/reports/2026-09.html").text
    assert editions(Cause.RETENTION, second) == [2]
    assert client.get("/v1/reports/2026-09.html").text != before
    assert client.get("/v1/reports/2026-09").json()["edition"]["withdrawn_at"] is None
    assert editions(Cause.ERASURE, third) == [3]
    left = client.get("/v1/reports/2026-09").json()["content"]["objections"][0]["quotes"]
    assert not {first, second, third} & {quote["note_id"] for quote in left}


def test_a_worker_follows_erasures(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    quote = client.get("/v1/reports/2026-09").json()["content"]["objections"][0]["quotes"][0]
    client.delete(f"/v1/notes/{quote['note_id']}")
    ask_to_follow_erasures(workspace, NOW)
    with read_session(workspace) as session:
        (job_id,) = session.scalars(sa.select(JobTable.id))
    FollowErasures(workspace).run(job_id)
    with read_session(workspace) as session:
        assert session.get_one(JobTable, job_id).result == {"editions": 1}
        files = sa.select(ReportTable.edition, sa.func.count(ReportFileTable.id)).join(ReportFileTable)
        assert [tuple(row) for row in session.execute(files.group_by(ReportTable.edition))] == [(2, 16)]


def test_the_next_month_s_changes_add_up(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-08", NOW, by="tests")
    read_in(workspace, note("late", WORDS, occurred_at="2026-08-20T10:00:00Z", account={"id": "a8"}))
    build(workspace, "2026-09", NOW, by="tests")
    changes = client.get("/v1/reports/2026-09").json()["content"]["changes"]
    (price,) = [c for c in changes if c["id"] == "price"]
    assert (price["then"], price["notes"], price["recounted"], price["now"], price["market"]) == (1, 1, 2, 5, 3)
    assert (price["reader"], price["taxonomy"]) == (0, 0)


@pytest.mark.parametrize("notes", [[], [note("n1", WORDS)]])
def test_months_with_nothing_or_little(engine: sa.Engine, client: TestClient, notes: list[dict]) -> None:
    if notes:
        read_in(engine, *notes)
    build(engine, "2026-09", NOW, by="tests")
    report = client.get("/v1/reports/2026-09").json()
    assert report["content"]["coverage"]["read"] == len(notes)
    assert report["content"]["summary"]
    for form in ("html", "pdf", "pptx", "xlsx"):
        assert client.get(f"/v1/reports/2026-09.{form}").status_code == 200


def test_bad_input(client: TestClient) -> None:
    assert client.get("/v1/reports/2026-09").status_code == 404
    assert client.get("/v1/reports/2026-13").status_code == 422
    assert client.get("/v1/reports/2026-09.doc").status_code == 422
    assert client.get("/v1/reports/2026-09.pdf?language=de").status_code == 422
    refused = client.post("/v1/reports", json={"month": "2199-01"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "not_over")
    asked = client.post("/v1/reports", json={"month": "2026-09"})
    assert asked.status_code == 202
    assert client.post("/v1/reports", json={"month": "2026-09"}).json()["id"] == asked.json()["id"]


def test_the_month_closes_once_all_its_notes_are_read(workspace: sa.Engine) -> None:
    def asked() -> int:
        with read_session(workspace) as session:
            return session.scalar(sa.select(sa.func.count()).select_from(JobTable)) or 0

    close_month(workspace, datetime(2026, 10, 1, 23, tzinfo=UTC))
    close_month(workspace, datetime(2026, 10, 11, tzinfo=UTC))
    assert asked() == 0
    close_month(workspace, NOW)
    close_month(workspace, NOW)
    assert asked() == 1


def test_pages(workspace: sa.Engine, signed: TestClient) -> None:
    assert "No report yet" in signed.get("/reports").text
    build(workspace, "2026-09", NOW, by="tests")
    assert "September 2026" in signed.get("/reports").text
    page = signed.get("/reports/2026-09?lang=fr")
    assert page.status_code == 200
    assert "septembre 2026" in shown(page.text)
    assert signed.get("/reports/2026-08").status_code == 404
    assert signed.get("/reports/nonsense").status_code == 404


def test_charts_set_a_month_beside_the_one_before_and_headings_stand_once(workspace: sa.Engine) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    with read_session(workspace) as session:
        row = find_report(session, "2026-09")
        assert row is not None
        content, edition = read_content(row), edition_output(row)
    sections = {section.key: section for section in outline(content, edition, ReportLanguage.EN).sections}
    chart = sections["insights"].chart
    assert chart is not None
    assert chart.grouped
    assert chart.series == [
        ("This month", [item.notes for item in content.insights]),
        ("Month before", [item.trend.previous for item in content.insights]),
    ]
    bars = drawn(chart, Phrases(ReportLanguage.EN)).bars
    assert [bar.series for bar in bars] == [0, 2] * len(chart.categories)
    headings = [quote.note for quote in sections["insights"].quotes if quote.note]
    assert headings
    assert len(headings) == len(set(headings))
    assert all(bool(quote.note) == bool(quote.reason) for quote in sections["insights"].quotes)
    assert all(reason[:1].islower() for quote in sections["insights"].quotes for reason in quote.reason.split("; ")[1:])
    assert any("; " in quote.reason for quote in sections["insights"].quotes)


def test_changes_have_their_sign() -> None:
    column = Column("Customers", Kind.CHANGE)
    for language, written_so in ((ReportLanguage.EN, "+1,200"), (ReportLanguage.FR, "+1\u202f200")):
        rows: list[list[Value]] = [[1200], [-2], [0], [None]]
        assert written(Table([column], rows), Phrases(language)) == [[written_so], ["−2"], ["0"], ["–"]]


def test_no_slide_says_that_there_is_nothing(workspace: sa.Engine, client: TestClient) -> None:
    build(workspace, "2026-09", NOW, by="tests")
    deck = Presentation(io.BytesIO(client.get("/v1/reports/2026-09.pptx").content))
    told = [shape.text_frame.text for slide in deck.slides for shape in slide.shapes if shape.has_text_frame]
    assert "Objections" in told
    assert "Names to look at" not in told
    assert "Nothing to report." not in told
