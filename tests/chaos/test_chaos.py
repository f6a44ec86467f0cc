"""Short storms, one of each fault; `make chaos` has the long ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from models.types import Analyzer
from tests.chaos.faults import FAULTS, NotHere
from tests.chaos.storm import run_storm

pytestmark = pytest.mark.slow
NOTES = {"disk_full": 240}
"""A full disk is met only once the database needs a new page: that takes more notes than the 80 of the others."""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_acknowledged_is_lost_or_doubled(fault: str, database: str) -> None:
    try:
        report = FAULTS[fault](database, notes=NOTES.get(fault, 80), strikes=3)
    except NotHere as reason:
        pytest.skip(str(reason))
    assert report.faults() == {}
    assert report.strikes == 3
    assert report.findings_found > 60
    if fault not in {"kills", "clock_set_back", "slow_disk"}:
        assert set(report.answers) & {"503", "507"}, "the fault was met"


def test_the_real_reader_and_worker_survive_kills(tmp_path: Path, real_analyzer: Analyzer) -> None:
    url = f"sqlite:///{tmp_path / 'binome.sqlite3'}"
    command = [sys.executable, "-m", "service.cli", "worker", "--slot", "1"]
    report = run_storm(
        url, tmp_path, notes=80, strikes=3, worker_command=command, reader=real_analyzer, longest_pause_seconds=6
    )
    assert report.faults() == {}
