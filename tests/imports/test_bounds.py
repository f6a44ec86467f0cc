"""What small files may cost: HTML and XML nested without end, tables without end, lines without end, U+0000."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import write_session
from service.imports import queries, running
from service.imports.accounts import MAX_LOOKUPS, split_by_account
from service.imports.packages import MAX_XML_DEPTH, XmlDepth
from service.imports.records import FileRefused
from service.imports.running import BATCH_RECORDS, ImportFiles
from service.jobs.queries import claim_jobs
from service.notes.text import MAX_NESTING, plain_text
from tests.imports.files import archive, notes_of, read, word, workbook

SECONDS = 10  # read as it was, each took minutes
NESTS = ["<div>", "<ul><li>", "<b><div>", "<i></p>", "<table><tr><td>", "<blockquote>", "<span><p>", "<x:y><div>"]


@pytest.mark.parametrize("nest", NESTS)
def test_html_nested_without_end_is_read_in_bounded_time(nest: str) -> None:
    began = time.monotonic()
    text = plain_text(f"<p>Too dear &amp; slow.</p><script>no()</script>{nest * 60_000}Trop cher.<br>")
    assert text.split("\n")[0] == "Too dear & slow."
    assert "Trop cher." in text
    assert "<" not in text.replace("<x:y>", "")
    assert "no()" not in text
    assert time.monotonic() - began < SECONDS


def test_html_nested_as_mail_threads_are_is_parsed() -> None:
    thread = "<div><blockquote>" * (MAX_NESTING // 2 - 1) + "<ul><li>Too dear<li>Slow</ul>"
    assert plain_text(thread) == "- Too dear\n- Slow"
    many = "".join(f"<p>{n}<ul><li>one<li>two</ul><table><tr><td>a<tr><td>b</table>" for n in range(2_000))
    assert plain_text(many).startswith("0\n- one\n- two\na\nb\n1\n"), "closed again, so not nested"


@pytest.mark.parametrize("document", ["<table><tr><td>x" * 60_000, "<table><tr><td>x</td></tr></table>" * 20_000])
def test_tables_without_end_are_read_in_bounded_time(document: str) -> None:
    began = time.monotonic()
    (note,) = notes_of(b"<html><body><p>Too dear for them.</p>" + document.encode())
    assert note.text.startswith("Too dear for them.")
    assert time.monotonic() - began < SECONDS


def test_short_lines_are_looked_up_so_often_and_no_more() -> None:
    asked: list[str] = []

    def known(name: str) -> bool:
        asked.append(name)
        return name == "Harrow Foods"

    lines = ["Harrow Foods", "It is too dear for them.", "Aubry", "Aubry", *(f"line {n}" for n in range(9_000))]
    assert [part.account for part in split_by_account("\n".join(lines), known)] == ["Harrow Foods"]
    assert len(asked) == len(set(asked)) == MAX_LOOKUPS


@pytest.mark.parametrize("name", ["note.txt", "note.md", "note.html"])
def test_a_text_with_u_0000_is_taken_without_it(client: TestClient, name: str) -> None:
    html = name.endswith("html")
    content = b"<html><body><p>Too\x00 dear for them.</p></body></html>" if html else b"Too\x00 dear for them."
    answer = client.post("/v1/imports", files={"file": (name, content)})
    assert answer.status_code == 202, answer.text
    (item,) = client.get("/v1/notes").json()["items"]
    assert client.get(f"/v1/notes/{item['id']}").json()["text"] == "Too dear for them."


def deep(xml: bytes, place: bytes) -> bytes:
    return xml.replace(place, place + b"<a>" * 500_000, 1)


def test_xml_nested_without_end_is_refused_before_it_is_parsed() -> None:
    began = time.monotonic()
    sheet, report = workbook(["id", "text"], ["1", "Too dear for them."]), word("Too dear for them.")
    ods = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a>" * 500_000}
    excel = b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">' + b"<a>" * 500_000
    files = [
        repacked(sheet, "xl/worksheets/sheet1.xml", lambda xml: deep(xml, b"<sheetData>")),
        repacked(report, "word/document.xml", lambda xml: deep(xml, b"<w:body>")),
        repacked(report, "word/document.xml", lambda xml: b"<a>" * 500_000),
        archive(ods),
        excel,
        excel.decode().encode("utf-16"),
    ]
    for content in files:
        with pytest.raises(FileRefused) as refused:
            read(content)
        assert refused.value.code == "damaged"
    assert time.monotonic() - began < SECONDS


def test_elements_that_are_closed_again_are_not_nested() -> None:
    depth = XmlDepth()
    for piece in (b'<?xml version="1.0"?><!-- a --><a><b/><c>x<', b"/c><d", b"/", b"></a", b">") * 5_000:
        depth.add(piece)
    depth.add(b"<a>" * MAX_XML_DEPTH)
    with pytest.raises(FileRefused):
        depth.add(b"<a>")


@pytest.mark.parametrize("part", ["xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml"])
def test_a_workbook_of_formats_without_end_is_refused(part: str) -> None:
    sheet = workbook(["id", "text"], ["1", "Too dear for them."])
    with pytest.raises(FileRefused) as refused:
        read(repacked(sheet, part, lambda xml: xml.replace(b">", b">" + b"<xf/>" * 150_000, 2)))
    assert refused.value.code == "too_large"


def test_a_file_that_is_refused_nearly_whole_is_not_read_to_its_end(
    client: TestClient, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (queries, running):
        monkeypatch.setattr(module, "MAX_REFUSALS_KEPT", 2_000)
    lines = b"id,text\n1,Too dear for them.\n" + b"x\n" * 40_000
    answer = client.post("/v1/imports", files={"file": ("notes.csv", lines)}).json()
    with write_session(engine) as session:
        (job_id,) = [job.id for job in claim_jobs(session)]
    ImportFiles(engine).run(job_id)
    done = client.get(f"/v1/imports/{answer['id']}").json()
    assert (done["state"], done["failure"]["code"]) == ("failed", "mostly_refused")
    assert (done["results"]["created"], done["records"]) == (1, 2_000 + BATCH_RECORDS)
    assert client.get(f"/v1/imports/{answer['id']}/refused").json()["total"] == 2_000


def repacked(package: bytes, member: str, change: Callable[[bytes], bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as held:
        return archive(
            {name: change(held.read(name)) if name == member else held.read(name) for name in held.namelist()}
        )
