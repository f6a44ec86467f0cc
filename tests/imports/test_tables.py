"""CSV: separators, quotes, odd rows; columns by name."""

from __future__ import annotations

import io

import pytest

from service.imports.columns import map_columns
from service.imports.decoding import find_encoding
from service.imports.records import Format
from service.notes.text import plain_text
from tests.imports.files import fault_of, notes_of, read


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_line_breaks_in_cells(separator: str) -> None:
    text = f'Client{separator}Note\r\nHarrow{separator}"Two\nlines{separator} ""one"" cell"\r\n'
    (note,) = notes_of(text.encode())
    assert note.text == f'Two\nlines{separator} "one" cell'


def test_sep_line_wins() -> None:
    reading, records = read(b"sep=|\r\nClient|Note\r\nHarrow|a;b,c;d,e\r\n")
    assert (reading.found["separator"], records[0].number, records[0].note.text) == ("bar", 2, "a;b,c;d,e")


def test_a_name_or_a_declared_type_changes_nothing() -> None:
    for name in ("a.xlsx", "a.pdf", "a.eml", ""):
        assert read(b"Client;Note\nHarrow;Dear.\n", name=name)[0].format is Format.CSV


def test_large_cells_and_wide_rows() -> None:
    _, records = read(b"Note,Client\n" + b"x" * 300_000 + b",Harrow\n" + b"x" * 600_000 + b",Harrow\na,b,c\n")
    assert len(records[0].note.text) == 300_000
    assert fault_of(records[1])[0] == "text"
    assert fault_of(records[2]) == ("line", "too_many_cells")


def test_a_quote_that_never_closes_is_refused_at_its_line() -> None:
    _, records = read(b'Note;Client\nGood.;Harrow\n"never closed;Harrow\n' + b"more;rows\n" * 100)
    assert records[0].note.text == "Good."
    assert fault_of(records[1]) == ("line", "invalid_csv")


@pytest.mark.parametrize("first", ["", "sep=;\n"])
def test_rows_are_counted_as_a_spreadsheet_shows_them(first: str) -> None:
    rows = f'{first}Note;Client\n"Two\nlines\nmore.";Harrow\n\n"No" one;Aubry\nLast.;Zed\n'
    assert [record.number for record in read(rows.encode())[1]] == [2, 4, 5]


def test_wrong_bytes_and_zeros_cost_their_row_alone() -> None:
    rows = b"".join(f"{i};Trop cher, dit l'équipe à côté.\n".encode() for i in range(30))
    _, records = read(b"id;note\n" + rows + b"a;caf\xe9\n" + b"b;null\x00\n")
    assert fault_of(records[30])[1] == "invalid_utf8"
    assert (records[31].note.text, records[31].warnings[0].code) == ("null", "nul_removed")
    assert sum(hasattr(record.note, "text") for record in records) == 31


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        ("~12k€", 12000, "EUR"),
        ("env. 3 500 €", 3500, "EUR"),
        *((cell, None, None) for cell in ("(500)", "-500", "10-15k", ">10k", "beaucoup", "1e99")),
    ],
)
def test_no_note_is_lost_by_its_amount(cell: str, amount: float | None, currency: str | None) -> None:
    (record,) = read(f"Client;Affaire;Montant;Note\nHarrow;d-1;{cell};Trop cher.\n".encode())[1]
    deal = record.note.deal
    assert (record.note.text, deal.id, deal.amount, deal.currency) == ("Trop cher.", "d-1", amount, currency)
    assert [one.code for one in record.warnings] == ([] if amount else ["amount_left_out"])


PROSE = (
    "Vu Anne, Paul, Marie\nPrix, délai, support\nOui, non, peut-être\nÀ revoir, encore, bientôt\n",
    "Note, call with Ann\nThey like it, but it is dear.\nThe price, she says.\nWe call back, in May.\n",
    "Bon accueil ; prix haut\nDélai long ; à revoir\nBudget serré ; rien avant mai\n",
)


@pytest.mark.parametrize("text", PROSE)
def test_prose_with_equally_many_commas_is_no_table(text: str) -> None:
    assert [note.text for note in notes_of(text.encode())] == [text]
    spaced = "Date, Client, Note\n2026-02-03, Harrow, They like it.\n2026-02-04, Aubry, Too dear.\n"
    assert len(notes_of(spaced.encode())) == 2


