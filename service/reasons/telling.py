"""Messages about files, rows, addresses and deliveries in the language of who reads them."""

from __future__ import annotations

import re
from functools import lru_cache

from service.reasons.addresses import ADDRESS_REASONS, FIELD_NAMES
from service.reasons.fields import FIELDS
from service.reasons.files import REASONS, TERMS
from service.reasons.sources import SOURCE_REASONS

_PLACE = re.compile(r"\{(\d)\}")
_ROW = re.compile(r"Row (\d+): (\S+) (.+)\.", re.DOTALL)  # of a preview: a row that is taken but for a cell
_FIELD = re.compile(r"([A-Za-z_.-]+)( |: )(.+?)\.?", re.DOTALL)  # a message that begins with its field
_ENGLISH = tuple(
    (re.compile("(.*?)".join(re.escape(part) for part in english.split("{}")), re.DOTALL), french)
    for english, french in (*ADDRESS_REASONS, *REASONS, *SOURCE_REASONS)
)


def in_english(message: str) -> str:
    """Return a message in English with fields named as pages name them, their code names in brackets."""
    row = _ROW.fullmatch(message)
    if row:
        return f"Row {row[1]}: {_named(row[2], french=False)} {row[3]}."
    field = _FIELD.fullmatch(message)
    return f"{_named(field[1], french=False)}{message[field.end(1) :]}" if field else message


@lru_cache(maxsize=1000)
def in_french(message: str) -> str | None:
    """Return a message in French, fields named as in `in_english`; None where it is none that is known."""
    row = _ROW.fullmatch(message)
    if row:
        told = _told(row[3])
        return told and f"Ligne {row[1]} : {_named(row[2], french=True)} {told}."
    told = _told(message)
    field = _FIELD.fullmatch(message)
    if told is None and field:
        rest = _told(field[3])
        return rest and f"{_named(field[1], french=True)} : {rest}."
    return told


def _named(field: str, *, french: bool) -> str:
    """Return a field's name on the pages with its code name; a field that pages have no name for by that alone."""
    label = FIELDS.get(field.replace(".", "_")) or FIELD_NAMES.get(field)
    if label is None:
        return field
    return f"«\u00a0{label[1]}\u00a0» ({field})" if french else f"“{label[0]}” ({field})"


def _told(message: str) -> str | None:
    for english, french in _ENGLISH:
        match = english.fullmatch(message)
        if match:
            return _filled(french, [_value(value) for value in match.groups()])
    return None


def _value(value: str) -> str:
    """Return what varies in a message in French; a plain word such as `text` may be something else than a field."""
    if "_" in value or "." in value:
        return _named(value, french=True)
    return TERMS.get(value, value).replace("' or '", "' ou '")


def _filled(french: str, values: list[str]) -> str:
    return _PLACE.sub(lambda place: values[int(place[1])], french)
