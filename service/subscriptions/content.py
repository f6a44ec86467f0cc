"""What a digest or an alert says: the same for mail, Slack and Teams."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from models.persons import may_name_person
from service.catalog.queries import read_catalog
from service.deliveries.links import item_link
from service.filters import Filters, Period, stored_filters
from service.insights.evidence import list_quotes
from service.insights.measures import About
from service.insights.queries import Ranking, also_seen, public_ids, rank_insights, titles
from service.insights.ranking import Part, RankedItem
from service.insights.schemas import AlsoSeen, Label
from service.insights.statistics import UPWARD, Direction
from service.insights.withholding import TREND
from service.insights.words import sentence
from service.masks.authors import told_filters
from service.masks.view import is_hidden
from service.outgoing_tables import SubscriptionTable
from service.pages.words import Lang, Words
from service.settings import Settings
from service.sources.intake import public_url

TOP = 5
CANDIDATES = 30  # quotes among which one without a person's name is looked for
SHORTEST, TELLING, QUOTE_CHARS = 12, 50, 240
WINDOW_DAYS = 30
_QUOTED = re.compile(r'^(?:["“]([^"“”]*)["”]|«\s?([^«»]*?)\s?»)([.!?…]?)$')  # already between quotation marks
EMERGING = "emerging"  # the place of a theme that is told of because it emerges


class MessageKind(StrEnum):
    """What a message is."""

    DIGEST = "digest"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Quoted:
    """A customer's words that name no person."""

    text: str
    account: str | None
    date: str
    language: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One insight of a message, all of it in the reader's language."""

    about: About
    id: str
    kind: str
    title: str
    rank: int
    trend: str
    direction: Direction
    reasons: list[str]
    quote: Quoted | None
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """A digest or an alert."""

    kind: MessageKind
    language: Lang
    subject: str
    title: str
    summary: str
    period: str
    filters: str
    entries: list[Entry]
    home_url: str
    unsubscribe_url: str
    words: Words = field(repr=False)


def window(today: date) -> Period:
    """Return the 30 days up to yesterday: whole days alone."""
    return Period(today - timedelta(days=WINDOW_DAYS), today - timedelta(days=1))


def compose(
    session: Session,
    subscription: SubscriptionTable,
    kind: MessageKind,
    period: Period,
    settings: Settings,
    *,
    unsubscribe_url: str,
    places: Collection[tuple[str, str]] | None = None,
) -> Message:
    """Write a message.

    Args:
        session: The session.
        subscription: Who reads it: language and filters.
        kind: What it is.
        period: The days that are ranked; they are compared with as many before.
        settings: For the addresses of pages.
        unsubscribe_url: The link that ends the subscription.
        places: Kinds and ids of what an alert is about; else the first five of the ranking are shown.
    """
    words = Words(Lang(subscription.language))
    filters = stored_filters(session, {**subscription.filters, "from": period.start, "to": period.end})
    ranking = rank_insights(session, filters)
    entries = _entries(session, ranking, filters, words, settings, places)
    whole = ranking.frame.whole
    counts = {
        "notes": words.count("n_notes", whole.notes),
        "accounts": words.count("n_accounts", whole.accounts),
    }
    days = words.period(period)
    alert = kind is MessageKind.ALERT
    first = entries[0].title if entries else ""
    more = words.count("alert_more", len(entries) - 1) if len(entries) > 1 else ""
    subject = words("alert_subject", first=first, more=more) if alert else words("digest_subject", period=days)
    summary = words("digest_none") if not whole.notes else words("digest_summary", **counts)
    if ranking.frame.withheld:
        summary = words("all_withheld")
    elif ranking.withheld:
        summary = f"{summary} {words.count('withheld_count', ranking.withheld)}"
    return Message(
        kind=kind,
        language=words.lang,
        subject=subject.strip(),
        title=words("alert_title" if alert else "digest_title"),
        summary=words("alert_summary", **counts) if alert else summary,
        period=days,
        filters=_told_filters(words, told_filters(session, subscription.filters)),
        entries=entries,
        home_url=f"{public_url(settings)}/?from={period.start}&to={period.end}",
        unsubscribe_url=unsubscribe_url,
        words=words,
    )


def _told_filters(words: Words, filters: dict[str, Any]) -> str:
    return ", ".join(f"{words(f'filter_{name}')}{words('colon')}{value}" for name, value in filters.items())


