"""Names for themes: their subject where it is known, and noun phrases of their own passages.

A phrase names a theme where much of the theme is about it, however it is worded: where many of its passages are nearer
to the phrase, and to each of its words, than nine in ten passages of other themes, by sentence vectors. So what one
vivid passage says ("sewn bracelet") names nothing. A phrase of several words is taken with one of the other language
that means the same; a single word only from a list that has it in both (`models/theme_nouns.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.theme_nouns import Noun
from models.theme_phrases import PhraseBook
from models.theme_space import unit
from models.theme_subjects import SubjectGuess

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Vectors = NDArray[np.float32]
MAX_CANDIDATES = 200
"""Phrases of a theme that are looked at, those that it has most to itself."""
MAX_CLOSE = 60
"""Those of them whose support is counted, the nearest to the theme."""
MAX_HEARD = 3_000
"""Passages by which it is counted, evenly taken from each theme."""
MIN_HEARD = 8
AMONG = 0.1
"""Share of the passages of other themes that may be as near to a phrase as those that count for it."""
SURE = 0.45
"""Share of a theme's passages that must count for a phrase, for it to name the theme surely."""
SURE_ACCOUNTS = 3
"""Accounts that these passages are of at least."""
SOME = 0.25
"""Share from which a noun tells something of a theme that no phrase surely names."""
SUPPORT = 1.0
"""Weight of that share beside how near the phrase is to the middle of the theme."""
APART = 0.3
"""Weight of how near a phrase is to the nearest other theme."""
SHARED = 0.1
"""Weight of the logarithm of the number of accounts that use it."""
ONE_WORD = 0.2
"""What a single word loses beside a phrase of several."""
SAME_MEANING = 0.6
"""Cosine from which phrases of two languages mean the same."""
ALIKE = 1.0
"""Weight of that cosine beside how well both name the theme."""
N_PAIRED = 12
"""Phrases of each language that are looked at for two that mean the same."""
N_KEYWORDS = 8

REST = {"en": "Various remarks", "fr": "Remarques diverses"}
"""What a theme is called that nothing names."""
COLONS = {"en": ": ", "fr": " : "}


@dataclass(frozen=True, slots=True)
class OwnPhrase:
    """What names a theme best of its own, by language; `sure` where most of it is about that."""

    text: Mapping[str, str]
    sure: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a theme's passages.

    Attributes:
        key: As in `PhraseBook`.
        text: How it is mostly written.
        accounts: Number of accounts whose passages have it.
        share: How much of the theme is about it, in [0, 1].
        sure: Whether that is enough to name the theme.
        score: How well it names the theme.
        vector: Its sentence vector.
    """

    key: str
    text: str
    accounts: int
    share: float
    sure: bool
    score: float
    vector: Vectors


@dataclass(frozen=True, slots=True)
class RankedNoun:
    """A noun of `models/theme_nouns.py` that a theme uses; the rest as in `Phrase`."""

    noun: Noun
    accounts: int
    share: float
    sure: bool
    score: float


class Heard:
    """What is said in themes, in both languages, as far as phrases are weighed by it.

    Args:
        vectors: Sentence vectors of all passages from the middle of their language, unit length, (n, n_dims).
        weights: How much each passage is heeded, (n,), above 0.
        accounts: Whose each is.
        members: The places of each theme's passages.
    """

    def __init__(
        self,
        vectors: Vectors,
        weights: NDArray[np.floating],
        accounts: Sequence[str],
        members: Sequence[Sequence[int]],
    ) -> None:
        most = max(MIN_HEARD, MAX_HEARD // max(1, len(members)))
        taken = [inside[:: max(1, -(-len(inside) // most))] for inside in members]
        rows = [i for inside in taken for i in inside]
        self._vectors = vectors[rows]
        self._weights = weights[rows]
        self._accounts = [accounts[i] for i in rows]
        ends = np.cumsum([len(inside) for inside in taken])
        self._parts = [slice(end - len(inside), end) for end, inside in zip(ends, taken, strict=True)]
        self._axes = np.stack([self._axis(part) for part in self._parts]) if members else vectors[:0]

    def _axis(self, part: slice) -> Vectors:
        mean: Vectors = (self._weights[part] @ self._vectors[part]).astype(np.float32)
        return mean / max(float(np.linalg.norm(mean)), 1e-9)

    def nearness(self, phrases: Vectors, theme: int) -> tuple[Vectors, Vectors]:
        """Return the cosines of phrases, (k, n_dims), with the middle of a theme and with the nearest other's, (k,)."""
        near = phrases @ self._axes.T
        own = near[:, theme].copy()
        near[:, theme] = 0
        return own, near.max(axis=1, initial=0)

    def support(self, phrases: Vectors, theme: int) -> tuple[NDArray[np.floating], list[int]]:
        """Return the share of a theme that is nearer to each phrase than others mostly are, and of how many accounts.

        Args:
            phrases: Sentence vectors, (k, n_dims).
            theme: Number of the theme; it has passages.
        """
        part = self._parts[theme]
        near = phrases @ self._vectors.T
        others = np.delete(near, part, axis=1)
        usual = np.quantile(others, 1 - AMONG, axis=1, keepdims=True) if others.size else np.zeros((len(near), 1))
        inside = near[:, part] > np.maximum(usual, 0)
        weights = self._weights[part]
        accounts = self._accounts[part]
        return inside @ weights / weights.sum(), [len({accounts[i] for i in np.flatnonzero(row)}) for row in inside]

    def accounts_of(self, theme: int) -> int:
        """Return the number of accounts of a theme."""
        return len(set(self._accounts[self._parts[theme]]))


