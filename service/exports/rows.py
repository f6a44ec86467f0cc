"""The rows of each table, flat, in the order of the list that has the same name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from models.types import ObjectionType, Relation, Standing
from service.competitors.queries import accounts_by_relation
from service.competitors.routes import (
    get_competitor,
    get_competitor_evidence,
    get_competitor_series,
    get_competitors,
)
from service.competitors.schemas import CompetitorView
from service.deliveries.events import DeliveryState
from service.deliveries.queries import list_deliveries, receiver_names, receiver_of
from service.dependencies import Caller
from service.exports.columns import EVIDENCE_COLUMNS, STANDS, Lang
from service.exports.writing import Row
from service.filters import Filters, resolve_period
from service.imports.queries import every_refusal
from service.imports.schemas import refused_row
from service.insights.evidence import Step
from service.insights.measures import About
from service.insights.routes import get_insights
from service.insights.schemas import AlsoSeen, Amount, Label, Measures, QuoteOutput
from service.masks.view import shown_text
from service.notes import queries as notes
from service.notes.routes import summary
from service.notes.schemas import NoteSummary
from service.objections.routes import get_objection, get_objection_evidence, get_objection_series, get_objections
from service.objections.schemas import ObjectionView
from service.reasons.telling import in_french
from service.search.finding import find
from service.search.meaning import MeaningIndex
from service.search.routes import results
from service.themes.routes import get_theme_evidence, get_theme_history, get_theme_series, get_theme_tree, get_themes

ALL = 1_000_000
_PART = 500


def insight_rows(
    session: Session, caller: Caller, filters: Filters, about: list[About] | None, lang: Lang
) -> tuple[list[Row], int]:
    """Return the ranking, and how many items are withheld."""
    page = get_insights(session, caller, filters, about, limit=ALL)
    rows = [
        {
            "rank": insight.rank,
            "score": insight.score,
            "about": insight.about,
            "id": insight.id,
            "title": _label(insight.title, lang),
            **_measures(insight.measures),
            "reasons": "; ".join(_label(reason.text, lang) for reason in insight.reasons),
            "also": "; ".join(_also(also, lang) for also in insight.also),
        }
        for insight in page.items
    ]
    return rows, page.withheld


def objection_rows(session: Session, caller: Caller, filters: Filters, lang: Lang) -> tuple[list[Row], int]:
    """Return the list of objections, and how many are withheld."""
    page = get_objections(session, caller, filters, limit=ALL)
    rows = [_item(item, item.id, _label(item.title, lang), _counted(item.statuses)) for item in page.items]
    return rows, page.withheld


def competitor_rows(session: Session, caller: Caller, filters: Filters, known: bool | None) -> tuple[list[Row], int]:
    """Return the list of competitors, and how many are withheld."""
    page = get_competitors(session, caller, filters, known, limit=ALL)
    stands = accounts_by_relation(session, filters, resolve_period(session, filters), [i.id for i in page.items])
    rows = [
        _item(i, i.id, i.name, f"{_counted(i.relations)}; {_counted(i.standings)}")
        | {"known": i.known, "behind": i.standings.get(Standing.BEHIND), "ahead": i.standings.get(Standing.AHEAD)}
        | {name: stands[i.id].get(Relation(name)) for name in STANDS}
        for i in page.items
    ]
    return rows, page.withheld


def theme_rows(session: Session, caller: Caller, filters: Filters, lang: Lang) -> tuple[list[Row], int]:
    """Return the list of themes, and how many are withheld."""
    page = get_themes(session, caller, filters, limit=ALL)
    rows = [_item(i, i.id, _label(i.label, lang), f"{i.lifecycle}, {i.nature}") for i in page.items]
    return rows, page.withheld


def tree_rows(session: Session, caller: Caller, lang: Lang) -> tuple[list[Row], int]:
    """Return the themes by area, over all time, and how many are withheld."""
    tree = get_theme_tree(session, caller)
    rows = [
        {"area": _label(area.label, lang), "id": theme.id, "title": _label(theme.label, lang)}
        | theme.model_dump(include={"passages", "notes", "muted"})
        for area in tree.areas
        for theme in area.themes
    ]
    return rows, tree.withheld


def evidence_rows(session: Session, caller: Caller, filters: Filters, about: About, item_id: str) -> Iterator[Row]:
    """Yield the quotes of an item."""
    read: Callable[..., Any] = {
        About.OBJECTION: get_objection_evidence,
        About.COMPETITOR: get_competitor_evidence,
        About.THEME: get_theme_evidence,
    }[about]
    cursor: str | None = None
    while True:
        page = read(item_id, session, caller, filters, _PART, cursor)
        yield from (_quote(quote) for quote in page.items)
        cursor = page.next
        if cursor is None:
            return


def series_rows(
    session: Session, caller: Caller, filters: Filters, about: About, item_id: str, by: Step
) -> tuple[list[Row], int]:
    """Return the course of an item, and of how many weeks or months the counts are withheld."""
    read: Callable[..., Any] = {
        About.OBJECTION: get_objection_series,
        About.COMPETITOR: get_competitor_series,
        About.THEME: get_theme_series,
    }[about]
    points = read(item_id, session, caller, filters, by).points
    rows = [
        {"step": point.label, "begins": point.start, **point.model_dump(include={"mentions", "notes", "accounts"})}
        for point in points
    ]
    return rows, sum(point.notes is None for point in points)


def history_rows(session: Session, caller: Caller, theme_id: str) -> Iterator[Row]:
    """Yield what happened to a theme, the latest first."""
    cursor: str | None = None
    while True:
        page = get_theme_history(theme_id, session, caller, _PART, cursor)
        for event in page.items:
            yield {"occurred_at": event.at, "event": event.kind, "by": event.by, "details": _told(event.detail)}
        cursor = page.next
        if cursor is None:
            return


def point_rows(session: Session, caller: Caller, filters: Filters, name: str, lang: Lang) -> tuple[list[Row], int]:
    """Return the points on which a competitor is ahead or behind, and how many are withheld."""
    view = get_competitor(name, session, caller, filters)
    rows = [
        {
            "about": str(point.about),
            "id": point.id,
            "title": _label(point.title, lang),
            **{str(standing): notes for standing, notes in point.notes.items()},
            "accounts": point.accounts,
            "trend": str(point.direction),
            "notes_before": point.previous,
        }
        for point in view.points
    ]
    return rows, view.points_withheld


def part_rows(session: Session, caller: Caller, filters: Filters, about: About, item_id: str) -> tuple[list[Row], int]:
    """Return where a competitor or an objection is heard, and how many segments, teams and stages are withheld."""
    if about is About.COMPETITOR:
        view: CompetitorView | ObjectionView = get_competitor(item_id, session, caller, filters)
    else:
        view = get_objection(ObjectionType(item_id), session, caller, filters)
    rows = [
        {
            "dimension": str(dimension),
            **part.model_dump(include={"value", "mentions", "notes", "accounts", "share", "win_rate"}),
            "won_deals": part.won,
            "lost_deals": part.lost,
        }
        for dimension, parts in view.parts.items()
        for part in parts
    ]
    return rows, sum(view.parts_withheld.values())


def refused_rows(session: Session, import_id: int, lang: Lang) -> Iterator[Row]:
    """Yield the rows that an import refused or took in part, in order."""
    colon = " : " if lang is Lang.FR else ": "
    for refusal in every_refusal(session, import_id):
        shown = refused_row(refusal)
        reason = in_french(shown.message) if lang is Lang.FR else None
        cells = (f"{name}{colon}{cell}" for name, cell in shown.cells.items() if cell)
        yield {
            **shown.model_dump(include={"row", "file", "field"}),
            "message": reason or shown.message,
            "cells": "; ".join(cells),
        }


def delivery_rows(session: Session) -> Iterator[Row]:
    """Yield what was sent or waits, the latest first."""
    names = receiver_names(session)
    before = None
    while True:
        rows, _ = list_deliveries(session, [], _PART, before)
        for row, event in rows:
            yield {
                "occurred_at": row.created_at,
                "event": event.type if event else row.kind,
                "to": receiver_of(row, names),
                "delivery": row.state,
                "attempts": row.attempts,
                "status_code": row.status_code,
                "failure": row.failure,
                "next_at": row.next_at if row.state == DeliveryState.WAITING else None,
            }
        if len(rows) < _PART:
            return
        before = rows[-1][0].id
        session.expunge_all()


def note_rows(session: Session, filters: Filters) -> Iterator[Row]:
    """Yield the notes, the latest first."""
    before = None
    while True:
        rows, _ = notes.list_notes(session, filters, state=None, external_id=None, limit=_PART, before=before)
        for row in rows:
            shown = NoteSummary(**summary(row))
            deal = shown.deal
            money = {"amount": deal.amount if deal else None, "currency": deal.currency if deal else None}
            yield {**_note(shown), **money, "state": shown.state, "text": shown_text(row[0])}
        if len(rows) < _PART:
            return
        before = rows[-1][0].occurred_at, rows[-1][0].id
        session.expunge_all()  # the notes written are not needed any more


def search_rows(session: Session, index: MeaningIndex, q: str, filters: Filters) -> Iterator[Row]:
    """Yield what a search finds, the best first."""
    found = find(session, index, q, filters)
    rank = 0
    for begin in range(0, len(found.hits), _PART):
        for result in results(session, found, found.hits[begin : begin + _PART]):
            rank += 1
            yield {
                "rank": rank,
                **_note(result.note),
                "matched": ", ".join(result.matched),
                "similarity": result.passage.similarity if result.passage else None,
                "snippet": result.snippet.text,
            }
        session.expunge_all()


def _also(also: AlsoSeen, lang: Lang) -> str:
    colon = " : " if lang is Lang.FR else ": "
    return f"{_label(also.title, lang)}{colon}{_label(also.text, lang)}"


def _label(label: Label, lang: Lang) -> str:
    return label.fr if lang is Lang.FR else label.en


def _item(item: Measures, item_id: str, title: str, details: str) -> Row:
    return {"id": item_id, "title": title, **_measures(item), "details": details}


def _measures(item: Measures) -> Row:
    return {
        "mentions": item.mentions,
        "notes": item.notes,
        "accounts": item.accounts,
        "authors": item.authors,
        "share": item.share,
        "trend": item.trend.direction,
        "notes_before": item.trend.previous,
        "change": item.trend.change,
        "p_value": item.trend.p_value,
        "open_money": _sums(item.money.open),
        "won_deals": item.outcomes.won,
        "lost_deals": item.outcomes.lost,
        "win_rate": item.outcomes.win_rate,
    }


def _sums(amounts: list[Amount]) -> str:
    return "; ".join(f"{amount.currency} {amount.amount:.0f}" for amount in amounts)


def _counted(counts: dict[Any, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _told(detail: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items() if value is not None)


def _quote(quote: QuoteOutput) -> Row:
    shown = {name: getattr(quote, name) for name in EVIDENCE_COLUMNS if name != "details"}
    return {**shown, "details": _told(quote.detail)}


def _note(note: NoteSummary) -> Row:
    return {
        "note_id": note.id,
        "occurred_at": note.occurred_at,
        "account_id": note.account.id if note.account else None,
        "account": note.account.name if note.account else None,
        "segment": note.account.segment if note.account else None,
        "author": (note.author.name or note.author.id) if note.author else None,
        "team": note.author.team if note.author else None,
        "source": note.source,
        "external_id": note.external_id,
        "kind": note.kind,
        "language": note.language,
        "outcome": note.deal.outcome if note.deal else None,
    }
