"""Names for themes: their subject where it is known, and phrases that a theme's own passages use and others don't.

A candidate is a run of up to four words that begins and ends with a content word, has only content words and words
that link nouns between, is used in at least two passages of the theme, and crosses no mark. Its weight is how often the
theme's passages use it against all passages (as in c-TF-IDF, Grootendorst 2022), times how near its vector is to the
theme's centroid.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.lexicon import fold
from models.theme_subjects import Label
from models.types import Language

_LISTS: dict[str, str] = tomllib.loads((Path(__file__).parent / "lexicons" / "labels.toml").read_text(encoding="utf-8"))

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

MAX_WORDS = 4
MAX_CANDIDATES = 40
MIN_NEARNESS = 0.25
"""Least cosine of a label with its theme's centroid: a phrase further away names something else."""
ONE_WORD = 0.4
"""Weight of a single word as a label beside a phrase of several."""
N_KEYWORDS = 8
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\w\s]|\d+|\n")
_WORD = re.compile(r"[^\W\d_]")
_SENTENCE_END = frozenset('.!?:\n•-–—«»"“”')
_LINKING = frozenset(_LISTS["linking"].split())
_ELISION = re.compile(r"^(?:l|d|j|m|t|s|n|c|qu|jusqu|lorsqu)['’]", re.IGNORECASE)


@lru_cache
def stop_words(language: Language) -> frozenset[str]:
    """Return the words of a language that begin and end no label, folded: spaCy's stop words and `labels.toml`."""
    from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
    from spacy.lang.fr.stop_words import STOP_WORDS as FRENCH

    stops, ours = (FRENCH, "french") if language is Language.FR else (ENGLISH, "english")
    return frozenset(map(fold, stops)) | frozenset(_LISTS[ours].split())


@dataclass(frozen=True, slots=True)
class PhraseBook:
    """The phrases of all passages of one language.

    Attributes:
        phrases: For each passage, its phrases.
        spread: In how many passages each phrase stands.
        forms: How a folded phrase is mostly written.
    """

    phrases: list[frozenset[str]]
    spread: Counter[str]
    forms: dict[str, str]


def read_phrases(texts: Sequence[str], stop_words: frozenset[str]) -> PhraseBook:
    """Collect the phrases of passages.

    Args:
        texts: Passages of one language.
        stop_words: Folded words that begin or end no phrase.
    """
    stop_words |= _names(texts)
    spread: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    phrases = []
    for text in texts:
        found = dict(_phrases(text, stop_words))
        phrases.append(frozenset(found))
        spread.update(found.keys())
        for key, form in found.items():
            written.setdefault(key, Counter())[form] += 1
    forms = {key: min(counts, key=lambda f: (-counts[f], f)) for key, counts in written.items()}
    return PhraseBook(phrases, spread, forms)


def _names(texts: Sequence[str]) -> frozenset[str]:
    """Return the folded words that are mostly written with a capital inside sentences: people, places, firms."""
    balance: Counter[str] = Counter()
    for text in texts:
        for before, word in pairwise(_TOKEN.findall(text)):
            if _WORD.match(word) and before not in _SENTENCE_END:
                bare = _ELISION.sub("", word)
                balance[fold(bare)] += 1 if bare[:1].isupper() else -1
    return frozenset(word for word, more in balance.items() if more > 0)


def _phrases(text: str, stop_words: frozenset[str]) -> list[tuple[str, str]]:
    """Return `(folded, as written)` of each phrase of a text, single words included."""
    found = []
    tokens = _TOKEN.findall(text)
    for begin in range(len(tokens)):
        words: list[str] = []
        for token in tokens[begin : begin + MAX_WORDS]:
            elided, bare = _parted(token)
            if words and elided and elided not in _LINKING:  # "directeur s'est", "client n'accepte"
                break
            content = _content(bare, stop_words)
            if not content and (not words or fold(bare) not in _LINKING):
                break
            words.append(token if words else bare)
            if content:
                form = " ".join(words).replace("’", "'").lower()
                found.append((fold(form), form))
    return found