def _entries(
    session: Session,
    ranking: Ranking,
    filters: Filters,
    words: Words,
    settings: Settings,
    places: Collection[tuple[str, str]] | None,
) -> list[Entry]:
    ids: dict[tuple[About, Any], str] = {}
    names: dict[tuple[About, Any], Label] = {}
    candidates = ranking.all_items if places is not None else ranking.items[:TOP]
    also = also_seen(session, candidates)
    for about in About:
        keys = [r.item.key for r in candidates if r.item.about is about]
        if keys:
            ids |= {(about, key): shown for key, shown in public_ids(session, about, keys).items()}
            names |= {(about, key): label for key, label in titles(session, about, keys).items()}
    firms = _firms(session)
    entries = []
    for ranked in candidates:
        place = (ranked.item.about, ranked.item.key)
        if place not in names:
            continue
        emerging = places is not None and (EMERGING, ids[place]) in places and place[0] is About.THEME
        if places is not None and not emerging and not _still_rises(ranked, ids[place], places):
            continue
        entries.append(
            Entry(
                about=place[0],
                id=ids[place],
                kind=words("about_emerging" if emerging else f"about_{place[0]}"),
                title=words.label(names[place]),
                rank=ranked.rank,
                trend=_trend(words, ranked),
                direction=ranked.item.trend.direction,
                reasons=[*_reasons(words, ranked), *(_also(words, one) for one in also.get(place, []))],
                quote=_quote(session, ranked, filters, ranking.frame.period, words, firms),
                url=item_link(settings, place[0], ids[place], ranking.frame.period),
            )
        )
    return entries


def _still_rises(ranked: RankedItem, item_id: str, places: Collection[tuple[str, str]]) -> bool:
    """Tell whether an item is one of an alert's, and rises when the alert leaves."""
    trend = ranked.item.trend
    return (str(ranked.item.about), item_id) in places and trend.significant and trend.direction in UPWARD


def _trend(words: Words, ranked: RankedItem) -> str:
    trend = ranked.item.trend
    if TREND in ranked.item.withheld:
        return f"{words(f'trend_{trend.direction}')}{words('colon')}{words.count('n_notes', ranked.item.counts.notes)}"
    return words(
        "digest_trend",
        direction=words(f"trend_{trend.direction}"),
        notes=words.count("n_notes", ranked.item.counts.notes),
        before=words.number(trend.previous),
    )


def _reasons(words: Words, ranked: RankedItem) -> list[str]:
    """Return the two strongest reasons but growth, which the trend tells."""
    told = sorted((r for r in ranked.reasons if r.part not in {Part.GROWTH, Part.NOVELTY}), key=lambda r: -r.points)
    return [words.label(sentence(ranked.item.about, reason)) for reason in told[:2]]


def _also(words: Words, also: AlsoSeen) -> str:
    told = {
        "title": words.label(also.title),
        "kind": words(f"about_{also.about}").lower(),
        "text": words.label(also.text),
    }
    return words("digest_also", **told)


def _firms(session: Session) -> list[str]:
    catalog = read_catalog(session)
    return [*catalog.us, *(name for one in catalog.competitors for name in (one.name, *one.aliases))]


def _quote(
    session: Session, ranked: RankedItem, filters: Filters, period: Period, words: Words, firms: list[str]
) -> Quoted | None:
    """Return the first quote of a customer that names no person, with its sentence where that names none either.

    What says something comes first, then what is in the reader's language, then what has some length.
    """
    item = ranked.item
    quotes, _ = list_quotes(session, item.about, filters, period, item=item.key, limit=CANDIDATES)
    quotes.sort(key=lambda quote: (quote.little, quote.language != words.lang, len(quote.sentence) < TELLING))
    for quote in quotes:
        account = [quote.account] if quote.account and " " in quote.account else []  # one word may be a person's
        for wording in () if quote.expected else (quote.sentence, quote.text):
            text = _cut(" ".join(wording.split()))
            named = is_hidden(text) or may_name_person(text, [*firms, *account])
            if len(text) >= SHORTEST and not named:
                return Quoted(text, quote.account, words.short_date(quote.occurred_on), quote.language or words.lang)
    return None


def _cut(text: str) -> str:
    """Return a quote with "…" for what is left out at its ends; the message has quotation marks of its own."""
    text = _QUOTED.sub(r"\1\2\3", text)
    text = f"… {text}" if text[:1].islower() else text
    if len(text) <= QUOTE_CHARS:
        return text
    return f"{text[:QUOTE_CHARS].rpartition(' ')[0]} …"
