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
COMMON = 3
"""Accounts that use a noun for two such to name a theme that no phrase surely names."""
N_KEYWORDS = 8


@dataclass(frozen=True, slots=True)
class OwnPhrase:
    """The phrase that names a theme best in a language; `sure` where it surely names it."""

    text: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a theme's passages.

    Attributes:
        key: As in `PhraseBook`.
        accounts: Number of accounts whose passages have it.
        near: Cosine with the theme.
        score: How well it names the theme.
    """

    key: str
    accounts: int
    near: float
    score: float


def rank_phrases(
    book: PhraseBook, members: Sequence[Sequence[tuple[int, str]]], axes: Vectors, encode: Encode
) -> list[list[Phrase]]:
    """Return the phrases of each theme, those first that name it best.

    Args:
        book: All passages of the language.
        members: Of each theme, the places of its passages in `book.phrases`, and their accounts.
        axes: Where each theme's sentence vectors lie from the middle of all, (n_themes, n_dims), unit length.
        encode: Makes vectors of texts.
    """
    ranked: list[list[Phrase]] = []
    for theme, inside in enumerate(members):
        used = _used(book, inside)
        near = encode([book.forms[key] for key, _ in used]) @ axes.T if used else np.zeros((0, len(axes)))
        own = near[:, theme].copy()
        near[:, theme] = 0
        scores = own - APART * near.max(axis=1) + SHARED * np.log([n for _, n in used])
        scores -= ONE_WORD * np.array([" " not in key for key, _ in used])
        phrases = [Phrase(*each, float(o), float(s)) for each, o, s in zip(used, own, scores, strict=True)]
        ranked.append(sorted(phrases, key=lambda phrase: (-phrase.score, phrase.key)))
    return ranked


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


def name_by_phrase(book: PhraseBook, ranked: Sequence[Sequence[Phrase]], joint: str) -> list[OwnPhrase | None]:
    """Return the phrase of each theme that names it best, each another.

    Where none surely does, two nouns that many use stand for it ("doors and phones").

    Args:
        book: All passages of the language.
        ranked: As `rank_phrases` gives it.
        joint: Stands between two nouns.
    """
    taken: set[str] = set()
    names: list[OwnPhrase | None] = []
    for phrases in ranked:
        best = next((phrase for phrase in phrases if phrase.key not in taken), None)
        if best is None:
            names.append(None)
            continue
        sure = best.near >= (NEAR if best.accounts < 2 else NEAR_AND_SHARED)
        common = [phrase for phrase in phrases if " " not in phrase.key and phrase.accounts >= COMMON][:2]
        chosen = common if len(common) == 2 and not sure else [best]
        taken.update(phrase.key for phrase in chosen)
        names.append(OwnPhrase(joint.join(book.forms[phrase.key] for phrase in chosen), sure))
    return names


def keywords_of(book: PhraseBook, phrases: Sequence[Phrase]) -> list[str]:
    """Return the nouns that stand for a theme best, of several accounts where it can be, at most `N_KEYWORDS`."""
    nouns = [phrase for phrase in phrases if " " not in phrase.key]
    shared = [phrase for phrase in nouns if phrase.accounts > 1]
    return [book.forms[phrase.key] for phrase in (shared or nouns)[:N_KEYWORDS]]


def name_themes(
    guesses: Sequence[SubjectGuess | None], phrases: Mapping[str, Sequence[OwnPhrase | None]]
) -> list[dict[str, str]]:
    """Name themes in both languages, each differently.

    A theme is named by its subject, or by a family of subjects with its own phrase where one of several words surely
    names it ("Prices: spare parts"). One without a subject is named by its own phrase, where a language lacks it by
    that of the other.

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
    if phrase and (alone[label] > 1 or (sure and " " in phrase and not guess.one)):
        return label + colon + phrase
    return label