def test_a_header_of_two_rows() -> None:
    names = "Visite;;Client;;Compte rendu;Deal;\nDate;Type;Nom;Segment;;Amount;Stage\n"
    rows = f"{names}03/02/2026;appel;Harrow;PME;Cher.;5;x\n"
    (note,) = notes_of(rows.encode())
    assert (note.account.name, note.account.segment, note.kind, note.text) == ("Harrow", "PME", "call_note", "Cher.")
    assert (note.deal.amount, note.deal.stage, str(note.occurred_at)[:10]) == (5, "x", "2026-02-03")
    assert [note.text for note in notes_of(b"Note;Client\nDear.;Harrow\nSlow.;\n")] == ["Dear.", "Slow."]


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("Date de l'appel;Société;Compte-rendu", ["occurred_at", "account.name", "text"]),
        ("CREATED;COMPANY NAME;DESCRIPTION", ["occurred_at", "account.name", "text"]),
        (
            "Équipe;Auteur;Devise;Opportunité;Issue;Note",
            "author.team author.name deal.currency deal.id deal.outcome text",
        ),
        ("Record ID;Owner;Deal Stage;Amount (EUR);Body", "external_id author.name deal.stage deal.amount text"),
        ("id;external_id;Note;Notes;Subject", [None, "external_id", "text", "text", "title"]),
        ("account.name;deal_amount;text", ["account.name", "deal.amount", "text"]),
        ("binome_reason;couleur;note", [None, None, "text"]),
    ],
)
def test_columns_by_name(header: str, fields: str | list[str | None]) -> None:
    expected = fields.split() if isinstance(fields, str) else fields
    assert list(map_columns(header.split(";"), {}).fields) == expected


def test_guesses_are_lenient_and_the_format_s_own_names_are_not() -> None:
    (note,) = notes_of(b"Type;Statut;Montant;Client;Note\nAppel;Termin\xc3\xa9;;Harrow;Dear.\n")
    assert (note.kind, note.deal) == ("call_note", None)
    _, records = read(b"kind;deal.outcome;deal.id;text\nsms;;;Dear.\n;maybe;d;Dear.\n")
    assert [fault_of(record)[0] for record in records] == ["kind", "deal.outcome"]


def test_a_deal_without_id_is_the_one_of_its_account() -> None:
    first, second = notes_of(b"Client;Montant;Statut;Note\nHarrow;5;Gagn\xc3\xa9;One.\nHARROW;5;won;Two.\n")
    assert first.deal == second.deal
    assert (first.deal.id, first.deal.outcome) == ("account:harrow", "won")
    (alone,) = notes_of(b"Montant;Note\n5;One.\n")
    assert alone.deal is None


def test_ids_used_twice_with_other_content_are_refused() -> None:
    """Told when stored: an id column that names the account would overwrite note by note."""
    from service.notes.intake import refuse_ambiguous

    _, records = read(b"id;note\n1;One.\n1;Two.\n1;One.\n")
    checked = refuse_ambiguous([record.note for record in records])
    assert [hasattr(note, "text") for note in checked] == [True, False, True]


def test_a_sample_that_ends_within_a_quoted_cell_is_enough() -> None:
    rows = "".join(f'{i};"Trop cher\nligne {"x" * 900}"\n' for i in range(400))
    _, records = read(f"id;note\n{rows}".encode())
    assert len(records) == 400
    assert read(b'"no table at all, and a quote that stays open\nwords\n')[0].format is Format.TEXT


@pytest.mark.parametrize(
    "above",
    [
        "\r\n",
        ";;;\r\n",
        "Comptes rendus T1;;;\r\n;;;\r\n",
        "Rapport\r\n\r\n",
        "Notes;;;\r\n\r\n",
        "\ufeffsep=;\r\n\r\n",
    ],
    ids=["empty", "empty cells", "wide title", "title", "title that is a column's name", "sep"],
)
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_what_stands_above_the_header_is_left_out(above: str, end: str) -> None:
    text = f"{above}Date;Client;Note;Montant\r\n03/02/2026;Harrow;Trop cher.;5\r\n04/02/2026;Aubry;Lent.;\r\n"
    notes = notes_of(text.replace("\r\n", end).encode())
    assert [(note.text, note.account.name, note.occurred_at.month) for note in notes if note.account] == [
        ("Trop cher.", "Harrow", 2),
        ("Lent.", "Aubry", 2),
    ]


def test_a_table_within_a_text_is_part_of_the_text() -> None:
    text = "# Visit\n\n| Date | Client | Note |\n|---|---|---|\n| 03/03/2026 | Harrow | Too dear |\n"
    assert read(text.encode())[0].format is Format.TEXT


