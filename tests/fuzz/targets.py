"""What is fuzzed: each parser of bytes from outside, with the refusals that are right and what must hold of the rest.

A target takes bytes and raises only where the parser is wrong. Its seeds are where a fuzzer starts from.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import unquote_to_bytes

from service.catalog.schemas import CatalogBody
from service.errors import InvalidInput, Problem, SettingsRefused
from service.imports.columns import check_mapping
from service.imports.formats import READERS
from service.imports.mail import MailRefused, read_message
from service.imports.records import FileRefused, Format, Options
from service.imports.values import date_marks, parse_currency, parse_date, parse_money
from service.insights.weights import read_weights
from service.notes.intake import parse_body, parse_note
from service.notes.schemas import IncomingNote
from service.notes.text import plain_text
from service.paging import decode_cursor
from service.search.words import parse_query, places, postgresql_match, sqlite_match
from service.settings import read_connections
from service.sources.contract import Connection, Delivery, NoteChange, Source
from service.sources.intake import unpack
from service.sources.registry import SOURCES
from tests.imports.files import FRENCH_CSV, archive, mail, word, workbook

AT = datetime(2026, 9, 14, 10, 20, tzinfo=UTC)
SIGNED = "0123456789abcdef0123456789abcdef"
OPTIONS = {"portal_id": "62515", "org_id": "00D000000000062EAA", "reps": ["@firm.example"], "fields": {"Corps": "text"}}


@dataclass(frozen=True)
class Target:
    """A parser to be fuzzed."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...] = ()


def _file(form: Format, content: bytes) -> None:
    options = Options(format=form, known_account=lambda name: len(name) == 3)
    try:
        records = list(READERS[form](io.BytesIO(content), options).records)
    except FileRefused:
        return
    for record in records:
        if isinstance(record.note, IncomingNote):
            assert record.note.text is None or "\x00" not in record.note.text


def _message(content: bytes) -> None:
    try:
        message = read_message(content)
    except MailRefused:
        return
    assert "\x00" not in message.text


def delivery_of(name: str, content: bytes) -> Delivery:
    """Return a delivery whose first line is the type of its body, as one whose proof was taken."""
    kind, _, body = content.partition(b"\n")
    headers = {"content-type": kind.decode("latin-1"), "x-hubspot-signature-v3": "taken"}
    return Delivery("POST", f"https://binome.example/v1/webhooks/{name}", headers, (), "", body, AT)


def _delivery(name: str, content: bytes) -> None:
    delivery = delivery_of(name, content)
    connection = Connection(name, "main", (SIGNED,), OPTIONS)
    try:
        parsed = SOURCES[name].parse(delivery, connection)
    except Problem:
        return
    for change in (change for event in parsed.events for change in event.changes):
        if isinstance(change, NoteChange):
            json.dumps(change.item)
            parse_note(change.item)


def _proof(content: bytes) -> None:
    """Each line but the last is a header; none of them proves a body that nobody signed."""
    *lines, body = content.split(b"\n")
    pairs = [line.decode("latin-1").partition(":") for line in lines]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    for source in SOURCES.values():
        delivery = Delivery("POST", "https://binome.example/v1/webhooks/x", headers, (), "", body, AT)
        try:
            source.verify(delivery, Connection(source.name, "main", (SIGNED,), OPTIONS))
        except Exception:  # the contract: whatever a verifier raises means "not verified"
            continue
        raise AssertionError(f"{source.name} took what nobody signed")


def _unpacked(content: bytes) -> None:
    kind, _, body = content.partition(b"\n")
    delivery = Delivery("POST", "", {"content-encoding": kind.decode("latin-1")}, (), "", body, AT)
    try:
        assert len(unpack(delivery, 1 << 20)) <= max(1 << 20, len(body))
    except Problem:
        return


def _notes(content: bytes) -> None:
    try:
        parse_body(content)
    except Problem:
        return


def _html(content: bytes) -> None:
    text = plain_text(content.decode("utf-8", "replace"))
    assert "\r" not in text
    text.encode()


def _values(content: bytes) -> None:
    cell = content.decode("utf-8", "replace")
    day, money = parse_date(cell), parse_money(cell)
    date_marks(cell)
    parse_currency(cell)
    assert day is None or datetime.fromisoformat(day).tzinfo is not None
    assert money is None or abs(money[0]) < float("inf")


def _search(content: bytes) -> None:
    """The first line is the query, the rest a text to find it in: each place found lies in the text."""
    asked, _, text = content.decode("utf-8", "replace").partition("\n")
    query = parse_query(asked)
    found = places(text, query, 20)
    assert all(0 <= start < end <= len(text) for start, end in found)
    for terms in (query.wanted, query.excluded):
        if terms:
            sqlite_match(terms, " AND ")
            postgresql_match(terms, " & ")


def _cursor(content: bytes) -> None:
    for kinds in ((int,), (str, int), (float, str, int)):
        try:
            decode_cursor(content.decode("latin-1"), *kinds)
        except InvalidInput:
            continue


