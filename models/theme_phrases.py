"""Phrases of passages that may name a theme: noun phrases, and the single nouns that are its keywords.

A phrase is a noun with what tells which: "badge reader", "length of contract", « lecteur de badges ». Its words are
known by their classes (`models/word_classes.py`); it is not cut out of a longer compound, and holds no name, no number,
and no word that says nothing of what a passage is about (`lexicons/labels.toml`).
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from models.lexicon import Lexicon, fold
from models.types import Language
from models.word_classes import WordClasses

_LISTS: dict[str, str] = tomllib.loads((Path(__file__).parent / "lexicons" / "labels.toml").read_text(encoding="utf-8"))

MAX_WORDS = 6
"""Words of a phrase, those that link nouns included."""
MAX_CONTENT = 4
LONGEST_ACRONYM = 5
_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+|[^\w\s]|\n"
_TOKENS = {
    Language.EN: re.compile(_WORD),
    Language.FR: re.compile(r"(?:[ldjmtsnc]|qu|jusqu|lorsqu)['’](?=\w)|" + _WORD, re.IGNORECASE),
}
_PARTICIPLES = {Language.EN: ("DA", re.compile("ed$")), Language.FR: ("N", re.compile("ée?s?$"))}
_NUMBERS = frozenset(_LISTS["numbers"].split())
_ASKING = re.compile(r".-(?:t-)?(?:ils?|elles?|on|ce|je|tu|nous|vous|moi|le|la|les|lui|leur|y|en)$")
_SENTENCE_END = frozenset('.!?:\n•-–—«»"“”')
_LINKING = {
    Language.EN: frozenset(_LISTS["english_links"].split()),
    Language.FR: frozenset(_LISTS["french_links"].split()),
}
_VAGUE = {
    Language.EN: frozenset(_LISTS["english_vague"].split()),
    Language.FR: frozenset(_LISTS["french_vague"].split()),
}
_SHAPES = {
    Language.EN: (re.compile(r"[AN]*N(?:RD?[AN]*N)?"), "N"),
    Language.FR: (re.compile(r"A?NA?(?:RD?NA?){0,2}"), "A"),
}
"""The classes of a phrase's words, and the class of a next word that would belong to it."""


@lru_cache
def stop_words(language: Language) -> frozenset[str]:
    """Return the words of a language that no phrase has, folded: spaCy's stop words and `labels.toml`."""
    from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
    from spacy.lang.fr.stop_words import STOP_WORDS as FRENCH

    # notes in French have English sentences in them, and "but" or "his" is no noun there
    stops, ours = (FRENCH | ENGLISH, "french") if language is Language.FR else (ENGLISH, "english")
    return (frozenset(map(fold, stops)) | frozenset(_LISTS[ours].split())) - _VAGUE[language]


@dataclass(frozen=True, slots=True)
class PhraseBook:
    """The phrases of all passages of one language.

    Attributes:
        phrases: For each passage, its phrases: content words in the singular, folded.
        spread: In how many passages each phrase stands.
        forms: How a phrase is mostly written.
    """

    phrases: list[frozenset[str]]
    spread: Counter[str]
    forms: dict[str, str]


def read_phrases(texts: Sequence[str], language: Language, classes: WordClasses, lexicon: Lexicon) -> PhraseBook:
    """Collect the phrases of passages of one language."""
    tokens = [_TOKENS[language].findall(text) for text in texts]
    barred = stop_words(language) | _names(tokens, lexicon)
    barred |= _foreign(language, classes, lexicon)
    spread: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    phrases = []
    for words, letters in zip(tokens, classes.classify(tokens), strict=True):
        found = {key: _written(run, lexicon) for key, run in _phrases(words, letters, language, barred)}
        phrases.append(frozenset(found))
        spread.update(found.keys())
        for key, form in found.items():
            written.setdefault(key, Counter())[form] += 1
    forms = {key: min(counts, key=lambda f: (-counts[f], f)) for key, counts in written.items()}
    return PhraseBook(phrases, spread, forms)


