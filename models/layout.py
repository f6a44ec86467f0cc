"""The layout of a note: which lines are boilerplate, list items, filled template fields, turns of a transcript.

Notes come as typed: the rules look at the shape of a line (bullets, `Label: value`, time stamps, mail headers) and at
short closed lists of words, in English and French. Offsets are code points into the text as given.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from models.lexicon import fold


class LineKind(StrEnum):
    """What a line is."""

    TEXT = "text"
    ITEM = "item"
    FIELD = "field"
    TURN = "turn"
    BOILERPLATE = "boilerplate"


@dataclass(frozen=True, slots=True)
class Line:
    """The content of one line.

    Attributes:
        start: First character of the content, after bullet, field label or speaker.
        label: Folded field label or speaker's name; the heading above, for items; else empty.
    """

    start: int
    end: int
    kind: LineKind
    label: str


_BREAK = re.compile(
    r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]|</?(?:p|br|div|li|ul|ol|tr|h\d|table|tbody|blockquote)\b[^<>]{0,200}>", re.I
)
_BULLET = re.compile(
    r"\s*(?:[-–—*•●▪◦·‣>→➜➡✓✔✅❌☑+~]\ufe0f?\s*|\(?\d{1,2}\s?[.)]\s+|\(?[a-z]\)\s+|\d{1,2}/\s+"
    r"|[☐-➿\U0001f300-\U0001faff]\ufe0f?\s*)+"
)
_STAMP = re.compile(r"\s*[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?[\])]?\s*(?:-->\s*\S+\s*)?[-–]?\s*")
_LABEL = re.compile(r"(?P<label>[^\W\d_][^:\n<>]{0,38}?)\s?[:：](?!//)(?=\s|[\"«“']|$)\s*")
_SIGNATURE = re.compile(r"--+ ?$|__+$|\*{3,}$|={3,}$")
_CONTACT = re.compile(r"(?:\+?\d[\d .()/-]{7,}\d)|\S+@\S+|www\.|https?://|linkedin")

_WORDS: dict[str, list[str]] = tomllib.loads(
    (Path(__file__).parent / "lexicons" / "layout.toml").read_text(encoding="utf-8")
)


def is_ours(speaker: str) -> bool:
    """Tell whether a speaker of a transcript, given as a folded label, is one of our own people."""
    return _OURS.fullmatch(speaker) is not None


def _any_of(key: str) -> str:
    return f"(?:{'|'.join(_WORDS[key])})"


_HEADER = re.compile(_any_of("header") + r"\s*:")
_THREAD = re.compile(_any_of("thread"))
_FORWARD = re.compile(r"-*\s*" + _any_of("forward"))
_CLOSING = re.compile(_any_of("closing") + r"\s*(?:[,.!]+(?:\s+\w+){0,2})?$")
_GREETING = re.compile(_any_of("greeting") + r"\b[^.?!:]{0,45}[,!]?$")
_FOOTER_START = re.compile(_any_of("footer_start"))
_FOOTER = re.compile(_any_of("footer"))
_EMPTY_VALUE = re.compile(r"[-–—./\s\\?]*" + _any_of("empty_value") + r"[\s.!,;)*-]*$")
_OURS = re.compile(_any_of("our_speakers") + r"(?: ?\d{1,2})?")


def empty_value(text: str) -> bool:
    """Tell whether a field's value says that there is nothing: "none", « RAS », "-"."""
    return not any(c.isalnum() for c in text) or _EMPTY_VALUE.match(fold(text)) is not None


def _spans(text: str) -> Iterator[tuple[int, int]]:
    position = 0
    for match in _BREAK.finditer(text):
        yield position, match.start()
        position = match.end()
    yield position, len(text)


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _speakers(text: str, spans: list[tuple[int, int]]) -> frozenset[str]:
    """Return the labels that open several lines of the note, as the speakers of a transcript do."""
    counts: Counter[str] = Counter()
    stamped: set[str] = set()
    for start, end in spans:
        stamp = _STAMP.match(text, start, end)
        bullet = _BULLET.match(text, start, end)
        at = stamp.end() if stamp else bullet.end() if bullet else start
        label = _LABEL.match(text, at, min(end, at + 48))
        if label:
            name = fold(label["label"])
            counts[name] += 1
            if stamp:
                stamped.add(name)
    return frozenset(name for name, n in counts.items() if n > 1 or name in stamped)


