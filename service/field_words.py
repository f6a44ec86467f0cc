"""What is wrong with a field of a request, in words that say what to do: pydantic's own tell types and patterns.

Each message goes on from the field's name: `limit: must be at most 200`. The French is in `reasons/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WITHOUT_NUL = r"^[^\x00]*$"
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_PART = r"[^\s@<>\"',;\x00-\x1f]+"
MAIL_ADDRESS = f"^{_PART}@{_PART}$"
CURRENCY = r"^[A-Z]{3}$"
MONTH = r"^(19|20|21)\d\d-(0[1-9]|1[0-2])$"
NUMBER_OF_ROW = r"^[0-9]{1,18}$"
NOTE_LANGUAGE = "^(en|fr|mixed)$"
FOUND_LANGUAGE = "^(en|fr|mixed|unknown)$"

PATTERNS = {
    WITHOUT_NUL: "holds U+0000: remove it",
    ONE_LINE: "holds a line break or another control character: remove it",
    MAIL_ADDRESS: "is no mail address: send one such as ann@firm.com",
    CURRENCY: "must be three capital letters, such as EUR",
    MONTH: "is no month: write it as 2026-09",
    NUMBER_OF_ROW: "must be a whole number",
    NOTE_LANGUAGE: "must be 'en', 'fr' or 'mixed'",
    FOUND_LANGUAGE: "must be 'en', 'fr', 'mixed' or 'unknown'",
}
_TEXT = "must be text: send it in quotes"
_WHOLE = "must be a whole number"
_NUMBER = "must be a number"
_SWITCH = "must be true or false"
_OBJECT = "must be an object: send {{...}}"
_DAY = "is no day: write it as 2026-09-30"
_TIME = "is no time: send RFC 3339 with a zone, such as 2026-09-14T10:20:00Z"
KINDS = {
    "missing": "is missing: send it",
    "extra_forbidden": "is no field here: remove it, or mend its name",
    "string_type": _TEXT,
    "string_unicode": "holds characters that are no Unicode: send valid UTF-8",
    "string_too_long": "is longer than {max_length} characters: shorten it",
    "string_too_short": "is shorter than {min_length} characters: send more",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "is too large a number",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "list_type": "must be a list: send [...]",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "has fewer than {min_length} entries: send more",
    "too_long": "has more than {max_length} entries: send fewer",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "timezone_aware": _TIME,
}
_EMPTY = "is empty: give it a value, or leave it out"


def in_words(error: Mapping[str, Any]) -> str:
    """Say an error of pydantic in our words; what is our own, such as a validator's, stays as it is."""
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "string_pattern_mismatch" and context["pattern"] in PATTERNS:
        return PATTERNS[context["pattern"]]
    if kind in {"string_too_short", "too_short"} and context["min_length"] == 1:
        return _EMPTY
    if kind in KINDS:
        return KINDS[kind].format(**context)
    return str(error["msg"]).removeprefix("Value error, ")
