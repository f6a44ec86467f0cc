"""Cells in local style: `18 000,00 €`, `$12,500.50`, `03/02/2026`, a spreadsheet's day 46056."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from service.imports.records import DateOrder

_SIGNS = {"€": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "¥": "JPY"}
_CODES = "EUR|USD|GBP|CHF|CAD|AUD|JPY|SEK|NOK|DKK|PLN|MAD|TND|XOF|XAF"
_MONEY = re.compile(
    rf"(?P<before>US\$|[€$£¥]|{_CODES})?(?P<sign>-?)(?P<digits>[0-9][0-9.,]*)"
    rf"(?P<scale>[kKmM])?(?P<after>[€$£¥]|{_CODES}|EUROS?|DOLLARS?)?(?:HT|TTC)?(?:/an|/year|/yr|paran|peryear)?",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'’]+")
_ABOUT = re.compile(r"^(?:[~≈]|environ|env\.?|approx\.?|about|around|circa|ca\.)", re.IGNORECASE)
_WORDS = {"EURO": "EUR", "EUROS": "EUR", "DOLLAR": "USD", "DOLLARS": "USD"}
_SLASHED = re.compile(
    r"(?P<first>\d{1,2})(?P<mark>[/.\-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})"
    r"(?:[\sT,à]+(?P<hour>\d{1,2})[:hH](?P<minute>\d{2})?(?::(?P<seconds>\d{2}))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})[/.\-](?P<month>\d{1,2})[/.\-](?P<day>\d{1,2})"
    r"(?:[\sT]+(?P<hour>\d{1,2})[:hH](?P<minute>\d{2})(?::(?P<seconds>\d{2})(?:\.\d+)?)?)?"
)
_WEEKDAY = r"(?:[a-zà-ÿ]+\.?,?\s+)?"
_CLOCK = (
    r"(?:,?\s+(?:(?:à|at)\s+)?(?P<hour>\d{1,2})[:hH](?P<minute>\d{2})?(?::(?P<seconds>\d{2}))?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
)
_NAMED = re.compile(
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:er|st|nd|rd|th)?[\s\-]+(?:of\s+)?(?P<month>[a-zà-ÿ]+)\.?,?[\s\-]+"
    rf"(?P<year>\d{{4}}|\d{{2}}){_CLOCK}",
    re.IGNORECASE,
)
_NAMED_MONTH_FIRST = re.compile(
    rf"{_WEEKDAY}(?P<month>[a-zà-ÿ]+)\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_CLOCK}",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})")
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?")  # seconds or milliseconds since 1970
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv janvier",
            "feb february fév fev févr fevr février fevrier",
            "mar march mars",
            "apr april avr avril",
            "may mai",
            "jun june juin",
            "jul july juil juillet",
            "aug august août aout",
            "sep sept september septembre",
            "oct october octobre",
            "nov november novembre",
            "dec december déc décembre decembre",
        ),
        start=1,
    )
    for name in names.split()
}
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
_SERIAL_DAYS = range(20_000, 80_000)  # 1954 to 2119
_SERIAL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)


def parse_money(cell: str) -> tuple[float, str | None] | None:
    """Read an amount, with its currency where it is written; None where it is no single amount.

    The later of comma and point is the decimal mark; one that stands before three digits alone parts thousands. An
    amount in brackets is below zero, as in accounts; "about" before it says nothing against it.
    """
    bare = _ABOUT.sub("", _SPACES.sub("", cell)[:60])
    below = bare.startswith("(") and bare.endswith(")")
    match = _MONEY.fullmatch(bare[1:-1] if below else bare)
    if match is None:
        return None
    number = _number(match["digits"])
    if number is None:
        return None
    scale = {"k": 1_000, "m": 1_000_000}.get((match["scale"] or "").lower(), 1)
    mark = (match["before"] or match["after"] or "").upper()
    currency = _SIGNS.get(mark) or _WORDS.get(mark) or mark or None
    return (-1 if match["sign"] or below else 1) * number * scale, currency


def parse_currency(cell: str) -> str | None:
    """Return a currency's code from a code, a sign or a word; None where it is none."""
    mark = cell.strip().upper()
    code = _SIGNS.get(mark) or _WORDS.get(mark) or mark
    return code if re.fullmatch(r"[A-Z]{3}", code) else None


def _number(digits: str) -> float | None:
    last = max(digits.rfind(","), digits.rfind("."))
    if last < 0:
        return float(digits)
    mark, other = digits[last], "." if digits[last] == "," else ","
    whole, fraction = digits[:last], digits[last + 1 :]
    thousands = len(fraction) == 3 and other not in whole and whole != "0"
    if mark in whole or thousands:  # 1.234.567, 12,500
        groups = digits.split(mark)
        if other in digits or len(groups[0]) > 3 or any(len(group) != 3 for group in groups[1:]):
            return None
        return float("".join(groups))
    if other in whole and any(len(group) != 3 for group in whole.split(other)[1:]):
        return None
    return float(f"{whole.replace(other, '') or '0'}.{fraction or '0'}")