def test_a_broken_quote_costs_its_row_alone() -> None:
    text = 'Client;Note\nA;"One\nof two lines."\nB;"No" she says\nC;Three.\nD;"open\nE;Five.\nF;"Six."\n'
    _, records = read(text.encode())
    assert [(record.number, getattr(record.note, "text", None)) for record in records] == [
        (2, "One\nof two lines."),
        (3, None),
        (4, "Three."),
        (5, None),
        (6, "Five."),
        (7, "Six."),
    ]
    assert [records[place].cells for place in (1, 3)] == [("B", "No she says"), ("D", "open\n")]


def test_rows_without_end_are_bounded() -> None:
    _, records = read(b"Client;Note\n" + b'x";y;"\n' * 1_200_000 + b"Harrow;Dear.\n")
    assert len(records) < 100
    assert {fault_of(record)[1] for record in records[:-1]} == {"invalid_csv"}
    _, records = read(b"Client;Note\n" + b"x" * 9_000_000 + b"\nHarrow;Dear.\n")
    assert fault_of(records[0]) == ("line", "invalid_csv")
    assert [getattr(record.note, "text", None) for record in records[1:]] == ["Dear."]


def test_files_that_were_joined() -> None:
    one = "\ufeffDate;Note\n03/02/2026;One.\n"
    assert [note.text for note in notes_of((one + one.replace("One", "Two")).encode())] == ["One.", "Two."]
    _, records = read("Date;Note\n03/02/2026;One.\n\ufeff04/02/2026;Two.\n".encode())
    assert [getattr(record.note, "text", None) for record in records] == ["One.", "Two."]


@pytest.mark.parametrize("nothing", ["-", "–", "N/A", "néant", "n.c.", "TBD"])
def test_what_people_write_for_nothing_is_nothing(nothing: str) -> None:
    (note,) = notes_of(f"Date;Client;Montant;Note\n{nothing};Harrow;{nothing};Dear.\n".encode())
    assert note.deal is None
    (note,) = notes_of(b"id;Client;Statut;Note\n-;N/A;-;-\n")
    assert (note.text, note.account, str(note.external_id)[:7]) == ("-", None, "sha256-")


def test_surplus_cells_are_kept_to_be_mended() -> None:
    _, records = read(b"Client,Note\nHarrow,Too dear, they say\n")
    assert fault_of(records[0]) == ("line", "too_many_cells")
    assert records[0].cells == ("Harrow", "Too dear, they say")


SHORT = [
    "Jour;Compte client;Note;Budget prévu\n03/02/2026;Harrow;Délai;18 000,00 €\n99;É. Lenoir;Trop long;\n",
    "Étape;Équipe;Société;Note\n1;ÉTÉ;À voir;Ça traîne, où ?\n",
    "Client;Note\nMüller;Zu teuer für uns, größer\n",
    "Client;Note\nl’été;c’est « trop » cher, œuvre;\n",
]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850"])
@pytest.mark.parametrize("text", SHORT)
def test_a_few_lines_tell_their_encoding(text: str, encoding: str) -> None:
    content = text.encode(encoding, "replace")  # cp850 lacks the euro, œ and curly marks
    assert find_encoding(io.BytesIO(content)).name == encoding


def test_encodings_that_only_a_few_letters_tell_apart() -> None:
    (note,) = notes_of("id;client;note\n1;Cœur;Coûte 5 €.\n".encode("iso-8859-15"))
    assert (note.account.name, note.text) == ("Cœur", "Coûte 5 €.")
    mixed = "id;client;note\n1;Étoile;Très cher.\n".encode() + "2;Noël;Lent.\n".encode("cp1252")
    first, second = read(mixed)[1]
    assert first.note.text == "Très cher."
    assert fault_of(second)[1] == "invalid_utf8"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>", "a\tb"),
        ("<p>So <mark>dear</mark>, <cite>they say</cite><o:p></o:p></p>", "So dear, they say"),
        ('<html><head><meta charset="utf-8"><link rel="a"></head><body><p>Dear</p></body></html>', "Dear"),
        (
            "<p>Ask <ann@firm.com> of <Firm>, <mailto:ann@firm.com></p>",
            "Ask <ann@firm.com> of <Firm>, <mailto:ann@firm.com>",
        ),
    ],
)
def test_tags_that_editors_write_are_no_words(body: str, text: str) -> None:
    assert plain_text(body) == text
