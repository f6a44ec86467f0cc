"""What really rises stands first: on the development sets, read by the real reader, themes as marked and as fitted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import Analyzer
from service.catalog.queries import replace_catalog
from service.catalog.schemas import CatalogBody
from service.database import make_engine, migrate, write_session
from service.filters import Filters, name_key
from service.insights.measures import About
from service.insights.queries import Ranking, rank_insights, titles
from service.insights.statistics import UPWARD
from service.notes.intake import parse_note
from service.notes.queries import repeated_columns, store_notes
from service.notes.schemas import IncomingNote
from service.tables import NoteTable, PassageTable, ThemeTable
from tests.bench.stream import fit_now
from tests.work import analyse_all

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FIRST = 5
SUMMER = Filters.model_validate({"from": "2026-07-01", "to": "2026-09-30"})


def _folder(name: str) -> Path:
    places = (parent / "shared" / "gold" / name for parent in Path(__file__).resolve().parents)
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        pytest.skip("the development sets are not here (shared/gold)")
    return found


def _read(engine: sa.Engine, folder: Path, reader: Analyzer) -> list[dict[str, Any]]:
    """Take in the notes and read them; return them as they are marked."""
    rows = [json.loads(line) for line in (folder / "notes.jsonl").read_text("utf-8").splitlines()]
    posted = [
        {
            ("external_id" if name == "id" else name): row[name]
            for name in row
            if name not in {"objections", "competitors"}
        }
        for row in rows
    ]
    notes = [parse_note({name: value for name, value in note.items() if name != "passages"}) for note in posted]
    catalog = CatalogBody.model_validate_json((folder / "catalog.json").read_text("utf-8"))
    with write_session(engine) as session:
        replace_catalog(session, catalog.to_catalog())
        assert all(isinstance(note, IncomingNote) for note in notes)
        store_notes(session, [note for note in notes if isinstance(note, IncomingNote)], NOW)
    analyse_all(engine, reader)
    return rows


def _mark(engine: sa.Engine, rows: list[dict[str, Any]]) -> None:
    """Put the marked passages in the place of the found ones."""
    themes = sorted({p["theme"] for row in rows for p in row["passages"] if p["theme"]})
    with write_session(engine) as session:
        session.execute(sa.delete(PassageTable))
        for number, name in enumerate(themes, start=1):
            session.add(_theme(number, name))
        session.flush()
        stored = {note.external_id: note for note in session.scalars(sa.select(NoteTable))}
        for row in rows:
            note = stored[row["id"]]
            for marked in row["passages"]:
                if marked["theme"]:
                    session.add(_passage(note, marked, themes.index(marked["theme"]) + 1))


def _theme(number: int, name: str) -> ThemeTable:
    made: dict[str, Any] = {
        "created_at": NOW,
        "updated_at": NOW,
        "label_edited": False,
        "keywords": {},
        "centroid": b"",
    }
    return ThemeTable(id=number, key=f"theme-{number}", label_en=name, label_fr=name, state="active", **made)


def _passage(note: NoteTable, marked: dict[str, Any], theme_id: int) -> PassageTable:
    place = {"start": marked["start"], "end": marked["end"]}
    return PassageTable(**repeated_columns(note), **place, language="en", vector=b"", theme_id=theme_id, similarity=1.0)


def _names(engine: sa.Engine, session: Any, ranking: Ranking) -> list[tuple[About, str]]:
    names = {
        about: titles(session, about, [r.item.key for r in ranking.items if r.item.about is about]) for about in About
    }
    return [(r.item.about, names[r.item.about][r.item.key].en) for r in ranking.items]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """Give each set a database of its own: `engine` of all tests is emptied between them, and its reader is made up."""
    url = f"sqlite:///{tmp_path / 'gold.sqlite3'}"
    migrate(url)
    engine = make_engine(url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", ["d1", "d2"])
def test_what_rises_is_among_the_first_five_without_false_alarms(
    name: str, engine: sa.Engine, real_analyzer: Analyzer
) -> None:
    folder = _folder(name)
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    _mark(engine, _read(engine, folder, real_analyzer))
    with write_session(engine) as session:
        ranking = rank_insights(session, SUMMER)
        named = _names(engine, session, ranking)
    expected = {(About.THEME, theme) for theme in truth["emerging"]}
    first = {(about, name_key(said) if about is About.COMPETITOR else said) for about, said in named[:FIRST]}
    assert expected | {(About.COMPETITOR, name_key(truth["surging_competitor"]))} <= first
    rising = [place for place, r in zip(named, ranking.items, strict=True) if r.item.trend.direction in UPWARD]
    assert len(rising) - len(expected) - 1 <= 1, rising


@pytest.mark.parametrize("name", ["d1", "d2"])
def test_what_rises_is_among_the_first_five_with_the_themes_of_a_fit(
    name: str, engine: sa.Engine, real_analyzer: Analyzer
) -> None:
    folder = _folder(name)
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    rows = _read(engine, folder, real_analyzer)
    fit_now(engine)
    with write_session(engine) as session:
        ranking = rank_insights(session, SUMMER)
        fitted = {_fitted(session, rows, theme) for theme in truth["emerging"]}
    first = {(r.item.about, r.item.key) for r in ranking.items[:FIRST]}
    assert len(fitted) == len(truth["emerging"])  # each has a theme of its own
    assert {(About.THEME, key) for key in fitted} <= first
    assert (About.COMPETITOR, name_key(truth["surging_competitor"])) in first


def _fitted(session: Session, rows: list[dict[str, Any]], marked: str) -> int | None:
    """Return the fitted theme that most passages of a marked one are in."""
    found = session.execute(
        sa.select(NoteTable.external_id, PassageTable.start, PassageTable.end, PassageTable.theme_id)
        .join(NoteTable, NoteTable.id == PassageTable.note_id)
        .where(PassageTable.theme_id.is_not(None))
    ).all()
    places = [(row["id"], p["start"], p["end"]) for row in rows for p in row["passages"] if p["theme"] == marked]
    shared = Counter(
        theme
        for note, start, end, theme in found
        if any(note == of and start < last and first < end for of, first, last in places)
    )
    return max(shared, key=lambda theme: shared[theme], default=None)
