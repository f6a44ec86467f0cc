"""What the templates show, gathered from the stored rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from models.types import ObjectionType, Standing
from service.competitors.schemas import CompetitorView, PointOutput
from service.competitors.view import competitor_view
from service.filters import Filters, Period, competitor_key
from service.insights import queries
from service.insights.evidence import Step, list_quotes, read_series
from service.insights.items import Frame, Item, measure_one, silent_item
from service.insights.measures import About
from service.insights.ranking import RankedItem
from service.insights.routes import insights
from service.insights.schemas import AlsoSeen, Insight, Label, Measures, QuoteOutput, measures, quote_output
from service.insights.words import OBJECTION_TITLES
from service.masks.view import shown_text, shown_words
from service.notes.queries import NoteRow, analysis_state, findings_of
from service.notes.schemas import AnalysisState
from service.objections.schemas import ObjectionView
from service.objections.view import objection_view
from service.pages.charts import Balance, Bars, Stretch, balances, bars, natural_step, stacked, voices
from service.pages.highlights import Highlight
from service.pages.words import Words
from service.tables import CompetitorMentionTable, ObjectionTable, PassageTable
from service.themes.lifecycle import ThemeMonths, life, month_number, nature
from service.themes.queries import find_theme, note_months, teams_and_segments, theme_months, themes_by_id
from service.themes.storage import ThemeState
from service.thresholds import refuse_single, thresholds_of

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Pager:
    """Where one is in a list."""

    page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, ceil(self.total / PAGE_SIZE))

    @property
    def skipped(self) -> int:
        """How many items the pages before hold."""
        return (self.page - 1) * PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Card:
    """An insight as the ranking shows it."""

    insight: Insight
    stretches: list[Stretch]
    spark: Bars


@dataclass(frozen=True, slots=True)
class RankingView:
    """One page of the ranking."""

    frame: Frame
    cards: list[Card]
    pager: Pager
    step: Step
    withheld: int


def ranking_view(session: Session, filters: Filters, kinds: tuple[About, ...], page: int) -> RankingView:
    """Rank, and gather what one page of it shows.

    Raises:
        InvalidInput: If the filters leave a single account or author, and there is a threshold.
    """
    refuse_single(thresholds_of(session), account=filters.account, author=filters.author)
    ranking = queries.rank_insights(session, filters, kinds)
    pager = Pager(min(page, Pager(1, len(ranking.items)).pages), len(ranking.items))
    shown = ranking.items[pager.skipped :][:PAGE_SIZE]
    step = natural_step(ranking.frame.period)
    sparks = _sparks(session, filters, ranking.frame, shown, step)
    cards = [Card(i, stacked(i.reasons), sparks[i.rank]) for i in insights(session, filters, ranking, shown)]
    return RankingView(ranking.frame, cards, pager, step, ranking.withheld)


def _sparks(session: Session, filters: Filters, frame: Frame, shown: list[RankedItem], step: Step) -> dict[int, Bars]:
    sparks: dict[int, Bars] = {}
    for about in About:
        keys = {r.rank: r.item.key for r in shown if r.item.about is about}
        if keys:
            courses = _courses(session, about, filters, frame, list(keys.values()), step)
            sparks |= {rank: courses[key] for rank, key in keys.items()}
    return sparks


def _courses(
    session: Session, about: About, filters: Filters, frame: Frame, keys: list[Any], step: Step
) -> dict[Any, Bars]:
    """Draw the courses of items over the period and the one before, where it is compared."""
    now, before = (
        read_series(session, about, filters, period, items=keys, step=step) if period else {}
        for period in (frame.period, frame.previous)
    )
    return {key: bars(now[key], before.get(key, ())) for key in keys}


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item with everything about it.

    Attributes:
        insight: Its place in the ranking; None where it has none.
        within: The higher item that it is told with, and how much of this one is its matter.
        details: How its mentions part, by heading: such as statuses.
        competitor: Its points and parts, if it is one.
        objection: Its answers and parts, if it is one.
        facts: What belongs to its kind in words: heading and value, both keys of the catalogue.
    """

    about: About
    title: Label
    measures: Measures
    frame: Frame
    insight: Insight | None
    within: AlsoSeen | None
    stretches: list[Stretch]
    known: bool
    details: dict[str, dict[str, int]]
    facts: dict[str, str]
    keywords: Mapping[str, list[str]]
    course: Bars
    quotes: list[QuoteOutput]
    pager: Pager
    competitor: CompetitorView | None
    objection: ObjectionView | None

    @property
    def balances(self) -> list[Balance]:
        """The points of a competitor, laid out."""
        return balances(self.competitor.points) if self.competitor else []

    @property
    def voices(self) -> dict[str, list[tuple[PointOutput, QuoteOutput]]]:
        """What customers say where a competitor is ahead of us, and where behind."""
        points = self.competitor.points if self.competitor else []
        return {str(standing): voices(points, standing) for standing in (Standing.AHEAD, Standing.BEHIND)}


