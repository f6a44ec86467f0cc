"""The rows of each table, flat, in the order of the list that has the same name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from models.types import ObjectionType
from service.competitors.routes import get_competitor, get_competitor_evidence, get_competitors
from service.competitors.schemas import CompetitorView
from service.dependencies import Caller
from service.filters import Filters
from service.insights.measures import About
from service.insights.routes import get_insights
from service.insights.schemas import AlsoSeen, Amount, Label, Measures, QuoteOutput
from service.masks.view import shown_text
from service.notes import queries as notes
from service.notes.routes import summary
from service.notes.schemas import NoteSummary
from service.objections.routes import get_objection, get_objection_evidence, get_objections
from service.objections.schemas import ObjectionView
from service.search.finding import find
from service.search.meaning import MeaningIndex
from service.search.routes import results
from service.themes.routes import get_theme_evidence, get_themes

ALL = 1_000_000
_PART = 500
Row = dict[str, Any]


class Lang(StrEnum):
    """The language of headings and names."""

    EN = "en"
    FR = "fr"


HEADINGS: dict[str, tuple[str, str]] = {
    "rank": ("Rank", "Rang"),
    "score": ("Score", "Score"),
    "about": ("Kind", "Genre"),
    "id": ("Id", "Identifiant"),
    "title": ("Title", "Titre"),
    "mentions": ("Mentions", "Mentions"),
    "notes": ("Notes", "Notes"),
    "accounts": ("Accounts", "Comptes"),
    "authors": ("Authors", "Auteurs"),
    "share": ("Share of notes", "Part des notes"),
    "trend": ("Trend", "Tendance"),
    "notes_before": ("Notes before", "Notes avant"),
    "change": ("Change", "Évolution"),
    "p_value": ("p-value", "Valeur p"),
    "open_money": ("Open deals", "Affaires en cours"),
    "won_deals": ("Deals won", "Affaires gagnées"),
    "lost_deals": ("Deals lost", "Affaires perdues"),
    "win_rate": ("Win rate", "Taux de réussite"),
    "reasons": ("Why", "Pourquoi"),
    "also": ("Also seen as", "Vu aussi comme"),
    "details": ("Details", "Détails"),
    "note_id": ("Note", "Note"),
    "date": ("Date", "Date"),
    "occurred_at": ("Time (UTC)", "Heure (UTC)"),
    "account_id": ("Account id", "Identifiant du compte"),
    "account": ("Account", "Compte"),
    "segment": ("Segment", "Segment"),
    "author": ("Author", "Auteur"),
    "team": ("Team", "Équipe"),
    "source": ("Source", "Source"),
    "external_id": ("Id at the source", "Identifiant à la source"),
    "kind": ("Kind of note", "Type de note"),
    "language": ("Language", "Langue"),
    "outcome": ("Deal", "Affaire"),
    "amount": ("Amount", "Montant"),
    "currency": ("Currency", "Devise"),
    "state": ("Analysis", "Analyse"),
    "text": ("Text", "Texte"),
    "quote": ("Quote", "Citation"),
    "start": ("Start", "Début"),
    "end": ("End", "Fin"),
    "matched": ("Found by", "Trouvé par"),
    "similarity": ("Similarity", "Similarité"),
    "snippet": ("Passage", "Extrait"),
    "behind": ("Behind us", "Derrière nous"),
    "ahead": ("Ahead of us", "Devant nous"),
    "neutral": ("Neither", "Ni l'un ni l'autre"),
    "dimension": ("By", "Par"),
    "value": ("Name", "Nom"),
}
_MEASURES = ("mentions", "notes", "accounts", "authors", "share", "trend", "notes_before", "change", "p_value")
_DEALS = ("open_money", "won_deals", "lost_deals", "win_rate")
_OF_NOTE = (
    "account_id",
    "account",
    "segment",
    "author",
    "team",
    "source",
    "external_id",
    "kind",
    "language",
    "outcome",
)
INSIGHT_COLUMNS = ("rank", "score", "about", "id", "title", *_MEASURES, *_DEALS, "reasons", "also")
ITEM_COLUMNS = ("id", "title", *_MEASURES, *_DEALS, "details")
EVIDENCE_COLUMNS = ("note_id", "date", "account", "team", "language", "outcome", "details", "start", "end", "quote")
NOTE_COLUMNS = ("note_id", "occurred_at", *_OF_NOTE, "amount", "currency", "state", "text")
SEARCH_COLUMNS = ("rank", "note_id", "occurred_at", *_OF_NOTE, "matched", "similarity", "snippet")
POINT_COLUMNS = ("about", "id", "title", "behind", "ahead", "neutral", "accounts", "trend", "notes_before")
PART_COLUMNS = ("dimension", "value", "mentions", "notes", "accounts", "share", "won_deals", "lost_deals", "win_rate")

EXAMPLE: Row = {  # a cell of each column, for the OpenAPI document
    "rank": 1,
    "score": 21.82,
    "about": "objection",
    "id": "price",
    "title": "Price",
    "mentions": 34,
    "notes": 26,
    "accounts": 11,
    "authors": 6,
    "share": 0.3023,
    "trend": "rising",
    "notes_before": 6,
    "change": 3.2829,
    "p_value": 0.00455,
    "open_money": "EUR 362000",
    "won_deals": 2,
    "lost_deals": 5,
    "win_rate": 0.2857,
    "reasons": "Heard at 11 accounts of 36, by 6 reps, in 26 notes",
    "also": "Price level: 13 of its 15 passages hold this objection",
    "details": "open 27, resolved 4, anticipated 3",
    "note_id": "17",
    "date": "2026-09-14",
    "occurred_at": "2026-09-14T10:20:00Z",
    "account_id": "acc-17",
    "account": "Harrow Foods",
    "segment": "mid-market",
    "author": "rep-07",
    "team": "north",
    "source": "hubspot",
    "external_id": "call-1042",
    "kind": "call_note",
    "language": "en",
    "outcome": "open",
    "amount": 36000.0,
    "currency": "EUR",
    "state": "done",
    "text": "They like the demo, but we are 20% above the other quote.",
    "quote": "we are 20% above the other quote",
    "start": 24,
    "end": 56,
    "matched": "words, meaning",
    "similarity": 0.71,
    "snippet": "They like the demo, but we are 20% above the other quote.",
    "behind": 1,
    "ahead": 4,
    "neutral": 2,
    "dimension": "segment",
    "value": "mid-market",
}


def headings(columns: tuple[str, ...], lang: Lang) -> dict[str, str]:
    """Return the headings of columns."""
    return {name: HEADINGS[name][lang is Lang.FR] for name in columns}


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


def competitor_rows(session: Session, caller: Caller, filters: Filters, _lang: Lang) -> tuple[list[Row], int]:
    """Return the list of competitors, and how many are withheld."""
    page = get_competitors(session, caller, filters, limit=ALL)
    rows = [_item(i, i.id, i.name, f"{_counted(i.relations)}; {_counted(i.standings)}") for i in page.items]
    return rows, page.withheld


def theme_rows(session: Session, caller: Caller, filters: Filters, lang: Lang) -> tuple[list[Row], int]:
    """Return the list of themes, and how many are withheld."""
    page = get_themes(session, caller, filters, limit=ALL)
    rows = [_item(i, i.id, _label(i.label, lang), f"{i.lifecycle}, {i.nature}") for i in page.items]
    return rows, page.withheld


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


def _quote(quote: QuoteOutput) -> Row:
    details = ", ".join(f"{name} {value}" for name, value in quote.detail.items() if value is not None)
    return {
        **{name: getattr(quote, name) for name in EVIDENCE_COLUMNS if name != "details"},
        "details": details,
    }


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
