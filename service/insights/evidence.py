"""Quotes behind an item, and its course over time, in SQL."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer, load_only

from models.types import ObjectionStatus, Relation, Standing
from service.filters import NoteFilters, Period
from service.insights.choosing import Choice
from service.insights.counting import latest_findings
from service.insights.measures import ITEM_COLUMNS, TABLES, About, item_conditions
from service.masks.view import shown_text
from service.sources.record_links import note_link, options_by_source
from service.tables import AccountTable, AuthorTable, DealTable, NoteTable, ObjectionTable, PassageTable
from service.thresholds import Thresholds, Voices, thresholds_of, voices_by

LATEST = 60  # findings of an item among which quotes are chosen
TELLING_CHARS, SURE = 20, 0.5  # from which a quote, and the reader's score of a finding, say enough to stand first
TELLING, LOOKED_AT = range(40, 281), 5  # characters of a passage that says enough; passages looked at for each quote
BEFORE, AFTER = 120, 160  # characters of a line shown around a name
_WHOLE = re.compile(r"[.!?…][\s\"'»”’)]*\Z")
_SENTENCE_END = re.compile(r"[.!?…](?:\s?[\"'»”’)])*(?=\s|\Z)|\n")


@dataclass(frozen=True, slots=True)
class Quote:
    """A customer's words, and where they stand.

    Where there is a threshold of accounts, no quote names its account, and where there is one of authors, none its
    team; no link then leads to its record.

    Attributes:
        account_id: Row id of its account, to tell accounts apart.
        detail: What belongs to the kind: status; relation and standing; similarity.
        before: What its sentence says before it, for an objection: its words alone are often a few.
        after: What its sentence says after it.
        record_url: The note's record at its source, where that can be told.
    """

    finding_id: int
    item: Any
    note_id: int
    start: int
    end: int
    text: str
    occurred_on: date
    account: str | None
    team: str | None
    language: str | None
    outcome: str | None
    detail: dict[str, Any]
    record_url: str | None = None
    account_id: int | None = None
    before: str = ""
    after: str = ""

    @property
    def expected(self) -> bool:
        """Whether a rep expects to hear it, and no customer has said it."""
        return bool(self.detail.get("status") == ObjectionStatus.ANTICIPATED)

    @property
    def little(self) -> int:
        """How little it says without its note, 0 for the least.

        A few words, or some of which the reader was not sure, weigh more than an objection that was resolved, or than
        a rival of which is said neither how it does nor what became of the deal; that weighs double
        where it is only mentioned.
        """
        short = len(self.text) < TELLING_CHARS or (self.detail.get("score") or 1.0) < SURE
        resolved = self.detail.get("status") == ObjectionStatus.RESOLVED
        relation = self.detail.get("relation")
        unsaid = self.detail.get("standing") == Standing.NEUTRAL and relation not in _ENDED
        return 3 * short + resolved + unsaid + (unsaid and relation == Relation.MENTIONED)

    @property
    def sentence(self) -> str:
        """The words with what stands around them in their sentence."""
        return f"{self.before}{self.text}{self.after}"


_ENDED = frozenset({Relation.LOST_TO, Relation.WON_AGAINST})
_DETAILS = {
    About.OBJECTION: ("type", "status", "score"),
    About.COMPETITOR: ("name", "relation", "standing", "score"),
    About.THEME: ("similarity",),
}


# What quotes need of a note, and what they don't of a passage: the vectors of a page of themes are a quarter megabyte.
_NOTE = (
    NoteTable.source,
    NoteTable.external_id,
    NoteTable.text,
    NoteTable.masks,
    NoteTable.revision,
    NoteTable.analysed_revision,
    NoteTable.language,
)
_UNREAD = {
    About.OBJECTION: (),
    About.COMPETITOR: (),
    About.THEME: (defer(PassageTable.vector), defer(PassageTable.theme_vector)),
}


def list_quotes(
    session: Session,
    about: About,
    filters: NoteFilters,
    period: Period,
    *,
    item: Hashable,
    limit: int,
    after: int = 0,
) -> tuple[list[Quote], int]:
    """Return one page of an item's quotes: first the latest of each account, then the second of each, and so on.

    What a rep only expects to hear comes after what customers said.

    Args:
        after: How many quotes the pages before had.

    Returns:
        The quotes, and how many there are in all.
    """
    table = TABLES[about]
    conditions = item_conditions(about, filters, period, [item])
    total = session.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0
    expected = _is_expected(about)
    turn = sa.func.row_number().over(
        partition_by=table.account_id, order_by=(expected, table.occurred_on.desc(), table.id.desc())
    )
    columns = (table.id, table.occurred_on, expected.label("expected"), turn.label("turn"))
    ranked = sa.select(*columns).where(*conditions).subquery()
    order = (ranked.c.expected, ranked.c.turn, ranked.c.occurred_on.desc(), ranked.c.id.desc())
    ids = sa.select(ranked.c.id).order_by(*order)
    page = list(session.scalars(ids.limit(limit).offset(after)))
    return read_quotes(session, about, page), total


def _is_expected(about: About) -> sa.ColumnElement[Any]:
    """Return whether a finding is what a rep expects, not what a customer said, as a column of 0 and 1."""
    if about is not About.OBJECTION:
        return sa.literal_column("0")
    return sa.case((ObjectionTable.status == ObjectionStatus.ANTICIPATED, 1), else_=0)


def best_quotes(
    session: Session,
    about: About,
    choice: Choice,
    *,
    items: Sequence[Any],
    each: int,
    connected: Mapping[str, Mapping[str, Any]],
) -> dict[Any, list[Quote]]:
    """Return a few quotes of each of several items, of different accounts where it can be.

    Of each item twice as many are looked at, the latest; of a theme, whose passages say less, some more. Those that
    tell something come first: a few words of which the reader was not sure ("three euros twenty") say little without
    their note, and so do a heading, half a sentence, or a passage far from its theme (`Quote.little`). What a rep
    only expects to hear comes last.

    Args:
        connected: The options of connections by source, for links to records.
    """
    latest = latest_findings(choice, about, items, LATEST)
    looked_at = each * (LOOKED_AT if about is About.THEME else 2)
    chosen = [finding_id for candidates in latest.values() for finding_id in _vary(candidates, looked_at)]
    quotes: dict[Any, list[Quote]] = {}
    for quote in read_quotes(session, about, chosen, connected):
        quotes.setdefault(quote.item, []).append(quote)
    if about is not About.THEME:
        return {item: _most_telling(found, each) for item, found in quotes.items()}
    places = _places_of_findings(session, {quote.note_id for found in quotes.values() for quote in found})
    return {item: _most_telling_passages(found, places, each) for item, found in quotes.items()}


def _most_telling(quotes: Sequence[Quote], count: int) -> list[Quote]:
    """Choose quotes, those of further accounts before further ones of an account, then those that tell something.

    Customers' words stand before what a rep expects, whatever the account.
    """
    ranks: dict[int, tuple[bool, bool, int]] = {}
    accounts: set[int | None] = set()
    for quote in quotes:
        ranks[quote.finding_id] = quote.expected, quote.account_id in accounts, quote.little
        if not quote.expected:
            accounts.add(quote.account_id)
    return sorted(quotes, key=lambda quote: ranks[quote.finding_id])[:count]


def _places_of_findings(session: Session, notes: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    """Return where the objections and competitors of notes stand."""
    places: dict[int, list[tuple[int, int]]] = {}
    for table in (TABLES[About.OBJECTION], TABLES[About.COMPETITOR]):
        query = sa.select(table.note_id, table.start, table.end).where(table.note_id.in_(notes))
        for note_id, start, end in session.execute(query):
            places.setdefault(note_id, []).append((start, end))
    return places


def _most_telling_passages(
    quotes: Sequence[Quote], places: Mapping[int, Sequence[tuple[int, int]]], count: int
) -> list[Quote]:
    """Choose passages, those of further accounts first, then by how little each says; of equal ones the latest."""
    middle = median(quote.detail["similarity"] or 0 for quote in quotes)

    def little(quote: Quote) -> int:
        text = quote.text.strip()
        broken = text[:1].islower() or not _WHOLE.search(text)
        distant = (quote.detail["similarity"] or 0) < middle
        found = any(start < quote.end and quote.start < end for start, end in places.get(quote.note_id, ()))
        return 2 * (len(text) not in TELLING) + 2 * broken + distant + (not found)

    best: dict[int | None, list[Quote]] = {}
    for quote in sorted(quotes, key=little):
        best.setdefault(quote.account_id, []).append(quote)
    turns = [(turn, quote) for own in best.values() for turn, quote in enumerate(own)]
    return [quote for _, quote in sorted(turns, key=lambda one: (one[0], little(one[1])))][:count]


def _vary(candidates: Sequence[tuple[int, int]], count: int) -> list[int]:
    """Choose findings: the first of each account, and further ones only where there are too few accounts."""
    seen: set[int] = set()
    first: list[int] = []
    further: list[int] = []
    for finding_id, account_id in candidates:
        (further if account_id in seen else first).append(finding_id)
        seen.add(account_id)
    return [*first, *further][:count]


def read_quotes(
    session: Session, about: About, ids: Sequence[int], connected: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Quote]:
    """Read findings with their words, in the order of `ids`; those whose words have changed meanwhile are left out.

    `connected` are the options of connections by source, where they are read already.
    """
    table = TABLES[about]
    query = (
        sa.select(table, ITEM_COLUMNS[about].label("item"), NoteTable, AccountTable, AuthorTable.team, DealTable)
        .join(NoteTable, NoteTable.id == table.note_id)
        .outerjoin(AccountTable, AccountTable.id == table.account_id)
        .outerjoin(AuthorTable, AuthorTable.id == table.author_id)
        .outerjoin(DealTable, DealTable.id == table.deal_id)
        .where(table.id.in_(ids))
        .options(load_only(*_NOTE), *_UNREAD[about])
    )
    quotes = {}
    thresholds = thresholds_of(session)
    connected = options_by_source(session) if connected is None else connected
    for finding, item, note, account, team, deal in session.execute(query):
        if not _stands(finding, note):
            continue
        before, after = _sentence(about, finding, note)
        quotes[finding.id] = Quote(
            finding_id=finding.id,
            item=item,
            note_id=note.id,
            start=finding.start,
            end=finding.end,
            text=_words(about, finding, note),
            occurred_on=finding.occurred_on,
            account=(account.name or account.key) if account and thresholds.accounts < 2 else None,
            team=team if thresholds.authors < 2 else None,
            language=finding.language if about is About.THEME else note.language,
            outcome=deal.outcome if deal else None,
            detail={name: _shown(getattr(finding, name)) for name in _DETAILS[about]},
            record_url=None if thresholds.are_set else note_link(connected, note, account, deal),
            account_id=finding.account_id,
            before=before,
            after=after,
        )
    return [quotes[i] for i in ids if i in quotes]


def _shown(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _stands(finding: Any, note: NoteTable) -> bool:
    """Tell whether a note still says what was found: an edit keeps its old findings until it is read again."""
    if isinstance(finding, PassageTable):
        return note.analysed_revision == note.revision
    return bool(note.text[finding.start : finding.end] == finding.quote)


def _words(about: About, finding: Any, note: NoteTable) -> str:
    """Return what to show: the quote; for a bare name the line around it."""
    if about is not About.COMPETITOR:
        return shown_text(note)[finding.start : finding.end]
    return line_around(shown_text(note), finding.start, finding.end)


def _sentence(about: About, finding: Any, note: NoteTable) -> tuple[str, str]:
    """Return what the sentence of an objection says before it and after it."""
    if about is not About.OBJECTION:
        return "", ""
    text = shown_text(note)
    ends = _SENTENCE_END.finditer(text, max(0, finding.start - 2 * BEFORE), finding.start)
    begin = max((end.end() for end in ends), default=max(0, finding.start - 2 * BEFORE))
    end = _SENTENCE_END.search(text, finding.end - 1)
    return _cut_before(text[begin : finding.start]).lstrip(), _cut_after(text[finding.end : end.end() if end else None])


def line_around(text: str, start: int, end: int) -> str:
    """Return the line around a stretch of text; a long one is cut between words, "…" standing for what is left out."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    after = text[end:].partition("\n")[0]
    return f"{_cut_before(before)}{text[start:end]}{_cut_after(after)}".strip()