@dataclass(frozen=True, slots=True)
class DateMarks:
    """What dates say of the order of day and month: how many prove one, the other, or leave it open.

    `american`: how many are written as in the United States, with AM or PM and without leading zeros.
    """

    day_first: int = 0
    month_first: int = 0
    ambiguous: int = 0
    american: int = 0

    def __add__(self, other: DateMarks) -> DateMarks:
        if other is _NO_MARKS:
            return self
        return DateMarks(
            self.day_first + other.day_first,
            self.month_first + other.month_first,
            self.ambiguous + other.ambiguous,
            self.american + other.american,
        )

    @property
    def proven(self) -> DateOrder | None:
        """The order that is proven; None where nothing or both are."""
        if bool(self.day_first) == bool(self.month_first):
            return None
        return DateOrder.DAY_FIRST if self.day_first else DateOrder.MONTH_FIRST


_NO_MARKS = DateMarks()


def date_marks(cell: str) -> DateMarks:
    """Tell what a cell says of the order of day and month."""
    match = _SLASHED.match(cell.strip()[:40])
    if match is None or match["mark"] == ".":  # points are written day first everywhere
        return _NO_MARKS
    first, second = int(match["first"]), int(match["second"])
    zeros = match["first"][0] == "0" or match["second"][0] == "0"
    return DateMarks(
        day_first=first > 12 >= second,
        month_first=second > 12 >= first,
        ambiguous=first <= 12 and second <= 12 and first != second,
        american=bool(match["half"]) and not zeros,
    )


def parse_date(cell: str, order: DateOrder = DateOrder.DAY_FIRST) -> str | None:
    """Read a date, or date and time, as RFC 3339; without a zone it counts as UTC. None where it is none."""
    return _parsed_date(_trimmed(cell), order)


@lru_cache(maxsize=4_096)  # a table has few days
def _parsed_date(cell: str, order: DateOrder) -> str | None:
    if not cell:
        return None
    try:
        return _iso(cell) or _slashed(cell, order) or _year_first(cell) or _named(cell) or _serial(cell) or _epoch(cell)
    except (ValueError, OverflowError):
        return None


def written_out(cell: str, order: DateOrder) -> str:
    """Return a date that the other order of day and month would read otherwise as RFC 3339, any other cell as it is.

    A spreadsheet takes 2026-02-03 for a date and saves it in the style of its country, but leaves RFC 3339 alone.
    """
    match = _SLASHED.match(cell.strip()[:40])
    if match is None or match["mark"] == "." or max(int(match["first"]), int(match["second"])) > 12:
        return cell
    return parse_date(cell, order) or cell


def _trimmed(cell: str) -> str:
    return " ".join(cell[:80].replace("\u00a0", " ").replace("\u202f", " ").split())


def _iso(cell: str) -> str | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}", cell):
        return None
    try:
        return as_time(datetime.fromisoformat(cell.removesuffix(" UTC").replace(" Z", "Z")))
    except ValueError:
        return None


def as_time(value: datetime | date) -> str:
    """Return a time as RFC 3339; one without a zone counts as UTC."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()


def _slashed(cell: str, order: DateOrder) -> str | None:
    match = _SLASHED.fullmatch(cell)
    if match is None:
        return None
    first, second = int(match["first"]), int(match["second"])
    day_first = order is DateOrder.DAY_FIRST or match["mark"] == "."
    day, month = (first, second) if day_first else (second, first)
    year = int(match["year"])
    return _time(year + (0 if year > 99 else 2000), month, day, match)


def _year_first(cell: str) -> str | None:
    match = _YEAR_FIRST.fullmatch(cell) or _COMPACT.fullmatch(cell)
    return _time(int(match["year"]), int(match["month"]), int(match["day"]), match) if match else None


def _named(cell: str) -> str | None:
    match = _NAMED.fullmatch(cell) or _NAMED_MONTH_FIRST.fullmatch(cell)
    month = _MONTHS.get(match["month"].lower()) if match else None
    if match is None or month is None:
        return None
    year = int(match["year"])
    return _time(year + (0 if year > 99 else 2000), month, int(match["day"]), match)


def _serial(cell: str) -> str | None:
    """Read a spreadsheet's count of days since 1899-12-30."""
    if not _SERIAL.fullmatch(cell):
        return None
    days = float(cell.replace(",", "."))
    if int(days) not in _SERIAL_DAYS:
        return None
    moment = _SERIAL_EPOCH + timedelta(seconds=round(days * 86_400))
    return as_time(moment)


def _epoch(cell: str) -> str | None:
    match = _EPOCH.fullmatch(cell)
    return as_time(datetime.fromtimestamp(int(match[1]), UTC)) if match else None


def _time(year: int, month: int, day: int, match: re.Match[str]) -> str:
    parts = match.groupdict()
    hour = int(parts.get("hour") or 0)
    half = (parts.get("half") or "").lower().replace(".", "")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    moment = datetime(year, month, day, hour, int(parts.get("minute") or 0), int(parts.get("seconds") or 0), tzinfo=UTC)
    return as_time(moment)
