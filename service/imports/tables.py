"""Rows of a table to notes: what CSV and spreadsheets share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from service.filters import name_key
from service.imports.columns import NESTED, TITLE, Columns
from service.imports.records import DateOrder, Options, Record, make_note, rejected
from service.imports.values import parse_currency, parse_date, parse_money, written_out
from service.notes.intake import RejectedNote
from service.notes.schemas import MAX_AMOUNT, IncomingNote, NoteError

MAX_COLUMNS = 500
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_KINDS = {
    "call_note": "call, appel, phone, phone call, telephone, appel telephonique, phonecall, call note",
    "meeting_note": "meeting, reunion, rdv, rendez-vous, rendez vous, appointment, meeting note, visio",
    "visit_report": "visit, visite, visit report, compte rendu de visite, rapport de visite, field visit",
    "weekly_report": "weekly report, weekly, hebdo, rapport hebdomadaire, hebdomadaire",
    "email": "email, e-mail, mail, courriel",
    "transcript": "transcript, transcription",
    "debrief": "debrief, debriefing, win loss, win/loss",
}
_OUTCOMES = {
    "won": "won, closed won, closedwon, gagné, gagnée, gagnee, gagne, signé, signée, win, fermée gagnée, conclu",
    "lost": "lost, closed lost, closedlost, perdu, perdue, loss, fermée perdue, abandonné, abandonnée",
    "open": "open, en cours, ouvert, ouverte, in progress, pending, ongoing, new, nouveau",
}
_LANGUAGES = {"en": "en, english, anglais, eng, en-us, en-gb", "fr": "fr, french, français, francais, fra, fr-fr"}


def _words(values: dict[str, str]) -> dict[str, str]:
    return {name_key(word): value for value, words in values.items() for word in words.split(",")}


_CLOSED_SETS = {"kind": _words(_KINDS), "deal.outcome": _words(_OUTCOMES), "language": _words(_LANGUAGES)}
MAX_NOTHING_CHARS = 20
_NOTHING = frozenset({"-", "--", "–", "—", "?", "n/a", "#n/a", "null", "none", "néant", "non renseigné"})
_NO_NUMBER = frozenset(
    {"na", "nc", "nd", "n.c.", "n.d.", "tbd", "tbc", "inconnu", "unknown", "non communiqué", "à définir"}
)
_TIMES = frozenset({"occurred_at", "updated_at"})
_TRUE = {"true", "1", "yes", "oui", "vrai"}


def escaped(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _unescaped(cell: str) -> str:
    """Take the mark of `escaped` off again."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_STARTS) else cell


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of a table are read; the separator is what a row's surplus cells were parted by."""

    columns: Columns
    order: DateOrder
    options: Options
    separator: str = ","


def table_records(rows: Iterator[tuple[int, Sequence[str]]], table: Table) -> Iterator[Record]:
    """Give a record for each row that holds a note or a fault."""
    for number, cells in rows:
        if record := row_record(number, cells, table):
            yield record


def row_record(number: int, cells: Sequence[str], table: Table) -> Record | None:
    """Return a row's record; None if it is empty, or the header once more, as where files were joined."""
    header = table.columns.header
    if cells and cells[0].startswith("\ufeff"):
        cells = [cells[0].removeprefix("\ufeff"), *cells[1:]]
    warnings: list[NoteError] = []
    if any("\x00" in cell for cell in cells):
        cells = [cell.replace("\x00", "") for cell in cells]
        warnings.append(NoteError(field="line", code="nul_removed", message="held U+0000, which is removed"))
    if not any(cell.strip() for cell in cells) or _is_header(cells, header):
        return None
    note = _row_note(cells, table, warnings)
    return Record(number, note, mendable(cells, table), header, warnings=tuple(warnings))


def _is_header(cells: Sequence[str], header: Sequence[str]) -> bool:
    return len(cells) == len(header) > 1 and all(cell.strip() == name for cell, name in zip(cells, header, strict=True))


def mendable(cells: Sequence[str], table: Table) -> tuple[str, ...]:
    """Return a row's cells for the list of refused rows: nothing is lost, and dates mean the same in another file."""
    width = len(table.columns.header)
    kept = list(cells[:width])
    if any(cell.strip() for cell in cells[width:]):  # a separator within a cell that was not quoted
        kept[-1:] = [table.separator.join(cells[width - 1 :]).rstrip(table.separator)]
    for place, field in enumerate(table.columns.fields):
        if field in _TIMES and place < len(kept):
            kept[place] = written_out(kept[place], table.order)
    return tuple(kept)


