"""A report that covers several accounts: the part under each account's name becomes a note of its own.

Only where it can be told: a line that is the name of an account that is known, that begins with one before a mark
("Harrow Foods: too dear", "- Norvik (Oslo)"), or that says `Account: NAME`. Everything else stays one text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

MAX_HEADING_CHARS = 80
MAX_PARTS = 200
MIN_LETTERS = 3
GREETING_LETTERS = 25
SHORT_LETTERS = 200
MAX_NAME_WORDS = 6
MAX_LOOKUPS = 2_000  # short lines of one text that are looked up among the accounts

MAX_MARKS = 4  # of a line at which the name may end: "Saint-Martin - Lyon (visit): too dear"

_MARK = re.compile(r"\s*[:;,(|\t]|\s+[-–—/]\s|\s*[–—→]\s?|\s+=>|\*{1,2}(?=\W|$)")
_AFTER_NAME = " \t:;,|–—→=>*-/"
_VISIT = re.compile(
    r"(?:(?:rdv|rendez-vous|visite|appel|call|visit|meeting|réunion|reunion|point|demo|démo|déjeuner|lunch|met|saw)\s+"
    r"(?:avec|with|chez|at|to|de|of|client)?\s*)+",
    re.IGNORECASE,
)
_MARKS = " \t*_#=-–—:•·>[]()"
_SMALL = frozenset(
    ["de", "du", "des", "la", "le", "les", "et", "&", "and", "of", "the", "d", "l", "à", "au", "aux", "en"]
)
_FIELD = re.compile(  # what a line within an account's part may begin with
    r"(?:objections?|freins?|next|actions?|prochaines?|suites?|contacts?|budget|besoins?|needs?|contexte?|date|deal|stat\w+|"
    r"ris[kq]\w*|compet\w+|concurren\w+|pain|price|prix|timing|d[ée]cision|notes?|todo|nb|ps|re|r[ée]sul\w+|conclusion|"
    r"summary|r[ée]sum[ée]|stage|[ée]tape|amount|montant|pipeline|forecast|produ[ic]t\w*)\b",
    re.IGNORECASE,
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


@dataclass(slots=True)
class _Lines:
    """The lines under one heading; `inline` where they begin on the heading's own line."""

    name: str | None
    lines: list[str]
    inline: bool = False


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
        At least one part; what stands before the first heading has no account, nor has what a line like the others says
        of a name that is not known.
    """
    known = _Known(known_account)
    parts = [_Lines(None, [])]
    for line in text.split("\n"):
        heading = _heading(line, known)
        if heading is not None:
            parts.append(heading)
        elif parts[-1].inline and _names_another(line):
            parts.append(_Lines(None, [line], inline=True))
        else:
            parts[-1].lines.append(line)
    named = [part for part in parts if part.name and _letters(part.lines) >= MIN_LETTERS]
    accounts = {part.name for part in named}
    if not named or len(accounts) > MAX_PARTS:
        return [Part(text)]
    if len(accounts) == 1 and len(parts) - 1 == len(named):
        above = _letters(parts[0].lines)
        if above < (GREETING_LETTERS if named[0].inline else SHORT_LETTERS):
            return [Part(text, named[0].name)]  # a title and a date above the only account belong to its note
        if named[0].inline:
            return [Part(text)]  # a line of a note about something else
    joined: dict[str | None, list[str]] = {}
    for index, part in enumerate(parts):
        if _letters(part.lines) >= (MIN_LETTERS if index else GREETING_LETTERS):
            joined.setdefault(part.name, []).append("\n".join(part.lines).strip("\n"))
    return [Part("\n\n".join(texts), name) for name, texts in joined.items()]


def _heading(line: str, known_account: Callable[[str], bool]) -> _Lines | None:
    """Return the account that a line names, with what the line says of it; None for a line that names none."""
    label = _LABEL.match(line) if len(line) <= MAX_HEADING_CHARS else None
    if label:
        name = label["name"].strip(_MARKS)
        return _Lines(name, []) if _is_name(name) or known_account(name) else None
    bare = _NUMBER.sub("", line).lstrip(_MARKS)
    visit = _VISIT.match(bare)
    start = visit.end() if visit else 0
    for begin in {0, start}:
        name = bare[begin:].strip(_MARKS)
        if 1 < len(name) <= MAX_HEADING_CHARS and known_account(name):
            return _Lines(name, [])
    for mark in islice(_MARK.finditer(bare, start, start + MAX_HEADING_CHARS), MAX_MARKS):
        name = bare[start : mark.start()].strip(_MARKS)
        if len(name) > 1 and known_account(name):
            return _Lines(name, [bare[mark.start() :].lstrip(_AFTER_NAME)], inline=True)
    return None


def _names_another(line: str) -> bool:
    """Tell a line that begins with a name as those of known accounts do: "Danone: too dear"."""
    bare = _NUMBER.sub("", line).lstrip(_MARKS)
    mark = _MARK.search(bare, 0, MAX_HEADING_CHARS)
    name = bare[: mark.start()].strip(_MARKS) if mark and mark[0].strip() != "," else ""
    return _is_name(name) and not _FIELD.match(name)


def _is_name(name: str) -> bool:
    """Tell `Client: Harrow Foods` from `Client: too expensive for us`: a name has capitals."""
    words = name.split()
    capitals = all(word[:1].isupper() or word[:1].isdigit() or word in _SMALL for word in words)
    return bool(words) and len(words) <= MAX_NAME_WORDS and name[-1] not in ".!?," and capitals


def _letters(lines: list[str]) -> int:
    return sum(character.isalpha() for line in lines for character in line)
