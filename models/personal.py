"""Finds what names persons in a text, or leads to them: what is masked for who has no right to see it.

Names come from the heads beside the tagger (`models/name_kinds.py`), which read the context, and from rules where a
reader would not hesitate: titles, greetings, signatures, roles in brackets, first names of a list. A name found once is
found wherever it stands in the text. Addresses and numbers are those of `models/contacts.py`.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from models.candidates import ENGLISH_DAYS, FRENCH_DAYS
from models.contacts import find_contacts
from models.lexicon import Lexicon, fold
from models.name_kinds import KINDS, NameKind, NameKinds, kind_chances
from models.types import Personal, PersonalKind

SURE = 0.5
"""Least chance of a person for a name that the heads read."""
SURE_SMALL = 0.75
"""The same for a name in small letters, or an ordinary word."""
ELSE = 0.6
"""Chance that it is a firm's, a place's or a product's name, from which a first name of the list is none."""
_TOP_ORDINARY = 20_000
_MOST_WORDS = 4
_MIN_REPEATED = 3
_ACRONYM = 4

_LEXICONS = Path(__file__).parent / "lexicons"
_TITLES = frozenset(tomllib.loads((_LEXICONS / "names.toml").read_text(encoding="utf-8"))["titles"])
_WORDS: dict[str, list[str]] = tomllib.loads((_LEXICONS / "personal.toml").read_text(encoding="utf-8"))
_PARTICLES = frozenset(_WORDS["particles"])
_FIRM_WORDS = frozenset(_WORDS["firm_words"])
_NO_NAMES = frozenset(_WORDS["no_names"]) | ENGLISH_DAYS | FRENCH_DAYS

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CAPITAL = r"[A-ZÀ-ÖØ-ÞŒŠŽ][^\W\d_]*(?:['’-][^\W\d_]+){0,3}"
_GAP = r"[ \u00a0\u202f]"
_NAME = rf"{_CAPITAL}(?:{_GAP}(?:(?:{'|'.join(_WORDS['particles'])}){_GAP})?{_CAPITAL}){{0,3}}"
_ANY_NAME = rf"[^\W\d_]+(?:['’-][^\W\d_]+){{0,3}}(?:{_GAP}{_CAPITAL}){{0,2}}"
_FURTHER = re.compile(rf"(?:{_GAP}(?:{'|'.join(_WORDS['particles'])}))?{_GAP}(?P<word>{_CAPITAL})")


def _any_of(key: str) -> str:
    return f"(?i:{'|'.join(_WORDS[key])})"


_RULES = (
    re.compile(  # M. Lefort, Dr. Fatima El Amrani, Mme de La Rochère
        rf"(?<!\w){_any_of('titles')}\.?{_GAP}(?P<name>(?:(?:{'|'.join(_WORDS['particles'])}){_GAP})*{_NAME})"
    ),
    re.compile(rf"(?<!\w)(?:M|Me|Pr){_GAP}?\.?{_GAP}(?P<name>{_NAME})"),
    re.compile(rf"^[ \t>]*{_any_of('greetings')}{_GAP}(?P<name>{_ANY_NAME}){_GAP}?(?:[,!:]|$)", re.M),
    re.compile(rf"^[ \t>]*{_any_of('closings')}{_GAP}?[,.!]?\s{{1,3}}(?:[-–—]{_GAP}?)?(?P<name>{_NAME})\s*$", re.M),
    re.compile(rf"(?<!\w){_any_of('labels')}{_GAP}?[:=]{_GAP}?(?P<name>{_NAME})"),
    re.compile(rf"(?<!\w)(?P<name>{_NAME}),?{_GAP}\((?:[^()\n]{{0,25}}\W)??{_any_of('roles')}\b"),
    re.compile(rf"(?<!\w){_any_of('offices')},?{_GAP}(?P<name>{_CAPITAL}{_GAP}{_NAME})"),  # their CFO Ama Boateng
)
"""Each ends a name where a line ends; `name` is what is hidden."""


def find_personal(
    text: str, lexicon: Lexicon, kinds: NameKinds | None = None, firms: Iterable[tuple[int, int]] = ()
) -> list[Personal]:
    """Return what names persons or leads to them, in order and apart.

    Args:
        text: In English or French; offsets are code points into it.
        lexicon: First names, places, ordinary words.
        kinds: What the heads say of the text; without it, rules and the list alone find names.
        firms: Offsets of names of firms and products; what lies in one is nobody's.
    """
    contacts = [Personal(*place) for place in find_contacts(text)]
    taken = _Places([(one.start, one.end) for one in contacts])
    named = _Names(text, lexicon, kinds or NameKinds.unread(), _Places(firms))
    persons = [Personal(*place, PersonalKind.PERSON) for place in named.find() if not taken.touch(*place)]
    return list(_apart([*contacts, *persons]))


def _apart(found: Iterable[Personal]) -> Iterator[Personal]:
    """Yield findings in order; those that overlap as one, of the kind of the longest."""
    last: Personal | None = None
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if last is not None and one.start < last.end:
            kind = last.kind if last.end - last.start >= one.end - one.start else one.kind
            last = Personal(last.start, max(last.end, one.end), kind)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


