"""Finds the names of a catalogue in the words of a note, however they are typed.

Exact matches go through a dictionary of folded names, so thousands of aliases cost nothing; what is left over, and no
ordinary word, is compared by edit distance (optimal string alignment: a swap is one edit) and by sound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import process
from rapidfuzz.distance import OSA

from models.lexicon import Lexicon, fold, fold_key
from models.sounds import sound_key
from models.types import Catalog

_JOINERS = frozenset(" -_.'’&/+\u00a0\u2011\u2010")
_MAX_WORDS = 7
_SMALL_WORDS = 300
"""The most frequent words; an abbreviation typed like one of them ("an" for "AN") is that word."""
_ENGLISH_TAILS = frozenset(["ll", "re", "ve", "s", "t", "d", "m"])


class Spelling(StrEnum):
    """How a match is written, from surest to least sure."""

    EXACT = "exact"
    SPACED = "spaced"
    FUZZY = "fuzzy"


@dataclass(frozen=True, slots=True)
class Word:
    """A run of letters and digits; `start` and `end` are offsets into the note."""

    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        """The word without case and accents."""
        return fold(self.text)


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A name at `words[first:last]`.

    Attributes:
        name: Canonical name; None for one of our own names.
        alias: The alias that matched, as the catalogue writes it.
        ordinary: Whether the alias is also an ordinary word, a first name or a place, so that context must decide.
    """

    first: int
    last: int
    name: str | None
    alias: str
    spelling: Spelling
    ordinary: bool


def max_edits(length: int, *, same_sound: bool) -> int:
    """Return how many edits a misspelt name of `length` letters may have."""
    if length <= 3:
        return 0
    if length == 4:
        return 1 if same_sound else 0
    return (1 if length <= 8 else 2 if length <= 12 else 3) + same_sound


