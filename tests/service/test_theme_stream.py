"""Themes are the same whatever the order in which notes come in, and whatever the database."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.notes.intake import parse_note
from service.notes.schemas import IncomingNote
from tests.bench.stream import FIRST_DAY, MONTH, database, replay, slides, steadiness
from tests.conftest import NO_POSTGRES
from tests.postgres import fresh_database
from tests.service.test_theme_curation import MATTERS, PLACES, Encoded


def months() -> list[list[IncomingNote]]:
    """One matter is heard for two months, one all the time, one from the second month on."""
    heard = {"hosting": (0, 1), "delays": (0, 1, 2), "renewal": (1, 2)}
    made: list[list[IncomingNote]] = []
    for number in range(3):
        day = (FIRST_DAY + number * MONTH + timedelta(days=3)).isoformat()
        wanted = [
            {"external_id": f"{matter}-{number}-{place}", "text": MATTERS[matter].format(f"{place} {number}")}
            | {"occurred_at": day, "account": {"id": place}}
            for matter in MATTERS
            for place in PLACES
            if number in heard[matter]
        ]
        notes = [parse_note(note) for note in wanted]
        made.append([note for note in notes if isinstance(note, IncomingNote)])
    return made


# Of the 40 and 56 passages of the later months 36 are a sample that has all eight of the matter that newly comes: with
# seven, as 32 draw, it makes a theme a month later.
@pytest.mark.parametrize("most_fitted", [50_000, 36], ids=["all", "a sample"])
def test_a_stream_gives_the_same_themes_in_another_order_and_on_postgresql(
    most_fitted: int,
    sqlite_template: Path,
    tmp_path: Path,
    postgres: sa.URL | None,
    postgres_template: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.themes.passages.MOST_FITTED", most_fitted)
    if postgres is None or postgres_template is None:
        pytest.skip(NO_POSTGRES)
    shutil.copy(sqlite_template, tmp_path / "themes.sqlite3")
    with database(f"sqlite:///{tmp_path / 'themes.sqlite3'}") as engine:
        states = list(replay(engine, months(), Encoded()))
    with fresh_database(postgres, postgres_template) as url, database(url) as engine:
        others = list(replay(engine, months(), Encoded(), seed=1))
    assert [state.fingerprint() for state in others] == [state.fingerprint() for state in states]
    assert [len(state.living) for state in states] == [2, 3, 3]
    assert states[-1].events == {"born": 3, "matched": 5}
    last = steadiness(states[1], states[2])
    assert (last["kept"], last["ami"], last["moved"]) == (1, 1, 0)
    assert max(slides(states).values()) < 0.2