def rank_phrases(
    book: PhraseBook, members: Sequence[Sequence[tuple[int, str]]], heard: Heard, encode: Encode
) -> list[list[Phrase]]:
    """Return the phrases of each theme in one language, those first that name it best.

    Args:
        book: All passages of the language.
        members: Of each theme, the places of its passages in `book.phrases`, and their accounts.
        heard: What the same themes say in both languages.
        encode: Makes vectors of texts.
    """
    ranked = []
    for theme, inside in enumerate(members):
        used = _used(book, inside)
        ranked.append(_weighed(book, used, theme, heard, encode) if used else [])
    return ranked


def _weighed(
    book: PhraseBook, used: Sequence[tuple[str, int]], theme: int, heard: Heard, encode: Encode
) -> list[Phrase]:
    vectors = encode([book.forms[key] for key, _ in used])
    own, other = heard.nearness(vectors, theme)
    scores = own - APART * other + SHARED * np.log([n for _, n in used])
    close = np.argsort(-scores, kind="stable")[:MAX_CLOSE]
    words = sorted({word for place in close for word in used[place][0].split()})
    of_words = dict(zip(words, heard.support(encode([book.forms.get(w, w) for w in words]), theme)[0], strict=True))
    shares, accounts = heard.support(vectors[close], theme)
    enough = min(SURE_ACCOUNTS, heard.accounts_of(theme))
    phrases = []
    for place, share, n_accounts in zip(close, shares, accounts, strict=True):
        key, n_users = used[place]
        share = min(share, *(of_words[word] for word in key.split()))
        single = " " not in key
        phrases.append(
            Phrase(
                key,
                book.forms[key],
                n_users,
                float(share),
                bool(share >= SURE and n_accounts >= enough),
                float(scores[place] + SUPPORT * share - ONE_WORD * single),
                vectors[place],
            )
        )
    return sorted(phrases, key=lambda phrase: (-phrase.score, phrase.key))


def _used(book: PhraseBook, inside: Sequence[tuple[int, str]]) -> list[tuple[str, int]]:
    """Return the phrases that a theme has most to itself, with the number of accounts that use each.

    They go by that number, more where other passages have a phrase seldom (as in c-TF-IDF: Grootendorst 2022).
    """
    by: dict[str, set[str]] = {}
    for place, account in inside:
        for key in book.phrases[place]:
            by.setdefault(key, set()).add(account)
    weights = {key: len(who) * float(np.log1p(len(book.phrases) / book.spread[key])) for key, who in by.items()}
    most = sorted(weights, key=lambda key: (-weights[key], key))[:MAX_CANDIDATES]
    return [(key, len(by[key])) for key in most]


def rank_nouns(used: Sequence[Sequence[tuple[Noun, int]]], heard: Heard, encode: Encode) -> list[list[RankedNoun]]:
    """Return the nouns of each theme, those first that name it best.

    Args:
        used: Of each theme, as `used_nouns` gives them.
        heard: What the same themes say in both languages.
        encode: Makes vectors of texts.
    """
    return [_weighed_nouns(nouns, theme, heard, encode) if nouns else [] for theme, nouns in enumerate(used)]


