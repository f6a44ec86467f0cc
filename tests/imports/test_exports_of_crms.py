"""Files as CRMs export them: names of columns in English and French, spreadsheets that are not XLSX, footers."""

from __future__ import annotations

import gzip
import io
import time
import zipfile

import pytest

from service.imports.columns import map_columns
from service.imports.records import FileRefused, Format
from tests.imports.files import fault_of, notes_of, read, workbook

# of each export, the header and what its columns are; "-" is left out
EXPORTS = {
    "hubspot notes": "Record ID=external_id|Note body=text|Activity date=occurred_at|Activity assigned to=author.name|"
    "Create date=-|Last modified date=updated_at|Associated Contact=-|Associated Company IDs=account.id|"
    "Associated Company=account.name|Associated Deal IDs=deal.id|Associated Deal=-",
    "hubspot calls": "Record ID - Calls=external_id|Call notes=text|Call title=title|Call outcome=-|"
    "Activity date=occurred_at|Associated Company (Primary)=account.name|Associated Deal=deal.id",
    "hubspot en français": "ID de fiche d'informations=external_id|Corps de la note=text|"
    "Date de l'activité=occurred_at|Activité attribuée à=author.name|"
    "Date de dernière modification=updated_at|Entreprise associée=account.name|"
    "IDs de l'entreprise associée=account.id|Transaction associée=deal.id",
    "salesforce report": "Subject=title|Full Comments=text|Date=occurred_at|Assigned=author.name|"
    "Company / Account=account.name|Opportunity=deal.id|Activity ID=external_id|Created Date=-|"
    "Last Modified Date=updated_at|Amount=deal.amount|Amount Currency=deal.currency|Stage=deal.stage",
    "salesforce en français": "Objet=title|Commentaires complets=text|Date=occurred_at|Attribué(e)=author.name|"
    "Société/Compte=account.name|Opportunité=deal.id|ID d'activité=external_id|"
    "Date de la dernière modification=updated_at|Montant=deal.amount|Étape=deal.stage",
    "salesforce data loader": "Id=external_id|WhoId=-|Subject=title|ActivityDate=occurred_at|OwnerId=author.id|"
    "Description=text|AccountId=account.id|LastModifiedDate=updated_at",
    "salesforce data loader, all capitals": "ID=external_id|ACCOUNTID=account.id|OWNERID=author.id|SUBJECT=title|"
    "DESCRIPTION=text|ACTIVITYDATE=occurred_at|LASTMODIFIEDDATE=updated_at|ISDELETED=deleted|WHATID=-",
    "hubspot deals": "Record ID=external_id|Deal Name=deal.id|Deal Stage=deal.stage|Close Date=occurred_at|"
    "Deal owner=author.name|Amount=deal.amount|Deal Description=text|Closed Lost Reason=text",
    "réunions de hubspot": "ID de fiche d'informations - Réunions=external_id|Titre de la réunion=title|"
    "Notes de réunion internes=text|Heure de début de la réunion=occurred_at|Entreprise associée=account.name",
    "zoho notes": "Record Id=external_id|Note Title=title|Note Content=text|Note Owner.id=author.id|"
    "Note Owner=author.name|Created Time=occurred_at|Modified Time=updated_at|Parent ID.id=-|Parent ID=account.name",
    "zoho en français": "Id d'enregistrement=external_id|Titre de la note=title|Contenu de la note=text|"
    "Propriétaire de la note=author.name|Heure de création=occurred_at|Heure de modification=updated_at|"
    "Nom du compte=account.name",
    "pipedrive": "Activity - ID=external_id|Activity - Subject=title|Activity - Note=text|"
    "Activity - Due date=occurred_at|Activity - Assigned to user=author.name|Organization - Name=account.name|"
    "Organization - ID=account.id|Deal - Title=-|Deal - ID=deal.id|Deal - Value=deal.amount|"
    "Deal - Currency of Value=deal.currency|Deal - Stage=deal.stage|Deal - Status=deal.outcome|Person - Name=-",
    "pipedrive en français": "ID=external_id|Sujet=title|Date d'échéance=occurred_at|"
    "Attribué à l'utilisateur=author.name|Organisation=account.name|Affaire=deal.id|Remarque=text|"
    "Heure d'ajout=-|Heure de mise à jour=updated_at",
    "dynamics": "(Do Not Modify) Phone Call=external_id|(Do Not Modify) Row Checksum=-|"
    "(Do Not Modify) Modified On=updated_at|Subject=title|Regarding=account.name|Description=text|"
    "Due Date=occurred_at|Owner=author.name|Activity Status=-",
    "dynamics en français": "(Ne pas modifier) Rendez-vous=external_id|"
    "(Ne pas modifier) Somme de contrôle de la ligne=-|(Ne pas modifier) Date de modification=updated_at|Objet=title|"
    "Concernant=account.name|Description=text|Créé le=occurred_at|Propriétaire=author.name",
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_columns_of_exports(name: str) -> None:
    expected = dict(pair.rsplit("=", 1) for pair in EXPORTS[name].split("|"))
    columns = map_columns(list(expected), {})
    assert dict(zip(columns.header, columns.fields, strict=True)) == {
        column: None if field == "-" else field for column, field in expected.items()
    }


def test_a_salesforce_report_ends_with_words_that_are_no_note() -> None:
    report = (
        '"Subject","Full Comments","Date","Company / Account"\n'
        '"Call","They find it too expensive.","1/27/2026","Harrow Foods"\n\n'
        '"Grand Totals (1 Record)"\n"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."\n'
        '"Confidential Information - Do Not Distribute"\n"Generated By:  Ann Lee  1/28/2026 9:02 AM"\n'
    )
    (note,) = notes_of(report.encode("cp1252"))
    assert note.text.startswith("Call\n\nThey find")
    assert str(note.occurred_at)[:10] == "2026-01-27"


@pytest.mark.parametrize(
    "row",
    ["Total;;12 500,00 €", "TOTAL;;;", "Sous-total;;3", "Totaux généraux (2 fiches);;", "Total:;2;EUR 5"],
)
def test_a_row_of_totals_is_no_note(row: str) -> None:
    header = "Client;Compte rendu;Montant\n"
    records = read(f"{header}Aubry;Total : trop cher;5\n{row}\nTotal Gaz;Trop cher;7\n".encode())[1]
    assert [record.note.account.name for record in records] == ["Aubry", "Total Gaz"]


def test_a_stage_that_closes_a_deal_is_its_outcome() -> None:
    header = "Record ID,Deal Name,Deal Stage,Deal Description\n"
    notes = notes_of(f"{header}1,Harrow,Closed lost,Too dear.\n2,Aubry,Closed won,Fine.\n3,Kest,New,?\n".encode())
    assert [str(note.deal.outcome) for note in notes] == ["lost", "won", "open"]


def test_the_first_of_several_associated_companies_counts() -> None:
    header = "Record ID,Note body,Associated Company IDs,Associated Company,Associated Deal IDs\n"
    (note,) = notes_of(f"{header}1,<p>Too dear.</p>,201;202,Harrow;Aubry,301;302\n".encode())
    assert (note.account.id, note.account.name, note.deal.id, note.text) == ("201", "Harrow", "301", "Too dear.")


def spreadsheetml(*rows: str, sheet: str = "Report") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="{sheet}"><Table>{"".join(rows)}</Table></Worksheet></Workbook>'
    ).encode()


