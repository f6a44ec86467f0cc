"""Whether words name a person or a way to reach one: such quotes have no place in a report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from models import lexicon
from models.lexicon import Lexicon, fold, load_lexicon

_REACH = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|(?:\+|\b00)\d[\d .()-]{7,}\d|\b0\d(?:[ .-]?\d{2}){4}\b|\b\d{3,5}[ -]\d{5,7}\b"
)
_TITLE = re.compile(
    r"\b(?:Mrs?|Ms|Miss|Dr|Prof|Sir|Mme|Mlle|Mr?|Me|Monsieur|Madame|Maître|Docteur)\b\.?\s+[A-ZÀ-ÝÉ]", re.UNICODE
)
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
MIN_NAME_CHARS = 3
COMMON_WORDS = 8_000  # rarer words with a capital may be names


@cache
def _lexicon() -> Lexicon:
    return load_lexicon(Path(lexicon.__file__).parent / "artefacts" / "lexicon")


def name_words(names: Iterable[str | None]) -> frozenset[str]:
    """Return the folded words of persons' names, without those too short to tell."""
    return frozenset(fold(w) for name in names if name for w in _WORD.findall(name) if len(w) >= MIN_NAME_CHARS)


def names_person(text: str, known: frozenset[str] = frozenset(), allowed: frozenset[str] = frozenset()) -> bool:
    """Tell whether a text may name a person: by title, first name, known name, e-mail, telephone, or an unknown name.

    Rather one too many: a quote that is left out costs little. So a capital within a sentence counts, unless the word
    is a common one, a place, or allowed.

    Args:
        known: Folded words of names of persons that the workspace knows.
        allowed: Folded words of names that are no persons', such as competitors'.
    """
    if _REACH.search(text) or _TITLE.search(text):
        return True
    words = _lexicon()
    for match in _WORD.finditer(text):
        word = match[0]
        folded = fold(word.removesuffix("'s").removesuffix("’s"))
        if not word[:1].isupper() or folded in allowed:
            continue
        if folded in words.first_names or folded in known:
            return True
        if word.isupper() or len(word) < MIN_NAME_CHARS or _begins_sentence(text, match.start()):
            continue
        if not words.is_ordinary(folded, top=COMMON_WORDS) and folded not in words.places:
            return True
    return False


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \u00a0\u202f\t\"'«“‘(*")
    return not before or before[-1] in ".!?:;…\n-–—•>"
