"""What people write into the search box, and where its words stand in a text.

A query is data: quotes hold words together, `-word` leaves notes out, `word*` takes every ending; all else is words.
Words are compared without case and accents, and in singular and plural, on both databases alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TERMS = 16
_MARKS = re.compile("[\u0300-\u036f]")
_WORD = re.compile("(?:[^\\W_]|[\u0300-\u036f])+")
_PART = re.compile(r'(-?)"([^"]*)"?|(\S+)')
_ELIDED = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)['’](?=\w)", re.IGNORECASE)
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_ENDINGS = (("ies", "y"), ("y", "ies"), ("aux", "al"), ("al", "aux"), ("eu", "eux"), ("eau", "eaux"), ("s", ""))
MIN_INFLECTED = 3  # letters of a word that may stand in another number
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a an and are as at be been but by can did do does for from had has have he her his how i if in into is it its me
        my no not of on or our out she so than that the their them they this to up us was we were what when where which
        who why will with you your
        ai au aux avec ce ces cette comme dans de des du elle elles en est et eux il ils je la le les leur leurs lui
        mais nous on ont ou par pas pour qu que qui sa se ses si son sont sur ta te tes tu un une vos votre vous y
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for.

    Attributes:
        forms: Ways to write it, folded, each a row of words that follow each other.
        prefix: Whether the last word may go on.
        quoted: Whether the query holds it in quotes.
    """

    forms: tuple[tuple[str, ...], ...]
    prefix: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A query taken apart; a note by words has all of `wanted` and none of `excluded`."""

    text: str
    wanted: tuple[Term, ...]
    excluded: tuple[Term, ...]

    @property
    def meant(self) -> str:
        """The query without what it leaves out, for its meaning."""
        return " ".join(word or phrase for minus, phrase, word in _PART.findall(self.text) if not _is_out(minus, word))

    @property
    def words(self) -> Iterator[str]:
        """The words of what is wanted, folded, as they were written."""
        return (word for term in self.wanted for word in term.forms[0])

    @property
    def quoted(self) -> tuple[Term, ...]:
        """What a note must have in any case: meaning does not make up for it."""
        return tuple(term for term in self.wanted if term.quoted)


def fold(word: str) -> str:
    """Return a word without case, accents and ligatures: how words are compared."""
    lower = word.lower()
    if lower.isascii():
        return lower
    return _MARKS.sub("", unicodedata.normalize("NFD", lower)).translate(_LIGATURES)


def words_of(text: str) -> list[str]:
    """Return the folded words of a text."""
    return [fold(word) for word in _WORD.findall(text)]


def parse_query(text: str) -> Query:
    """Take a query apart; there is none that can't be read."""
    terms: list[Term] = []
    excluded: list[Term] = []
    for minus, phrase, word in _PART.findall(text):
        out = _is_out(minus, word)
        found = _phrase(phrase) if not word else _words(word.removeprefix("-") if out else word)
        (excluded if out else terms).extend(found)
    told = [term for term in terms if term.quoted or not _is_stop_word(term)]
    return Query(text, tuple((told or terms)[:MAX_TERMS]), tuple(excluded[:MAX_TERMS]))


def _is_out(minus: str, word: str) -> bool:
    return bool(minus) or (word.startswith("-") and word[1:2].isalnum())


def _phrase(text: str) -> list[Term]:
    words = tuple(fold(word) for word in _WORD.findall(text))
    return [Term((words,), quoted=True)] if words else []


def _words(text: str) -> list[Term]:
    """Read a run of signs without spaces: the words of `e-mail` follow each other."""
    words = tuple(fold(word) for word in _WORD.findall(_ELIDED.sub("", text)))
    if not words:
        return []
    if text.endswith("*"):
        return [Term((words,), prefix=True)]
    return [Term((words,) if len(words) > 1 else tuple((form,) for form in _numbers(words[0])))]


def _numbers(word: str) -> list[str]:
    """Return a word and how it may look in the other number, in English or French."""
    forms = [word]
    if len(word) >= MIN_INFLECTED and word.isalpha():
        forms += [word.removesuffix(end) + other for end, other in _ENDINGS if word.endswith(end)]
        forms += [] if word.endswith("s") else [f"{word}s"]
        forms += [word.removesuffix("x")] if word.endswith(("eux", "eaux")) else []
    return list(dict.fromkeys(form for form in forms if len(form) >= MIN_INFLECTED or form == word))


def _is_stop_word(term: Term) -> bool:
    return term.forms[0][0] in _STOP_WORDS and not term.prefix


def places(text: str, query: Query, most: int) -> list[tuple[int, int]]:
    """Return where the words of a query stand in a text: starts and ends in code points, in order, not overlapping."""
    tokens = [(fold(match[0]), match.start(), match.end()) for match in _WORD.finditer(text)]
    first: dict[str, list[tuple[Term, tuple[str, ...]]]] = {}
    open_ended = []
    for term in query.wanted:
        for form in term.forms:
            if term.prefix and len(form) == 1:
                open_ended.append((term, form))
            else:
                first.setdefault(form[0], []).append((term, form))
    found: list[tuple[int, int]] = []
    end = 0
    for index, (word, start, _) in enumerate(tokens):
        if start < end:
            continue
        long = list(_matches(tokens, index, [*first.get(word, ()), *open_ended]))
        if long:
            end = tokens[index + max(long) - 1][2]
            found.append((start, end))
            if len(found) == most:
                break
    return found


def _matches(
    tokens: list[tuple[str, int, int]], index: int, candidates: list[tuple[Term, tuple[str, ...]]]
) -> Iterator[int]:
    """Yield how many words each candidate that stands at a place takes."""
    for term, form in candidates:
        here = [word for word, _, _ in tokens[index : index + len(form)]]
        if len(here) < len(form) or here[:-1] != list(form[:-1]):
            continue
        if here[-1] == form[-1] or (term.prefix and here[-1].startswith(form[-1])):
            yield len(form)


def sqlite_match(terms: tuple[Term, ...], joined: str) -> str:
    """Return terms as FTS5 reads them; words are letters and digits alone, so that nothing in them is syntax.

    Args:
        terms: At least one.
        joined: `AND` or `OR`.
    """
    return f" {joined} ".join(
        "(" + " OR ".join(f'"{" ".join(form)}"{" *" if term.prefix else ""}' for form in term.forms) + ")"
        for term in terms
    )


def postgresql_match(terms: tuple[Term, ...], joined: str) -> str:
    """Return terms as a `tsquery`; see `sqlite_match`."""
    return f" {'&' if joined == 'AND' else '|'} ".join(
        "("
        + " | ".join(
            "(" + " <-> ".join(f"'{word}'" for word in form) + (":*" if term.prefix else "") + ")"
            for form in term.forms
        )
        + ")"
        for term in terms
    )
