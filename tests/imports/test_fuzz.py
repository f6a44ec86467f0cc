"""Whatever the bytes, a reader gives records or refuses the file: nothing else is raised."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.imports.formats import READERS, open_file
from service.imports.mail import MailRefused, read_message
from service.imports.records import FileRefused, Format, Options
from service.imports.values import parse_date, parse_money
from tests.imports.files import FRENCH_CSV, archive, mail, word, workbook
from tests.imports.test_exports_of_crms import cell, ods, spreadsheetml

SEEDS = [
    FRENCH_CSV.encode(),
    FRENCH_CSV.encode("utf-16"),
    workbook(["note", "date"], ["x", 46056]),
    word("One.", table=[["a", "b"]]),
    archive({"a.csv": FRENCH_CSV.encode(), "b.eml": bytes(mail())}),
    bytes(mail(html="<p>x</p>")),
    b"From a@b Mon Sep 14 10:20:00 2026\n" + bytes(mail()),
    b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi\n",
    b"1\n00:00:01,000 --> 00:00:02,000\nAnn: Hi\n",
    b'{"text": "a", "deal": {"id": 1, "amount": 5}}\n{"text": ""}\n',
    spreadsheetml(f"<Row>{cell('Date')}{cell('Note')}</Row>", f"<Row>{cell('03/02/2026')}{cell('x')}</Row>"),
    ods("<table:table-row><table:table-cell><text:p>Note</text:p></table:table-cell></table:table-row>" * 3),
    gzip.compress(FRENCH_CSV.encode()),
    b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n"
    b"--b\nContent-Type: text/html\n\n<p>x</p>\n--b--\n",
]
IN_PROCESS = sorted(set(READERS) - {Format.PDF})  # a PDF is read in a process of its own: too slow for many examples
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def consume(content: bytes, form: Format | None = None) -> None:
    try:
        for _ in open_file(
            io.BytesIO(content), Options(format=form, known_account=lambda name: len(name) == 3)
        ).records:
            pass
    except FileRefused:
        return


@pytest.mark.parametrize("form", IN_PROCESS)
@MANY
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_by_any_reader(form: Format, content: bytes) -> None:
    consume(content, form)


@MANY
@given(
    seed=st.sampled_from(SEEDS), changes=st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6)), max_size=5)
)
def test_damaged_files(seed: bytes, changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(seed)
    for place, piece in changes:
        content[place % len(content) : place % len(content) + len(piece)] = piece
    if not bytes(content).startswith(b"%PDF"):
        consume(bytes(content))


@MANY
@given(raw=st.binary(max_size=400).map(lambda body: b"From: a@b.c\nContent-Type: " + body))
def test_any_message(raw: bytes) -> None:
    try:
        message = read_message(raw)
    except MailRefused:
        return
    assert "\x00" not in message.text


@MANY
@given(words=st.text(max_size=60) | st.from_regex(r"[0-9., €$/:-]{1,30}", fullmatch=True))
def test_any_cell(words: str) -> None:
    parse_money(words)
    parse_date(words)
