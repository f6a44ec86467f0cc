"""Building a month's report from what is stored: measures, texts and quotes, at one moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models.persons import is_person, may_name_person, name_words
from service import __version__
from service.filters import Compare, Filters, Period
from service.insights.evidence import Quote
from service.insights.items import Item, measure_items
from service.insights.measures import About
from service.insights.queries import (
    Ranking,
    also_seen,
    is_unlisted,
    muted_themes,
    public_ids,
    quotes_of,
    rank_insights,
    titles,
)
from service.insights.ranking import RankedItem
from service.insights.schemas import Label, PeriodOutput, ReasonOutput, measures
from service.insights.words import sentence
from service.masks.view import is_hidden
from service.reports import queries
from service.reports.ledger import Ledger, read_ledger
from service.reports.schemas import (
    Change,
    Coverage,
    Method,
    Part,
    ReportCompetitor,
    ReportContent,
    ReportItem,
    ReportObjection,
    ReportQuote,
    ReportTheme,
)
from service.reports.sentences import summary
from service.reports.splitting import split_changes
from service.themes.outputs import theme_items
from service.thresholds import thresholds_of

TOP_INSIGHTS = 10
TOP_ITEMS = 15
NEW_NAMES = 8
CHANGES = 20
CANDIDATE_QUOTES = 12
QUOTES = 3
WEEKS = 13


def month_period(month: str) -> Period:
    """Return the days of a month such as "2026-09"."""
    start = date(int(month[:4]), int(month[5:]), 1)
    return Period(start, (start + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def month_name(period: Period) -> str:
    """Return a month as reports name it, such as "2026-09"."""
    return f"{period.start:%Y-%m}"


def filters_of(period: Period, compare: Compare = Compare.PREVIOUS) -> Filters:
    """Return the filters that mean a period."""
    return Filters(**{"from": period.start, "to": period.end, "compare": compare})


@dataclass(frozen=True, slots=True)
class Before:
    """The report of the month before, and its ledger."""

    content: ReportContent
    ledger: Ledger


@dataclass(slots=True)
class _Writer:
    """What the parts of a report share.

    Attributes:
        quoted: Accounts that each item's quotes come from are varied by the query; no quote is shown twice.
    """

    session: Session
    ranking: Ranking
    before: dict[tuple[About, Any], int]
    places: dict[tuple[About, Any], RankedItem]
    persons: frozenset[str]
    firms: list[str]
    segments: dict[str, str | None]

    def fields(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        """Return the fields of `ReportItem` for items of one kind."""
        if not items:
            return []
        about, keys = items[0].about, [item.key for item in items]
        names, ids = titles(self.session, about, keys), public_ids(self.session, about, keys)
        ranked = [RankedItem(0, 0.0, item, []) for item in items]
        quotes = quotes_of(self.session, self.ranking, ranked, each=CANDIDATE_QUOTES)
        return [
            {
                **measures(item),
                "about": about,
                "id": ids.get(item.key, str(item.key)),
                "title": names.get(item.key) or Label(en=str(item.key), fr=str(item.key)),
                "quotes": self.quotes(quotes.get((about, item.key), [])),
                **self._place(item),
            }
            for item in items
        ]

    def _place(self, item: Item) -> dict[str, Any]:
        place = self.places.get((item.about, item.key))
        reasons = [
            ReasonOutput(part=r.part, points=r.points, value=round(r.value, 4), text=sentence(item.about, r))
            for r in (place.reasons if place else [])
        ]
        return {
            "rank": place.rank if place else None,
            "rank_before": self.before.get((item.about, item.key)),
            "score": place.score if place else None,
            "reasons": reasons,
        }

    def names_person(self, text: str) -> bool:
        """Tell whether words may name a person, or did before it was hidden."""
        return is_hidden(text) or may_name_person(text, self.firms, self.persons)

    def _nameless(self, *wordings: str) -> str | None:
        """Return the first wording that names no person, on one line."""
        texts = (" ".join(wording.split()) for wording in wordings)
        return next((text for text in texts if not self.names_person(text)), None)

    def quotes(self, found: Sequence[Quote], most: int = QUOTES, *, bare: bool = False) -> list[ReportQuote]:
        """Return some quotes of customers, one an account, none that names a person.

        What a rep only expects to hear is none; `bare` leaves out the rest of their sentences.
        """
        kept: list[ReportQuote] = []
        accounts: set[int | None] = set()
        for quote in found:
            if quote.expected or quote.account_id in accounts:
                continue
            text = self._nameless(quote.text if bare else quote.sentence, quote.text)
            if text is None:
                continue
            accounts.add(quote.account_id)
            kept.append(
                ReportQuote(
                    note_id=str(quote.note_id),
                    text=text,
                    date=quote.occurred_on,
                    account=quote.account,
                    segment=self.segments.get(quote.account or ""),
                    team=quote.team,
                    language=quote.language,
                )
            )
            if len(kept) == most:
                break
        return kept


def build_content(
    session: Session, month: str, now: datetime, ledger: Ledger, before: Before | None = None
) -> ReportContent:
    """Build the report of a month as things stand.

    Args:
        month: Such as "2026-09".
        now: The moment of building.
        ledger: Which notes of the month have which items.
        before: The report of the month before, if there is one: changes are split against it.
    """
    period = month_period(month)
    ranking = rank_insights(session, filters_of(period))
    earlier = rank_insights(session, filters_of(period.previous, Compare.NONE))
    writer = _Writer(
        session=session,
        ranking=ranking,
        before={(r.item.about, r.item.key): r.rank for r in earlier.all_items},
        places={(r.item.about, r.item.key): r for r in ranking.all_items},
        persons=name_words(queries.author_names(session)),
        firms=queries.catalogue_names(session),
        segments=queries.segments_by_account(session),
    )
    measured = {about: _heard(session, about, ranking, filters_of(period)) for about in About}
    content = ReportContent(
        month=month,
        period=PeriodOutput(start=period.start, end=period.end),
        previous=PeriodOutput(start=period.previous.start, end=period.previous.end),
        as_of=now,
        summary=[],
        insights=_insights(writer),
        objections=_objections(writer, measured[About.OBJECTION], period),
        competitors=_competitors(writer, [i for i in measured[About.COMPETITOR] if not is_unlisted(i)][:TOP_ITEMS]),
        new_names=_new_names(writer, [i for i in measured[About.COMPETITOR] if is_unlisted(i) and i.counts.notes]),
        themes=_themes(writer, measured[About.THEME], period),
        changes=_changes(session, ranking, earlier, ledger, before),
        weeks=queries.notes_by_week(session, period, WEEKS),
        coverage=_coverage(session, ranking, period),
        method=_method(session, period),
        withheld=ranking.withheld,
    )
    return content.model_copy(update={"summary": summary(content)})


def _heard(session: Session, about: About, ranking: Ranking, filters: Filters) -> list[Item]:
    """Return the items of a kind that were said in the month or the one before, the widest heard first."""
    muted: Collection[int] = muted_themes(session) if about is About.THEME else ()
    items = [i for i in measure_items(session, about, filters, ranking.frame).items if i.key not in muted]
    return sorted(items, key=lambda i: (-i.counts.accounts, -i.counts.notes, -i.trend.previous, str(i.key)))


def _items(writer: _Writer, items: Sequence[Item]) -> list[ReportItem]:
    return [ReportItem(**fields) for fields in writer.fields(items)]


def _new_names(writer: _Writer, items: Sequence[Item]) -> list[ReportItem]:
    """Return names that the catalogue lacks, without those that are persons' by all signs."""
    names = titles(writer.session, About.COMPETITOR, [item.key for item in items[: 3 * NEW_NAMES]])
    kept = [i for i in items if i.key in names and not is_person(names[i.key].en, writer.persons)]
    return _items(writer, kept[:NEW_NAMES])


