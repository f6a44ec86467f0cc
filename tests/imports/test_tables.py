"""CSV: separators, quotes, odd rows; columns by name."""

from __future__ import annotations

import pytest

from service.imports.columns import map_columns
from service.imports.records import Format
from tests.imports.files import fault_of, notes_of, read


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_line_breaks_in_cells(separator: str) -> None:
    text = f'Client{separator}Note\r\nHarrow{separator}"Two\nlines{separator} ""one"" cell"\r\n'
    (note,) = notes_of(text.encode())
    assert note.text == f'Two\nlines{separator} "one" cell'


def test_sep_line_wins() -> None:
    reading, records = read(b"sep=|\r\nClient|Note\r\nHarrow|a;b,c;d,e\r\n")
    assert (reading.found["separator"], records[0].number, records[0].note.text) == ("bar", 3, "a;b,c;d,e")


def test_a_name_or_a_declared_type_changes_nothing() -> None:
    for name in ("a.xlsx", "a.pdf", "a.eml", ""):
        assert read(b"Client;Note\nHarrow;Dear.\n", name=name)[0].format is Format.CSV


def test_large_cells_and_wide_rows() -> None:
    _, records = read(b"Note,Client\n" + b"x" * 300_000 + b",Harrow\n" + b"x" * 600_000 + b",Harrow\na,b,c\n")
    assert len(records[0].note.text) == 300_000
    assert fault_of(records[1])[0] == "text"
    assert fault_of(records[2]) == ("line", "too_many_cells")


def test_a_quote_that_never_closes_ends_the_file_with_a_word() -> None:
    _, records = read(b'Note;Client\nGood.;Harrow\n"never closed;Harrow\n' + b"more;rows\n" * 100)
    assert records[0].note.text == "Good."
    assert fault_of(records[1]) == ("line", "invalid_csv")


def test_wrong_bytes_and_zeros_cost_their_row_alone() -> None:
    rows = b"".join(f"{i};Trop cher, dit l'équipe à côté.\n".encode() for i in range(30))
    _, records = read(b"id;note\n" + rows + b"a;caf\xe9\n" + b"b;null\x00\n")
    assert [fault_of(record)[1] for record in records[30:]] == ["invalid_utf8", "value_error"]
    assert sum(hasattr(record.note, "text") for record in records) == 30


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