def _row_note(cells: Sequence[str], table: Table, warnings: list[NoteError]) -> IncomingNote | RejectedNote:
    """Return the note of a row; what is left out of it, for it must not be lost by that, goes to the warnings."""
    width = len(table.columns.header)
    if any(cell.strip() for cell in cells[width:]):
        return rejected(
            "line",
            "too_many_cells",
            f"has {len(cells)} cells, the header {width}: put a cell that holds {table.separator!r} in quotes",
        )
    if any("\udc80" <= character <= "\udcff" for cell in cells if not cell.isascii() for character in cell):
        return rejected("line", "invalid_utf8", "is not UTF-8: save the file as CSV UTF-8")
    item: dict[str, Any] = {}
    texts: list[str] = []
    for cell, field, own in zip(cells, table.columns.fields, table.columns.own, strict=False):
        if field is None or _is_blank(cell.strip(), field):
            continue
        value = _unescaped(cell)
        if field == "text":
            texts.append(value)
        elif field in _TIMES:
            moment = parse_date(value, table.order)
            if moment is None:
                return rejected(field, "invalid_date", _date_fault(table.order), _id_of(item))
            item[field] = moment
        else:
            _put(item, field, value.strip(), own, warnings)
    _join_text(item, texts)
    _complete(item)
    return make_note(item, table.options)


def _is_blank(cell: str, field: str) -> bool:
    """Tell a cell that holds nothing, or what people write for nothing: a dash, N/A."""
    if not cell or len(cell) > MAX_NOTHING_CHARS or field in {"text", TITLE}:
        return not cell
    cell = cell.casefold()
    return cell in _NOTHING or (cell in _NO_NUMBER and (field == "deal.amount" or field in _TIMES))


def _date_fault(order: DateOrder) -> str:
    example = "31/12/2026" if order is DateOrder.DAY_FIRST else "12/31/2026"
    return f"is not a date: write 2026-12-31 or {example}; {order.replace('_', ' ')} is how this file is read"


def _id_of(item: dict[str, Any]) -> str | None:
    value = item.get("external_id")
    return value[:200] if isinstance(value, str) else None


def _put(item: dict[str, Any], field: str, value: str, own: bool, warnings: list[NoteError]) -> None:
    """Put a cell where JSON has it: `deal.amount` is `amount` of `deal`."""
    if field in _CLOSED_SETS:
        meant = _CLOSED_SETS[field].get(name_key(value.replace("_", " ")))
        if meant is None and not own:
            return  # a column named "status" or "type" may tell something else
        value = meant or value
    outer, _, inner = field.partition(".")
    if outer not in NESTED:
        item[field] = value.lower() in _TRUE if field == "deleted" else value
        return
    part = item.setdefault(outer, {})
    if inner == "amount":
        money = parse_money(value)
        if money is None or not 0 <= money[0] <= MAX_AMOUNT:
            message = f"is no single amount of 0 or more ({value[:40]!r}): the note is kept without it"
            warnings.append(NoteError(field=field, code="amount_left_out", message=message))
            return
        part["amount"] = money[0]
        if money[1]:
            part.setdefault("currency", money[1])
    elif inner == "currency":
        code = parse_currency(value)
        if code is None:
            message = f"is no currency ({value[:40]!r}): the note is kept without it"
            warnings.append(NoteError(field=field, code="currency_left_out", message=message))
            return
        part["currency"] = code
    else:
        part[inner] = value


def _join_text(item: dict[str, Any], texts: list[str]) -> None:
    title = item.pop(TITLE, None)
    if title and not (texts and texts[0].strip().casefold().startswith(title.casefold())):
        texts.insert(0, title)
    item["text"] = texts[0] if len(texts) == 1 else "\n\n".join(texts)


def _complete(item: dict[str, Any]) -> None:
    """Give an author his name as id; a deal without id is the one of its account, and none without that."""
    author, deal, account = item.get("author"), item.get("deal"), item.get("account")
    if author is not None and "id" not in author:
        if "name" in author:
            author["id"] = author["name"]
        else:
            del item["author"]
    if account is not None and not account.keys() & {"id", "name"}:
        del item["account"]
        account = None
    if deal is not None and "id" not in deal:
        if account and deal.keys() - {"currency"}:
            deal["id"] = f"account:{account.get('id') or name_key(account['name'])}"
        else:
            del item["deal"]
