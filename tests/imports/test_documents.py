"""Documents, transcripts, archives, and what is refused within bounds."""

from __future__ import annotations

import io
import re
import zipfile

import docx
import openpyxl
import pytest
import srt
import webvtt

from service.imports.documents import docx_text
from service.imports.packages import check_package
from service.imports.records import FileRefused, Format
from service.imports.transcripts import srt_turns, vtt_turns
from tests.imports.files import archive, fault_of, notes_of, pdf, read, word, workbook

VTT = """\ufeffWEBVTT - call

NOTE
not spoken

STYLE
::cue { color: red }

intro
00:01.000 --> 00:03.000 align:start position:10%
<v Ann Lee>Hello &amp; welcome, <i>Bob</i>.</v>

00:00:03.500 --> 00:00:05.000
<v Bob>It is
too expensive.</v>

00:00:06.000 --> 00:00:07.000
Carla Diaz: Il manque un mode hors ligne.
"""
SRT = (
    "1\r\n00:00:01,000 --> 00:00:02,000\r\nAnn: Hi\r\n\r\n"
    "2\r\n00:00:02,500 --> 00:00:04,000\r\n<i>Bob: Trop\r\ncher</i>\r\n"
)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_vtt_keeps_speakers(end: str) -> None:
    reading, _ = read(VTT.replace("\n", end).encode())
    (note,) = notes_of(VTT.replace("\n", end).encode())
    assert (reading.format, reading.found["speakers"]) == (Format.VTT, ["Ann Lee", "Bob", "Carla Diaz"])
    assert note.kind == "transcript"
    assert note.text.split("\n") == [
        "Ann Lee: Hello & welcome, Bob.",
        "Bob: It is too expensive.",
        "Carla Diaz: Il manque un mode hors ligne.",
    ]


def test_vtt_words_are_those_of_the_reference_parser() -> None:
    text = VTT.removeprefix("\ufeff")
    reference = [" ".join(caption.text.split()) for caption in webvtt.from_buffer(io.StringIO(text))]
    ours = [words for _, words in vtt_turns(text)]
    said = [re.sub(r"^Carla Diaz: ", "", line).replace("&amp;", "&") for line in reference]
    assert ours == said


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-8-sig"])
def test_srt_keeps_speakers(encoding: str) -> None:
    text = SRT.replace("Hi", "Ça va")
    (note,) = notes_of(text.encode(encoding))
    assert note.text == "Ann: Ça va\nBob: Trop cher"
    reference = [re.sub(r"<[^>]+>", "", " ".join(cue.content.split())) for cue in srt.parse(text)]
    assert [f"{name}: {words}" for name, words in srt_turns(text.replace("\r\n", "\n"))] == reference


def test_plain_transcript_and_what_is_none() -> None:
    reading, _ = read(b"[00:01] Ann: Hello\nBob (00:05): Too dear.\nand slow.\nAnn: Why?\nBob: Price.\n")
    assert (reading.format, reading.found["speakers"]) == (Format.TRANSCRIPT, ["Ann", "Bob"])
    for text in ("Date: Monday\nAccount: Harrow\nTopic: price\nNext: call\n", "They like it, but it is dear.\n"):
        assert read(text.encode())[0].format is Format.TEXT


def test_markdown_with_commas_is_no_table() -> None:
    text = "# Notes\n\nWe met Ann, Bob, and Carla.\nThey like the demo, the price, and us.\n- Price: 20%, too high\n"
    assert read(text.encode())[0].format is Format.TEXT
    (note,) = notes_of(b"<html><body><p>Too <b>dear</b>.</p><script>x</script></body></html>")
    assert note.text == "Too dear."


def test_docx_gives_paragraphs_and_tables_in_order() -> None:
    (note,) = notes_of(word("Client : Aubry Frères", "Le prix\tbloque.", table=[["Sujet", "Avis"], ["Prix", "Cher"]]))
    assert note.text.split("\n")[:5] == [
        "Client : Aubry Frères",
        "Le prix\tbloque.",
        "Sujet\tAvis",
        "Prix\tCher",
        "Fin.",
    ]
    assert note.account is not None
    assert note.account.name == "Aubry Frères"


