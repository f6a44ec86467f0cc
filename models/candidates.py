"""Stretches of a note that may be a name nobody listed: a company's, or a product's.

Generous on purpose: capitals inside a sentence, words that no lexicon knows, everyday tools. `models/mentions.py` then
decides from the context which of them is a rival.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.catalog import Word
from models.lexicon import Lexicon
from models.segments import Segment

_LISTS: dict[str, list[str]] = tomllib.loads(
    (Path(__file__).parent / "lexicons" / "names.toml").read_text(encoding="utf-8")
)
_TOOLS = frozenset(_LISTS["tools"])
_TITLES = frozenset(_LISTS["titles"])
ENGLISH_DAYS = frozenset(_LISTS["english_days"])
FRENCH_DAYS = frozenset(_LISTS["french_days"])
CALENDAR = ENGLISH_DAYS | FRENCH_DAYS | frozenset(_LISTS["short_days"])
_JOINING = frozenset("&' ’-+.")
ABBREVIATIONS = frozenset(_LISTS["abbreviations"])
_MAX_WORDS = 4
_PLURAL_ACRONYM = re.compile(r"[A-Z]{2,5}s")
"""Things of a kind, not one firm's: "PDFs", "APIs"."""
_AFTER_TITLE = frozenset((" ", ". ", ".", "\xa0", ".\xa0"))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch `words[first:last]` of a segment that may name a company or a product."""

    first: int
    last: int


def persons_in(words: Sequence[Word], text: str) -> frozenset[str]:
    """Return the folded names of persons that a note introduces by a title or an initial: "Dr Weis", "T. Obi".

    Once introduced, a person may stand there under the bare name.
    """
    return frozenset(
        name.folded
        for i, name in enumerate(words[1:])
        if name.text[:1].isupper() and _introduces(text, words[i], text[words[i].end : name.start])
    )


def _introduces(text: str, word: Word, between: str) -> bool:
    if between not in _AFTER_TITLE:
        return False
    if word.folded in _TITLES:
        return True
    part_of_acronym = text[max(0, word.start - 1) : word.start] == "."
    return len(word.text) == 1 and word.text.isupper() and between.startswith(".") and not part_of_acronym


def _mixed(word: str) -> bool:
    """Tell whether letters and digits, or capitals inside, make the word look like a product."""
    letters = any(c.isalpha() for c in word)
    return letters and (any(c.isdigit() for c in word) or (any(c.isupper() for c in word[1:]) and not word.isupper()))


class CandidateFinder:
    """Finds candidates.

    Args:
        lexicon: Ordinary words, first names, places.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def find(self, words: Sequence[Word], text: str, segment: Segment, taken: set[int]) -> list[Candidate]:
        """Return the candidates among the words of one segment.

        Args:
            words: All words of the note.
            text: The note.
            segment: Where to look.
            taken: Indices of words that belong to catalogue names already.
        """
        inside = [i for i, w in enumerate(words) if segment.start <= w.start and w.end <= segment.end]
        return self.find_among(words, text, segment, taken, inside)

    def find_among(
        self, words: Sequence[Word], text: str, segment: Segment, taken: set[int], inside: Sequence[int]
    ) -> list[Candidate]:
        """As `find`, with the indices of the segment's words given."""
        capitals = sum(words[i].text[:1].isupper() for i in inside)
        shouted = sum(words[i].text.isupper() for i in inside) > 0.6 * len(inside) > 1.5
        titled = not shouted and capitals > 0.75 * len(inside) > 3
        plain_case = {i for i in inside if shouted or titled or self._shouted_with_neighbour(words, i)}
        starts = {i for i in inside if i == inside[0] or self._opens(text, words[i - 1].end, words[i].start)}
        found: list[Candidate] = []
        position = 0
        while position < len(inside):
            i = inside[position]
            if i in taken or not self._namelike(words, i, sentence_start=i in starts, plain_case=i in plain_case):
                position += 1
                continue
            last = i + 1
            while (
                last < i + _MAX_WORDS
                and last <= inside[-1]
                and last not in taken
                and set(text[words[last - 1].end : words[last].start]) <= _JOINING
                and (i not in starts or not self._lexicon.is_ordinary(words[i].folded))
                and words[last].text[:1].isupper() == words[i].text[:1].isupper()
                and self._continues(words, last, plain_case=last in plain_case)
            ):
                last += 1
            if i + 1 < len(words) and is_tool(f"{words[i].folded} {words[i + 1].folded}"):
                last = i + 2
            if not (i > 0 and words[i - 1].folded in _TITLES and words[i].start - words[i - 1].end <= 2):
                found.append(Candidate(i, last))
            position += last - i
        return found

    def _shouted_with_neighbour(self, words: Sequence[Word], i: int) -> bool:
        """Tell whether the word is part of a stretch in capitals, where capitals don't make a name."""
        around = [w for w in (words[i - 1] if i else None, words[i], words[i + 1] if i + 1 < len(words) else None) if w]
        return words[i].text.isupper() and sum(w.text.isupper() and len(w.text) > 1 for w in around) >= 2

    def _opens(self, text: str, end: int, start: int) -> bool:
        return bool(re.search(r"[.!?:…\n]|[\"«“(]\s*$| [-–—] ", text[end:start]))

    def _namelike(self, words: Sequence[Word], i: int, *, sentence_start: bool, plain_case: bool) -> bool:
        word = words[i].text
        folded = words[i].folded
        if folded in CALENDAR or folded in _TITLES or not any(c.isalpha() for c in word):
            return False
        ordinary = self._lexicon.is_ordinary(folded)
        # "Word" is a tool, "word" hardly ever.
        if folded in _TOOLS and (word[:1].isupper() or not ordinary):
            return True
        if folded == "google" and i + 1 < len(words):
            return True
        if len(folded) < 2 or _PLURAL_ACRONYM.fullmatch(word):
            return False
        if _mixed(word) and not re.fullmatch(r"\d+\w{1,4}|[a-z]?\d+[a-z]*\d*", folded):
            return True
        if plain_case or not word[:1].isupper():
            return not ordinary and len(folded) >= 4
        if sentence_start:
            return not ordinary or len(folded) > 3
        return True

    def _continues(self, words: Sequence[Word], i: int, *, plain_case: bool) -> bool:
        word = words[i].text
        if words[i].folded in CALENDAR or words[i].folded in _TITLES:
            return False
        if plain_case:
            return not self._lexicon.is_ordinary(words[i].folded) and len(word) > 3
        return word[:1].isupper()


def is_tool(name: str) -> bool:
    """Tell whether the folded name is an everyday tool."""
    return name in _TOOLS