def _foreign(language: Language, classes: WordClasses, lexicon: Lexicon) -> frozenset[str]:
    """Return the words that only the other language has: notes hold words of both, but no name of a theme does."""
    ours, theirs = (lexicon.french, lexicon.english) if language is Language.FR else (lexicon.english, lexicon.french)
    known = ours | {fold(word) for word in classes.words}
    return frozenset(word for word in theirs - known if _singular(word) not in known)


def _names(tokens: Sequence[Sequence[str]], lexicon: Lexicon) -> frozenset[str]:
    """Return the folded words that are names of people, places or firms.

    They are mostly written with a capital inside sentences, or with one wherever they stand and no word list has them.
    """
    balance: Counter[str] = Counter()
    plain: set[str] = set()
    seen: set[str] = set()
    for words in tokens:
        for before, word in pairwise(["\n", *words]):
            if word[0].isalpha():
                key = fold(word)
                seen.add(key)
                if word[0].islower():
                    plain.add(key)
                if before not in _SENTENCE_END:
                    balance[key] += 1 if word[0].isupper() and not _is_acronym(word, lexicon) else -1
    capital = {word for word, more in balance.items() if more > 0}
    unknown = {word for word in seen - plain if not lexicon.is_ordinary(word) and balance[word] >= 0}
    return frozenset(capital | unknown | (lexicon.first_names - plain))


def _is_acronym(word: str, lexicon: Lexicon) -> bool:
    return 1 < len(word) <= LONGEST_ACRONYM and word.isupper() and not lexicon.is_ordinary(fold(word))


def _phrases(
    words: Sequence[str], letters: str, language: Language, barred: frozenset[str]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the key and the words of each phrase of a text, single nouns included."""
    shape, belongs = _SHAPES[language]
    letters = _with_participles(words, letters, language)
    for begin, letter in enumerate(letters):
        if letter not in "AN" or not _content(words[begin], barred):
            continue
        for end in range(begin + 1, min(begin + MAX_WORDS, len(words)) + 1):
            run = letters[begin:end]
            last = words[end - 1]
            if run[-1] in "AN":
                if not _content(last, barred):
                    break
            elif run[-1] not in "RD" or fold(last).replace("’", "'") not in _LINKING[language]:
                break
            if shape.fullmatch(run) and letters[end : end + 1] != belongs:
                content = [fold(w) for w, c in zip(words[begin:end], run, strict=True) if c in "AN"]
                if len(content) <= MAX_CONTENT and not _VAGUE[language].issuperset(content):
                    yield " ".join(map(_singular, content)), words[begin:end]


def _with_participles(words: Sequence[str], letters: str, language: Language) -> str:
    """Take participles beside their nouns for adjectives: "a delayed order", « un hébergement agréé »."""
    before, ending = _PARTICIPLES[language]
    return "".join(
        "A" if letter == "V" and place and letters[place - 1] in before and ending.search(words[place]) else letter
        for place, letter in enumerate(letters)
    )


def _content(word: str, barred: frozenset[str]) -> bool:
    """Tell whether a word may stand in a phrase; not "bursar's", "three-year", « veut-il »."""
    plain = fold(word)
    if len(word) < 3 or "'" in plain or plain in barred:
        return False
    return _NUMBERS.isdisjoint(plain.split("-")) and not _ASKING.search(plain)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] in "sx" and word[-2] not in "su" else word


def phrase_key(text: str, language: Language) -> str:
    """Return the key of a written phrase in a `PhraseBook`: its content words in the singular, folded."""
    words = [fold(word).replace("’", "'") for word in _TOKENS[language].findall(text)]
    return " ".join(_singular(word) for word in words if word not in _LINKING[language])


def _written(words: Sequence[str], lexicon: Lexicon) -> str:
    form = " ".join(word if _is_acronym(word, lexicon) else word.lower() for word in words).replace("’", "'")
    return form.replace("' ", "'")
