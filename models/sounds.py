"""A sound key for names, the same for English and French spellings that sound alike."""

from __future__ import annotations

import re
from functools import lru_cache

from models.lexicon import fold_key

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"ph", "f"),
        (r"sch|sh|ch(?=[aeiouy])", "x"),
        (r"ch", "k"),
        (r"qu|q", "k"),
        (r"ck|c(?![eiy])|c$", "k"),
        (r"c(?=[eiy])", "s"),
        (r"g(?=[eiy])|j", "j"),
        (r"gu(?=[eiy])", "g"),
        (r"w", "v"),
        (r"ks|cs|x(?!$)", "x"),
        (r"z", "s"),
        (r"(?:ea|ee|ie|y|i)+", "i"),
        (r"eaux?|aux?|ow|oa", "o"),
        (r"ou|oo|u", "u"),
        (r"ai|ei|ay|ey|e", "e"),
        (r"th", "t"),
        (r"h", ""),
        (r"m(?=[bp])", "n"),
        (r"(.)\1+", r"\1"),
        (r"(?<=..)(?:es?|s|t|x)$", ""),
    )
)


@lru_cache(maxsize=65_536)
def sound_key(name: str) -> str:
    """Return a key that spellings of one sound share: "Lockster" and "Locster", "Filips" and "Philips"."""
    key = fold_key(name)
    for pattern, sound in _RULES:
        key = pattern.sub(sound, key)
    return key
