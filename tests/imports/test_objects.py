"""JSON whose objects have names of their own, or dates without a zone, as exports and data frames write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.imports.records import DateOrder
from service.notes.intake import RejectedNote
from tests.imports.files import fault_of, notes_of, read

FRENCH = {
    "Id": 17,
    "Date": "03/02/2026",
    "Client": "Harrow Foods",
    "Compte rendu": "Trop cher, dit-elle.",
    "Montant": "18 000,00 €",
    "Id opportunité": "d-9",
    "Statut": "Perdu",
    "Étiquettes": ["a", "b"],
}


@pytest.mark.parametrize("lines", [True, False])
def test_names_are_known_as_those_of_columns(lines: bool) -> None:
    items = [FRENCH, {**FRENCH, "Id": 18, "Date": "2026-02-04"}]
    content = "\n".join(json.dumps(one) for one in items) if lines else json.dumps(items)
    first, second = notes_of(content.encode())
    assert (first.external_id, first.text) == ("17", "Trop cher, dit-elle.")
    assert (first.occurred_at.isoformat()[:10], second.occurred_at.isoformat()[:10]) == ("2026-02-03", "2026-02-04")
    assert first.account is not None
    assert first.account.name == "Harrow Foods"
    assert first.deal is not None
    assert (first.deal.id, first.deal.amount, first.deal.currency, first.deal.outcome) == ("d-9", 18000, "EUR", "lost")
    (other,) = notes_of(json.dumps([FRENCH]).encode(), dates=DateOrder.MONTH_FIRST)
    assert other.occurred_at.isoformat()[:10] == "2026-03-02"


@pytest.mark.parametrize("when", ["2026-02-03", "2026-02-03T10:00:00", "2026-02-03 10:00", 1770112800000])
def test_a_day_without_a_zone_is_taken(when: str | int) -> None:
    (note,) = notes_of(json.dumps({"external_id": "1", "text": "Too dear.", "date": when}).encode())
    assert note.occurred_at.isoformat().startswith("2026-02-03")


def test_a_mapping_names_the_fields() -> None:
    content = json.dumps({"Corps": "Trop cher.", "Cle": "c-1"}).encode()
    (note,) = notes_of(content, mapping={"Corps": "text", "Cle": "external_id"})
    assert (note.external_id, note.text) == ("c-1", "Trop cher.")


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ({"colour": "red", "size": 5}, ("colour", "extra_forbidden")),
        ({"external_id": "1", "text": ""}, ("text", "value_error")),
        ({"Compte rendu": "Trop cher.", "Date": "31/02/2026"}, ("occurred_at", "invalid_date")),
        ({"text": "Too dear.", "kind": "sonnet"}, ("kind", "enum")),
        ({f"c{number}": number for number in range(501)} | {"Compte rendu": "x"}, ("c0", "extra_forbidden")),
    ],
)
def test_what_is_no_note_says_why(item: dict[str, Any], fault: tuple[str, str]) -> None:
    (record,) = read(json.dumps([item]).encode())[1]
    assert isinstance(record.note, RejectedNote)
    assert fault_of(record) == fault


def test_the_cells_of_a_refused_object_can_be_mended() -> None:
    (record,) = read(b'{"Id": 5, "Compte rendu": "Trop cher.", "Date": "31/02/2026"}\n')[1]
    assert dict(zip(record.columns, record.cells, strict=True)) == {
        "Id": "5",
        "Compte rendu": "Trop cher.",
        "Date": "31/02/2026",
    }