def _settings(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    for reader in (read_connections, read_weights):
        try:
            reader(text)
        except (ValueError, SettingsRefused):
            continue


def _catalog(content: bytes) -> None:
    try:
        catalog = CatalogBody.model_validate_json(content)
    except ValueError:
        return
    catalog.to_catalog()


def _mapping(content: bytes) -> None:
    try:
        check_mapping(json.loads(content))
    except (ValueError, RecursionError, InvalidInput):
        return


def _first_delivery(source: Source) -> bytes:
    """Return a source's own sample as `_delivery` takes it."""
    kind = source.media_type + ("; boundary=b" if source.media_type == "multipart/form-data" else "")
    return f"{kind}\n{source.sample}".encode()


_MAIL = bytes(mail(html="<p>x</p>"))
_FILES: dict[Format, tuple[bytes, ...]] = {
    Format.CSV: (FRENCH_CSV.encode(), FRENCH_CSV.encode("utf-16")),
    Format.XLSX: (workbook(["note", "date"], ["x", 46056]),),
    Format.DOCX: (word("One.", table=[["note", "date"], ["x", "2026-09-14"]]),),
    Format.ZIP: (archive({"a.csv": FRENCH_CSV.encode(), "b.eml": _MAIL}),),
    Format.EML: (_MAIL,),
    Format.MBOX: (b"From a@b Mon Sep 14 10:20:00 2026\n" + _MAIL,),
    Format.VTT: (b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi\n",),
    Format.SRT: (b"1\n00:00:01,000 --> 00:00:02,000\nAnn: Hi\n",),
    Format.TRANSCRIPT: (b"Ann: Hi\nBob: Hello\nAnn: It is too dear\n",),
    Format.JSONL: (b'{"text": "a", "deal": {"id": 1, "amount": 5}}\n{"text": ""}\n',),
    Format.JSON: (b'{"notes": [{"external_id": "1", "text": "a", "occurred_at": "2026-09-14T10:20:00Z"}]}',),
    Format.HTML: (b"<table><tr><th>note<th>date<tr><td>x<td>2026-09-14</table>",),
    Format.MHTML: (
        b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        b"<table><tr><th>note<th>date<tr><td>x<td>2026-09-14</table>\n--b--\n",
    ),
    Format.ODS: (
        archive(
            {
                "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
                "content.xml": b'<o:document-content xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
                b' xmlns:t="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
                b' xmlns:x="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><o:body><o:spreadsheet><t:table>'
                b"<t:table-row><t:table-cell><x:p>note</x:p></t:table-cell></t:table-row>"
                b"<t:table-row><t:table-cell><x:p>x</x:p></t:table-cell></t:table-row>"
                b"</t:table></o:spreadsheet></o:body></o:document-content>",
            }
        ),
    ),
    Format.TEXT: (b"They find it too expensive.\n",),
    Format.SPREADSHEETML: (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table><Row>'
        b"<Cell><Data>note</Data></Cell></Row><Row><Cell><Data>x</Data></Cell></Row></Table></Worksheet></Workbook>",
    ),
}
_POSTED = {name: source for name, source in SOURCES.items() if not source.polled}

TARGETS: dict[str, Target] = {
    # A PDF is read in a process of its own, with bounds on time and memory: nothing of it can be watched from here.
    **{
        f"file-{form.value}": Target(partial(_file, form), _FILES.get(form, ()))
        for form in READERS
        if form is not Format.PDF
    },
    **{
        f"source-{name}": Target(partial(_delivery, name), (_first_delivery(source),))
        for name, source in _POSTED.items()
    },
    "message": Target(_message, (_MAIL, bytes(mail("One.")))),
    "proof": Target(
        _proof,
        (
            b"authorization: Bearer eyJhbGciOiJub25lIn0.e30.\nx-hubspot-signature-v3: YQ==\n{}",
            b"webhook-id: a\nwebhook-timestamp: 1789381200\nwebhook-signature: v1,YQ==\n{}",
            unquote_to_bytes("x-slack-signature: v0=00%0Ax-slack-request-timestamp: 1789381200%0A{}"),
        ),
    ),
    "encoding": Target(_unpacked, (b"gzip\n\x1f\x8b\x08\x00", b"deflate\nx\x9c")),
    "notes": Target(_notes, (b'{"notes": [{"external_id": "a", "text": "<p>x", "deal": {"id": 1}}]}',)),
    "html": Target(_html, (b"<div>a<br>b<ul><li>c</ul><table><tr><td>d<td>e</table><ann@firm.com>&eacute;",)),
    "values": Target(_values, (b"14/09/2026 10:20", "1 234,50 €".encode(), b"Sept. 14, 2026", b"46056.5", b"EUR 5k")),
    "search": Target(_search, ('prix -"trop cher" œuvr*\nLe prix est trop cher : œuvres'.encode(),)),
    "cursor": Target(_cursor, (b"WzE3MF0", b"W1tdLDFd")),
    "settings": Target(_settings, (b'{"hubspot": {"secret": "long-enough"}}', b"reach=40, growth=30")),
    "catalog": Target(_catalog, (b'{"us": ["A"], "competitors": [{"name": "B", "aliases": ["b2"]}]}',)),
    "mapping": Target(_mapping, (b'{"Corps": "text", "Jour": null}',)),
}
