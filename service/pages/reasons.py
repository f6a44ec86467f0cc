"""Messages about files, rows, addresses and deliveries in the language of a page."""

from __future__ import annotations

import re
from functools import lru_cache

from service.pages.strings.address_reasons import ADDRESS_REASONS
from service.pages.strings.reasons import REASONS, TERMS
from service.pages.strings.source_reasons import SOURCE_REASONS

_PLACE = re.compile(r"\{(\d)\}")
_ROW = re.compile(r"Row (\d+): (\S+) (.+)\.", re.DOTALL)  # of a preview: a row that is taken but for a cell
_FIELD = re.compile(r"([A-Za-z_.-]+)( |: )(.+?)\.?", re.DOTALL)  # a message that begins with its field
_ENGLISH = tuple(
    (re.compile("(.*?)".join(re.escape(part) for part in english.split("{}")), re.DOTALL), french)
    for english, french in (*ADDRESS_REASONS, *REASONS, *SOURCE_REASONS)
)


@lru_cache(maxsize=1000)
def in_french(message: str) -> str | None:
    """Return a message in French; None where it is none that is known."""
    row = _ROW.fullmatch(message)
    if row:
        told = _told(row[3])
        return told and f"Ligne {row[1]} : {row[2]} {told}."
    told = _told(message)
    field = _FIELD.fullmatch(message)
    if told is None and field:
        rest = _told(field[3])
        return rest and f"{field[1]} : {rest}."
    return told


def _told(message: str) -> str | None:
    for english, french in _ENGLISH:
        match = english.fullmatch(message)
        if match:
            return _filled(french, [TERMS.get(value, value).replace("' or '", "' ou '") for value in match.groups()])
    return None


def _filled(french: str, values: list[str]) -> str:
    return _PLACE.sub(lambda place: values[int(place[1])], french)
