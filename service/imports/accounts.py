"""A report that covers several accounts: the part under each account's name becomes a note of its own.

Only where it can be told: a line that is the name of an account that is known, that begins with one before a mark
("Harrow Foods: too dear", "- Norvik (Oslo)"), that says `Account: NAME` or `Deal: Rollout (NAME)`, or that names one
alone before a list ("This week I saw Norvik:"). A line that stands as these do but names nobody known ends the part
above, and so does one that heads the plans of the week to come: what follows is told of no account. Everything else
stays one text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice

MAX_HEADING_CHARS = 80
MAX_INTRODUCTION_CHARS = 120
MAX_PARTS = 200
MIN_LETTERS = 3
ALONE = "·"  # how a line looks that is followed by an empty one
GREETING_LETTERS = 25
SHORT_LETTERS = 200
MAX_NAME_WORDS = 6
MAX_LOOKUPS = 2_000  # short lines of one text that are looked up among the accounts

MAX_MARKS = 4  # of a line at which the name may end: "Saint-Martin - Lyon (visit): too dear"

_MARK = re.compile(r"\s*[:;,(|\t]|\s+[-–—/]\s|\s*[–—→]\s?|\s+=>|\*{1,2}(?=\W|$)")
_PLACE_OR_DATE = re.compile(r"\([^()]{1,60}\)|,\s*\w*\s*\d{1,2}[\s/.-]*\w*(?:[/.-]\d{2,4})?")
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
    r"present|présents?|attendees|participants?|interlocut\w+|décideurs?|agenda|ordre du jour|key points|"
    r"ris[kq]\w*|compet\w+|concurren\w+|pain|price|prix|timing|d[ée]cision|notes?|todo|nb|ps|re|r[ée]sul\w+|conclusion|"
    r"summary|r[ée]sum[ée]|stage|[ée]tape|amount|montant|pipeline|forecast|produ[ic]t\w*)\b",
    re.IGNORECASE,
)
_PLANS = re.compile(  # what heads the plans of a report
    r"(?:(?:my |mes )?(?:plan\w*|agenda|program(?:me)?|priorit\w+|objecti\w+|actions?|visite?s?|focus|outlook|à faire|"
    r"to do|prévu\w*)\s+(?:for |of |de |pour |du )?)?(?:the |la |le |l')?"
    r"(?:(?:next|coming|following) (?:week|fortnight|month|quarter)(?:'?s)?\b(?: (?:plan\w*|agenda|visits))?|"
    r"weeks? ahead|(?:semaines?|mois|trimestre|quinzaine) (?:prochaine?|suivante?|à venir|qui vient)s?\b|"
    r"prochaines? semaines?\b)",
    re.IGNORECASE,
)
_WHEN = re.compile(r"[\W\d]*(?:(?:wk?|s|week|semaine|to|au)[\W\d]+)?", re.IGNORECASE)
_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•–])\s+")
_LABEL = re.compile(
    r"^\W{0,4}(?:(?P<deal>deal|opportunity|opportunité|opportunite|affaire|projet|project)|"
    r"account|client|customer|company|compte|société|societe|entreprise|prospect)\W{0,2}\s*[:=–-]\s*"
    r"(?P<name>[^\s:].{1,70}?)\W*$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?P<indent>[ \t]*)(?:(?P<hash>#{1,6})[ \t]|(?P<number>\d{1,2}[.)])[ \t]|(?P<list>[-*•–][ \t]|\*\*|__))?"
)
_UNDERLINE = re.compile(r"\s*([=\-~_*])\1{2,}\s*")
_LIST_ITEM = re.compile(r"\s*(?:[-*•–]|\d{1,2}[.)])\s+\S")
_WORD = re.compile(r"[^\s,;:()«»\"“”]+")
_LEGAL_FORM = re.compile(
    r"[\s,]+(?:ltd|limited|llc|llp|plc|inc|corp|gmbh|ag|as|asa|ab|oy|bv|nv|spa|srl|sa|sas|sasu|sarl|eurl|sca|scop)\.?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a report and its account, if it is told."""

    text: str
    account: str | None = None


@dataclass(slots=True)
class _Lines:
    """The lines under one heading.

    Attributes:
        name: The account that the heading names.
        lines: What stands under it.
        inline: They begin on the heading's own line.
        look: How the heading looks, where others that look so may follow.
        mark: What stands after the name in its own line, where nothing but a place or a date follows.
    """

    name: str | None
    lines: list[str]
    inline: bool = False
    look: str | None = None
    mark: str = ""


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

    def called(self, name: str) -> str | None:
        """Return the known account that a name means, also with its legal form; None where there is none."""
        short = _LEGAL_FORM.sub("", name)
        return next((one for one in dict.fromkeys((name, short)) if len(one) > 1 and self(one)), None)


