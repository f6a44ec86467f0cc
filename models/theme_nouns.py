"""Nouns that tell alone what a theme is about, the same in both languages.

A noun may name a theme as a phrase does, but only one of `lexicons/nouns.toml`, which has it in both languages: a
single word cut out of notes is often no matter ("doughnuts"), and has no sure counterpart in the other language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from models.theme_phrases import PhraseBook, phrase_key
from models.types import Language

_PATH = Path(__file__).parent / "lexicons" / "nouns.toml"


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun in English (`en`) and French (`fr`)."""

    text: Mapping[str, str]


@lru_cache(maxsize=1)
def load_nouns() -> dict[Language, dict[str, Noun]]:
    """Return the nouns of each language by their key in a `PhraseBook`."""
    nouns: dict[Language, dict[str, Noun]] = {Language.EN: {}, Language.FR: {}}
    for english, french in tomllib.loads(_PATH.read_text(encoding="utf-8"))["nouns"].items():
        noun = Noun({"en": english, "fr": french})
        for language in nouns:
            nouns[language].setdefault(phrase_key(noun.text[language], language), noun)
    return nouns


def used_nouns(books: Mapping[Language, tuple[PhraseBook, Sequence[tuple[int, str]]]]) -> list[tuple[Noun, int]]:
    """Return the nouns that the passages of a theme use, in either language, with the number of accounts that do.

    Args:
        books: Of each language, its phrases, and the places of the theme's passages there with their accounts.
    """
    users: dict[str, set[str]] = {}
    known: dict[str, Noun] = {}
    for language, (book, inside) in books.items():
        of_language = load_nouns()[language]
        for place, account in inside:
            for noun in _nouns(book.phrases[place], of_language):
                users.setdefault(noun.text["en"], set()).add(account)
                known[noun.text["en"]] = noun
    return [(known[name], len(users[name])) for name in sorted(users)]


def _nouns(keys: Iterable[str], nouns: Mapping[str, Noun]) -> Iterable[Noun]:
    return (nouns[key] for key in keys if key in nouns)
