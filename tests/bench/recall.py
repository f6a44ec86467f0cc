"""How much of what is asked for a search finds: queries in both languages over the annotated test notes.

    python -m tests.bench.recall

A note answers a query if an objection of the query's kind is marked in it. Writes data/metrics/search.json.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

import sqlalchemy as sa

from models.analyzer import load_analyzer
from models.types import ObjectionType
from service.database import make_engine, migrate, read_session, write_session
from service.filters import NoteFilters
from service.notes.intake import parse_note
from service.notes.queries import store_notes
from service.notes.schemas import IncomingNote
from service.search.finding import find
from service.search.meaning import MeaningIndex
from service.tables import NoteTable
from tests.work import analyse_all

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "data" / "metrics" / "search.json"
LEFT_OUT = ("language", "deal", "objections", "competitors", "passages")
SHOWN = 20
QUERIES: dict[ObjectionType, dict[str, tuple[str, str]]] = {
    ObjectionType.PRICE: {
        "en": ("price too high", "expensive compared with others"),
        "fr": ("trop cher", "demande une remise"),
    },
    ObjectionType.BUDGET: {
        "en": ("no budget", "money is not there this year"),
        "fr": ("pas de budget", "plus d'argent cette année"),
    },
    ObjectionType.VALUE: {
        "en": ("does not see the benefit", "no need for it"),
        "fr": ("ne voit pas l'intérêt", "aucun besoin"),
    },
    ObjectionType.TIMING: {
        "en": ("not now, later this year", "wait until the project ends"),
        "fr": ("pas avant l'automne", "après les travaux"),
    },
    ObjectionType.AUTHORITY: {
        "en": ("someone else decides", "head office chooses"),
        "fr": ("ce n'est pas lui qui décide", "choix du siège"),
    },
    ObjectionType.STATUS_QUO: {
        "en": ("happy with current supplier", "no reason to change"),
        "fr": ("content de ce qu'ils ont", "ne veut pas changer"),
    },
    ObjectionType.PRODUCT_GAP: {
        "en": ("missing feature", "product cannot do it"),
        "fr": ("fonction manquante", "ne sait pas faire"),
    },
    ObjectionType.INTEGRATION: {
        "en": ("does not connect to their software", "data has to be typed again"),
        "fr": ("pas de lien avec leur logiciel", "tout ressaisir"),
    },
    ObjectionType.SECURITY_COMPLIANCE: {
        "en": ("security requirements not met", "certificate missing"),
        "fr": ("hébergement des données", "pas certifié"),
    },
    ObjectionType.IMPLEMENTATION: {
        "en": ("too much work to set up", "no one to train the staff"),
        "fr": ("trop long à mettre en place", "former les équipes"),
    },
    ObjectionType.TRUST: {
        "en": ("will you still exist", "wants references"),
        "fr": ("réputation", "doute de notre solidité"),
    },
    ObjectionType.SERVICE_DELIVERY: {
        "en": ("slow support", "visit came late"),
        "fr": ("personne ne rappelle", "délai d'intervention"),
    },
    ObjectionType.CONTRACT_TERMS: {
        "en": ("long commitment", "notice period"),
        "fr": ("durée d'engagement", "clause du contrat"),
    },
}
SPOKEN = {"all": {"en", "fr", "mixed"}, "to en": {"en"}, "to fr": {"fr"}}


def main() -> None:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'search.sqlite3'}"
        migrate(url)
        engine = make_engine(url)
        marked = load(engine)
        result = measure(engine, marked)
        engine.dispose()
    METRICS.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def load(engine: sa.Engine) -> list[tuple[str, str, frozenset[str]]]:
    """Take in and read the test notes; return of each its key, its language and the kinds of its objections."""
    notes, marked = [], []
    for path in sorted((ROOT / "data" / "test").glob("*/*.notes.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            key = f"{path.parent.name}/{row['id']}"
            note = parse_note({**{n: v for n, v in row.items() if n not in {"id", *LEFT_OUT}}, "external_id": key})
            assert isinstance(note, IncomingNote)
            notes.append(note)
            marked.append((key, str(row["language"]), frozenset(o["type"] for o in row["objections"])))
    with write_session(engine) as session:
        store_notes(session, notes, datetime.now(UTC))
    analyse_all(engine, load_analyzer())
    return marked


def measure(engine: sa.Engine, marked: Sequence[tuple[str, str, frozenset[str]]]) -> dict[str, Any]:
    """Return mean figures over all notes, and of each language's queries over each language's notes."""
    index = MeaningIndex()
    figures: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    asked = [
        (kind, language, q)
        for kind, by_language in QUERIES.items()
        for language in by_language
        for q in by_language[language]
    ]
    with read_session(engine) as session:
        keys = {row.id: row.external_id for row in session.execute(sa.select(NoteTable.id, NoteTable.external_id))}
        for kind, language, query in asked:
            found = [keys[hit.note_id] for hit in find(session, index, query, NoteFilters()).hits]
            for name, languages in SPOKEN.items():
                of_these = {key: kinds for key, spoken, kinds in marked if spoken in languages}
                wanted = {key for key, kinds in of_these.items() if kind in kinds}
                title = name if name == "all" else f"{language} {name}"
                figures[title].append(judge([key for key in found if key in of_these], wanted))
    return {"queries": len(asked), **{name: average(rows) for name, rows in sorted(figures.items())}}


def judge(found: Sequence[str], wanted: set[str]) -> dict[str, float]:
    """Return the share of the wanted notes among the first twenty found, of as many as could be, and nDCG there."""
    hits = [key in wanted for key in found[:SHOWN]]
    best = min(SHOWN, len(wanted))
    gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)
    return {"recall_at_20": sum(hits) / best, "ndcg_at_20": gain / sum(1 / math.log2(p + 2) for p in range(best))}


def average(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure."""
    return {name: round(mean(row[name] for row in rows), 3) for name in rows[0]}


if __name__ == "__main__":
    main()