def split_by_account(text: str, known_account: Callable[[str], bool]) -> list[Part]:
    """Split a report at the headings that name an account; parts of one account are joined.

    Args:
        text: Lines parted by line feeds.
        known_account: Tells whether a name is that of a known account.

    Returns:
        At least one part; what stands before the first heading has no account, nor has what a line like the others says
        of a name that is not known.
    """
    parts = _parted(text.split("\n"), _Known(known_account))
    named = [part for part in parts if part.name and _letters(part.lines) >= MIN_LETTERS]
    accounts = {part.name for part in named}
    if not named or len(accounts) > MAX_PARTS:
        return [Part(text)]
    others_above = _others_above(parts[0].lines, parts[1])
    if len(accounts) == 1 and len(parts) - 1 == len(named) and not others_above:
        above = _letters(parts[0].lines)
        if above < (GREETING_LETTERS if named[0].inline else SHORT_LETTERS):
            return [Part(text, named[0].name)]  # a title and a date above the only account belong to its note
        if named[0].inline:
            return [Part(text)]  # a line of a note about something else
    joined: dict[str | None, list[str]] = {}
    for index, part in enumerate(parts):
        if _letters(part.lines) >= (MIN_LETTERS if index or others_above else GREETING_LETTERS):
            joined.setdefault(part.name, []).append("\n".join(part.lines).strip("\n"))
    return [Part("\n\n".join(texts), name) for name, texts in joined.items()]


def _parted(lines: list[str], known: _Known) -> list[_Lines]:
    """Return the lines under each heading; first those above all of them."""
    parts = [_Lines(None, [])]
    plans = [line for line in lines if _heads_plans(line)]
    for index, line in enumerate(lines):
        above, below = lines[index - 1] if index else "", lines[index + 1] if index + 1 < len(lines) else ""
        heading = _heading(line, known) or _introduction(line, below, known)
        if heading is not None:
            parts.append(replace(heading, look=_look(line, below)))
        elif _names_another(parts[-1], line, above, below) or (
            len(plans) == 1 and line == plans[0] and _ends_by_plans(parts[-1], line, above, below)
        ):  # plans that stand more than once are each account's own
            last = parts[-1]
            parts.append(_Lines(None, [line], inline=last.inline, look=last.look, mark=last.mark))
        elif parts[-1].lines or not (_UNDERLINE.fullmatch(line) and parts[-1].look):
            parts[-1].lines.append(line)
    return parts


def _others_above(lines: list[str], first: _Lines) -> bool:
    """Tell whether somebody unknown stands above a list before the first heading, in a line that looks like it."""
    pairs = zip(lines, ["", *lines], [*lines[1:], ""], strict=False)
    return not first.inline and any(
        _LIST_ITEM.match(below) and _names_another(first, line, above, below) for line, above, below in pairs
    )


def _heading(line: str, known: _Known) -> _Lines | None:
    """Return the account that a line names, with what the line says of it; None for a line that names none."""
    label = _LABEL.match(line) if len(line) <= MAX_HEADING_CHARS else None
    if label:
        return _labelled(label["name"], line, known, deal=bool(label["deal"]))
    bare = _bare(line)
    visit = _VISIT.match(bare)
    start = visit.end() if visit else 0
    for begin in {0, start}:
        name = bare[begin:].strip(_MARKS)
        if 1 < len(name) <= MAX_HEADING_CHARS and (account := known.called(name)):
            return _Lines(account, [])
    return _begun(bare, start, known)


def _bare(line: str) -> str:
    """Return a line without what stands before its first word: marks of lists and titles, coloured dots."""
    return re.sub(r"^[\W_]+", "", _NUMBER.sub("", line))


def _begun(bare: str, start: int, known: _Known) -> _Lines | None:
    """Return the account before a mark: "Harrow Foods: too dear", "Norvik (Oslo)"."""
    for mark in islice(_MARK.finditer(bare, start, start + MAX_HEADING_CHARS), MAX_MARKS):
        if account := known.called(bare[start : mark.start()].strip(_MARKS)):
            rest = bare[mark.start() :].lstrip(_AFTER_NAME)
            title = _PLACE_OR_DATE.fullmatch(bare[mark.start() :].strip())
            return _Lines(account, [rest], inline=not title, mark=mark[0].strip() if title else "")
    return None