def _weighed_nouns(used: Sequence[tuple[Noun, int]], theme: int, heard: Heard, encode: Encode) -> list[RankedNoun]:
    vectors = unit(encode([n.text["en"] for n, _ in used]) + encode([n.text["fr"] for n, _ in used]))
    own, other = heard.nearness(vectors, theme)
    shares, accounts = heard.support(vectors, theme)
    enough = min(SURE_ACCOUNTS, heard.accounts_of(theme))
    ranked = [
        RankedNoun(
            noun,
            n_users,
            float(share),
            bool(share >= SURE and n_accounts >= enough),
            float(near - APART * far + SHARED * np.log(n_users) + SUPPORT * share),
        )
        for (noun, n_users), share, n_accounts, near, far in zip(used, shares, accounts, own, other, strict=True)
    ]
    return sorted(ranked, key=lambda each: (-each.score, each.noun.text["en"]))


def name_by_phrase(
    ranked: Mapping[str, Sequence[Sequence[Phrase]]], nouns: Sequence[Sequence[RankedNoun]]
) -> list[OwnPhrase | None]:
    """Return what names each theme best in both languages, each another.

    Phrases of several words go first, then the nouns of the list. Where none surely names a theme, the best noun that
    several accounts use tells something of it.

    Args:
        ranked: Of each language, as `rank_phrases` gives it.
        nouns: As `rank_nouns` gives them.
    """
    taken: set[str] = set()
    names: list[OwnPhrase | None] = []
    for english, french, own in zip(ranked["en"], ranked["fr"], nouns, strict=True):
        sure = [
            [phrase for phrase in phrases if phrase.sure and " " in phrase.key and phrase.text not in taken]
            for phrases in (english, french)
        ]
        free = [noun for noun in own if noun.accounts > 1 and noun.noun.text["en"] not in taken]
        name = _paired(*sure) or next((dict(noun.noun.text) for noun in free if noun.sure), None)
        if name:
            taken.update(name.values())
            names.append(OwnPhrase(name, True))
        else:
            some = next((noun.noun.text for noun in free if noun.share >= SOME), {})
            taken.update(some.values())
            names.append(OwnPhrase(some, False) if some else None)
    return names


def _paired(english: Sequence[Phrase], french: Sequence[Phrase]) -> dict[str, str] | None:
    """Return the two phrases that name a theme best of those that mean the same; None without such."""
    best = None
    for one in english[:N_PAIRED]:
        for other in french[:N_PAIRED]:
            alike = float(one.vector @ other.vector)
            score = one.score + other.score + ALIKE * alike
            if alike >= SAME_MEANING and one.accounts + other.accounts > 2 and (best is None or score > best[0]):
                best = (score, {"en": one.text, "fr": other.text})
    return best[1] if best else None


def keywords_of(phrases: Sequence[Phrase]) -> list[str]:
    """Return the nouns that stand for a theme best, of several accounts where it can be, at most `N_KEYWORDS`."""
    nouns = [phrase for phrase in phrases if " " not in phrase.key]
    shared = [phrase for phrase in nouns if phrase.accounts > 1]
    return [phrase.text for phrase in (shared or nouns)[:N_KEYWORDS]]


def name_themes(guesses: Sequence[SubjectGuess | None], own: Sequence[OwnPhrase | None]) -> list[dict[str, str]]:
    """Name themes in both languages, each differently.

    A theme is named by its subject, or by a family of subjects with its own phrase where one surely names it ("Prices:
    spare parts"). One without a sure subject is named by its own phrase of several words, else by what it is likely to
    be about with the noun that tells most ("Calendar: opening"), or by that noun alone.

    Args:
        guesses: The subject of each theme.
        own: The own phrase of each.
    """
    labels: list[dict[str, str]] = [{} for _ in guesses]
    for language in REST:
        bases = [_base(guess, phrase, language) for guess, phrase in zip(guesses, own, strict=True)]
        times = Counter(base for base, _, _ in bases)
        alike: Counter[str] = Counter()
        for label, (base, more, must) in zip(labels, bases, strict=True):
            tells = not set(more.casefold().split()) <= set(base.casefold().split())
            name = f"{base}{COLONS[language]}{more}" if tells and (must or times[base] > 1) else base
            name = name[:1].upper() + name[1:]
            alike[name.casefold()] += 1
            label[language] = name if alike[name.casefold()] == 1 else f"{name} ({alike[name.casefold()]})"
    return labels


def _base(guess: SubjectGuess | None, own: OwnPhrase | None, language: str) -> tuple[str, str, bool]:
    """Return what names a theme, what tells it from others that are named so, and whether that must be said."""
    phrase = own.text[language] if own else ""
    sure = own is not None and own.sure
    several = own is not None and any(" " in text for text in own.text.values())
    if guess and guess.sure:
        return guess.label[language], phrase, sure and not guess.one
    if guess and not (sure and several):
        return guess.label[language], phrase, True
    return phrase or REST[language], "", False