def cell(value: str, kind: str = "String", place: int = 0) -> str:
    index = f' ss:Index="{place}"' if place else ""
    return f'<Cell{index}><Data ss:Type="{kind}">{value}</Data></Cell>'


def test_excel_s_xml_of_2003() -> None:
    rows = (
        f"<Row>{cell('Export of visits')}</Row><Row/>",
        f"<Row>{cell('Date')}{cell('Client')}{cell('Montant')}{cell('Compte rendu')}</Row>",
        f"<Row>{cell('2026-02-03T00:00:00.000', 'DateTime')}{cell('Trop cher &amp; lent', place=4)}</Row>",
        f'<Row ss:Index="9">{cell("04/02/2026")}{cell("Harrow")}{cell("18000", "Number")}'
        '<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>Gras</B> et lent</ss:Data></Cell>'
        "</Row>",
    )
    reading, records = read(spreadsheetml(*rows), name="visites.xls")
    assert reading.format is Format.SPREADSHEETML
    first, second = (record.note for record in records)
    assert [record.number for record in records] == [4, 9]
    assert (first.text, first.account, str(first.occurred_at)[:10]) == ("Trop cher & lent", None, "2026-02-03")
    assert (second.text, second.account.name, second.deal.amount) == ("Gras et lent", "Harrow", 18000.0)


def test_what_excel_s_xml_may_not_do() -> None:
    bomb = spreadsheetml().replace(b"\n<?mso", b'\n<!DOCTYPE Workbook SYSTEM "http://x.example/y"><?mso')
    for content, code in (
        (bomb, "xml_dtd"),
        (spreadsheetml("<Row>")[:-20], "damaged"),
        (spreadsheetml(f"<Row>{cell('Nothing')}{cell('here')}</Row>"), "no_text_column"),
    ):
        with pytest.raises(FileRefused) as refused:
            read(content)
        assert refused.value.code == code
    begun = time.process_time()
    far = spreadsheetml(
        f"<Row>{cell('Note')}</Row>", f'<Row ss:Index="900000000000">{cell("Too dear.", place=999999)}</Row>'
    )
    read(far)
    assert time.process_time() - begun < 5


def ods(rows: str, kind: str = "spreadsheet") -> bytes:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        package.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="Visites">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return buffer.getvalue()