def _labelled(said: str, line: str, known: _Known, *, deal: bool) -> _Lines | None:
    """Return the account after `Client:`, with what follows it; of a deal, the known account beside its name."""
    name = said.strip(_MARKS)
    if deal:
        pieces = {piece.strip(_MARKS) for piece in _MARK.split(said)}
        accounts = {account for piece in pieces if (account := known.called(piece))}
        return _Lines(accounts.pop(), [line]) if len(accounts) == 1 else None
    if account := known.called(name):
        return _Lines(account, [])
    if begun := _begun(said, 0, known):
        return begun
    mark = _MARK.search(said)
    first = said[: mark.start()].strip(_MARKS) if mark else name
    if not first or not _is_name(first):
        return None
    return _Lines(first, [said[mark.start() :].lstrip(_AFTER_NAME)], inline=True) if mark else _Lines(name, [])


def _introduction(line: str, below: str, known: _Known) -> _Lines | None:
    """Return the one known account that a short sentence names before a list: "This week I saw Norvik:"."""
    if len(line) > MAX_INTRODUCTION_CHARS or _LIST_ITEM.match(line) or not _LIST_ITEM.match(below):
        return None
    words = [found for found in _WORD.finditer(line)]
    accounts: set[str] = set()
    begin = 0
    while begin < len(words):
        for end in range(min(len(words), begin + MAX_NAME_WORDS), begin, -1):
            name = line[words[begin].start() : words[end - 1].end()].strip(_MARKS + ".")
            if name[:1].isupper() and len(name) > 2 and (account := known.called(name)):
                accounts.add(account)
                begin = end - 1
                break
        begin += 1
    return _Lines(accounts.pop(), [line]) if len(accounts) == 1 else None


def _look(line: str, below: str) -> str:
    """Return how a heading looks: its mark and indentation, or that it is underlined, in capitals or stands alone."""
    lead = _LEAD.match(line)
    assert lead is not None  # every part of it may be missing
    underline = _UNDERLINE.fullmatch(below)
    shape = lead["hash"] or (lead["number"] and "1") or lead["list"] or (underline and f"{underline[1]}{underline[1]}")
    return f"{lead['indent']}{shape or ('A' if line.isupper() else '' if below.strip() else ALONE)}"


def _names_another(part: _Lines, line: str, above: str, below: str) -> bool:
    """Tell a line that names somebody as the heading of its part does, though nobody known."""
    if part.look is None or not line.strip():
        return False
    bare = _bare(line)
    mark = _MARK.search(bare, 0, MAX_HEADING_CHARS)
    name = bare[: mark.start()].strip(_MARKS) if mark and mark[0].strip() != "," else ""
    if part.inline:
        return bool(name) and _is_name(name) and not _FIELD.match(name)
    if _FIELD.match(bare) or _look(line, below) != part.look:
        return False
    if part.mark:
        return mark is not None and mark[0].strip() == part.mark and _is_name(bare[: mark.start()].strip(_MARKS))
    title = bare.strip(_MARKS)
    if part.look.startswith("#"):
        return True
    if len(title) > MAX_HEADING_CHARS or not title or not _is_name(title):
        return False
    if part.look.strip() in {"", ALONE}:  # a name right under the account's is a contact's
        return not above.strip() and _letters(part.lines) >= MIN_LETTERS
    # of a list, only where something stands under it
    return not _LIST_ITEM.match(line) or (bool(below.strip()) and _look(below, "") != part.look)


def _heads_plans(line: str) -> bool:
    """Tell "Next week" and "Semaine prochaine (S42) :", also with the plans in the same line."""
    bare = _bare(line) if len(line) <= MAX_HEADING_CHARS or ":" in line[:MAX_HEADING_CHARS] else ""
    match = _PLANS.match(bare)
    rest = bare[match.end() :].lstrip(" \t*_") if match else ""
    return match is not None and (rest.startswith(":") or _WHEN.fullmatch(rest[:MAX_HEADING_CHARS]) is not None)


def _ends_by_plans(part: _Lines, line: str, above: str, below: str) -> bool:
    """Tell whether plans stand beside the accounts, not under the part's own: below a space, or as its heading does."""
    if part.look is None:
        return False
    look = _look(line, below)
    if look.lstrip().startswith("#") or part.look.startswith("#"):
        return look.count("#") <= part.look.count("#") and (look.startswith("#") or not above.strip())
    return part.inline or look == part.look or not (above.strip() or _LIST_ITEM.match(line))


def _is_name(name: str) -> bool:
    """Tell `Client: Harrow Foods` from `Client: too expensive for us`: a name has capitals."""
    words = name.split()
    capitals = all(word[:1].isupper() or word[:1].isdigit() or word in _SMALL for word in words)
    return bool(words) and len(words) <= MAX_NAME_WORDS and name[-1] not in ".!?," and capitals


def _letters(lines: list[str]) -> int:
    return sum(character.isalpha() for line in lines for character in line)
