"""What a report holds, as it is frozen, and how lists show it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from service.field_words import MONTH, WITHOUT_NUL
from service.insights.measures import About
from service.insights.schemas import AlsoSeen, Label, Measures, PeriodOutput, ReasonOutput
from service.reports.examples import EXAMPLE_EDITION, EXAMPLE_REPORT
from service.themes.lifecycle import Life, Nature

Reason = Annotated[str, Field(max_length=200, pattern=WITHOUT_NUL)]
HIDDEN = "[…]"


class Format(StrEnum):
    """Forms of a report."""

    HTML = "html"
    PDF = "pdf"
    PPTX = "pptx"
    XLSX = "xlsx"


class ReportLanguage(StrEnum):
    """Languages of a report."""

    EN = "en"
    FR = "fr"


class Accounts(StrEnum):
    """Whether a report names accounts."""

    SHOWN = "shown"
    HIDDEN = "hidden"


Value = float | int | str | None


class Statement(BaseModel):
    """A sentence made from figures; `source` is the address that gives them."""

    text: Label
    figures: dict[str, Value]
    source: str | None = None


class ReportQuote(BaseModel):
    """A customer's words, without names of persons; `followed_by` is what the note says next."""

    note_id: str
    text: str
    date: date
    account: str | None
    segment: str | None
    team: str | None
    language: str | None
    followed_by: str | None = None


class ReportItem(Measures):
    """An objection type, a competitor or a theme in the month."""

    about: About
    id: str
    title: Label
    rank: int | None = Field(description="among all insights of the month")
    rank_before: int | None = Field(description="in the month before")
    score: float | None
    reasons: list[ReasonOutput]
    quotes: list[ReportQuote]
    also: list[AlsoSeen] = Field(default_factory=list, description="of an insight: lower items on the same matter")


class ReportTheme(ReportItem):
    """A theme with its life and nature at the month's end."""

    lifecycle: Life
    nature: Nature


class ReportCompetitor(ReportItem):
    """A competitor; `relations` and `standings` count mentions."""

    known: bool
    relations: dict[str, int]
    standings: dict[str, int]


class ReportObjection(ReportItem):
    """A type of objection; `segments` counts accounts, `resolved` shows what was said when it was overcome."""

    statuses: dict[str, int]
    segments: dict[str, int]
    resolved: list[ReportQuote]


class Change(BaseModel):
    """How an item's notes changed since the month before: `then` and the four causes add up to `now`.

    Attributes:
        then: Notes of the month before, as its report froze them; null where there is no such report.
        recounted: The same month as it is read and grouped now.
        now: Notes of this month.
        market: `now - recounted`: what customers did.
        notes: Of `recounted - then`, what notes did that came late, were edited or erased.
        reader: Of the same, what another reader, the catalogue or corrections did.
        taxonomy: Of the same, what fits, merges, splits and moves of themes did.
    """

    about: About
    id: str
    title: Label
    then: int | None
    recounted: int
    now: int
    market: int
    notes: int | None
    reader: int | None
    taxonomy: int | None


class Part(BaseModel):
    """So many notes of one source, team or language."""

    name: str | None
    notes: int
    before: int


class Coverage(BaseModel):
    """What was read, and how well."""

    notes: int
    read: int
    waiting: int
    failed: int
    accounts: int
    authors: int
    sources: list[Part]
    teams: list[Part]
    silent_teams: list[str]
    languages: list[Part]
    passages: int
    unassigned: int
    corrections: int


class Method(BaseModel):
    """The versions that made a report."""

    service: str
    analyzers: dict[str, int] = Field(description="notes by the version that read them")
    themes: str | None = Field(description="version of the theme engine in the last fit")
    fitted_at: datetime | None


class ReportContent(BaseModel):
    """A month's report: all that its renderings show, in both languages."""

    month: str
    period: PeriodOutput
    previous: PeriodOutput
    as_of: datetime = Field(description="until when notes, corrections and themes are counted")
    summary: list[Statement]
    insights: list[ReportItem]
    objections: list[ReportObjection]
    competitors: list[ReportCompetitor]
    new_names: list[ReportItem] = Field(description="competitors that the catalogue lacks")
    themes: list[ReportTheme]
    changes: list[Change]
    weeks: list[tuple[date, int]] = Field(
        description="notes read by week, by its Monday, over thirteen weeks; none where one stands on too few"
    )
    coverage: Coverage
    method: Method
    withheld: int = Field(0, description="items of the ranking left out: too few accounts or authors said them")


class Difference(BaseModel):
    """What changed between two editions; `about` names the thing, in both languages."""

    about: Label
    before: Value
    after: Value


class Edition(BaseModel):
    """An edition in lists."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_EDITION]})

    month: str
    edition: int
    created_at: datetime
    created_by: str
    reason: str | None
    sha256: str = Field(description="of the frozen content, as JSON")
    erased: int = Field(description="quotes that went with their erased notes")
    withdrawn_at: datetime | None = Field(None, description="since when its files are gone: words in them were erased")
    replaced_by: int | None = Field(None, description="the edition to read instead")
    differences: list[Difference]


class Report(BaseModel):
    """An edition with its content."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_REPORT]})

    edition: Edition
    content: ReportContent


class NewReport(BaseModel):
    """What to build. A month that has a report gets a new edition, if anything differs."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"month": "2026-09"}]})

    month: Annotated[str, Field(pattern=MONTH, description="Such as 2026-09.")]
    reason: Reason | None = Field(None, description="Why, for readers of a new edition.")


class Shape(BaseModel):
    """Which edition, in which language, with accounts' names or without."""

    edition: Annotated[int | None, Field(ge=1, le=100_000, description="The latest if left out.")] = None
    language: ReportLanguage = ReportLanguage.EN
    accounts: Accounts = Accounts.SHOWN


ShapeQuery = Annotated[Shape, Query()]


def without_accounts(content: ReportContent) -> ReportContent:
    """Return the content without accounts' names, also in quotes' words: these keep segment and team."""
    document: dict[str, Any] = content.model_dump()
    quotes = list(_quotes(document))
    names = _naming({quote["account"] for quote in quotes if quote["account"]})
    for quote in quotes:
        quote["account"] = None
        for told in ("text", "followed_by"):
            quote[told] = names.sub(HIDDEN, quote[told]) if quote[told] and names else quote[told]
    return ReportContent.model_validate(document)


def _quotes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "followed_by" in value:
        yield value
    elif isinstance(value, list | dict):
        for one in value if isinstance(value, list) else value.values():
            yield from _quotes(one)


def _naming(accounts: Collection[str]) -> re.Pattern[str] | None:
    """Return what names accounts in a text: their names, and the longer words of these, as names are written."""
    words = {word for name in accounts for word in re.findall(r"[^\W_]{4,}", name)}
    written = {form for word in words for form in (word.capitalize(), word.upper(), word) if form[0].isupper()}
    naming = "|".join(re.escape(one) for one in sorted(written | set(accounts), key=lambda one: (-len(one), one)))
    return re.compile(rf"(?<!\w)(?:{naming})(?!\w)(?:[ ,&'’-]+(?:{naming})(?!\w))*") if naming else None
