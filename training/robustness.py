"""How far the findings move when the same notes are written in another way.

Measured on the findings themselves, against those of the notes as they stand, and against the gold.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from training.measures import Notes, prf

Reader = Callable[[Sequence[dict[str, Any]]], Notes]
"""Reads notes and returns their findings in the guide's format, by id."""

_PUNCTUATION = re.compile(r"[.,;:!?…()\[\]\"«»“”]+(?=\s|$)|(?<=\s)[(\[\"«“]")


def without_accents(text: str) -> str:
    """Return the text in plain letters."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def without_punctuation(text: str) -> str:
    """Return the text without marks at the ends of words; line breaks stay."""
    return re.sub(r" {2,}", " ", _PUNCTUATION.sub("", text))


def as_html(text: str) -> str:
    """Return the text as a CRM's editor stores it."""
    lines = (html.escape(line) or "&nbsp;" for line in text.split("\n"))
    return "".join(f'<p style="margin:0">{line}</p>' for line in lines)


VARIANTS: Mapping[str, Callable[[str], str]] = {
    "without_accents": without_accents,
    "lower_case": str.lower,
    "upper_case": str.upper,
    "without_punctuation": without_punctuation,
    "as_html": as_html,
}


def typed(notes: Notes) -> set[tuple[str, str]]:
    """Return the (note, objection type) pairs."""
    return {(key, o["type"]) for key, note in notes.items() for o in note["objections"]}


def named(notes: Notes) -> set[tuple[str, str]]:
    """Return the (note, competitor) pairs of the catalogue's competitors."""
    return {(key, c["name"]) for key, note in notes.items() for c in note["competitors"] if c["known"]}


def agreement(one: set[tuple[str, str]], other: set[tuple[str, str]]) -> float:
    """Return F1 of two sets of pairs, in [0, 1]."""
    return prf(len(one & other), len(other), len(one))["f1"]


def robustness(gold: dict[str, dict[str, Any]], read: Reader) -> dict[str, dict[str, float]]:
    """Read the notes as they stand and in each variant.

    Returns:
        By variant: `objections_kept` and `competitors_kept`, agreement with the findings of the notes as they stand;
        `objections_f1` and `competitors_f1`, against the gold.
    """
    plain = read(list(gold.values()))
    result = {"as_written": _compared(gold, plain, plain)}
    for name, rewrite in VARIANTS.items():
        varied = read([{**note, "text": rewrite(note["text"])} for note in gold.values()])
        result[name] = _compared(gold, plain, varied)
    return result


def _compared(gold: Notes, plain: Notes, varied: Notes) -> dict[str, float]:
    return {
        "objections_kept": agreement(typed(plain), typed(varied)),
        "competitors_kept": agreement(named(plain), named(varied)),
        "objections_f1": agreement(typed(gold), typed(varied)),
        "competitors_f1": agreement(named(gold), named(varied)),
    }