def _cut_before(text: str) -> str:
    return text if len(text) <= BEFORE else f"… {text[-BEFORE - 1 :].partition(' ')[2]}"


def _cut_after(text: str) -> str:
    return text.rstrip() if len(text) <= AFTER else f"{text[: AFTER + 1].rpartition(' ')[0]} …"


class Step(StrEnum):
    """The grain of a series."""

    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Point:
    """One week or month of a series; `label` is like `2026-W47` or `2026-09`.

    Attributes:
        withheld: Whether its counts are left out, and 0 here: too few accounts or authors are behind them, or the
            other points would tell of one that is left out.
    """

    label: str
    start: date
    mentions: int
    notes: int
    accounts: int
    withheld: bool = False


def read_series(
    session: Session, about: About, filters: NoteFilters, period: Period, *, items: Sequence[Any], step: Step
) -> dict[Any, list[Point]]:
    """Return the course of items over a period, every week or month of it, silent ones too."""
    table, column = TABLES[about], ITEM_COLUMNS[about]
    starts = _starts(period, step)
    ends = [*starts[1:], date.max]
    spans = [(start, end - timedelta(days=1)) for start, end in zip(starts, ends, strict=True)]
    conditions = item_conditions(about, filters, period, items)
    steps = sa.values(sa.column("first", sa.Date), sa.column("last", sa.Date), name="steps").data(spans).cte("steps")
    rows = session.execute(
        sa.select(
            column,
            steps.c.first,
            sa.func.count(),
            sa.func.count(sa.distinct(table.note_id)),
            sa.func.count(sa.distinct(table.account_id)),
        )
        .join(steps, table.occurred_on.between(steps.c.first, steps.c.last))
        .where(*conditions)
        .group_by(column, steps.c.first)
    )
    heard = {(item, start): (mentions, notes, accounts) for item, start, mentions, notes, accounts in rows}
    series = {item: [_point(start, step, *heard.get((item, start), (0, 0, 0))) for start in starts] for item in items}
    thresholds = thresholds_of(session)
    if not thresholds.are_set:
        return series
    said = sa.select(column, steps.c.first, table.account_id, table.author_id).distinct()
    said = said.join(steps, table.occurred_on.between(steps.c.first, steps.c.last)).where(*conditions)
    voices = voices_by(((item, start), account, author) for item, start, account, author in session.execute(said))
    return {item: _withhold(points, item, voices, thresholds) for item, points in series.items()}


def _withhold(
    points: list[Point], item: Any, voices: Mapping[tuple[Any, date], Voices], thresholds: Thresholds
) -> list[Point]:
    """Return a series without the counts that are withheld."""
    hidden = thresholds.hidden_parts({p.start: voices[item, p.start] for p in points if (item, p.start) in voices})
    return [Point(p.label, p.start, 0, 0, 0, withheld=True) if p.start in hidden else p for p in points]


def step_start(day: date, step: Step) -> date:
    """Return the Monday of a day's week, or the first of its month."""
    return day - timedelta(days=day.weekday()) if step is Step.WEEK else day.replace(day=1)


def _starts(period: Period, step: Step) -> list[date]:
    starts = [step_start(period.start, step)]
    while (following := step_start(starts[-1] + timedelta(days=32 if step is Step.MONTH else 7), step)) <= period.end:
        starts.append(following)
    return starts


def _point(start: date, step: Step, mentions: int, notes: int, accounts: int) -> Point:
    label = start.strftime("%G-W%V") if step is Step.WEEK else start.strftime("%Y-%m")
    return Point(label, start, mentions, notes, accounts)
