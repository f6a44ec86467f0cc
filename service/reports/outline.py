"""What a report shows, in one language, before any form: sections with text, a table, a chart and quotes.

Every form renders the same outline, so that page, PDF, slides and spreadsheet never differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from service.insights.schemas import AlsoSeen, Amount
from service.reports.schemas import (
    Edition,
    Part,
    ReportContent,
    ReportItem,
    ReportLanguage,
    ReportQuote,
    Value,
)
from service.reports.sentences import month_label
from service.reports.words import GLOSSARY, Phrases

CHART_ITEMS = 10
QUOTED_ITEMS = 5


class Kind(StrEnum):
    """How a column is written."""

    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    kind: Kind = Kind.NUMBER


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under their columns."""

    columns: list[Column]
    rows: list[list[Value]]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars: categories down, one or more series stacked, or side by side where `grouped`; columns over time."""

    title: str
    categories: list[str]
    series: list[tuple[str, list[int]]]
    over_time: bool = False
    grouped: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A customer's words and where they come from.

    Attributes:
        note: What they are about; empty where that stands above the quote before.
        after: What the note says next.
        reason: Why that is told.
    """

    text: str
    origin: str
    note: str = ""
    after: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report."""

    key: str
    title: str
    lines: list[str] = field(default_factory=list)
    chart: Chart | None = None
    table: Table | None = None
    quotes: list[Words] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outline:
    """A report in one language."""

    language: ReportLanguage
    title: str
    month: str
    subtitle: str
    sections: list[Section]


def outline(content: ReportContent, edition: Edition, language: ReportLanguage) -> Outline:
    """Return what a report shows."""
    say = Phrases(language)
    makers = (_summary, _insights, _objections, _segments, _resolved, _competitors, _new_names, _themes, _changes)
    sections = [maker(content, say) for maker in makers]
    sections += [_coverage(content, say), _method(content, say)]
    if edition.differences:
        sections.append(_differences(edition, say))
    month = say.of(month_label(content.month))
    stamp = f"{say('as_of')} {say.day(content.as_of.date())}, {content.as_of:%H:%M} UTC"
    subtitle = f"{say('edition')} {edition.edition} · {stamp} · {say('made_by')}"
    return Outline(language, f"{say('title')} · {month}", month, subtitle, sections)


def _summary(content: ReportContent, say: Phrases) -> Section:
    weeks = [f"{monday:%d/%m}" if say.french else f"{monday:%d %b}" for monday, _ in content.weeks]
    chart = Chart(say("weeks"), weeks, [(say("notes"), [count for _, count in content.weeks])], over_time=True)
    lines = [say.of(statement.text) for statement in content.summary]
    return Section("summary", say("summary"), lines, chart=chart if weeks else None)


def _item_columns(say: Phrases) -> list[Column]:
    return [
        Column(say("name"), Kind.TEXT),
        Column(say("accounts")),
        Column(say("notes")),
        Column(say("notes_before")),
        Column(say("trend"), Kind.TEXT),
    ]


def _item_row(item: ReportItem, say: Phrases) -> list[Value]:
    trend = say(item.trend.direction)
    return [say.of(item.title), item.accounts, item.notes, item.trend.previous, trend]


def _money(amounts: Sequence[Amount], say: Phrases) -> str:
    return ", ".join(f"{say.figure(round(a.amount))} {a.currency}" for a in amounts) or "–"


def _insights(content: ReportContent, say: Phrases) -> Section:
    columns = [
        Column(say("rank")),
        Column(say("rank_before")),
        *_item_columns(say),
        Column(say("kind"), Kind.TEXT),
        Column(say("open_money"), Kind.TEXT),
        Column(say("score")),
    ]
    rows: list[list[Value]] = [
        [i.rank, i.rank_before, *_item_row(i, say), say(i.about), _money(i.money.open, say), i.score]
        for i in content.insights
    ]
    quotes = [
        _words(quote, say)
        if place
        else _words(quote, say, note=f"{item.rank}. {say.of(item.title)}", reason=_reasons(item, say))
        for item in content.insights[:QUOTED_ITEMS]
        for place, quote in enumerate(item.quotes[:2])
    ]
    chart = _compared(say("insight_notes"), content.insights, say)
    section = _section("insights", say, table=Table(columns, rows), chart=chart, quotes=quotes)
    also = [_also(item, one, say) for item in content.insights for one in item.also]
    return replace(section, lines=[*section.lines, *also])


def _also(item: ReportItem, also: AlsoSeen, say: Phrases) -> str:
    """Say what is told with an insight."""
    title, other, kind, text = say.of(item.title), say.of(also.title), say(also.about).lower(), say.of(also.text)
    if say.french:
        return f"{item.rank}. {title}, vu aussi comme {kind} « {other} » : {text}."
    return f"{item.rank}. {title}, also seen as {kind} “{other}”: {text}."


def _compared(title: str, items: Sequence[ReportItem], say: Phrases) -> Chart | None:
    """Return the notes of items, this month beside the month before."""
    charted = [i for i in items if i.notes or i.trend.previous][:CHART_ITEMS]
    series = [
        (say("this_month"), [i.notes for i in charted]),
        (say("notes_before"), [i.trend.previous or 0 for i in charted]),
    ]
    return Chart(title, [say.of(i.title) for i in charted], series, grouped=True) if charted else None


def _reasons(item: ReportItem, say: Phrases) -> str:
    first, *others = [say.of(reason.text) for reason in item.reasons] or [""]
    mark = "\u00a0; " if say.french else "; "
    return mark.join([first, *(f"{text[:1].lower()}{text[1:]}" for text in others)])


def _words(quote: ReportQuote, say: Phrases, *, note: str = "", reason: str = "") -> Words:
    origin = ", ".join(part for part in (quote.account, quote.segment, quote.team, say.day(quote.date)) if part)
    after = f"{say('followed')}{' :' if say.french else ':'} {quote.followed_by}" if quote.followed_by else ""
    return Words(quote.text, origin, note, after, reason)


def _section(
    key: str, say: Phrases, *, table: Table, chart: Chart | None = None, quotes: list[Words] | None = None
) -> Section:
    """Return a section; one without rows says that there is nothing."""
    if not table.rows:
        return Section(key, say(key), [say("nothing")])
    return Section(key, say(key), chart=chart, table=table, quotes=quotes or [])


def _objections(content: ReportContent, say: Phrases) -> Section:
    statuses = {"open": "open", "resolved": "resolved_status", "anticipated": "anticipated"}
    items = [o for o in content.objections if o.notes or o.trend.previous]
    columns = [
        *_item_columns(say),
        *(Column(say(words)) for words in statuses.values()),
        Column(say("win_rate"), Kind.PERCENT),
    ]
    rows: list[list[Value]] = [
        [*_item_row(o, say), *(o.statuses.get(s, 0) for s in statuses), o.outcomes.win_rate] for o in items
    ]
    charted = [o for o in items if o.mentions][:CHART_ITEMS]
    series = [(say(words), [o.statuses.get(s, 0) for o in charted]) for s, words in statuses.items()]
    chart = Chart(say("statuses"), [say.of(o.title) for o in charted], series) if charted else None
    return _section("objections", say, table=Table(columns, rows), chart=chart)


def _segments(content: ReportContent, say: Phrases) -> Section:
    items = [o for o in content.objections if o.segments]
    names = sorted({name for o in items for name in o.segments})
    columns = [Column(say("name"), Kind.TEXT), *(Column(name) for name in names)]
    rows: list[list[Value]] = [[say.of(o.title), *(o.segments.get(name, 0) for name in names)] for o in items]
    return _section("segments", say, table=Table(columns, rows))


def _resolved(content: ReportContent, say: Phrases) -> Section:
    quotes = [_words(q, say, note=say.of(o.title)) for o in content.objections for q in o.resolved]
    return Section("resolved", say("resolved"), [] if quotes else [say("nothing")], quotes=quotes)


def _competitors(content: ReportContent, say: Phrases) -> Section:
    relations = ("incumbent", "evaluating", "lost_to", "won_against")
    standings = ("behind", "ahead", "neutral")
    columns = [
        *_item_columns(say),
        *(Column(say(name)) for name in (*relations, *standings)),
        Column(say("win_rate"), Kind.PERCENT),
    ]
    rows: list[list[Value]] = [
        [
            *_item_row(c, say),
            *(c.relations.get(name, 0) for name in relations),
            *(c.standings.get(name, 0) for name in standings),
            c.outcomes.win_rate,
        ]
        for c in content.competitors
    ]
    charted = [c for c in content.competitors if c.mentions][:CHART_ITEMS]
    series = [(say(name), [c.standings.get(name, 0) for c in charted]) for name in standings]
    chart = Chart(say("standings"), [say.of(c.title) for c in charted], series) if charted else None
    quotes = [_words(q, say, note=say.of(c.title)) for c in content.competitors[:QUOTED_ITEMS] for q in c.quotes[:1]]
    return _section("competitors", say, table=Table(columns, rows), chart=chart, quotes=quotes)


def _new_names(content: ReportContent, say: Phrases) -> Section:
    rows = [_item_row(item, say) for item in content.new_names]
    quotes = [_words(q, say, note=say.of(i.title)) for i in content.new_names for q in i.quotes[:1]]
    return _section("new_names", say, table=Table(_item_columns(say), rows), quotes=quotes[:QUOTED_ITEMS])


def _themes(content: ReportContent, say: Phrases) -> Section:
    columns = [*_item_columns(say), Column(say("life"), Kind.TEXT), Column(say("nature"), Kind.TEXT)]
    rows: list[list[Value]] = [[*_item_row(t, say), say(t.lifecycle), say(t.nature)] for t in content.themes]
    chart = _compared(say("theme_notes"), content.themes, say)
    moving = [t for t in content.themes if t.lifecycle in {"emerging", "fading"}] or content.themes
    quotes = [_words(q, say, note=say.of(t.title)) for t in moving[:QUOTED_ITEMS] for q in t.quotes[:1]]
    return _section("themes", say, table=Table(columns, rows), chart=chart, quotes=quotes)


def _changes(content: ReportContent, say: Phrases) -> Section:
    names = ("then", "notes", "reader", "taxonomy", "market", "now")
    heads = ("then", "notes_cause", "reader", "taxonomy", "market", "now")
    columns = [Column(say("name"), Kind.TEXT), Column(say("kind"), Kind.TEXT)]
    columns += [Column(say(n), Kind.NUMBER if n in {"then", "now"} else Kind.CHANGE) for n in heads]
    rows: list[list[Value]] = [
        [say.of(c.title), say(c.about), *(getattr(c, name) for name in names)] for c in content.changes
    ]
    return _section("changes", say, table=Table(columns, rows))


def _coverage(content: ReportContent, say: Phrases) -> Section:
    def rows(what: str, parts: list[Part]) -> list[list[Value]]:
        return [[say(what), say(part.name or "unnamed"), part.notes, part.before] for part in parts]

    coverage = content.coverage
    columns = [
        Column(say("by"), Kind.TEXT),
        Column(say("part"), Kind.TEXT),
        Column(say("notes")),
        Column(say("notes_before")),
    ]
    found = [*rows("team", coverage.teams), *rows("source", coverage.sources), *rows("language", coverage.languages)]
    return _section("coverage", say, table=Table(columns, found))


def _method(content: ReportContent, say: Phrases) -> Section:
    readers = ", ".join(f"{version} ({say.figure(count)})" for version, count in content.method.analyzers.items())
    versions = f"Binôme {content.method.service}; {readers or '–'}; {content.method.themes or '–'}"
    return Section("method", say("method"), [*(say.of(entry) for entry in GLOSSARY), versions])


def _differences(edition: Edition, say: Phrases) -> Section:
    columns = [Column(say("name"), Kind.TEXT), Column(say("value_before")), Column(say("value_after"))]
    rows: list[list[Value]] = [[say.of(d.about), d.before, d.after] for d in edition.differences]
    return _section("differences", say, table=Table(columns, rows))


def written(table: Table, say: Phrases) -> list[list[str]]:
    """Return a table's cells as text."""
    kinds = [column.kind for column in table.columns]
    return [[_written(value, kind, say) for value, kind in zip(row, kinds, strict=True)] for row in table.rows]


def _written(value: Value, kind: Kind, say: Phrases) -> str:
    if kind is Kind.PERCENT and not isinstance(value, str):
        return say.percent(value)
    return say.change(value) if kind is Kind.CHANGE else say.figure(value)
