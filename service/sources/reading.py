"""Reading what senders send: strict JSON within bounds, clean text, ids as text, times of every style."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from service.errors import BadRequest, InvalidInput
from service.imports.values import parse_money
from service.notes.intake import load_json
from service.notes.text import is_html

MAX_DEPTH = 64
MAX_EVENTS = 1_000
_DOTNET_DATE = re.compile(r"/Date\((-?\d{1,15})(?:([+-])(\d{2})(\d{2}))?\)/")
_SCIENTIFIC = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?[eE][+-]?\d{1,2}")  # as SOAP has large doubles
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,9})?")


def load_body(body: bytes) -> Any:
    """Decode a JSON body, clean of what no database takes.

    Raises:
        BadRequest: If it is not JSON in UTF-8, or nested too deep.
    """
    return clean(load_json(body.removeprefix(b"\xef\xbb\xbf")))


def load_object(body: bytes) -> dict[str, Any]:
    """Decode a body that is one JSON object.

    Raises:
        BadRequest: If it is not JSON.
        InvalidInput: If it is something else.
    """
    document = load_body(body)
    if not isinstance(document, dict):
        raise wrong_shape("body", "is no JSON object")
    return document


def wrong_shape(field: str, fault: str) -> InvalidInput:
    """Return the error for a body that is not what the source sends."""
    return InvalidInput(f"{field} {fault}.", errors=[{"field": field, "code": "shape", "message": fault}])


def clean(value: Any, depth: int = 0) -> Any:
    """Return a JSON value without U+0000 and lone surrogates in its texts and names."""
    if isinstance(value, str):
        return clean_text(value)
    if depth > MAX_DEPTH:
        raise BadRequest(f"The JSON is nested over {MAX_DEPTH} deep.", code="invalid_json")
    if isinstance(value, dict):
        return {clean_text(key): clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [clean(inner, depth + 1) for inner in value]
    return value


def clean_text(text: str) -> str:
    """Drop U+0000 and replace lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def ident(value: Any) -> str | None:
    """Return an id as text; None where there is none. Ids reach beyond 2^53, so numbers stay whole."""
    if isinstance(value, dict):  # {"id": 7}, {"value": 7}
        value = value.get("id", value.get("value"))
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value.is_integer() else None
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 256 else None
    text = value.strip() if isinstance(value, str) else ""
    return text if 0 < len(text) <= 400 else None


def text_of(value: Any) -> str:
    """Return a text; empty for what is none."""
    return value if isinstance(value, str) else ""


def rich_text(value: Any) -> str:
    """Return the text of a field that holds HTML, so that it is read as such even where it has entities alone."""
    text = text_of(value)
    return text if is_html(text) or "&" not in text else f"<span>{text}</span>"


def literal_text(text: str) -> str:
    """Return a text that is not HTML, so that what looks like a tag in it is kept."""
    return f"<span>{html.escape(text, quote=False)}</span>" if is_html(text) else text


def short(value: Any) -> str | None:
    """Return a name of at most 500 characters; None where it is empty or no text."""
    text = " ".join(value.split())[:500] if isinstance(value, str) else ""
    return text or None


def part(value: Any, *names: str) -> dict[str, Any]:
    """Return an object within objects; empty where it is missing or something else."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def amount(value: Any) -> float | None:
    """Return an amount from a number, a text in local style or `{"Value": 5}`; None where it is none."""
    if isinstance(value, dict):
        value = value.get("Value", value.get("value"))
    if isinstance(value, str):
        value = float(value) if _SCIENTIFIC.fullmatch(value.strip()) else (parse_money(value) or [None])[0]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and value.bit_length() > 60:
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= 1e15 else None


def currency(value: Any) -> str | None:
    """Return a currency's code; None where it is none."""
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if re.fullmatch(r"[A-Z]{3}", code) else None


def moment(value: Any) -> datetime | None:
    """Return a time from seconds or milliseconds since 1970, RFC 3339 or `/Date(ms)/`; None where it is none.

    A time without zone counts as UTC; so does a date.
    """
    try:
        found = _moment(value)
    except (ValueError, OverflowError, OSError):
        return None
    if found is None:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if 1901 <= found.year <= 2199 else None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()[:64]
        dotnet = _DOTNET_DATE.fullmatch(value)
        if dotnet:
            zone = timedelta(hours=int(dotnet[3] or 0), minutes=int(dotnet[4] or 0)) * (-1 if dotnet[2] == "-" else 1)
            return from_ms(int(dotnet[1])).astimezone(timezone(zone))
        if not _NUMBER.fullmatch(value):
            return datetime.fromisoformat(value) if value else None
        value = float(value) if "." in value else int(value)
    if isinstance(value, int | float):
        return from_ms(value) if abs(value) > 1e11 else from_ms(value * 1000)
    return None


def from_ms(value: float) -> datetime:
    """Return the time so many milliseconds after 1970; exact where they are whole."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)


def iso(value: datetime | None) -> str | None:
    """Return a time as the note format has it."""
    return value.isoformat() if value else None


def note_item(source: str, external_id: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return a note in the note format; fields without a value are left out."""
    item = {"source": source, "external_id": external_id, "text": text, **fields}
    return {key: value for key, value in item.items() if value not in (None, {})}


def party(identifier: Any, name: Any = None) -> dict[str, Any] | None:
    """Return an author or account with what is known of id and name; None where nothing is."""
    key, label = ident(identifier), short(name)
    found = {"id": key, "name": label}
    return {field: value for field, value in found.items() if value} or None


def listed(value: Any, field: str, most: int = MAX_EVENTS) -> Sequence[Any]:
    """Return a list of 1 to `most` items.

    Raises:
        InvalidInput: If it is something else.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise wrong_shape(field, f"is no list of 1 to {most} items")
    return value
