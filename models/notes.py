"""A note taken apart: words, segments and clauses, computed once and read by every component."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from models.catalog import Word
from models.layout import Line, read_lines
from models.lexicon import fold
from models.segments import Segment, read_segments

MAX_READ_CHARS = 100_000
"""A longer text (some seventeen thousand words) is read up to here, so that a note's time and memory are bounded."""

_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*|[^\w\s]")


def plain_tokens(text: str) -> list[str]:
    """Return folded words, numbers as "0", and punctuation marks: what bags of words are made of."""
    return ["0" if t[0].isdigit() else fold(t) for t in _TOKEN.findall(text)]


MAX_SEGMENT_TOKENS = 150


@dataclass(slots=True)
class ReadNote:
    """A note's text and its parts.

    Attributes:
        words: Runs of letters and digits, in order.
        segments: Without boilerplate.
        kind: Of the note, as the guide names it; may be empty.
        word_counts: How often each folded word stands in the note.
    """

    text: str
    kind: str
    lines: list[Line]
    segments: list[Segment]
    words: list[Word]
    _starts: list[int] = field(init=False, repr=False)
    _segment_starts: list[int] = field(init=False, repr=False)
    word_counts: Counter[str] = field(init=False, repr=False)

    _tokens: dict[int, list[str]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._starts = [w.start for w in self.words]
        self._segment_starts = [s.start for s in self.segments]
        self.word_counts = Counter(w.folded for w in self.words)

    def words_between(self, start: int, end: int) -> range:
        """Return the indices of the words that begin between two offsets."""
        return range(bisect_left(self._starts, start), bisect_left(self._starts, end))

    def segment_at(self, offset: int) -> int | None:
        """Return the index of the segment that holds `offset`, or None (boilerplate, a label)."""
        index = bisect_right(self._segment_starts, offset) - 1
        return index if index >= 0 and offset < self.segments[index].end else None

    def segment_tokens(self, index: int) -> list[str]:
        """Return the plain tokens of a segment, at most `MAX_SEGMENT_TOKENS`; none where there is no such segment."""
        if index not in self._tokens:
            self._tokens[index] = plain_tokens(self.segment_text(index))[:MAX_SEGMENT_TOKENS]
        return self._tokens[index]

    def segment_text(self, index: int) -> str:
        """Return the text of a segment; empty where there is none."""
        if not 0 <= index < len(self.segments):
            return ""
        return self.text[self.segments[index].start : self.segments[index].end]


def read_note(text: str, kind: str = "") -> ReadNote:
    """Take a note apart; `text` is at most `MAX_READ_CHARS` long."""
    lines = read_lines(text)
    words = [Word(m[0], m.start(), m.end()) for m in _WORD.finditer(text)]
    return ReadNote(text, kind, lines, read_segments(text, lines), words)


def ngrams(tokens: Sequence[str], prefix: str, *, bigrams: bool = True) -> list[str]:
    """Return named features: the tokens, and pairs of neighbours."""
    found = [f"{prefix}{t}" for t in tokens]
    if bigrams:
        found += [f"{prefix}{a}_{b}" for a, b in pairwise(tokens)]
    return found


def character_ngrams(tokens: Sequence[str], prefix: str, sizes: tuple[int, ...] = (3, 4, 5)) -> list[str]:
    """Return named features: character n-grams of each token, which is marked at both ends."""
    found = []
    for token in tokens:
        marked = f"<{token}>"
        for size in sizes:
            found += [f"{prefix}{marked[i : i + size]}" for i in range(len(marked) - size + 1)]
    return found
