"""Classes of words around a name: what is done with it, by whom, and how well it is spoken of."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path


class Cues:
    """Finds the classes of a word.

    Args:
        classes: Words by class; `*` at the end of a word stands for any ending.
    """

    def __init__(self, classes: dict[str, list[str]]) -> None:
        self._words: dict[str, tuple[str, ...]] = {}
        self._stems: dict[str, tuple[str, ...]] = {}
        for name, words in classes.items():
            for word in words:
                table, key = (self._stems, word[:-1]) if word.endswith("*") else (self._words, word)
                table[key] = (*table.get(key, ()), name)

    def of(self, word: str) -> tuple[str, ...]:
        """Return the classes of a folded word; a word may have several, or none."""
        found = self._words.get(word, ())
        for length in range(2, len(word) + 1):
            found += self._stems.get(word[:length], ())
        return found


@lru_cache(maxsize=1)
def load_cues() -> Cues:
    """Read the classes that come with the package."""
    return Cues(tomllib.loads((Path(__file__).parent / "lexicons" / "cues.toml").read_text(encoding="utf-8")))


@lru_cache(maxsize=50_000)
def classes_of(word: str) -> tuple[str, ...]:
    """Return the classes of a folded word."""
    return load_cues().of(word)


def cue_features(left: list[str], right: list[str]) -> list[str]:
    """Describe by classes what stands around a name.

    Args:
        left: Plain tokens before it, in order.
        right: Plain tokens after it.
    """
    features = []
    for side, tokens in (("L", left[::-1]), ("R", right)):
        for distance, token in enumerate(tokens[:8]):
            near = distance if distance < 3 else 3
            for name in classes_of(token):
                features += [f"{side}{near}*{name}", f"{side}*{name}"]
    features += [f"L0*{a}|R0*{b}" for a in _all_of(left[-1:]) for b in _all_of(right[:1])]
    return [*features, *(f"L01*{a}|{b}" for a in _all_of(left[-2:-1]) for b in _all_of(left[-1:]))]


def _all_of(tokens: list[str]) -> tuple[str, ...]:
    return tuple(name for token in tokens for name in classes_of(token)) or ("-",)
