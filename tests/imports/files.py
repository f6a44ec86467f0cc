"""Files as programs write them, for the tests."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from typing import Any

import docx
import openpyxl
from pypdf import PdfWriter

from service.imports.formats import open_file
from service.imports.records import Options, Reading, Record
from service.notes.intake import RejectedNote
from service.notes.schemas import IncomingNote

FRENCH_CSV = (
    "Date de l'appel;Société;Commercial;Équipe;Compte rendu;Montant;Étape;Statut\r\n"
    '03/02/2026;Harrow Foods;R. Marchetti;Nord;"Trop cher,\r\ndit-elle – à revoir.";18 000,00 €;Proposition;Perdu\r\n'
    "13/02/2026;Pâtisserie Aubry;É. Lenoir;Sud;Le délai est trop long.;;;\r\n"
)


def read(content: bytes | io.BytesIO, **options: Any) -> tuple[Reading, list[Record]]:
    """Read a file to its end."""
    reading = open_file(io.BytesIO(content) if isinstance(content, bytes) else content, Options(**options))
    return reading, list(reading.records)


def notes_of(content: bytes | io.BytesIO, **options: Any) -> list[IncomingNote]:
    """Return a file's notes, all of which must be good."""
    records = read(content, **options)[1]
    assert not [record.note for record in records if isinstance(record.note, RejectedNote)]
    return [record.note for record in records if isinstance(record.note, IncomingNote)]


def fault_of(record: Record) -> tuple[str, str]:
    """Return the field and the code of a refused record."""
    assert isinstance(record.note, RejectedNote)
    return record.note.error.field, record.note.error.code


def workbook(*rows: list[Any], **sheets: list[list[Any]]) -> bytes:
    """Return an XLSX file: rows of its first sheet, and further sheets."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def word(*paragraphs: str, table: list[list[str]] | None = None) -> bytes:
    """Return a DOCX file: paragraphs, then a table."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if table:
        grid = document.add_table(len(table), len(table[0]))
        for row, cells in enumerate(table):
            for column, text in enumerate(cells):
                grid.cell(row, column).text = text
        document.add_paragraph("Fin.")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def pdf(text: str | None = None, password: str | None = None) -> bytes:
    """Return a PDF of one page: with a text layer, or blank as a scan without one."""
    stream = f"BT /F1 12 Tf 40 700 Td ({text or ''}) Tj ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    body = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    if password is None:
        return body
    writer = PdfWriter(clone_from=io.BytesIO(body))
    writer.encrypt(password)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def mail(text: str = "They find it too expensive.", html: str | None = None, **headers: str) -> EmailMessage:
    """Return a message; headers by name, `_` for `-`."""
    message = EmailMessage()
    given = {"From": '"R. Marchetti" <Rep@Clavance.example>', "To": "notes@clavance.example"}
    given |= {
        "Subject": "Harrow Foods",
        "Date": "Mon, 14 Sep 2026 10:20:00 +0200",
        "Message-ID": "<m-1@clavance.example>",
    }
    for name, value in (given | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value:
            message[name] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def archive(members: dict[str, bytes]) -> bytes:
    """Return a ZIP file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return buffer.getvalue()
