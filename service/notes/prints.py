"""What a text is known by though it was written out a second time: its words in threes, and the least hashes of them.

A sketch of least hashes (Broder 1997; one permutation, Li 2012): texts that share most of their threes share some of
the least, so that candidates are found by an index; whether they are the same is decided on all threes.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

SHINGLE_WORDS = 3
PRINTS = 4
MIN_WORDS = 5  # "no answer" says too little to be known by
SHORT_WORDS = 12  # below, every word counts
LONG_WORDS = 30
ALIKE = 0.75  # shared threes of all
HELD = 0.9  # of the shorter text, where it is at least half of the longer: a subject or a closing was added
_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Return a text's words without case, accents and marks."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return _WORD.findall(bare)


def shingles(words: list[str]) -> set[int]:
    """Return the hashes of a text's words in threes: whole numbers of 62 bits."""
    threes = {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(max(1, len(words) - SHINGLE_WORDS + 1))}
    return {_hash(three) for three in threes}


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 2


def prints(words: list[str]) -> list[int]:
    """Return the least hash of each of four classes, and that of a long text's beginning; none for few words."""
    if len(words) < MIN_WORDS:
        return []
    least: dict[int, int] = {}
    for value in shingles(words):
        place = value % PRINTS
        least[place] = min(value, least.get(place, value))
    begun = {_hash(" ".join(words[:LONG_WORDS]))} if len(words) > LONG_WORDS else set()
    return sorted({*least.values(), *begun})


def same_text(one: list[str], other: list[str]) -> bool:
    """Tell whether two texts are nearly the same, by their words."""
    if min(len(one), len(other)) < SHORT_WORDS:
        return one == other
    first, second = shingles(one), shingles(other)
    shared, shorter, longer = len(first & second), min(len(first), len(second)), max(len(first), len(second))
    if shared >= ALIKE * len(first | second) or (shared >= HELD * shorter and 2 * shorter >= longer):
        return True
    return _is_cut_off(*sorted((one, other), key=len))


def _is_cut_off(shorter: list[str], longer: list[str]) -> bool:
    """Tell whether a long text is the beginning of another one, as where a field holds 2,000 characters."""
    whole = len(shorter) - 1  # the last word may be cut too
    return whole >= LONG_WORDS and shorter[:whole] == longer[:whole]
