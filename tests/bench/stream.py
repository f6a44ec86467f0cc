"""Whether themes stay the same themes while notes come in for nine months, with a fit at each month's end.

    python -m tests.bench.stream

The written notes of four industries are one workspace: two speak all the time, one ends in May, one begins in June.
Everything goes through the service's own code and its database: intake, reading, fits, the log of events. The stream
runs again with the notes of each month in another order, and on PostgreSQL; nothing may differ, to the last bit.
Writes data/metrics/identity.json.
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sklearn.metrics import adjusted_mutual_info_score

from models.analyzer import load_analyzer
from models.encoder import from_bytes
from models.types import Analyzer
from service.database import make_engine, migrate, read_session, write_session
from service.jobs.queries import JobKind, request_job
from service.notes.intake import parse_note
from service.notes.queries import store_notes
from service.notes.schemas import IncomingNote
from service.tables import NoteTable, PassageTable, ThemeEventTable, ThemeTable
from service.themes.fitting import FitThemes
from tests.postgres import fresh_database, postgres_server
from tests.work import analyse_all

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "data" / "metrics" / "identity.json"
FIRST_DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
MONTHS = 9
SPEAKING = {"packaging": (0, 9), "lift-maintenance": (0, 9), "telecom": (0, 5), "road-freight": (5, 9)}
"""The months in which each industry speaks, the last one left out."""
SENT = ("kind", "author", "account", "text")
"""What a sender sends of a written note, beside its key and day."""

Place = tuple[str, int]
"""A passage: its note's key, and where it begins."""


@dataclass(frozen=True, slots=True)
class State:
    """What stands after a fit.

    Attributes:
        passages: Key of each passage's theme, or None.
        themes: Centroid, state and labels of each theme, by its key.
        events: Kinds of events in the log so far.
    """

    passages: Mapping[Place, str | None]
    themes: Mapping[str, tuple[bytes, str, str, str]]
    events: Mapping[str, int]

    @property
    def living(self) -> list[str]:
        """Keys of the themes that take passages."""
        return [key for key, (_, state, _, _) in self.themes.items() if state == "active"]

    def fingerprint(self) -> str:
        """Return a hash of everything."""
        parts = [sorted(self.passages.items()), sorted(self.themes.items()), sorted(self.events.items())]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def written_notes() -> list[list[IncomingNote]]:
    """Return the notes of each month: each industry's own, in the order of their days, evenly over its months."""
    months: list[list[IncomingNote]] = [[] for _ in range(MONTHS)]
    for industry, (first, after) in SPEAKING.items():
        lines = [
            json.loads(line)
            for path in sorted((ROOT / "data" / "corpus" / industry).glob("*.notes.jsonl"))
            for line in path.read_text("utf-8").splitlines()
        ]
        lines.sort(key=lambda row: (row["occurred_at"], row["id"]))
        for place, row in enumerate(lines):
            passed = first + (after - first) * place / len(lines)
            sent = {name: row[name] for name in SENT if name in row}
            day = (FIRST_DAY + passed * MONTH).isoformat()
            note = parse_note({**sent, "external_id": f"{industry}/{row['id']}", "occurred_at": day})
            assert isinstance(note, IncomingNote), note
            months[int(passed)].append(note)
    return months


def replay(
    engine: sa.Engine, months: Sequence[Sequence[IncomingNote]], analyzer: Analyzer, seed: int = 0
) -> Iterator[State]:
    """Take in, read and fit month by month.

    Args:
        engine: An empty, migrated database.
        seed: Of the order in which the notes of a month come.
    """
    for number, notes in enumerate(months, start=1):
        mixed = random.Random(seed).sample(notes, len(notes))
        with write_session(engine) as session:
            store_notes(session, mixed, FIRST_DAY + number * MONTH)
        analyse_all(engine, analyzer)
        fit_now(engine)
        yield read_state(engine)


def fit_now(engine: sa.Engine) -> None:
    """Fit themes, as a worker does."""
    with write_session(engine) as session:
        job_id = request_job(session, JobKind.FIT_THEMES, by="bench", now=datetime.now(UTC)).id
    FitThemes(engine).run(job_id)


def read_state(engine: sa.Engine) -> State:
    """Return what stands in the database."""
    with read_session(engine) as session:
        passages = session.execute(
            sa.select(NoteTable.external_id, PassageTable.start, ThemeTable.key)
            .join(NoteTable, NoteTable.id == PassageTable.note_id)
            .outerjoin(ThemeTable, ThemeTable.id == PassageTable.theme_id)
        )
        themes = session.scalars(sa.select(ThemeTable))
        kinds = session.scalars(sa.select(ThemeEventTable.kind))
        return State(
            {(note, start): key for note, start, key in passages},
            {t.key: (t.centroid, str(t.state), t.label_en, t.label_fr) for t in themes},
            Counter(map(str, kinds)),
        )


