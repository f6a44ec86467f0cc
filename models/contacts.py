"""Addresses and numbers that lead to a person: e-mail, telephone, bank account, card, number of a state, profile.

Patterns say where one may stand; check digits and numbering plans (`stdnum`, `phonenumbers`) say whether it is one, so
that dates, amounts and numbers of orders and of companies pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import phonenumbers
from stdnum import iban, luhn
from stdnum.fr import nir
from stdnum.us import ssn

from models.types import PersonalKind

Place = tuple[int, int, PersonalKind]

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+'-]{1,64}@(?:[\w-]{1,63}\.){1,6}[^\W\d_]{2,24}(?![\w-])")
_PROFILE = re.compile(
    r"(?:https?://)?(?:\w{2,3}\.)?(?:linkedin\.com/(?:in|pub)|xing\.com/profile|viadeo\.com/(?:p|profile)|facebook\.com"
    r"|instagram\.com|github\.com)/[\w%.-]{2,80}(?<![.])",
    re.I,
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?!\w)", re.I)
_CARD = re.compile(r"(?<![\w.,+-])[3-6]\d{3}(?:[ -]?\d){9,15}(?![\w-])")
_NIR = re.compile(r"(?<!\w)[1-478](?:[ .]?\d){4}[ .]?(?:\d|2[ABab])(?:[ .]?\d){7}(?:[ .]?\d){1,3}(?!\w)")
_SSN = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_NINO = re.compile(r"(?<!\w)[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)")
_PHONE = re.compile(
    r"(?<![\w.,/€$£#°-])(?:\+|00 ?|\(0?|0)\d(?:[ .\u00a0\u202f/()-]{0,3}\d){6,13}(?![\w€$£%-])(?![.,]\d)"
    r"|(?<![\w.,/€$£#°-])(?:1[ .-])?\(?[2-9]\d{2}(?:\) ?|[.-])[2-9]\d{2}[ .-]\d{4}(?![\w-])"
)
_TOLD = re.compile(r"(?:\bt[ée]l(?:[ée]phone)?|\bphone|\bmob(?:ile)?|\bport(?:able)?|\bcell|\bfax|☎|📞)[\s.:°]*$", re.I)
_NATIONAL = ("FR", "GB", "BE", "CH")
_BEFORE_CHARS = 14


def find_contacts(text: str) -> Iterator[Place]:
    """Yield what leads to a person: first and last offset (code points, `end` excluded) and kind; kinds may overlap."""
    for kind, pattern, end_of in _KINDS:
        for match in pattern.finditer(text):
            end = end_of(match)
            if end > match.start():
                yield match.start(), end, kind


def _whole(match: re.Match[str]) -> int:
    return match.end()


def _where(is_valid: Callable[[str], bool]) -> Callable[[re.Match[str]], int]:
    return lambda match: match.end() if is_valid(match[0]) else -1


def _iban_end(match: re.Match[str]) -> int:
    """Return the end of the account number: words in capitals may follow it."""
    stretch = match[0]
    while len(stretch) >= 15:
        if iban.is_valid(stretch):
            return match.start() + len(stretch)
        cut = max(stretch.rfind(" "), stretch.rfind("-"))
        stretch = stretch[:cut] if cut > 0 else ""
    return -1


def _is_phone(match: re.Match[str]) -> int:
    written = match[0]
    if written.startswith("00"):
        written = "+" + written[2:].lstrip()
    told = _TOLD.search(match.string, max(0, match.start() - _BEFORE_CHARS), match.start())
    regions = (None,) if written.startswith("+") else _NATIONAL if written.lstrip("(").startswith("0") else ("US",)
    return match.end() if any(_is_number(written, region, told is not None) for region in regions) else -1


def _is_number(written: str, region: str | None, told: bool) -> bool:
    """Tell whether a number is of a plan; one with a country's code, or that the text calls one, need only look so."""
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return False
    if told or region is None:
        return phonenumbers.is_possible_number(number)
    return phonenumbers.is_valid_number(number)


_KINDS: tuple[tuple[PersonalKind, re.Pattern[str], Callable[[re.Match[str]], int]], ...] = (
    (PersonalKind.EMAIL, _EMAIL, _whole),
    (PersonalKind.PROFILE, _PROFILE, _whole),
    (PersonalKind.IBAN, _IBAN, _iban_end),
    (PersonalKind.CARD, _CARD, _where(lambda written: luhn.is_valid(re.sub("[ -]", "", written)))),
    (PersonalKind.ID, _NIR, _where(nir.is_valid)),
    (PersonalKind.ID, _SSN, _where(ssn.is_valid)),
    (PersonalKind.ID, _NINO, _whole),
    (PersonalKind.PHONE, _PHONE, _is_phone),
)
