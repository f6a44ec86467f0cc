"""The columns of each table: their names, their headings in both languages, and a cell of each."""

from __future__ import annotations

from enum import StrEnum

from service.exports.writing import Row


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
    "step": ("Week or month", "Semaine ou mois"),
    "begins": ("Begins", "Début"),
    "known": ("In the catalogue", "Au catalogue"),
    "incumbent": ("In place, accounts", "En place, comptes"),
    "evaluating": ("Evaluated, accounts", "Évalué, comptes"),
    "lost_to": ("Lost to, accounts", "Perdu contre, comptes"),
    "won_against": ("Won against, accounts", "Gagné contre, comptes"),
    "area": ("Area", "Domaine"),
    "passages": ("Passages", "Passages"),
    "muted": ("Muted", "Masqué"),
    "event": ("What happened", "Ce qui s'est passé"),
    "by": ("By whom", "Par qui"),
    "row": ("Row", "Ligne"),
    "file": ("File", "Fichier"),
    "field": ("Field", "Champ"),
    "message": ("What is wrong", "Ce qui ne va pas"),
    "cells": ("The row as it came", "La ligne telle que reçue"),
    "to": ("To", "À"),
    "delivery": ("State", "État"),
    "attempts": ("Tries", "Essais"),
    "status_code": ("HTTP status", "Statut HTTP"),
    "failure": ("Failure", "Échec"),
    "next_at": ("Next try (UTC)", "Prochain essai (UTC)"),
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
STANDS = ("incumbent", "evaluating", "lost_to", "won_against")
COMPETITOR_COLUMNS = (*ITEM_COLUMNS, "known", *STANDS, "behind", "ahead")
EVIDENCE_COLUMNS = ("note_id", "date", "account", "team", "language", "outcome", "details", "start", "end", "quote")
NOTE_COLUMNS = ("note_id", "occurred_at", *_OF_NOTE, "amount", "currency", "state", "text")
SEARCH_COLUMNS = ("rank", "note_id", "occurred_at", *_OF_NOTE, "matched", "similarity", "snippet")
POINT_COLUMNS = ("about", "id", "title", "behind", "ahead", "neutral", "accounts", "trend", "notes_before")
PART_COLUMNS = ("dimension", "value", "mentions", "notes", "accounts", "share", "won_deals", "lost_deals", "win_rate")
SERIES_COLUMNS = ("step", "begins", "mentions", "notes", "accounts")
TREE_COLUMNS = ("area", "id", "title", "passages", "notes", "muted")
HISTORY_COLUMNS = ("occurred_at", "event", "by", "details")
REFUSED_COLUMNS = ("row", "file", "field", "message", "cells")
DELIVERY_COLUMNS = (
    "occurred_at",
    "event",
    "to",
    "delivery",
    "attempts",
    "status_code",
    "failure",
    "next_at",
)

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
    "step": "2026-W38",
    "begins": "2026-09-14",
    "known": True,
    "incumbent": 5,
    "evaluating": 6,
    "lost_to": 2,
    "won_against": 1,
    "area": "Service and delivery",
    "passages": 61,
    "muted": False,
    "event": "merged",
    "by": "marketing",
    "row": 43,
    "file": None,
    "field": "occurred_at",
    "message": "is not a date",
    "cells": "Date: 31/02/2026; Note: Trop cher.",
    "to": "https://hooks.firm.com/binome",
    "delivery": "delivered",
    "attempts": 1,
    "status_code": 204,
    "failure": None,
    "next_at": None,
}


def headings(columns: tuple[str, ...], lang: Lang) -> dict[str, str]:
    """Return the headings of columns."""
    return {name: HEADINGS[name][lang is Lang.FR] for name in columns}
