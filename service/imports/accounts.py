"""A report that covers several accounts: the part under each account's name becomes a note of its own.

Only where it can be told: a line of its own that is the name of an account that is known, or that says
`Account: NAME`. Everything else stays one text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_HEADING_CHARS = 80
MAX_PARTS = 200
MIN_LETTERS = 3
GREETING_LETTERS = 25
SHORT_LETTERS = 200
MAX_NAME_WORDS = 6
MAX_LOOKUPS = 2_000  # short lines of one text that are looked up among the accounts

_MARKS = " \t*_#=-–—:•·>[]()"
_SMALL = frozenset(
    ["de", "du", "des", "la", "le", "les", "et", "&", "and", "of", "the", "d", "l", "à", "au", "aux", "en"]
)
_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•–])\s+")
_LABEL = re.compile(
    r"^\W{0,4}(?:account|client|customer|company|compte|société|societe|entreprise|prospect)\W{0,2}\s*[:=–-]\s*"
    r"(?P<name>[^\s:].{1,70}?)\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a report and its account, if it is told."""

    text: str
    account: str | None = None


class _Known:
    """Asks for each name once, and for so many that a text of short lines costs no more than a long report."""

    def __init__(self, known_account: Callable[[str], bool]) -> None:
        self._ask = known_account
        self._told: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        if name not in self._told:
            if len(self._told) >= MAX_LOOKUPS:
                return False
            self._told[name] = self._ask(name)
        return self._told[name]


def split_by_account(text: str, known_account: Callable[[str], bool]) -> list[Part]:
    """Split a report at the headings that name an account; parts of one account are joined.

    Args:
        text: Lines parted by line feeds.
        known_account: Tells whether a name is that of a known account.

    Returns:
        At least one part; what stands before the first heading has no account.
    """
    known = _Known(known_account)
    parts: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in text.split("\n"):
        name = _heading(line, known)
        if name is None:
            parts[-1][1].append(line)
        else:
            parts.append((name, []))
    named = [name for name, lines in parts if name and _letters(lines) >= MIN_LETTERS]
    if not named or len(set(named)) > MAX_PARTS:
        return [Part(text)]
    if len(set(named)) == 1 and _letters(parts[0][1]) < SHORT_LETTERS:
        return [Part(text, named[0])]  # a title and a date above the only account belong to its note
    joined: dict[str | None, list[str]] = {}
    for name, lines in parts:
        if _letters(lines) >= (MIN_LETTERS if name else GREETING_LETTERS):
            joined.setdefault(name, []).append("\n".join(lines).strip("\n"))
    return [Part("\n\n".join(texts), name) for name, texts in joined.items()]


def _heading(line: str, known_account: Callable[[str], bool]) -> str | None:
    if not line.strip() or len(line) > MAX_HEADING_CHARS:
        return None
    label = _LABEL.match(line)
    if label:
        name = label["name"].strip(_MARKS)
        return name if _is_name(name) or known_account(name) else None
    name = _NUMBER.sub("", line).strip(_MARKS)
    return name if len(name) > 1 and known_account(name) else None


def _is_name(name: str) -> bool:
    """Tell `Client: Harrow Foods` from `Client: too expensive for us`: a name has capitals."""
    words = name.split()
    capitals = all(word[:1].isupper() or word[:1].isdigit() or word in _SMALL for word in words)
    return bool(words) and len(words) <= MAX_NAME_WORDS and name[-1] not in ".!?," and capitals


def _letters(lines: list[str]) -> int:
    return sum(character.isalpha() for line in lines for character in line)
