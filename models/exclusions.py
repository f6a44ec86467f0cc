"""What looks like a rival's name and is none: where context leaves no doubt.

Before the classifier of listed names: "on Monday", « M. Carl », "Carl, 23". After that of unlisted names, which never
met most of them: persons, places, customers, abbreviations, ordinary words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from models.candidates import ABBREVIATIONS, CALENDAR, ENGLISH_DAYS, FRENCH_DAYS
from models.lexicon import Lexicon, fold
from models.name_kinds import NameKind, NameKinds
from models.personal import find_personal
from models.types import PersonalKind

SURE_NAME = 0.6
"""Least chance of being a rival's for an unlisted name that reads as a person's, or heads a line as customers do: on
industries that the tagger has not seen, most of those below were persons and customers, most of those above rivals."""
SURE_WORD = 0.75
"""The same for what reads as an ordinary word: in small letters where the writer uses capitals, or with a capital only
because it opens a sentence."""
PLACE = 0.4
"""Least chance of a place for a name behind a word that says where."""

_ENGLISH_BEFORE = re.compile(
    r"\b(?:on|by|next|last|since|until|till?|every|each|this|from|before|after|for|\d{1,2})\s*$"
)
_FRENCH_BEFORE = re.compile(r"\b(?:le|ce|chaque|des|de|du|avant|apres|depuis|pour|au|en|jusqu'(?:a|en|au)|\d{1,2})\s*$")
_DAY_AFTER = re.compile(r"\s*(?:morning|afternoon|evening|week|at|am|pm|matin|apres-midi|soir|prochain|dernier|\d)\b")
_TITLE_BEFORE = re.compile(r"\b(?:m\.?|mr\.?|mrs\.?|ms\.?|mme\.?|mlle\.?|dr\.?|prof\.?|monsieur|madame)\s*$")
_KIN_BEFORE = re.compile(
    r"\b(?:uncle|cousine?|nephew|niece|daughter|brother|sister|husband|wife|apprentice|trainee|intern|named|called|hi|hello|dear|"
    r"neveu|fils|fille|frere|soeur|mari|femme|apprentie?|stagiaire|(?:s')?appelle|nomme|prenomme|bonjour|salut|chere?)\s*,?\s*$"
)
_PERSON_AFTER = re.compile(
    r"\s*(?:,\s*\d{2}\b|\(?\s*\d{2}\s*ans\b|,?\s*aged\s+\d"
    r"|\(\s*(?:leur|notre|son|their|our|the|ops|it|hr|achats|compta|ceo|cfo|dsi|drh|daf)\b)"
)
_OPENING = re.compile(r"(?:^|\n|[.!?…]\s+|[-–—•*]\s+|\d\.\s+|[\"«“(]\s*)$")
_GOING_ON = re.compile(r",?\s+[^\W\d_A-ZÀ-Þ]")
_DAY = "|".join(sorted(CALENDAR, key=len, reverse=True))
_LINE_HEAD = re.compile(rf"(?:^|\n)[^\w\n]*(?:(?:{_DAY})\b[^\w\n]+)?$")
_HEAD = 30
"""Characters in which a line's head, with a day before it, lies."""
_OPENER = 8
"""Characters in which what opens a sentence lies."""
_WHERE_BEFORE = re.compile(r"(?<!face )(?<!rapport )(?<!interested )\b(?:in|at|near|à)[ \u00a0\u202f]+$", re.IGNORECASE)


def in_plain_sense(text: str, start: int, end: int, *, ordinary: bool = True) -> bool:
    """Tell whether `text[start:end]`, a name of the catalogue, is no company's name there.

    Args:
        text: The note.
        start: First character of the name.
        end: Behind its last character.
        ordinary: Whether the name is also an ordinary word or a first name; else only a title or date speaks against
            it.
    """
    before, after = fold(text[max(0, start - 40) : start]), fold(text[end : end + 30])
    word = fold(text[start:end])
    if word in ENGLISH_DAYS or word in FRENCH_DAYS:
        day_before = _ENGLISH_BEFORE if word in ENGLISH_DAYS else _FRENCH_BEFORE
        return bool(day_before.search(before) or _DAY_AFTER.match(after))
    if _TITLE_BEFORE.search(before):
        return True
    return ordinary and bool(_KIN_BEFORE.search(before) or _PERSON_AFTER.match(after))


class OtherNames:
    """What else the unlisted names of one text may be.

    Args:
        text: The note.
        lexicon: First names, places, ordinary words.
        kinds: What the heads say of the text.
        firms: Offsets of the names that are surely firms'.
        cased: Whether the writer uses capitals.
    """

    def __init__(
        self, text: str, lexicon: Lexicon, kinds: NameKinds, firms: Collection[tuple[int, int]], *, cased: bool
    ) -> None:
        self._text, self._lexicon, self._cased = text, lexicon, cased
        personal = find_personal(text, lexicon, kinds, firms)
        self._persons = [(one.start, one.end) for one in personal if one.kind is PersonalKind.PERSON]
        named = kinds.names(text, PLACE)
        self._places = [(n.start, n.end) for n in named if n.kind is NameKind.PLACE and n.score >= PLACE]

    def hold(self, start: int, end: int, chance: float) -> bool:
        """Tell whether `text[start:end]`, a rival's name with this chance, is rather a person, a place or a word."""
        name = fold(self._text[start:end])
        if name in ABBREVIATIONS:
            return True
        if chance < SURE_WORD and (self._is_small(start, end) or self._opens_as_word(start, end)):
            return True
        if _lies_in(self._places, start, end) and _WHERE_BEFORE.search(self._text[max(0, start - 20) : start]):
            return True
        return chance < SURE_NAME and (_lies_in(self._persons, start, end) or self._heads_line(start))

    def _is_small(self, start: int, end: int) -> bool:
        return self._cased and self._text[start:end].islower()

    def _opens_as_word(self, start: int, end: int) -> bool:
        """Tell whether an ordinary word has its capital only from opening a sentence, here and wherever it stands."""
        word = self._text[start:end]
        if not word[:1].isupper() or not self._lexicon.is_ordinary(fold(word)):
            return False
        places = re.finditer(rf"\b{re.escape(word)}\b", self._text)
        return all(_opens_sentence(self._text, place.start(), place.end()) for place in places)

    def _heads_line(self, start: int) -> bool:
        return bool(_LINE_HEAD.search(fold(self._text[max(0, start - _HEAD) : start])))


def _opens_sentence(text: str, start: int, end: int) -> bool:
    return bool(_OPENING.search(text[max(0, start - _OPENER) : start]) and _GOING_ON.match(text, end))


def _lies_in(places: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    return any(first <= start and end <= last for first, last in places)
