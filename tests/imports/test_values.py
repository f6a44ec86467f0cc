"""Cells in local style."""

from __future__ import annotations

import pytest

from service.imports.orders import Ground, Reckoning, reckon, reckon_together
from service.imports.records import DateOrder
from service.imports.values import parse_date, parse_money, written_out


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        ("18\u202f000,00\u00a0€", 18000, "EUR"),
        ("18\u00a0000,00 €", 18000, "EUR"),
        ("18 000", 18000, None),
        ("$12,500.50", 12500.5, "USD"),
        ("12.500,50 EUR", 12500.5, "EUR"),
        ("CHF 1'250.5", 1250.5, "CHF"),
        ("1.234.567", 1234567, None),
        ("12,500", 12500, None),
        ("12,5", 12.5, None),
        ("0,125", 0.125, None),
        ("48000", 48000, None),
        ("48000.0", 48000, None),
        ("12 k€", 12000, "EUR"),
        ("1,5M€", 1_500_000, "EUR"),
        ("£99", 99, "GBP"),
        ("-5", -5, None),
        ("300 euros", 300, "EUR"),
    ],
)
def test_money(cell: str, amount: float, currency: str | None) -> None:
    assert parse_money(cell) == (amount, currency)


@pytest.mark.parametrize("cell", ["", "much", "1,2,3", "12.34.56", "1e5", "€", "1..2", "12 000 (HT)", "٣٤"])
def test_what_is_no_money(cell: str) -> None:
    assert parse_money(cell) is None


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("2026-02-03", "2026-02-03T00:00:00+00:00"),
        ("2026-02-03T10:20:00Z", "2026-02-03T10:20:00+00:00"),
        ("2026-02-03 10:20", "2026-02-03T10:20:00+00:00"),
        ("2026-02-03T10:20:00+02:00", "2026-02-03T10:20:00+02:00"),
        ("03/02/2026", "2026-02-03T00:00:00+00:00"),
        ("3.2.26", "2026-02-03T00:00:00+00:00"),
        ("03-02-2026 14:05", "2026-02-03T14:05:00+00:00"),
        ("03/02/2026 à 14h05", "2026-02-03T14:05:00+00:00"),
        ("03/02/2026 2:05 PM", "2026-02-03T14:05:00+00:00"),
        ("2026/2/3", "2026-02-03T00:00:00+00:00"),
        ("3 février 2026", "2026-02-03T00:00:00+00:00"),
        ("mardi 3 févr. 2026", "2026-02-03T00:00:00+00:00"),
        ("Feb 3, 2026", "2026-02-03T00:00:00+00:00"),
        ("1er août 2026", "2026-08-01T00:00:00+00:00"),
        ("46056", "2026-02-03T00:00:00+00:00"),
        ("46056.5", "2026-02-03T12:00:00+00:00"),
    ],
)
def test_dates(cell: str, time: str) -> None:
    assert parse_date(cell) == time


@pytest.mark.parametrize("cell", ["", "yesterday", "31/02/2026", "1", "99999", "2026-13-01", "12/2026", "0/0/0000"])
def test_what_is_no_date(cell: str) -> None:
    assert parse_date(cell) is None


def test_month_first_only_where_a_column_proves_it() -> None:
    assert parse_date("02/03/2026", DateOrder.MONTH_FIRST) == "2026-02-03T00:00:00+00:00"
    assert parse_date("03.02.2026", DateOrder.MONTH_FIRST) == "2026-02-03T00:00:00+00:00"
    for cells, order, ground, ambiguous in (
        (["02/03/2026", "02/13/2026"], DateOrder.MONTH_FIRST, Ground.DATES, True),
        (["02/03/2026", "13/02/2026"], DateOrder.DAY_FIRST, Ground.DATES, True),
        (["02/03/2026", "x", ""], DateOrder.DAY_FIRST, Ground.USUAL, True),
        (["13/02/2026", "02/13/2026"], DateOrder.DAY_FIRST, Ground.USUAL, False),
        (["2/3/2026 3:04 PM", "2/4/2026 9:00 AM"], DateOrder.MONTH_FIRST, Ground.CLOCK, True),
        (["02/03/2026 3:04 PM"], DateOrder.DAY_FIRST, Ground.USUAL, True),
    ):
        assert reckon([[cell] for cell in cells], [0]) == Reckoning(order, ground, ambiguous)


def test_other_columns_and_sheets_may_prove_the_order() -> None:
    rows = [["02/03/2026", "Too dear.", "02/27/2026"], ["03/03/2026", "Slow.", ""]]
    told = reckon(rows, [0])
    assert told == Reckoning(DateOrder.MONTH_FIRST, Ground.OTHER_COLUMNS, True)
    assert reckon(rows, [0], DateOrder.DAY_FIRST).ground is Ground.ASKED
    silent = reckon([["02/03/2026"]], [0])
    assert [one.order for one in reckon_together([silent, told])] == [DateOrder.MONTH_FIRST] * 2
    against = reckon([["27/02/2026"]], [0])
    assert reckon_together([silent, told, against])[0] == silent, "they don't agree"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("20260303", "2026-03-03T00:00:00"),
        ("03-févr.-26", "2026-02-03T00:00:00"),
        ("3-Feb-26", "2026-02-03T00:00:00"),
        ("Tue Mar 03 2026", "2026-03-03T00:00:00"),
        ("mardi 3 mars 2026 à 10h30", "2026-03-03T10:30:00"),
        ("Mar 3, 2026, 2:05 PM", "2026-03-03T14:05:00"),
        ("1772532000", "2026-03-03T10:00:00"),
        ("1772532000000", "2026-03-03T10:00:00"),
    ],
)
def test_dates_of_exports(cell: str, expected: str) -> None:
    assert parse_date(cell) == f"{expected}+00:00"


def test_only_a_date_that_could_be_read_otherwise_is_written_out() -> None:
    assert written_out("3/2/2026", DateOrder.MONTH_FIRST) == "2026-03-02T00:00:00+00:00"
    assert written_out("3/2/2026", DateOrder.DAY_FIRST) == "2026-02-03T00:00:00+00:00"
    for cell in ("3.2.2026", "14/2/2026", "31/02/2026", "2026-02-03", "tomorrow", ""):
        assert written_out(cell, DateOrder.DAY_FIRST) == cell
