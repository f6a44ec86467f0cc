"""Whether a text may name a person: for words that are shown outside the tool.

Cautious: a text passes only if nothing in it looks like a name. A name is a word that the list of first names has, in
any case; a capital letter inside a sentence that belongs to no known firm, place, day or month; a capital at its
beginning that is no ordinary word; an address; a telephone number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path

from models.lexicon import Lexicon, fold, load_lexicon

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CONTACT = re.compile(r"@|\d(?:[ .-]?\d){6,}")
_BEGINNING = re.compile(r"(?:^|[.!?…:]\s|\n)[\s«\"“'’(–—-]*$")
_TITLE = re.compile(
    r"\b(?:(?i:mr|mrs|miss|dr|prof|mme|mlle|monsieur|madame|maître|maitre)\b|Ms\b|Me\b(?=\.?\s[A-ZÀ-Ý])|M\b(?=\.?\s[A-ZÀ-Ý]))"
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august")
_MORE_MONTHS = ("september", "october", "november", "december")
_NO_NAMES = frozenset((*_DAYS, *_MONTHS, *_MORE_MONTHS, "i", "english", "french", "europe", "european"))
_TOP_ORDINARY = 20_000
_ACRONYM = 5
_MIN_NAME_CHARS = 3


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon:
    return load_lexicon(Path(__file__).parent / "artefacts" / "lexicon")


def is_ordinary(word: str) -> bool:
    """Tell whether a word is an ordinary English or French one, which tells nobody by itself."""
    return _lexicon().is_ordinary(fold(word), top=_TOP_ORDINARY)


def name_words(names: Iterable[str | None]) -> frozenset[str]:
    """Return the folded words of persons' names, without those too short to tell."""
    return frozenset(fold(w) for name in names if name for w in _WORD.findall(name) if len(w) >= _MIN_NAME_CHARS)


def is_person(name: str, persons: Collection[str] = ()) -> bool:
    """Tell whether a name is a person's by a title, a first name or a known name.

    Args:
        persons: Folded words of names of persons (`name_words`).
    """
    return bool(_TITLE.search(name)) or any(_is_known(fold(word), persons) for word in _WORD.findall(name))


def _is_known(folded: str, persons: Collection[str]) -> bool:
    parts = [part for part in re.split(r"['’-]", folded) if part]
    return any(part in _lexicon().first_names or part in persons for part in parts)


def may_name_person(text: str, firms: Collection[str] = (), persons: Collection[str] = ()) -> bool:
    """Tell whether a text may name a person; in doubt it does.

    Args:
        text: Some sentences, in English or French.
        firms: Names of firms and products that are none. They count where they stand whole: a partner may give a firm
            a part of its name.
        persons: Folded words of names of persons that are known (`name_words`).
    """
    if _CONTACT.search(text) or _TITLE.search(text):
        return True
    for name in sorted((name for name in firms if name.strip()), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name.strip())}(?!\w)", "it", text, flags=re.IGNORECASE)
    return any(_is_name(match, text, persons) for match in _WORD.finditer(text))


def _is_name(match: re.Match[str], text: str, persons: Collection[str]) -> bool:
    word, lexicon = match[0], _lexicon()
    if _is_known(fold(word), persons):
        return True
    core = re.split(r"['’]", word)[-1] if re.match(r"^[^\W\d_]{1,2}['’]", word) else word
    if not core[:1].isupper():
        return False
    if core.isupper() and len(core) <= _ACRONYM:
        return False
    if fold(core) in _NO_NAMES or fold(core) in lexicon.places:
        return False
    beginning = core == word and _BEGINNING.search(text[: match.start()])
    opening = re.split(r"['’-]", fold(word))[0]
    return not (beginning and lexicon.is_ordinary(opening, top=_TOP_ORDINARY))