class _Places:
    """Stretches of a text, joined where they overlap."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._starts, self._ends = list[int](), list[int]()
        for start, end in sorted(places):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def touch(self, start: int, end: int) -> bool:
        """Tell whether any of them shares a character with a stretch."""
        return bisect_right(self._ends, start) < bisect_left(self._starts, end)


class _Names:
    """The persons' names of one text."""

    def __init__(self, text: str, lexicon: Lexicon, kinds: NameKinds, firms: _Places) -> None:
        self._text, self._lexicon, self._kinds, self._firms = text, lexicon, kinds, firms
        self._chances = kind_chances(kinds.logits)
        self._starts, self._ends = kinds.offsets[:, 0].tolist(), kinds.offsets[:, 1].tolist()

    def find(self) -> Iterator[tuple[int, int]]:
        """Yield offsets of names, in any order."""
        found = [*self._by_rules(), *self._by_heads(), *self._by_list()]
        yield from found
        yield from self._again({fold(word) for start, end in found for word in _WORD.findall(self._text[start:end])})

    def _by_rules(self) -> Iterator[tuple[int, int]]:
        for rule in _RULES:
            for match in rule.finditer(self._text):
                words = [w for w in _WORD.finditer(self._text, *match.span("name"))]
                while words and fold(words[0][0]) in _TITLES:
                    words = words[1:]
                if (
                    words
                    and fold(words[0][0]) not in _NO_NAMES
                    and not self._is_else(words[0].start(), words[-1].end())
                ):
                    yield words[0].start(), words[-1].end()

    def _by_heads(self) -> Iterator[tuple[int, int]]:
        for name in self._kinds.names(self._text, SURE):
            if name.kind is not NameKind.PERSON or name.score < SURE:
                continue
            words = self._trimmed(list(_WORD.finditer(self._text, name.start, name.end)))
            if not words or any(fold(word[0]) in _FIRM_WORDS for word in words):
                continue
            if self._firms.touch(words[0].start(), words[-1].end()):
                continue
            doubtful = all(not w[0][:1].isupper() or self._is_ordinary(w[0]) for w in words)
            if not doubtful or name.score >= SURE_SMALL:
                yield words[0].start(), words[-1].end()

    def _trimmed(self, words: list[re.Match[str]]) -> list[re.Match[str]]:
        """Leave out titles before a name, and what follows it on another line or in small letters."""
        while words and self._is_before_name(words):
            words = words[1:]
        kept = words[:1]
        for before, word in pairwise(words):
            if "\n" in self._text[before.end() : word.start()]:
                break
            kept.append(word)
        while kept and (fold(kept[-1][0]) in _PARTICLES or (kept[-1][0].islower() and self._is_ordinary(kept[-1][0]))):
            kept.pop()
        return [] if len(kept) == 1 and _is_acronym(kept[0][0]) else kept

    def _is_before_name(self, words: list[re.Match[str]]) -> bool:
        word = words[0][0]
        return fold(word) in _TITLES | _NO_NAMES or (len(words) > 1 and _is_acronym(word))

    def _by_list(self) -> Iterator[tuple[int, int]]:
        """Yield first names of the list, with the family name that follows, where the heads don't read them as else."""
        at = 0
        for word in _WORD.finditer(self._text):
            if word.start() < at or not self._is_first_name(word[0]):
                continue
            end = self._family_name(word.end()) if word[0][:1].isupper() else word.end()
            if not self._is_else(word.start(), end):
                yield word.start(), end
                at = end

    def _is_first_name(self, word: str) -> bool:
        folded = fold(word)
        names = self._lexicon.first_names
        if folded not in names and not ("-" in folded and all(part in names for part in folded.split("-"))):
            return False
        return folded not in _NO_NAMES and folded not in self._lexicon.places

    def _family_name(self, end: int) -> int:
        """Return the end of a name whose first name ends here: capitals that follow belong to it."""
        for _ in range(_MOST_WORDS - 1):
            match = _FURTHER.match(self._text, end)
            if not match or self._is_ordinary(match["word"]) or self._is_else(*match.span("word")):
                break
            end = match.end()
        return end

    def _again(self, words: Collection[str]) -> Iterator[tuple[int, int]]:
        """Yield where words of names stand again, if written as names and no ordinary words."""
        telling = {w for w in words if len(w) >= _MIN_REPEATED and w not in _PARTICLES and not self._is_ordinary(w)}
        if not telling:
            return
        for word in _WORD.finditer(self._text):
            if fold(word[0]) in telling and word[0][:1].isupper() and not self._is_else(*word.span()):
                yield word.span()

    def _is_ordinary(self, word: str) -> bool:
        return self._lexicon.is_ordinary(fold(word), top=_TOP_ORDINARY)

    def _is_else(self, start: int, end: int) -> bool:
        """Tell whether a stretch is surely a firm's, a place's or a product's name."""
        if self._firms.touch(start, end):
            return True
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        if first >= last:
            return False
        chances = self._chances[first:last].mean(axis=0)[1:].tolist()
        return bool(max(chances) >= ELSE and max(chances) > chances[_PERSON])


def _is_acronym(word: str) -> bool:
    return word.isupper() and len(word) <= _ACRONYM


_PERSON = KINDS.index(NameKind.PERSON)