def item_view(
    session: Session, about: About, item_id: str, filters: Filters, *, step: Step | None, page: int
) -> tuple[ItemView, Step] | None:
    """Gather one item; None where there is no such thing.

    Raises:
        NotFound: If it is withheld.
        InvalidInput: If the filters leave a single account or author, and there is a threshold.
    """
    refuse_single(thresholds_of(session), account=filters.account, author=filters.author)
    key = find_key(session, about, item_id)
    title = queries.titles(session, about, [key]).get(key) if key is not None else None
    if title is None:
        return None
    ranking = queries.rank_insights(session, filters)
    frame = ranking.frame
    # Trends are corrected over all items of a kind: one measured alone could be called rising here and steady there.
    ranked = [r for r in ranking.all_items if r.item.about is about and r.item.key == key]
    item = ranked[0].item if ranked else _unranked(session, about, key, filters, frame)
    insight = next(iter(insights(session, filters, ranking, ranked)), None)
    by = step or natural_step(frame.period)
    first, total = list_quotes(session, about, filters, frame.period, item=key, limit=PAGE_SIZE)
    pager = Pager(min(page, Pager(1, total).pages), total)
    if pager.page > 1:
        first, _ = list_quotes(session, about, filters, frame.period, item=key, limit=PAGE_SIZE, after=pager.skipped)
    facts, keywords = _theme_facts(session, key, frame.period) if about is About.THEME else ({}, {})
    view = ItemView(
        about=about,
        title=title,
        measures=Measures(**measures(item)),
        frame=frame,
        insight=insight,
        within=_within(session, ranking, ranked),
        stretches=stacked(insight.reasons) if insight else [],
        known=about is not About.COMPETITOR or not item.counts.mentions or queries.is_known(item),
        details={name: counts for name, counts in item.counts.details.items() if name != "known"},
        facts=facts,
        keywords=keywords,
        course=_courses(session, about, filters, frame, [key], by)[key],
        quotes=[quote_output(q) for q in first],
        pager=pager,
        competitor=competitor_view(session, filters, key) if about is About.COMPETITOR else None,
        objection=objection_view(session, filters, ObjectionType(key)) if about is About.OBJECTION else None,
    )
    return view, by


def _within(session: Session, ranking: queries.Ranking, ranked: list[RankedItem]) -> AlsoSeen | None:
    """Return what an item is told with, in the words that are said of the item there."""
    for higher in ranking.items:
        for place, also in enumerate(higher.also):
            if [also.ranked] == ranked:
                item = higher.item
                text = queries.also_seen(session, [higher])[item.about, item.key][place].text
                title = queries.titles(session, item.about, [item.key])[item.key]
                shown = queries.public_ids(session, item.about, [item.key])[item.key]
                return AlsoSeen(
                    about=item.about, id=shown, title=title, score=higher.score, shared=None, of=None, text=text
                )
    return None