def _parted(token: str) -> tuple[str, str]:
    """Return what is elided before a word, folded, and the word: `("l'", "accès")`."""
    elided = _ELISION.match(token)
    return (fold(elided.group()), token[elided.end() :]) if elided else ("", token)


def _content(word: str, stop_words: frozenset[str]) -> bool:
    """Tell whether a word may begin or end a label; what has an apostrophe ("she'd", "bursar's") says nothing alone."""
    plain = fold(word)
    return len(word) > 2 and bool(_WORD.match(word)) and plain not in stop_words and "'" not in plain


def rank_phrases(book: PhraseBook, members: Sequence[int], n_all: int) -> list[tuple[str, float]]:
    """Return the phrases of some passages with their weights, highest first.

    Args:
        book: All passages of the language.
        members: Places of the theme's passages in `book.phrases`.
        n_all: Number of all passages of the language.
    """
    inside = Counter(phrase for i in members for phrase in book.phrases[i])
    ranked = [
        (phrase, count / math.sqrt(len(members)) * math.log(1 + n_all / book.spread[phrase]))
        for phrase, count in inside.items()
        if count >= 2 or len(members) <= 2
    ]
    return sorted(ranked, key=lambda r: (-r[1], r[0]))


def best_phrase(
    ranked: Sequence[tuple[str, float]], centroid: NDArray[np.float32], encode: Encode, taken: set[str]
) -> str | None:
    """Return the phrase that names a theme best, or None; phrases of several words are preferred.

    Args:
        ranked: As `rank_phrases` gives them.
        centroid: float32 (n_dims,), unit length.
        encode: Makes vectors of texts.
        taken: Names that other themes have.
    """
    candidates = [(p, w) for p, w in ranked if p not in taken][:MAX_CANDIDATES]
    if not candidates:
        return None
    nearness = encode([phrase for phrase, _ in candidates]) @ centroid
    sizes = [1.0 if " " in phrase else ONE_WORD for phrase, _ in candidates]
    scores = [w * size * float(near) for (_, w), size, near in zip(candidates, sizes, nearness, strict=True)]
    best = int(np.argmax(np.where(nearness >= MIN_NEARNESS, scores, -np.inf)))
    return candidates[best][0] if nearness[best] >= MIN_NEARNESS else None


def keywords_of(book: PhraseBook, ranked: Sequence[tuple[str, float]]) -> list[str]:
    """Return the single words that a theme's passages use and others don't, at most `N_KEYWORDS`."""
    return [book.forms[phrase] for phrase, _ in ranked if " " not in phrase][:N_KEYWORDS]


def name_themes(
    subjects: Sequence[Label | None], phrases: Sequence[Mapping[str, str]], keywords: Sequence[Mapping[str, list[str]]]
) -> list[dict[str, str]]:
    """Name themes in both languages, each differently.

    A theme is named by its subject; of several with one subject, by the subject and its own words ("Prices: spare
    parts"). One without a subject is named by its own words, where a language lacks them by those of the other.

    Args:
        subjects: Of each theme.
        phrases: The phrase that names each theme, by language, where there is one.
        keywords: Of each theme, by language.
    """
    counts = Counter(subject["en"] for subject in subjects if subject)
    taken: dict[str, set[str]] = {"en": set(), "fr": set()}
    labels = []
    for number, (subject, phrase, words) in enumerate(zip(subjects, phrases, keywords, strict=True), start=1):
        own = {"en": _own_words("en", phrase, words), "fr": _own_words("fr", phrase, words)}
        label = {}
        for language, other, colon, theme in (("en", "fr", ": ", "theme"), ("fr", "en", " : ", "thème")):
            name = own[language] or own[other] or f"{theme} {number}"
            if subject is not None:
                alone = counts[subject["en"]] == 1
                name = subject[language] if alone else subject[language] + colon + name
            name = name[:1].upper() + name[1:]
            if name in taken[language]:
                name = f"{name} ({number})"
            taken[language].add(name)
            label[language] = name
        labels.append(label)
    return labels


def _own_words(language: str, phrase: Mapping[str, str], keywords: Mapping[str, list[str]]) -> str:
    """Return the phrase that names a theme, or else its first keywords."""
    return phrase.get(language) or ", ".join(keywords.get(language, [])[:2])