def _insights(writer: _Writer) -> list[ReportItem]:
    top = writer.ranking.items[:TOP_INSIGHTS]
    also = also_seen(writer.session, top)
    by_place: dict[int, ReportItem] = {}
    for about in About:
        items = [r for r in top if r.item.about is about]
        found = _items(writer, [r.item for r in items])
        for ranked, item in zip(items, found, strict=True):
            by_place[ranked.rank] = item.model_copy(update={"also": also.get((about, ranked.item.key), [])})
    return [by_place[rank] for rank in sorted(by_place)]


def _objections(writer: _Writer, items: Sequence[Item], period: Period) -> list[ReportObjection]:
    segments = queries.objection_segments(writer.session, period)
    overcome = queries.resolved_objections(writer.session, period)
    return [
        ReportObjection(
            **fields,
            statuses=item.counts.details.get("statuses", {}),
            segments=segments.get(item.key, {}),
            resolved=[] if "statuses" in item.withheld else _resolved(writer, overcome.get(item.key, [])),
        )
        for item, fields in zip(items, writer.fields(items), strict=True)
    ]


def _resolved(writer: _Writer, found: Sequence[tuple[Quote, str]]) -> list[ReportQuote]:
    """Return resolved objections with the words that follow them."""
    following = {quote.finding_id: " ".join(after.split()) for quote, after in found}
    kept = []
    for quote, _ in found:
        after = following[quote.finding_id]
        for one in writer.quotes([quote], most=1, bare=True):
            shown = None if not after or writer.names_person(after) else after
            cut = quote.before.strip() and one.text[:1].islower()
            kept.append(one.model_copy(update={"followed_by": shown, "text": f"… {one.text}" if cut else one.text}))
        if len(kept) == QUOTES - 1:
            break
    return kept


