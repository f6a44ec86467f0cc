"""Forms: `multipart/form-data` and `application/x-www-form-urlencoded`, within bounds."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors import BadRequest, UnsupportedMedia
from service.sources.contract import Delivery

MAX_PARTS = 200
MAX_HEADER_BYTES = 8 * 1024


class _Parts:
    """What the parser's callbacks gather: each part's bytes by its name, the first of a name."""

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}
        self.count = 0
        self.ended = False
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._content = bytearray()

    def part_begin(self) -> None:
        self.count += 1
        if self.count > MAX_PARTS:
            raise BadRequest(f"The form has over {MAX_PARTS} parts.", code="too_many_parts")
        self._headers, self._content = {}, bytearray()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name = self._bounded(self._name + data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value = self._bounded(self._value + data[start:end])

    def _bounded(self, value: bytes) -> bytes:
        if len(value) > MAX_HEADER_BYTES:
            raise BadRequest("A part's header is too long.", code="header_too_large")
        return value

    def header_end(self) -> None:
        self._headers[self._name.strip().lower()] = self._value
        self._name = self._value = b""

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def part_end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name:
            self.found.setdefault(name, bytes(self._content))

    def end(self) -> None:
        self.ended = True


def read_form(delivery: Delivery) -> dict[str, bytes]:
    """Return the fields of a form, as bytes.

    Raises:
        BadRequest: If it is broken or over its bounds.
        UnsupportedMedia: If it is no form.
    """
    if delivery.media_type == "application/x-www-form-urlencoded":
        return _urlencoded(delivery.body)
    if delivery.media_type != "multipart/form-data":
        raise UnsupportedMedia("Send a form: multipart/form-data or application/x-www-form-urlencoded.")
    _, options = parse_options_header(delivery.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 200:
        raise BadRequest("The form names no boundary.", code="invalid_form")
    parts = _Parts()
    callbacks: Any = {
        "on_part_begin": parts.part_begin,
        "on_part_data": parts.part_data,
        "on_part_end": parts.part_end,
        "on_header_field": parts.header_field,
        "on_header_value": parts.header_value,
        "on_header_end": parts.header_end,
        "on_end": parts.end,
    }
    try:
        parser = MultipartParser(boundary, callbacks)
        parser.write(delivery.body)
        parser.finalize()
    except FormParserError:
        raise BadRequest("The form is broken.", code="invalid_form") from None
    if not parts.ended:
        raise BadRequest("The form is cut off.", code="invalid_form")
    return parts.found


def _urlencoded(body: bytes) -> dict[str, bytes]:
    if body.count(b"&") > MAX_PARTS:
        raise BadRequest(f"The form has over {MAX_PARTS} fields.", code="too_many_parts")
    found: dict[str, bytes] = {}
    for pair in body.split(b"&"):
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        if name:
            found.setdefault(unquote_to_bytes(name).decode("utf-8", "replace"), unquote_to_bytes(value))
    return found
