"""The same notes make the same report on either database, in whatever order they came."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.catalog.queries import replace_catalog
from service.catalog.schemas import CatalogBody
from service.database import make_engine, read_session, write_session
from service.reports.editions import draft, frozen
from service.tables import NoteTable, PassageTable, ThemeTable
from tests.service.visits import read_in
from tests.work import note

NOW = datetime(2026, 10, 2, 6, tzinfo=UTC)
TEXTS = (
    "It is too expensive for us this year.",
    "They look at Orbiport. It is too expensive.",
    "A door was late again.",
)
COUNT = 60


def _notes() -> list[dict[str, Any]]:
    """Two months of notes, one a day, with amounts that no float holds and sums that hang on their order.

    Of one day's notes the quotes are those that were read last: there the order they come in does count.
    """
    made = []
    for i in range(COUNT):
        amount = (0.1, 33_333.33, 1e12 / 3, 0.07)[i % 4] * (i + 1)
        outcome = ("open", "won", "lost")[i % 3]
        deal = {
            "id": f"d{i}",
            "amount": amount,
            "currency": "EUR" if i % 2 else "GBP",
            "stage": "x",
            "outcome": outcome,
        }
        made.append(
            note(
                f"n{i}",
                f"{TEXTS[i % 3]} Number {i}.",
                occurred_at=f"2026-{8 + i // 30:02}-{i % 30 + 1:02}T{i % 24:02}:30:00Z",
                account={"id": f"a{i % 17}", "name": f"Firm {i % 17}", "segment": ("small", "large")[i % 17 % 2]},
                author={"id": f"r{i % 7}", "name": f"Rep {i % 7}", "team": ("north", "south")[i % 7 % 2]},
                deal=deal,
            )
        )
    return made


def _report(engine: sa.Engine, notes: list[dict[str, Any]]) -> str:
    """Take notes in one after the other, and freeze September; notes go by their names at the source."""
    with write_session(engine) as session:
        catalog = {"us": [], "competitors": [{"name": "Orbiport"}]}
        replace_catalog(session, CatalogBody.model_validate(catalog).to_catalog())
    for one in notes:
        read_in(engine, one)
    with write_session(engine) as session:
        for number, word in enumerate(("expensive", "door"), start=1):
            made: dict[str, Any] = {"keywords": {}, "centroid": b"", "created_at": NOW, "updated_at": NOW}
            session.add(ThemeTable(id=number, key=f"theme-{number}", label_en=word, label_fr=word, **made))
            session.flush()
            said = sa.select(NoteTable.id).where(NoteTable.text.contains(word))
            in_theme = sa.update(PassageTable).where(PassageTable.note_id.in_(said))
            session.execute(in_theme.values(theme_id=number, similarity=0.9))
    with read_session(engine) as session:
        made_now = draft(session, "2026-09", NOW, by="test")
        assert made_now is not None
        names = {
            str(row.id): row.external_id for row in session.execute(sa.select(NoteTable.id, NoteTable.external_id))
        }
    text = frozen(made_now.content)["content"]
    return re.sub(r'"note_id":"(\d+)"', lambda found: f'"note_id":"{names[found[1]]}"', text)


@pytest.fixture
def other(sqlite_template: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    path = tmp_path / "other.sqlite3"
    shutil.copy(sqlite_template, path)
    engine = make_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def test_the_order_of_notes_and_the_database_change_no_byte(engine: sa.Engine, other: sa.Engine) -> None:
    notes = _notes()
    there, here = _report(other, notes), _report(engine, notes[::-1])
    differing = list(_differing("", json.loads(there), json.loads(here)))
    assert not differing, "\n".join(differing)
    assert there == here


def _differing(path: str, one: Any, two: Any) -> Iterator[str]:
    """Name what differs, with its path."""
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        for key in one:
            yield from _differing(f"{path}.{key}", one[key], two[key])
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for place, pair in enumerate(zip(one, two, strict=True)):
            yield from _differing(f"{path}.{place}", *pair)
    elif one != two:
        yield f"{path}: {one} / {two}"