def find_key(session: Session, about: About, item_id: str) -> Any:
    """Return the key that rows have for a public id; None where there is none."""
    if about is About.OBJECTION:
        return item_id if item_id in set(ObjectionType) else None
    if about is About.COMPETITOR:
        return competitor_key(session, item_id.replace("\0", ""))
    theme = find_theme(session, item_id.replace("\0", ""))
    return theme.id if theme else None


def _unranked(session: Session, about: About, key: Any, filters: Filters, frame: Frame) -> Item:
    """Measure an item that the ranking leaves out: not heard any more, or not in the catalogue."""
    return measure_one(session, about, filters, frame, key) or silent_item(about, key)


def _theme_facts(session: Session, theme_id: int, period: Period) -> tuple[dict[str, str], Mapping[str, list[str]]]:
    theme = themes_by_id(session, [theme_id])[theme_id]
    months = theme_months(session, [theme_id]).get(theme_id, ThemeMonths({}, 0, 0))
    all_notes = note_months(session)
    last = month_number(period.end.year, period.end.month)
    gone = theme.state != ThemeState.ACTIVE
    teams, segments = teams_and_segments(session)
    facts = {
        "lifecycle": f"life_{life(months, all_notes, last, retired=gone)}",
        "nature": f"nature_{theme.nature or nature(months, all_notes, last, teams=teams, segments=segments)}",
    }
    return facts, theme.keywords


def item_address(about: About, item_id: str) -> str:
    """Return the path of an item's page."""
    return f"/insights/{about}/{quote(item_id, safe='')}"


def note_highlights(session: Session, row: NoteRow, words: Words) -> list[Highlight]:
    """Return what was found in a note, in order of place; findings of an older text are left out."""
    note = row[0]
    read = analysis_state(note) is AnalysisState.DONE  # passages of an older text can't be told from its words
    passages = [p for p in findings_of(session, note.id, PassageTable) if p.theme_id and read]
    themes = themes_by_id(session, {p.theme_id for p in passages})
    found = [_objection(o, words) for o in findings_of(session, note.id, ObjectionTable)]
    found += [_mention(m, words) for m in findings_of(session, note.id, CompetitorMentionTable)]
    found = [h for h in found if note.text[h.start : h.end] == h.quote]
    found = [replace(h, quote=shown_words(note, h.start, h.end, h.quote)) for h in found]
    for p in passages:
        theme = themes.get(p.theme_id)
        if theme and p.start < p.end <= len(note.text):
            title = words.label(Label(en=theme.label_en, fr=theme.label_fr))
            label = f"{words('about_theme')}{words('colon')}{title}"
            quoted = shown_text(note)[p.start : p.end]
            address = item_address(About.THEME, theme.key)
            found.append(Highlight(About.THEME, p.start, p.end, f"theme-{p.id}", label, quoted, address))
    return sorted(found, key=lambda h: (h.start, h.about, h.end))


def _objection(row: ObjectionTable, words: Words) -> Highlight:
    title = words.label(OBJECTION_TITLES[ObjectionType(row.type)])
    label = f"{words('about_objection')}{words('colon')}{title}, {words(f'status_{row.status}')}"
    address = item_address(About.OBJECTION, row.type)
    detail = {"type": row.type, "status": row.status}
    anchor = f"objection-{row.id}"
    return Highlight(About.OBJECTION, row.start, row.end, anchor, label, row.quote, address, row.id, detail)


def _mention(row: CompetitorMentionTable, words: Words) -> Highlight:
    standing = f", {words(f'standing_{row.standing}')}" if row.standing != "neutral" else ""
    label = f"{words('about_competitor')}{words('colon')}{row.name}, {words(f'relation_{row.relation}')}{standing}"
    address = item_address(About.COMPETITOR, row.name_key)
    detail = {"name": row.name, "relation": row.relation, "standing": row.standing}
    anchor = f"competitor-{row.id}"
    return Highlight(About.COMPETITOR, row.start, row.end, anchor, label, row.quote, address, row.id, detail)
