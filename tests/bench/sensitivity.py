"""How the first ten insights move when each weight changes by a quarter, on the sample workspace.

    python -m tests.bench.sensitivity

Writes data/metrics/sensitivity.json.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from scipy.stats import kendalltau

from models.analyzer import load_analyzer
from service.database import make_engine, migrate, read_session, write_session
from service.filters import Filters
from service.insights.queries import rank_insights
from service.insights.ranking import RankedItem, rank
from service.insights.weights import DEFAULT_WEIGHTS, Weights
from service.jobs.queries import JobKind, request_job
from service.start import load_sample
from service.themes.fitting import FitThemes
from tests.work import analyse_all

METRICS = Path(__file__).parents[2] / "data" / "metrics" / "sensitivity.json"
TOP = 10
CHANGES = (0.75, 1.25)


def main() -> None:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'sample.sqlite3'}"
        migrate(url)
        engine = make_engine(url)
        _read_sample(engine)
        with read_session(engine) as session:
            ranking = rank_insights(session, Filters())
        engine.dispose()
    items, whole = [r.item for r in ranking.items], ranking.frame.whole
    result = {
        f"{field.name} x {change}": _moved(ranking.items, rank(items, whole, _changed(field.name, change)))
        for field in fields(Weights)
        for change in CHANGES
    }
    METRICS.write_text(json.dumps({"insights": len(items), "changes": result}, indent=2) + "\n")
    for change, figures in result.items():
        print(f"{change:<16} {figures}")


def _read_sample(engine: sa.Engine) -> None:
    now = datetime.now(UTC)
    with write_session(engine) as session:
        load_sample(session, now)
    analyse_all(engine, load_analyzer())
    with write_session(engine) as session:
        job_id = request_job(session, JobKind.FIT_THEMES, by="bench", now=now).id
    FitThemes(engine).run(job_id)


def _changed(part: str, change: float) -> Weights:
    return replace(DEFAULT_WEIGHTS, **{part: getattr(DEFAULT_WEIGHTS, part) * change}).in_hundred


def _moved(before: list[RankedItem], after: list[RankedItem]) -> dict[str, Any]:
    """Compare the first ten: how many stay, how far the farthest moves, and how alike the orders are."""
    places = {(r.item.about, r.item.key): r.rank for r in after}
    first = before[:TOP]
    ranks = [places[r.item.about, r.item.key] for r in first]
    return {
        "stay": sum(rank <= TOP for rank in ranks),
        "first_stays": ranks[0] == 1,
        "farthest": max(abs(rank - r.rank) for rank, r in zip(ranks, first, strict=True)),
        "kendall_tau": round(float(kendalltau([r.rank for r in first], ranks).statistic), 3),
    }


if __name__ == "__main__":
    main()
