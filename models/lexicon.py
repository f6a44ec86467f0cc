"""Word lists: what is an ordinary word, a first name, a place; and how words are folded for comparison."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from models.errors import ArtefactMissing


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """Return `word` without case and accents; ligatures are spelt out ("L’Œuvre" -> "l'oeuvre")."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", word.casefold().replace("œ", "oe").replace("æ", "ae").replace("’", "'"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def fold_key(name: str) -> str:
    """Return the letters and digits of `name`, folded: how catalogue names are compared."""
    return "".join(c for c in fold(name) if c.isalnum())


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Folded word forms.

    Attributes:
        words: Rank (0 is the most frequent) of each ordinary word, the smaller of its ranks in English and French.
        english: Ordinary English words.
        french: Ordinary French words.
        first_names: First names, without those that are ordinary words.
        places: Names of places.
    """

    words: dict[str, int]
    english: frozenset[str]
    french: frozenset[str]
    first_names: frozenset[str]
    places: frozenset[str]

    def is_ordinary(self, word: str, *, top: int = 100_000) -> bool:
        """Tell whether the folded `word` (or its singular) is among the `top` ordinary words of either language."""
        rank = self.words.get(word)
        if rank is None and len(word) > 3 and word.endswith("s"):
            rank = self.words.get(word[:-1])
        return rank is not None and rank < top


def load_lexicon(folder: Path) -> Lexicon:
    """Read the lists from `folder`.

    Raises:
        ArtefactMissing: If a list is not there.
    """
    try:
        english, french, names, places = (
            (folder / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1]
            for name in ("words.en", "words.fr", "first_names", "places")
        )
    except FileNotFoundError as error:
        raise ArtefactMissing(f"{error.filename} is missing; `make train` builds it") from error
    ranks = {word: rank for rank, word in enumerate(english)}
    for rank, word in enumerate(french):
        ranks[word] = min(rank, ranks.get(word, rank))
    return Lexicon(ranks, frozenset(english), frozenset(french), frozenset(names), frozenset(places))