def test_opendocument() -> None:
    def row(*cells: str, repeated: str = "") -> str:
        return f"<table:table-row{repeated}>{''.join(cells)}</table:table-row>"

    def words(text: str, more: str = "") -> str:
        return f"<table:table-cell{more}><text:p>{text}</text:p></table:table-cell>"

    content = ods(
        row(words("Date"), words("Client"), words("Note"), '<table:table-cell table:number-columns-repeated="16000"/>')
        + row(
            words("03/02/26", ' office:value-type="date" office:date-value="2026-02-03"'),
            words("Harrow"),
            words("Trop <text:span>cher</text:span>.</text:p><text:p>Lent."),
        )
        + row("<table:table-cell/>", repeated=' table:number-rows-repeated="1048000"')
    )
    reading, (record,) = read(content)
    assert reading.format is Format.ODS
    assert record.note.text == "Trop cher.\nLent."
    assert (str(record.note.occurred_at)[:10], record.note.account.name) == ("2026-02-03", "Harrow")
    with pytest.raises(FileRefused, match="save it as XLSX or DOCX"):
        read(ods("", kind="text"))


def test_a_web_archive_named_xls() -> None:
    rows = (("Date", "Client", "Note"), ("27/01/2026", "Harrow", "Trop cher =C3=A9"))
    page = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    archive = (
        "MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\nContent-Type: multipart/related; boundary=b\r\n\r\n"
        "--b\r\nContent-Location: file:///C:/sheet.htm\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        f'Content-Type: text/html; charset="utf-8"\r\n\r\n<html><table>{page}</table></html>\r\n--b--\r\n'
    )
    reading, (record,) = read(archive.encode(), name="export.xls")
    assert (reading.format, record.note.text, record.note.account.name) == (Format.MHTML, "Trop cher é", "Harrow")


def test_gzip_is_unpacked_within_bounds() -> None:
    (note,) = notes_of(gzip.compress(b"Client;Note\nHarrow;Dear.\n"))
    assert note.account.name == "Harrow"
    for content, code in (
        (gzip.compress(bytes(50_000_000)), "zip_bomb"),
        (gzip.compress(b"Client;Note\nHarrow;Dear.\n" * 9)[:-12], "damaged"),
        (gzip.compress(gzip.compress(b"Client;Note\nHarrow;Dear.\n")), "nested_archive"),
    ):
        with pytest.raises(FileRefused) as refused:
            read(content)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "Workbook".encode("utf-16-le"),
            "Excel file of the old kind",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "__substg1.0_0037".encode("utf-16-le"), "Outlook message"),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(99), "Excel file of the old kind"),
    ],
)
def test_old_office_files_are_refused_in_plain_words(content: bytes, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        read(content, name="export.xls")


def test_sheets_of_one_workbook_share_what_one_proves_of_dates() -> None:
    book = workbook(
        ["Date", "Note"],
        ["02/27/2026", "Too dear."],
        other=[["Compte rendu", "Date", "Client"], ["Cher.", "02/03/2026", "A"]],
    )
    reading, records = read(book)
    assert [str(record.note.occurred_at)[:10] for record in records] == ["2026-02-27", "2026-02-03"]
    assert [sheet["dates"]["by"] for sheet in reading.found["sheets"]] == ["dates", "other_sheets"]


def test_a_row_of_a_hundred_thousand_cells_costs_its_row_alone() -> None:
    begun = time.process_time()
    _, records = read(b"id,date,note\n1,2026-01-02,Dear" + b",x" * 100_000 + b"\n2,2026-01-03,Slow.\n")
    assert (fault_of(records[0])[1], records[1].note.text) == ("too_many_cells", "Slow.")
    assert time.process_time() - begun < 10


def test_json_lines_with_zeros_are_taken_without_them() -> None:
    first = b'{"external_id": "1", "text": "too\\u0000 dear", "account": {"name": "H\\u0000"}}'
    lines = first + b'\n{"external_id": "2", "text": "slow\x00"}\n\x00\n'
    _, records = read(lines)
    assert [record.note.text for record in records] == ["too dear", "slow"]
    assert {record.warnings[0].code for record in records} == {"nul_removed"}
    assert records[0].note.account.name == "H"


def test_odd_archives_are_refused_or_read_and_raise_nothing() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("notes.csv", "Client;Note\nHarrow;Dear.\n")
        package.writestr("x", b"without a name")
    name = buffer.getvalue().rindex(b"PK\x01\x02") + 46  # in the directory
    nameless = buffer.getvalue()[:name] + b"\x00" + buffer.getvalue()[name + 1 :]
    assert zipfile.ZipFile(io.BytesIO(nameless)).namelist() == ["notes.csv", ""]
    for content in (nameless, buffer.getvalue()):
        assert read(content)[1][0].note.text == "Dear."
    moved = io.BytesIO()
    with zipfile.ZipFile(moved, "w") as package:
        package.writestr("content.xml", "<a/>")
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    second = moved.getvalue().index(b"PK\x03\x04", 4)
    broken = moved.getvalue()[:second] + b"PK\x03\x05" + moved.getvalue()[second + 4 :]
    with pytest.raises(FileRefused, match="damaged"):
        read(broken)
