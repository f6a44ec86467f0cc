"""What tells erased words where they stand elsewhere: names and ids, and words that nothing else says."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from models.persons import is_ordinary
from service.notes.prints import SHINGLE_WORDS, words_of

ERASED = "[erased]"
MIN_NAME_CHARS = 3  # shorter names would strike ordinary words
_WORD = re.compile(r"\w+")


class Traces:
    """Traces of what is erased.

    Names are struck wherever they stand. Words that stood in erased notes alone, and that are no ordinary words, are
    struck from what was made of notes (labels, keywords, reports). A record that was sent is emptied where it holds a
    name, or three erased words in a row of which one stands nowhere else: a single one may be another customer's.
    """

    def __init__(self, names: Iterable[str], texts: Iterable[str] = ()) -> None:
        """Take up names and ids, and the texts that are erased. A bare number tells nothing by itself."""
        known = {one.strip() for one in names}
        known = {one for one in known if len(one) >= MIN_NAME_CHARS and not one.isdecimal()}
        self.names = sorted(known, key=len, reverse=True)
        self._texts = [words_of(text) for text in texts]
        said = {word for words in self._texts for word in words}
        self.words = {word for word in said if len(word) >= MIN_NAME_CHARS and word.isalpha() and not is_ordinary(word)}

    def keep_words_of(self, text: str) -> None:
        """Leave alone what a text that stays says too."""
        self.words.difference_update(words_of(text))

    @cached_property
    def _name(self) -> re.Pattern[str] | None:
        whole = "|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in self.names)
        return re.compile(whole, re.IGNORECASE) if whole else None

    @cached_property
    def _rows(self) -> set[tuple[str, ...]]:
        starts = [(words, i) for words in self._texts for i in range(max(1, len(words) - SHINGLE_WORDS + 1))]
        rows = {tuple(words[i : i + SHINGLE_WORDS]) for words, i in starts}
        return {row for row in rows if not self.words.isdisjoint(row)}

    def names_in(self, text: str) -> bool:
        """Tell whether a text has one of the names."""
        return bool(self._name and self._name.search(text))

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of each name in a text."""
        return [found.span() for found in self._name.finditer(text)] if self._name else []

    def strike_names(self, text: str) -> str:
        """Return a text without the names."""
        return self._name.sub(ERASED, text) if self._name else text

    def strike(self, text: str) -> str:
        """Return a text without the names and without the words that only erased notes said."""
        text = self.strike_names(text)
        return _WORD.sub(lambda m: ERASED if self.words.intersection(words_of(m[0])) else m[0], text)

    def strike_in(self, value: Any, fields: Collection[str] | None = None) -> Any:
        """Return a JSON value without them: in all its strings, or in those of some fields; keys of objects stay."""
        if isinstance(value, str):
            return value if fields is not None else self.strike(value)
        if isinstance(value, list):
            return [self.strike_in(one, fields) for one in value]
        if not isinstance(value, dict):
            return value
        struck = {}
        for key, one in value.items():
            prose = fields is None or (key in fields and isinstance(one, str))
            struck[key] = self.strike_in(one, None if prose else fields)
        return struck

    def in_record(self, record: str) -> bool:
        """Tell whether something that was sent holds what is erased: as it is, as JSON or as a form."""
        forms = {record, unquote_plus(record), _unescaped(record)}
        return any(self.names_in(form) or self._says(form) for form in forms)

    def _says(self, text: str) -> bool:
        words = words_of(text)
        width = min([SHINGLE_WORDS, *map(len, self._rows)])
        sizes = range(width, SHINGLE_WORDS + 1) if self._rows else ()
        return any(tuple(words[i : i + n]) in self._rows for n in sizes for i in range(len(words) - n + 1))


def _unescaped(record: str) -> str:
    try:
        return json.dumps(json.loads(record), ensure_ascii=False)
    except (ValueError, RecursionError):
        return record