def steadiness(before: State, after: State) -> dict[str, float]:
    """Say what stays from one fit to the next.

    Returns:
        `kept`: share of the living themes that still live and hold most of their passages; `ami`: adjusted mutual
        information of the passages that both fits have, one without a theme standing alone; `ami_themed` of those that
        have a theme in both; `moved`: share of passages whose theme changed; `drift`: largest distance, 1 - cosine,
        between a theme's two centroids.
    """
    common = [(before.passages[place], after.passages[place]) for place in before.passages if place in after.passages]
    alone = [(a or f"none {i}", b or f"none {i}") for i, (a, b) in enumerate(common)]
    themed = [(a, b) for a, b in common if a and b]
    went = {key: Counter(b for a, b in common if a == key) for key in before.living}
    stayed = [key in after.living and went[key].most_common(1)[0][0] == key for key in went if went[key]]
    both = [key for key in before.living if key in after.living]
    return {
        "living": len(before.living),
        "kept": sum(stayed) / len(stayed),
        "ami": float(adjusted_mutual_info_score(*zip(*alone, strict=True))),
        "ami_themed": float(adjusted_mutual_info_score(*zip(*themed, strict=True))),
        "moved": sum(a != b for a, b in common) / len(common),
        "drift": max(apart(before.themes[key][0], after.themes[key][0]) for key in both),
    }


def apart(one: bytes, other: bytes) -> float:
    """Return 1 - cosine of two centroids."""
    a, b = from_bytes([one, other])
    return float(1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def slides(states: Sequence[State]) -> dict[str, float]:
    """Return how far each theme's last centroid is from its first, 1 - cosine, by key."""
    first: dict[str, bytes] = {}
    last: dict[str, bytes] = {}
    for state in states:
        for key in state.living:
            first.setdefault(key, state.themes[key][0])
            last[key] = state.themes[key][0]
    return {key: apart(first[key], last[key]) for key in first}


@contextmanager
def database(url: str) -> Iterator[sa.Engine]:
    """Give a migrated database."""
    migrate(url)
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def measure() -> dict[str, Any]:
    """Run the stream three times and compare."""
    months, analyzer = written_notes(), load_analyzer()
    with tempfile.TemporaryDirectory() as folder:
        with database(f"sqlite:///{Path(folder) / 'one.sqlite3'}") as engine:
            states = list(replay(engine, months, analyzer))
        with database(f"sqlite:///{Path(folder) / 'two.sqlite3'}") as engine:
            other_order = list(replay(engine, months, analyzer, seed=1))
    prints = [state.fingerprint() for state in states]
    equal = {"another order": prints == [state.fingerprint() for state in other_order]}
    with postgres_server() as server:
        if server is not None:
            with fresh_database(server) as url, database(url) as engine:
                equal["PostgreSQL"] = prints == [s.fingerprint() for s in replay(engine, months, analyzer, seed=2)]
    steps = [steadiness(*pair) for pair in pairwise(states)]
    slid = sorted(slides(states).values())
    return {
        "notes": sum(map(len, months)),
        "passages": len(states[-1].passages),
        "months": MONTHS,
        "kept": {"all": _weighted(steps, "kept"), "least": min(step["kept"] for step in steps)},
        "ami": {"mean": _mean(steps, "ami"), "least": min(step["ami"] for step in steps)},
        "ami_themed": {"mean": _mean(steps, "ami_themed"), "least": min(step["ami_themed"] for step in steps)},
        "moved": _mean(steps, "moved"),
        "drift": {"of a month": max(step["drift"] for step in steps), "since birth": slid[-1]},
        "drift_median": slid[len(slid) // 2],
        "events": dict(states[-1].events),
        "themes": {state: sum(t[1] == state for t in states[-1].themes.values()) for state in _states(states[-1])},
        "equal": equal,
        "steps": steps,
    }


def _states(state: State) -> list[str]:
    return sorted({theme[1] for theme in state.themes.values()})


def _mean(steps: Sequence[Mapping[str, float]], name: str) -> float:
    return sum(step[name] for step in steps) / len(steps)


def _weighted(steps: Sequence[Mapping[str, float]], name: str) -> float:
    return sum(step[name] * step["living"] for step in steps) / sum(step["living"] for step in steps)


def rounded(value: Any) -> Any:
    """Return figures with three digits."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 3) if isinstance(value, float) else value


def main() -> None:
    """Measure, print, write."""
    result = rounded(measure())
    METRICS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
