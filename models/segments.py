"""Sentences and clauses of a line, with exact offsets.

A rule-based splitter, because notes lack what trained splitters lean on: capitals after full stops, full stops at line
ends, verbs. Abbreviations, initials, decimals and ordinals don't end a sentence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.layout import Line, LineKind, empty_value
from models.lexicon import fold

MAX_SEGMENT_CHARS = 600
"""A longer stretch without a full stop is cut at a space, so that work per segment is bounded."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, a list item or a field's value.

    Attributes:
        kind: The kind of the line that it is on.
        label: Folded field label, speaker or heading; may be empty.
        clauses: Offsets of its clauses, in order; they cover the segment but for the marks between them.
    """

    start: int
    end: int
    kind: LineKind
    label: str
    clauses: tuple[tuple[int, int], ...]


_WORDS: dict[str, list[str]] = tomllib.loads(
    (Path(__file__).parent / "lexicons" / "segments.toml").read_text(encoding="utf-8")
)
_ABBREVIATIONS = frozenset(_WORDS["abbreviations"])
_STOP = re.compile(r"(?:[.!?…]+(?:\s?»|[)\]\"'”’])*|[.!?…]*\s?[»”\"](?=\s+[A-ZÀ-Ý]))(?:\s+|$)")
_HARD = re.compile(
    r"\s*[;•|]\s+|\s+(?:[-–—]{1,2}|/|=>|->|→|<-|➜|>)\s+|\s*[\U0001f300-\U0001faff\u2600-\u27bf]\ufe0f?\s*"
)
_SOFT = re.compile(
    rf"\s*[,:(]\s*(?:(?:{'|'.join(_WORDS['after_mark'])})\b\s*)?|\s+(?:{'|'.join(_WORDS['anywhere'])})\s+", re.I
)
_MIN_CLAUSE_CHARS = 10


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the sentences between two offsets, without surrounding space.

    A full stop before a small letter ends a sentence only after a word of three letters or more, so that lower-case
    writers are split and abbreviations are not.
    """
    position = start
    for match in _STOP.finditer(text, start, end):
        if _ends_sentence(text, position, match):
            yield from _bounded(text, position, match.start() + len(match[0].rstrip()))
            position = match.end()
    yield from _bounded(text, position, end)


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    mark = match[0].lstrip()
    if not mark.startswith(".") or mark.startswith(".."):
        return True
    before = re.search(r"[^\s(«\"“']*$", text[max(start, match.start() - 24) : match.start()])
    word = before[0] if before else ""
    if fold(word) in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word.isupper()):
        return False
    following = text[match.end() : match.end() + 1]
    if following.islower() and len(word) < 3 and not word[-1:].isdigit():
        return False
    return not (following.isdigit() and len(word) < 3 and word[:1].isupper())


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > MAX_SEGMENT_CHARS:
        cut = text.rfind(" ", start + MAX_SEGMENT_CHARS // 2, start + MAX_SEGMENT_CHARS)
        cut = cut if cut > 0 else start + MAX_SEGMENT_CHARS
        yield start, cut
        start = cut + 1 if text[cut].isspace() else cut
    if start < end:
        yield start, end


def clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Split a sentence at dashes, semicolons, commas and conjunctions; a piece too short to stand alone is joined."""
    cuts = sorted({(m.start(), m.end()) for pattern in (_HARD, _SOFT) for m in pattern.finditer(text, start, end)})
    parts: list[tuple[int, int]] = []
    position = start
    for cut, resume in cuts:
        if cut - position < _MIN_CLAUSE_CHARS or end - resume < _MIN_CLAUSE_CHARS:
            continue
        if text[cut : cut + 1] == "," and text[cut - 1 : cut].isdigit() and text[cut + 1 : cut + 2].isdigit():
            continue
        parts.append((position, cut))
        position = resume
    parts.append((position, end))
    return [(a, b) for a, b in parts if a < b]


def read_segments(text: str, lines: list[Line]) -> list[Segment]:
    """Split lines into segments; boilerplate and fields that say "none" are left out."""
    segments: list[Segment] = []
    for line in lines:
        if line.kind is LineKind.BOILERPLATE:
            continue
        if line.label and line.end - line.start < 60 and empty_value(text[line.start : line.end]):
            continue
        for start, end in sentences(text, line.start, line.end):
            segments.append(Segment(start, end, line.kind, line.label, tuple(clauses(text, start, end))))
    return segments
