"""A note taken apart: words, segments and clauses, computed once and read by every component."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from models.catalog import Word
from models.layout import Line, LineKind, is_ours, read_lines
from models.lexicon import fold
from models.segments import Segment, read_segments

MAX_READ_CHARS = 100_000
"""A longer text (some seventeen thousand words) is read up to here, so that a note's time and memory are bounded."""

MAX_LABEL_CHARS = 48
MIN_TITLE_SHARE = 0.06
"""Of all words, that begin with a capital in a note of a writer who uses them."""

_LINE_START = re.compile(r"[\n\r>]")
_LINE_END = re.compile(r"[\n\r<>]|:.*\w")
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*|[^\w\s]")
_NO_RIVALS = re.compile(
    r"\b(?:concurren|competit)\w*\s*(?:[:=?–]|-(?!\w))\s*(?:aucune?|n[ée]ant|non|ras|personne|rien|none|no(?!\s+longer)(?:body|ne|thing)?|nil|n/a|0)\b",
    re.IGNORECASE,
)


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
        places: Indices of each folded word in `words`.
        speakers: Folded names of those who speak in a transcript.
        cased: Whether the writer uses capitals, so that small letters speak against a name.
        denies_rivals: Whether a field for competitors says that there are none.
    """

    text: str
    kind: str
    lines: list[Line]
    segments: list[Segment]
    words: list[Word]
    _starts: list[int] = field(init=False, repr=False)
    _segment_starts: list[int] = field(init=False, repr=False)
    places: defaultdict[str, list[int]] = field(init=False, repr=False)
    speakers: frozenset[str] = field(init=False, repr=False)
    cased: bool = field(init=False, repr=False)
    denies_rivals: bool = field(init=False, repr=False)

    _tokens: dict[int, list[str]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._starts = [w.start for w in self.words]
        self._segment_starts = [s.start for s in self.segments]
        self.places = defaultdict(list)
        for index, word in enumerate(self.words):
            self.places[word.folded].append(index)
        self.cased = sum(w.text.istitle() for w in self.words) >= MIN_TITLE_SHARE * len(self.words)
        self.denies_rivals = _NO_RIVALS.search(self.text) is not None
        turns = (line.label for line in self.lines if line.kind is LineKind.TURN)
        self.speakers = frozenset(word for label in turns for word in label.split())

    def words_between(self, start: int, end: int) -> range:
        """Return the indices of the words that begin between two offsets."""
        return range(bisect_left(self._starts, start), bisect_left(self._starts, end))

    def segment_at(self, offset: int) -> int | None:
        """Return the index of the segment that holds `offset`, or None (boilerplate, a label)."""
        index = bisect_right(self._segment_starts, offset) - 1
        return index if index >= 0 and offset < self.segments[index].end else None

    def segment_of(self, offset: int) -> int | None:
        """Return the index of the segment that holds `offset`, in itself or in its field label ("Acme: too slow")."""
        inside = self.segment_at(offset)
        if inside is not None:
            return inside
        index = bisect_right(self._segment_starts, offset)
        if index >= len(self.segments) or self.segments[index].kind is not LineKind.FIELD:
            return None
        label = self.text[offset : self.segments[index].start]
        return index if len(label) < MAX_LABEL_CHARS and not _LINE_END.search(label) else None

    def says_us(self, index: int | None) -> bool:
        """Tell whether a segment is of a turn in which one of our own people speaks; False where there is none."""
        if index is None:
            return False
        return self.segments[index].kind is LineKind.TURN and is_ours(self.segments[index].label)

    def label_start(self, offset: int) -> int:
        """Return the beginning of the line's part before `offset`, which a field label holds."""
        earlier = [m.end() for m in _LINE_START.finditer(self.text, max(0, offset - MAX_LABEL_CHARS), offset)]
        return earlier[-1] if earlier else max(0, offset - MAX_LABEL_CHARS)

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