def test_docx_text_is_that_of_the_reference_library() -> None:
    content = word("One.", "", "Two & three <b>.", "É")
    reference = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(content)).paragraphs)
    assert docx_text(io.BytesIO(content)) == reference


def rezipped(content: bytes, name: str, change: bytes | None, *, add: dict[str, bytes] | None = None) -> bytes:
    """Return an Office file with one part changed, and others added."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = {member: package.read(member) for member in package.namelist()}
    if change is not None:
        parts[name] = change
    return archive({**parts, **(add or {})})


def test_external_entities_and_dtds_are_refused() -> None:
    evil = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document/>'
    late = b'<?xml version="1.0"?><!--' + b"x" * 200_000 + b"-->" + evil[21:]
    for change in (evil, late, evil.decode().encode("utf-16")):
        with pytest.raises(FileRefused) as refused:
            read(rezipped(word("x"), "word/document.xml", change))
        assert refused.value.code == "xml_dtd"
    with pytest.raises(FileRefused) as refused:
        read(rezipped(workbook(["note"], ["x"]), "xl/workbook.xml", evil))
    assert refused.value.code == "xml_dtd"


def test_macros_and_external_parts_are_not_looked_at() -> None:
    content = rezipped(word("Too dear."), "x", None, add={"word/vbaProject.bin": b"\xd0\xcf\x11\xe0 macro"})
    assert [note.text for note in notes_of(content)] == ["Too dear."]


def test_zip_bombs_are_refused_before_they_unpack() -> None:
    bomb = archive({"a.txt": bytes(64 * 1024 * 1024)})
    assert len(bomb) < 100_000
    inside = rezipped(word("x"), "x", None, add={"word/media/a.bin": bytes(64 * 1024 * 1024)})
    for content in (bomb, inside):
        with pytest.raises(FileRefused) as refused:
            read(content)
        assert refused.value.code == "zip_bomb"
    with pytest.raises(FileRefused) as refused:
        check_package(io.BytesIO(archive({f"{i}.txt": b"" for i in range(2_001)})))
    assert refused.value.code == "too_many_members"


def test_archive_with_odd_names() -> None:
    content = archive({"/abs.txt": b"x", "a/../../b.txt": b"x", "C:\\x.txt": b"x", "ok.txt": b"Too dear.", "dir/": b""})
    _, records = read(content)
    assert [fault_of(record)[1] for record in records[:3]] == ["unsafe_name"] * 3
    assert (records[3].member, records[3].note.text) == ("ok.txt", "Too dear.")


def test_pdf_gives_its_text_layer() -> None:
    (note,) = notes_of(pdf("The customer finds it too expensive."))
    assert note.text == "The customer finds it too expensive."
    for content, code in ((pdf(), "scan_without_text"), (pdf("Too expensive", "pw"), "encrypted")):
        with pytest.raises(FileRefused) as refused:
            read(content)
        assert refused.value.code == code


def test_workbook_reads_values_dates_and_every_sheet_with_text() -> None:
    from datetime import datetime

    content = workbook(
        ["Visites"],
        ["Date", "Client", "Commentaire", "Montant"],
        [datetime(2026, 2, 3), "Harrow", "Trop cher.", 18000.5],
        [46056, "Aubry", "#N/A", None],
        [None, "Aubry", None, None],
        Mars=[["Compte rendu", "Jour"], ["Lent.", "13/03/2026"]],
        Chiffres=[["A", "B"], [1, 2]],
    )
    reading, records = read(content)
    good = [record.note for record in records if hasattr(record.note, "text")]
    assert [(note.text, str(note.occurred_at)[:10]) for note in good] == [
        ("Trop cher.", "2026-02-03"),
        ("Lent.", "2026-03-13"),
    ]
    assert (good[0].deal.amount, records[0].number) == (18000.5, 3)
    assert [fault_of(record)[0] for record in records[1:3]] == ["text", "text"]
    assert reading.found["sheets_left_out"] == ["Chiffres"]


def test_declared_dimensions_are_not_believed() -> None:
    content = workbook(["note"], ["One."], ["Two."])
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheet = package.read("xl/worksheets/sheet1.xml")
    assert b"<dimension" in sheet
    for lie in (b'<dimension ref="A1"', b'<dimension ref="A1:XFD1048576"'):
        lying = re.sub(rb'<dimension ref="[^"]*"', lie, sheet)
        assert len(notes_of(rezipped(content, "xl/worksheets/sheet1.xml", lying))) == 2


def test_workbook_as_people_keep_it() -> None:
    """A header of two rows, one date and one account for several comments, remarks right of the table."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["Comptes rendus"],
        ["Date", "Client", "Retour client"],
        [None, None, "Montant", "Commentaire"],
        ["03/02/2026", "Harrow", 5, "Trop cher.", None, "à relire"],
        [None, None, None, "Lent."],
        [None, None, None, "Bien."],
        ["05/02/2026", "Aubry", None, "Ok."],
    ):
        sheet.append(row)
    for cells in ("A2:A3", "B2:B3", "C2:D2", "A4:A5", "B4:B6", "D6:D7"):
        sheet.merge_cells(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    reading, records = read(buffer.getvalue())
    assert [column["field"] for column in reading.found["columns"]] == [
        "occurred_at",
        "account.name",
        "deal.amount",
        "text",
    ]
    notes = [record.note for record in records if hasattr(record.note, "text")]
    assert [(note.text, note.account.name) for note in notes] == [
        ("Trop cher.", "Harrow"),
        ("Lent.", "Harrow"),
        ("Bien.", "Harrow"),
    ]
    assert [note.occurred_at.day for note in notes[:2]] == [3, 3]
    assert fault_of(records[3])[0] == "text"


def test_a_row_that_says_to_be_the_billionth_is_refused() -> None:
    content = workbook(["note"], ["One."])
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheet = package.read("xl/worksheets/sheet1.xml")
    far = sheet.replace(b'<row r="2"', b'<row r="900000000000"').replace(b'r="A2"', b'r="A900000000000"')
    assert far != sheet
    with pytest.raises(FileRefused) as refused:
        read(rezipped(content, "xl/worksheets/sheet1.xml", far))
    assert refused.value.code == "damaged"


def test_docx_says_moved_words_and_text_boxes_once() -> None:
    def run(words: str) -> str:
        return f"<w:r><w:t>{words}</w:t></w:r>"

    box = f"<w:txbxContent><w:p>{run('In a box.')}</w:p></w:txbxContent>"
    body = (
        f"<w:p>{run('Around ')}<w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
        f"</mc:AlternateContent></w:r>{run('the box.')}</w:p>"
        f"<w:p><w:moveFrom>{run('Moved.')}</w:moveFrom><w:del><w:r><w:delText>Struck.</w:delText></w:r></w:del>"
        f"{run('Kept.')}</w:p><w:p><w:ins>{run('New.')}</w:ins><w:moveTo>{run('Moved.')}</w:moveTo></w:p>"
    )
    names = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    word_names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    document = f"<w:document {word_names} {names}><w:body>{body}</w:body></w:document>"
    text = docx_text(io.BytesIO(rezipped(word("x"), "word/document.xml", document.encode())))
    assert text.split("\n") == ["In a box.", "Around the box.", "Kept.", "New.Moved."]


XLS = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="utf-8"><style>td {}</style></head>
<body><h1>Export</h1><table border=1><tr><th>Date<th>Client<th>Commentaire</tr>
<tr><td rowspan="2">03/02/2026<td>Harrow<td>Trop cher,<br>dit-elle &amp; lent.</tr>
<tr><td>Aubry<td>Ok.</tr><tr><td>13/02/2026<td colspan=2></tr></table></body></html>"""


def test_html_that_a_program_saved_as_xls_is_read_row_by_row() -> None:
    reading, records = read(XLS.encode(), name="export.xls")
    assert reading.format is Format.HTML
    first, second, empty, title = records
    assert (first.note.text, first.note.account.name) == ("Trop cher,\ndit-elle & lent.", "Harrow")
    assert [str(one.note.occurred_at)[:10] for one in (first, second)] == ["2026-02-03"] * 2
    assert (fault_of(empty)[0], fault_of(title)[1], title.skipped) == ("text", "beside_table", True)
    layout = "<html><body><table><tr><td><table><tr><td>Too dear.</table></table></body></html>"
    assert [note.text for note in notes_of(layout.encode())] == ["Too dear."]


def test_docx_with_a_list_of_notes_gives_a_note_each() -> None:
    rows = [["Date", "Client", "Compte rendu"], ["03/02/2026", "Harrow", "Cher."], ["04/02/2026", "Aubry", "Lent."]]
    long = (
        "Le prix revient dans chaque visite de la semaine, et personne ne demande de remise avant la fin du trimestre."
    )
    _, records = read(word("Semaine 6", long, table=rows))
    notes = [record.note for record in records]
    assert [(note.text, note.account and note.account.name) for note in notes] == [
        ("Cher.", "Harrow"),
        ("Lent.", "Aubry"),
        (f"Semaine 6\n{long}\nFin.", None),
    ]


TEAMS = (
    "Weekly call\n32m 14s\n\nAnn Lee   0:03\nHello.\nIs it dear?\n\nBob Stone   0:09\nToo dear.\n"
    "Ann Lee   1:02:10\nOk.\n"
)


@pytest.mark.parametrize("content", [TEAMS.encode(), word(*TEAMS.split("\n"))], ids=["txt", "docx"])
def test_transcripts_of_teams_name_the_speaker_above_each_turn(content: bytes) -> None:
    reading, (record,) = read(content)
    assert reading.found["speakers"] == ["Ann Lee", "Bob Stone"]
    assert record.note.kind == "transcript"
    assert record.note.text.split("\n")[-3:] == ["Ann Lee: Hello. Is it dear?", "Bob Stone: Too dear.", "Ann Lee: Ok."]
    agenda = "Programme\nAccueil 9:00\nVisite du site et discussion sur le prix.\nDéjeuner 12:00\nDépart 15:30\n"
    assert read(agenda.encode())[0].format is Format.TEXT


def test_formulas_without_a_result_are_named() -> None:
    rows = [["Date", "Client", "Note", "Montant"], ["2026-02-03", "Harrow", "Dear.", "=1+1"]]
    content = workbook(
        *rows, ["2026-02-04", "Aubry", '=A2&" x"', 5], [None, None, "=C2", None], [None, None, None, "=D2"]
    )
    taken, refused, alone = read(content)[1]
    assert (taken.note.text, [one.field for one in taken.warnings]) == ("Dear.", ["deal.amount"])
    assert [fault_of(one) for one in (refused, alone)] == [("text", "formula_without_result")] * 2
    assert (refused.number, refused.cells[1], alone.number) == (3, "Aubry", 4)


def test_a_sheet_that_is_a_chart_without_drawing_is_left_out() -> None:
    book = openpyxl.Workbook()
    for row in (["Client", "Note"], ["Harrow", "Dear."]):
        book.active.append(row)
    book.create_chartsheet("Chart").add_chart(openpyxl.chart.BarChart())
    buffer = io.BytesIO()
    book.save(buffer)
    bare = b'<?xml version="1.0"?><chartsheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    content = rezipped(buffer.getvalue(), "xl/chartsheets/sheet1.xml", bare)
    assert [note.text for note in notes_of(content)] == ["Dear."]
