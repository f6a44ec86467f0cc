"""Plain senses of names that are also ordinary words, persons or days: places where context leaves no doubt.

Rules stand before the classifier only where a reader would not hesitate: "on Monday", « M. Carl », "Carl, 23".
"""

from __future__ import annotations

import re

from models.candidates import ENGLISH_DAYS, FRENCH_DAYS
from models.lexicon import fold

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