def read_lines(text: str) -> list[Line]:
    """Split a note into lines and say what each is. Empty lines are left out, boilerplate is kept and marked.

    Args:
        text: The note, at most 1,000,000 characters.

    Returns:
        Lines in order; together they hold all of the note's content.
    """
    spans = [(a, b) for a, b in (_strip(text, *span) for span in _spans(text)) if a < b]
    speakers = _speakers(text, spans)
    lines: list[Line] = []
    heading = ""
    after_closing = dropped = False
    for number, (start, end) in enumerate(spans):
        plain = fold(text[start : min(end, start + 300)])
        if _THREAD.match(plain) or (
            _SIGNATURE.match(plain) and number > 0 and _looks_signed(text, spans[number + 1 :])
        ):
            dropped = True
        if _FORWARD.match(plain):
            dropped = after_closing = False
            lines.append(Line(start, end, LineKind.BOILERPLATE, ""))
            continue
        if _CLOSING.match(plain):
            after_closing = True
        if dropped or _is_boilerplate(plain, end - start, after_closing=after_closing):
            lines.append(Line(start, end, LineKind.BOILERPLATE, ""))
            continue
        after_closing = False
        line, heading = _read_line(text, start, end, speakers, heading)
        lines.append(line)
    return lines


def _looks_signed(text: str, rest: list[tuple[int, int]]) -> bool:
    """Tell whether what follows a rule is a signature or a footer: few and short lines, or the words of one."""
    if not rest:
        return True
    tail = fold(text[rest[0][0] : rest[-1][1]][:2_000])
    return bool(_FOOTER.search(tail) or _CONTACT.search(tail)) or (len(rest) <= 5 and all(b - a < 50 for a, b in rest))


def _is_boilerplate(plain: str, length: int, *, after_closing: bool) -> bool:
    """Judge the folded beginning of a line of `length` characters."""
    if _is_header(plain):
        return True
    if length < 60 and _GREETING.match(plain):
        return True
    if after_closing and length < 90 and not _LABEL.match(plain):
        return True
    return bool(_FOOTER.search(plain)) and (bool(_FOOTER_START.match(plain)) or len(_FOOTER.findall(plain)) >= 2)


def _is_header(plain: str) -> bool:
    """Tell whether a line is a mail's header; those that could be a field's label must be short or hold an address."""
    header = _HEADER.match(plain)
    if not header:
        return False
    return header[0].rstrip(" :") not in {"to", "a", "de", "date", "cc"} or "@" in plain or len(plain) < 90


def _read_line(text: str, start: int, end: int, speakers: frozenset[str], heading: str) -> tuple[Line, str]:
    """Return the line and the heading that holds for the lines below it."""
    stamp = _STAMP.match(text, start, end)
    at = stamp.end() if stamp else start
    bullet = _BULLET.match(text, at, end)
    item = bullet is not None and bullet.end() < end
    if bullet is not None and item:
        at = bullet.end()
    label = _LABEL.match(text, at, min(end, at + 48))
    if label is None:
        if item:
            return Line(at, end, LineKind.ITEM, heading), heading
        short = end - at < 40 and not re.search(r"[.!?,;]$", text[at:end])
        return Line(at, end, LineKind.TEXT, ""), fold(text[at:end]) if short else ""
    name = fold(label["label"])
    if name in speakers:
        return Line(label.end(), end, LineKind.TURN, name), ""
    if label.end() >= end:
        return Line(at, end, LineKind.TEXT, ""), name
    if len(name.split()) > 4:
        return Line(at, end, LineKind.ITEM if item else LineKind.TEXT, heading if item else ""), heading if item else ""
    return Line(label.end(), end, LineKind.FIELD, name), heading