def _competitors(writer: _Writer, items: Sequence[Item]) -> list[ReportCompetitor]:
    return [
        ReportCompetitor(
            **fields,
            known=True,
            relations=item.counts.details.get("relations", {}),
            standings=item.counts.details.get("standings", {}),
        )
        for item, fields in zip(items, writer.fields(items), strict=True)
    ]


def _themes(writer: _Writer, items: Sequence[Item], period: Period) -> list[ReportTheme]:
    described = {theme.id: theme for theme in theme_items(writer.session, list(items), period)}
    return [
        ReportTheme(**fields, lifecycle=described[fields["id"]].lifecycle, nature=described[fields["id"]].nature)
        for fields in writer.fields(items)
        if fields["id"] in described
    ]


def _changes(
    session: Session, ranking: Ranking, earlier: Ranking, ledger: Ledger, before: Before | None
) -> list[Change]:
    """Split what changed since the month before between customers, late notes, the reader and the themes."""
    period = ranking.frame.period
    named = {(i.about, i.id): i.title for i in all_items(before.content)} if before else {}
    for about in About:
        said = [*ranking.all_items, *earlier.all_items]
        keys = sorted({r.item.key for r in said if r.item.about is about}, key=str)
        names, ids = titles(session, about, keys), public_ids(session, about, keys)
        named |= {(about, ids[key]): names[key] for key in keys if key in names and key in ids}
    splits = split_changes(before.ledger if before else None, read_ledger(session, period.previous), ledger)
    changes = [
        Change(
            about=About(kind),
            id=shown,
            title=named[About(kind), shown],
            then=split.then,
            recounted=split.recounted,
            now=split.now,
            market=split.market,
            notes=None if split.then is None else split.notes,
            reader=None if split.then is None else split.reader,
            taxonomy=None if split.then is None else split.taxonomy,
        )
        for (kind, shown), split in splits.items()
        if (About(kind), shown) in named
    ]
    told = _told(session, ranking, earlier) if thresholds_of(session).are_set else None
    moved = [c for c in changes if c.market or c.notes or c.reader or c.taxonomy]
    moved = [c for c in moved if told is None or (c.about, c.id) in told]
    moved.sort(key=lambda c: (-abs(c.market) - abs(c.recounted - (c.then or 0)), c.about, c.id))
    return moved[:CHANGES]


def _told(session: Session, ranking: Ranking, earlier: Ranking) -> set[tuple[About, str]]:
    """Return the items that enough accounts and authors said in both months, so that what changed may be told."""
    told: set[tuple[About, str]] = set()
    for about in About:
        now, before = ({r.item.key for r in of.all_items if r.item.about is about} for of in (ranking, earlier))
        told |= {(about, shown) for shown in public_ids(session, about, now & before).values()}
    return told


def all_items(content: ReportContent) -> list[ReportItem]:
    """Return every item that a report measures, once."""
    return [*content.objections, *content.competitors, *content.new_names, *content.themes]


def _coverage(session: Session, ranking: Ranking, period: Period) -> Coverage:
    whole = ranking.frame.whole
    states = queries.note_states(session, period)
    whats = ("source", "team", "language")
    hidden = {w: queries.withheld_names(session, w, (period, period.previous)) for w in whats}
    by, before = ({w: queries.notes_by(session, w, p, hidden[w]) for w in whats} for p in (period, period.previous))
    parts = {
        what: [
            Part(name=name, notes=by[what].get(name, 0), before=before[what].get(name, 0))
            for name in sorted(by[what].keys() | before[what].keys(), key=lambda n: (n is None, n or ""))
        ]
        for what in by
    }
    unassigned, passages = queries.passages_in(session, period)
    return Coverage(
        notes=states.notes,
        read=whole.notes,
        waiting=states.waiting,
        failed=states.failed,
        accounts=whole.accounts,
        authors=whole.authors,
        sources=parts["source"],
        teams=parts["team"],
        silent_teams=[p.name for p in parts["team"] if p.name and not p.notes],
        languages=parts["language"],
        passages=passages,
        unassigned=unassigned,
        corrections=queries.corrections_in(session, period),
    )


def _method(session: Session, period: Period) -> Method:
    fit = queries.latest_fit(session)
    return Method(
        service=__version__,
        analyzers=queries.analyzer_versions(session, period),
        themes=fit.version if fit else None,
        fitted_at=fit.finished_at if fit else None,
    )
