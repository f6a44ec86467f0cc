"""The language of a page: which one, and how it writes strings, numbers and dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from fastapi import Request
from markupsafe import Markup, escape

from service.filters import Period
from service.insights import words
from service.insights.schemas import Amount, Label
from service.pages.strings import STRINGS
from service.pages.strings.dates import MONTHS, short_date
from service.reasons.telling import in_english, in_french

COOKIE = "binome_lang"  # `__Host-` goes before it over https
_INNER = re.compile(r'"([^"]*)"')
_INNER_FRENCH = re.compile(r"«\s?([^«»]*?)\s?»")
_KEPT_SPACE = re.compile(r"(?<=«) | (?=[»:;?!])")


class Lang(StrEnum):
    """Languages of the pages."""

    EN = "en"
    FR = "fr"

    @property
    def other(self) -> Lang:
        """The one to switch to."""
        return Lang.FR if self is Lang.EN else Lang.EN


def asked_language(request: Request) -> Lang | None:
    """Return the language that the address asks for."""
    return _known(request.query_params.get("lang"))


def language_cookie(request: Request) -> str:
    """Return the name of the cookie that remembers the language."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


def choose_language(request: Request) -> Lang:
    """Return the address's language, else the remembered one, else the browser's, else English."""
    remembered = _known(request.cookies.get(language_cookie(request)))
    return asked_language(request) or remembered or _accepted(request.headers.get("accept-language", "")) or Lang.EN


def _known(value: str | None) -> Lang | None:
    return Lang(value) if value in set(Lang) else None


def _accepted(header: str) -> Lang | None:
    """Return the language that the browser likes best (RFC 9110, 12.5.4); the first of those it likes alike."""
    liked: list[tuple[float, Lang]] = []
    for choice in header[:500].split(","):
        tag, _, parameter = choice.partition(";")
        lang = _known(tag.strip().lower().split("-")[0])
        weight = _weight(parameter)
        if lang and weight > 0:
            liked.append((weight, lang))
    return max(liked, key=lambda pair: pair[0])[1] if liked else None


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Words:
    """Writes in one language."""

    lang: Lang

    @property
    def french(self) -> bool:
        """Whether it is French."""
        return self.lang is Lang.FR

    def __call__(self, key: str, **values: object) -> str:
        """Return a string of the catalogue with its values filled in."""
        return self._string(key).format(**values)

    def count(self, key: str, count: int) -> str:
        """Return a string of the catalogue in its form for a number; French says "0 note", English "0 notes"."""
        one, many = self._string(key).split("|")
        return (one if count == 1 or (self.french and count == 0) else many).format(n=self.number(count))

    def known(self, key: str, otherwise: str) -> str:
        """Return a string of the catalogue, or other words where it has none."""
        return self(key) if key in STRINGS else otherwise

    def label(self, label: Label) -> str:
        """Return a name that exists in both languages."""
        return label.fr if self.french else label.en

    def quoted(self, text: str) -> str:
        """Put a text between quotation marks; straight ones inside, and the same, become those of the second level."""
        text = _INNER.sub("“\\1”" if self.french else "‘\\1’", text)
        text = _INNER_FRENCH.sub("“\\1”", text) if self.french else text
        return f"«\u00a0{text}\u00a0»" if self.french else f"“{text}”"

    def number(self, value: float) -> str:
        """Write a whole number: 1,240 or 1 240."""
        return words.number(value, french=self.french)

    def points(self, value: float) -> str:
        """Write points with one decimal: 12.5 or 12,5."""
        return f"{value:.1f}".replace(".", "," if self.french else ".")

    def percent(self, value: float) -> str:
        """Write a share in [0, 1]."""
        return words.percent(value, french=self.french)

    def change(self, value: float) -> str:
        """Write a relative change with its sign."""
        return ("+" if value >= 0 else "−") + self.percent(abs(value))

    def money(self, amounts: Sequence[Amount]) -> list[str]:
        """Write one sum a currency, the largest first."""
        return [
            f"{self.number(a.amount)}\u00a0{a.currency}" for a in sorted(amounts, key=lambda a: (-a.amount, a.currency))
        ]

    def short_date(self, day: date) -> str:
        """Write a day with its month cut short."""
        return short_date(day, french=self.french)

    def moment(self, at: datetime) -> str:
        """Write a time to the minute, in UTC."""
        return f"{self.short_date(at.date())}, {at:%H:%M} UTC"

    def span(self, seconds: float) -> str:
        """Write how long something takes, in its largest unit that is at least two long, or seconds."""
        for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if seconds >= 2 * size:
                return self(unit, n=self.number(seconds / size))
        return self("seconds", n=self.number(max(0, seconds)))

    def reason(self, message: str) -> Markup:
        """Write why a file or a row is refused, or what to look at there; an unknown message stays English."""
        known = in_french(message) if self.french else in_english(message)
        if known is not None:
            return escape(_KEPT_SPACE.sub("\u00a0", known) if self.french else known)
        return Markup('<span lang="en">{}</span>').format(message)

    def option(self, name: str, meaning: str) -> str:
        """Say what an option of a source is for; `meaning` is English, and stands where the catalogue lacks it."""
        key = f"option_{name}"
        example = meaning[meaning.find(": ") + 2 :].split(";")[0]
        return self(key, example=example) if key in STRINGS else meaning

    def long_date(self, day: date) -> str:
        """Write a day in full."""
        return f"{self._day_month(day)} {day.year}"

    def period(self, period: Period) -> str:
        """Write a period, its year once where it can be."""
        same_year = period.start.year == period.end.year
        start = self._day_month(period.start) if same_year else self.long_date(period.start)
        return (
            f"du {start} au {self.long_date(period.end)}" if self.french else f"{start} to {self.long_date(period.end)}"
        )

    def _string(self, key: str) -> str:
        text = STRINGS[key][self.french]
        return _KEPT_SPACE.sub("\u00a0", text) if self.french else text

    def _day(self, day: date) -> str:
        return "1er" if self.french and day.day == 1 else str(day.day)

    def _day_month(self, day: date) -> str:
        return f"{self._day(day)}\u00a0{MONTHS[self.french][day.month - 1]}"