class CatalogMatcher:
    """Finds our own names and the competitors' in words.

    Args:
        catalog: Names to look for. Where two competitors share an alias, the first one has it.
        lexicon: Ordinary words, first names, places.

    Attributes:
        own_words: Folded words of our own names.
    """

    def __init__(self, catalog: Catalog, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._names: dict[str, tuple[str | None, str]] = {}
        for name in catalog.us:
            self._names.setdefault(fold_key(name), (None, name))
        for competitor in catalog.competitors:
            for alias in (competitor.name, *competitor.aliases):
                self._names.setdefault(fold_key(alias), (competitor.name, alias))
        self._names.pop("", None)
        self.own_words = frozenset(fold(part) for name in catalog.us for part in re.findall(r"[^\W_]+", name))
        self._ordinary = {key for key, (_, alias) in self._names.items() if self._is_ordinary(alias)}
        self._fuzzy_keys = [key for key in self._names if len(key) >= 4 and not key.isdigit()]
        self._sounds: dict[str, str] = {}
        for key in self._fuzzy_keys:
            self._sounds.setdefault(sound_key(key), key)
        self._guesses: dict[str, str | None] = {}
        self._longest = min(_MAX_WORDS, 2 + max((len(a.split()) for _, a in self._names.values()), default=1))

    def find(self, words: Sequence[Word], text: str) -> list[NameMatch]:
        """Return the matches in order; where they overlap, the longest wins.

        Args:
            words: All words of the note.
            text: The note.
        """
        found: list[NameMatch] = []
        position = 0
        while position < len(words):
            match = self._exact_at(words, text, position) or self._fuzzy_at(words, text, position)
            if match:
                found.append(match)
                position = match.last
            else:
                position += 1
        return found

    def _is_ordinary(self, alias: str) -> bool:
        parts = [fold(p) for p in alias.split()]
        lexicon = self._lexicon
        return len(parts) == 1 and (
            len(parts[0]) <= 2
            or lexicon.is_ordinary(parts[0])
            or parts[0] in lexicon.first_names
            or parts[0] in lexicon.places
        )

    def _joined(self, words: Sequence[Word], text: str, first: int, last: int) -> bool:
        """Tell whether only one or two joining marks stand between the words."""
        return all(
            words[i + 1].start - words[i].end <= 3 and set(text[words[i].end : words[i + 1].start]) <= _JOINERS
            for i in range(first, last - 1)
        )

    def _exact_at(self, words: Sequence[Word], text: str, first: int) -> NameMatch | None:
        best = None
        key = ""
        for last in range(first + 1, min(first + self._longest, len(words)) + 1):
            if not self._joined(words, text, max(first, last - 2), last):
                break
            key += words[last - 1].folded
            for form in _singulars(key):
                entry = self._names.get(form)
                if (
                    entry
                    and self._keeps_spacing(entry[1], form, words[first:last])
                    and not self._is_small_word(entry[1], words[first:last], text)
                ):
                    spelling = Spelling.EXACT if form == key else Spelling.SPACED
                    ordinary = form in self._ordinary or self._reads_as_words(entry[1], words[first:last])
                    best = NameMatch(first, last, *entry, spelling, ordinary)
                    break
        return best

    def _keeps_spacing(self, alias: str, key: str, words: Sequence[Word]) -> bool:
        """Refuse words that only together spell an ordinary word ("ex act" for "Exact"), unless capitals say name."""
        if len(words) <= len(alias.replace("-", " ").split()) or len(words) == 1:
            return True
        if key in self._ordinary or any(len(w.text) == 1 and not w.text.isdigit() for w in words):
            return all(w.text[:1].isupper() or w.text[:1].isdigit() for w in words)
        return len(key) >= 5 or not all(self._lexicon.is_ordinary(w.folded) for w in words)

    def _is_small_word(self, alias: str, words: Sequence[Word], text: str) -> bool:
        """Tell whether an abbreviation is only a small word here: "it is an inch", "I'll"."""
        word = words[0]
        if len(words) > 1 or len(word.text) > 3 or not word.text.islower() or alias.islower():
            return False
        if word.text in _ENGLISH_TAILS and text[max(0, word.start - 1) : word.start] in {"'", "’"}:
            return True
        return self._lexicon.is_ordinary(word.folded, top=_SMALL_WORDS)

    def _reads_as_words(self, alias: str, words: Sequence[Word]) -> bool:
        """Tell whether ordinary small words only together spell the alias: "fresh desk"."""
        return len(words) > len(alias.split()) and all(
            w.text.islower() and self._lexicon.is_ordinary(w.folded) for w in words
        )

    def _fuzzy_at(self, words: Sequence[Word], text: str, first: int) -> NameMatch | None:
        for last in range(min(first + 3, len(words)), first, -1):
            if last - first > 1 and not self._joined(words, text, first, last):
                continue
            parts = [w.folded for w in words[first:last]]
            if all(self._lexicon.is_ordinary(p) or p.isdigit() for p in parts) or any(len(p) < 2 for p in parts):
                continue
            key = self._guess("".join(parts), n_words=len(parts))
            if key:
                return NameMatch(first, last, *self._names[key], Spelling.FUZZY, key in self._ordinary)
        return None

    def _guess(self, key: str, *, n_words: int) -> str | None:
        """Return the catalogue key that `key` misspells, or None."""
        if len(key) < 4 or key.isdigit():
            return None
        if len(self._guesses) > 100_000:
            self._guesses.clear()
        cached = f"{n_words} {key}"
        if cached not in self._guesses:
            self._guesses[cached] = self._nearest(key, n_words)
        return self._guesses[cached]

    def _nearest(self, key: str, n_words: int) -> str | None:
        sound = sound_key(key)
        best: tuple[float, str] | None = None
        for candidate, distance, _ in process.extract(
            key, self._fuzzy_keys, scorer=OSA.distance, score_cutoff=max_edits(len(key) + 1, same_sound=True), limit=5
        ):
            alias = self._names[candidate][1]
            if abs(len(alias.split()) - n_words) > (len(candidate) > 7):
                continue
            same_sound = sound_key(candidate) == sound
            if candidate[0] != key[0] and not same_sound and len(candidate) < 8:
                continue
            shortest = min(len(key), len(candidate))
            allowed = max_edits(shortest, same_sound=same_sound)
            if candidate in self._ordinary and len(candidate) < 7:
                allowed = min(allowed, 1) if same_sound else 0
            if distance <= allowed:
                rank = distance - 0.5 * same_sound
                if best is None or rank < best[0]:
                    best = (rank, candidate)
        return best[1] if best else None


def _singulars(key: str) -> tuple[str, ...]:
    """Return the key, and without a plural ending."""
    if len(key) > 4 and key.endswith("s"):
        return (key, key[:-1])
    return (key,)
