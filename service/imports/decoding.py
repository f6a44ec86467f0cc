"""From bytes to text: which encoding a file has, found in bounded memory."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from service.imports.records import MIB, FileRefused

MAX_TEXT_BYTES = 8 * MIB
_CHUNK = 256 * 1024
_SAMPLE = 64 * 1024
_LEGACY = ["cp1252", "mac_roman", "cp850"]  # what spreadsheets in Western Europe write where they don't write Unicode
_TYPICAL = frozenset("éèàçêôîûùëïâœæäöüßñáíóúåøãõìò€£’‘“”«»–—°•\u00a0")
_BEYOND_ASCII = re.compile(r"(?s)(?<=(.))([^\x00-\x7f])")
_EUROS = re.compile(rb"\xa4|[A-Za-z][\xbc\xbd][A-Za-z]")
_WINDOWS = re.compile(rb"[\x80-\x9f]")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Encoding:
    """A file's encoding.

    Attributes:
        name: As Python's codecs have it.
        errors: What is done with bytes that it lacks.
    """

    name: str
    errors: str = "replace"


def find_encoding(file: BinaryIO) -> Encoding:
    """Find the encoding of a whole file: a byte order mark, UTF-16 by its zeros, UTF-8, else an older one."""
    file.seek(0)
    head = file.read(_SAMPLE)
    file.seek(0)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) and not head.startswith(b"\xff\xfe\x00\x00\x00"):
        return Encoding("utf-32")
    for mark, name in _MARKS:
        if head.startswith(mark):
            # bytes that are not UTF-8 after its mark are kept visible, for the row that has them to be refused
            return Encoding(name, "surrogateescape" if name == "utf-8-sig" else "replace")
    if zeros := _utf16_by_zeros(head):
        return Encoding(zeros)
    return _utf8_or_older(file)


def _utf16_by_zeros(head: bytes) -> str | None:
    """Tell UTF-16 without a mark: in Western text every other byte is zero."""
    pairs = len(head) // 2
    if pairs < 4 or head.count(0) < 0.6 * pairs:
        return None
    low, high = head[1::2].count(0), head[0::2].count(0)
    if low >= 0.6 * pairs and high < 0.1 * pairs:
        return "utf-16-le"
    return "utf-16-be" if high >= 0.6 * pairs and low < 0.1 * pairs else None


def _utf8_or_older(file: BinaryIO) -> Encoding:
    """UTF-8 where nearly all is; a few wrong bytes in much UTF-8 are faults of their rows, not another encoding."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    wide = wrong = 0
    odd = bytearray()
    while chunk := file.read(_CHUNK):
        if not chunk.isascii():
            text = decoder.decode(chunk)
            bad = sum("\udc80" <= character <= "\udcff" for character in text) if _has_bad(text) else 0
            wrong += bad
            wide += sum(character > "\x7f" for character in text) - bad
            if bad and len(odd) < _SAMPLE:
                odd += chunk[:_SAMPLE]
        else:
            decoder.reset()
    file.seek(0)
    if not wrong or wide > wrong:
        return Encoding("utf-8", "surrogateescape")
    name = max(_LEGACY, key=lambda one: _plausible(odd.decode(one, "replace")))
    # nobody writes the currency sign, which stands where Latin 9 has the euro's, nor ½ between letters (œ)
    return Encoding("iso-8859-15" if name == "cp1252" and _EUROS.search(odd) and not _WINDOWS.search(odd) else name)


def _plausible(text: str) -> int:
    """Count what people write in Western languages beyond ASCII, less what nobody does: an É within a word."""
    score = 0
    for match in _BEYOND_ASCII.finditer(text):
        before, character = match[1], match[2]
        capital = character.isupper() and not before.islower()
        typical = (character.lower() if capital else character) in _TYPICAL
        score += 1 if typical else -1
    return score


def _has_bad(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


@contextmanager
def text_of(file: BinaryIO, encoding: Encoding) -> Iterator[io.TextIOWrapper]:
    """Read a file as text from its start, with its line ends as they are; the file stays open."""
    file.seek(0)
    wrapper = io.TextIOWrapper(file, encoding=encoding.name, errors=encoding.errors, newline="")
    try:
        yield wrapper
    finally:
        wrapper.detach()


def whole_text(file: BinaryIO) -> tuple[str, str]:
    """Return a document's text with line feeds as line ends and without U+0000, and its encoding.

    Raises:
        FileRefused: If it is too large for one note.
    """
    encoding = find_encoding(file)
    body = file.read(MAX_TEXT_BYTES + 1)
    if len(body) > MAX_TEXT_BYTES:
        raise FileRefused("too_large", "This text is over 8 MB: split it into one file per call or meeting.")
    text = body.decode(encoding.name, "replace").removeprefix("\ufeff")
    text = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    return text, encoding.name.removesuffix("-sig")
