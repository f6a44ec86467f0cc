"""Names for themes: their subject where it is known, and noun phrases of their own passages.

The phrase that names a theme best is near its passages and further from other themes, by sentence vectors, and stands
in passages of several accounts. Few passages word their matter alike, so nearness weighs most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.theme_phrases import PhraseBook
from models.theme_subjects import SubjectGuess

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Vectors = NDArray[np.float32]

MAX_CANDIDATES = 500
"""Phrases of a theme that are looked at, those that it has most to itself."""
APART = 0.3
"""Weight of how near a phrase is to the nearest other theme."""
SHARED = 0.1
"""Weight of the logarithm of the number of accounts that use it."""
ONE_WORD = 0.2
"""What a single word loses beside a phrase of several."""
NEAR = 0.45
"""Cosine from which a phrase names a theme for sure, whoever uses it."""
NEAR_AND_SHARED = 0.3
"""The same, of a phrase that several accounts use."""
N_KEYWORDS = 8


@dataclass(frozen=True, slots=True)
class OwnPhrase:
    """The phrase that names a theme best in a language; `sure` where it surely names it."""

    text: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Used:
    """A phrase of a theme's passages.

    Attributes:
        accounts: Number of accounts whose passages have it.
        weight: That number, more where other passages have it seldom (as in c-TF-IDF: Grootendorst 2022).
    """

    phrase: str
    accounts: int
    weight: float


def rank_phrases(book: PhraseBook, members: Sequence[int], accounts: Sequence[str]) -> list[Used]:
    """Return the phrases of some passages, those first that they have most to themselves.

    Args:
        book: All passages of the language.
        members: Places of the theme's passages in `book.phrases`.
        accounts: Of each of them.
    """
    by: dict[str, set[str]] = {}
    for place, account in zip(members, accounts, strict=True):
        for phrase in book.phrases[place]:
            by.setdefault(phrase, set()).add(account)
    rarity = {phrase: float(np.log1p(len(book.phrases) / book.spread[phrase])) for phrase in by}
    used = [Used(phrase, len(who), len(who) * rarity[phrase]) for phrase, who in by.items()]
    return sorted(used, key=lambda u: (-u.weight, u.phrase))


def name_by_phrase(
    book: PhraseBook, ranked: Sequence[Sequence[Used]], axes: Vectors, encode: Encode
) -> list[OwnPhrase | None]:
    """Return the phrase of each theme that names it best, each another.

    Args:
        book: All passages of the language.
        ranked: Of each theme, as `rank_phrases` gives it.
        axes: Where each theme's sentence vectors lie from the middle of all, (n_themes, n_dims), unit length.
        encode: Makes vectors of texts.
    """
    taken: set[str] = set()
    names: list[OwnPhrase | None] = []
    for theme, used in enumerate(ranked):
        several = sorted(used, key=lambda u: -u.weight * (1 if " " in u.phrase else 0.5))
        free = [u for u in several if u.phrase not in taken][:MAX_CANDIDATES]
        if not free:
            names.append(None)
            continue
        near = encode([book.forms[u.phrase] for u in free]) @ axes.T
        own, others = near[:, theme].copy(), near
        others[:, theme] = 0
        scores = own - APART * others.max(axis=1) + SHARED * np.log([u.accounts for u in free])
        scores -= ONE_WORD * np.array([" " not in u.phrase for u in free])
        best = int(scores.argmax())
        taken.add(free[best].phrase)
        least = NEAR if free[best].accounts < 2 else NEAR_AND_SHARED
        names.append(OwnPhrase(book.forms[free[best].phrase], bool(own[best] >= least)))
    return names


def keywords_of(book: PhraseBook, ranked: Sequence[Used]) -> list[str]:
    """Return the nouns that a theme's passages use and others don't, of several accounts where it can be."""
    nouns = [used for used in ranked if " " not in used.phrase]
    shared = [used for used in nouns if used.accounts > 1]
    return [book.forms[used.phrase] for used in (shared or nouns)[:N_KEYWORDS]]


def name_themes(
    guesses: Sequence[SubjectGuess | None], phrases: Mapping[str, Sequence[OwnPhrase | None]]
) -> list[dict[str, str]]:
    """Name themes in both languages, each differently.

    A theme is named by its subject, or a family of subjects and, where one surely names it, its own phrase ("Prices:
    spare parts"). One without a subject is named by its own phrase, where a language lacks it by that of the other.

    Args:
        guesses: The subject of each theme.
        phrases: The own phrase of each theme, in each language.
    """
    labels: list[dict[str, str]] = [{} for _ in guesses]
    for language, other, colon, theme in (("en", "fr", ": ", "Theme"), ("fr", "en", " : ", "Thème")):
        alone = Counter(guess.label[language] for guess in guesses if guess)
        taken: set[str] = set()
        for number, (guess, own, foreign) in enumerate(zip(guesses, phrases[language], phrases[other], strict=True), 1):
            name = _name(guess, own, foreign, language, colon, alone) or f"{theme} {number}"
            name = name[:1].upper() + name[1:]
            if name.casefold() in taken:
                name = f"{name} ({number})"
            taken.add(name.casefold())
            labels[number - 1][language] = name
    return labels


def _name(
    guess: SubjectGuess | None,
    own: OwnPhrase | None,
    foreign: OwnPhrase | None,
    language: str,
    colon: str,
    alone: Counter[str],
) -> str:
    """Return the name of one theme, empty where it has nothing to be named by."""
    best = own or foreign
    phrase = best.text if best else ""
    sure = own is not None and own.sure
    if guess is None or (sure and not guess.sure):
        return phrase
    label = guess.label[language]
    if phrase and (alone[label] > 1 or (sure and not guess.one)):
        return label + colon + phrase
    return label
