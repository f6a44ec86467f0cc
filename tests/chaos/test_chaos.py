"""The short storm: a few kills at random moments; `make chaos` is the long one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from models.types import Analyzer
from tests.analyzers import FakeAnalyzer
from tests.chaos.storm import run_storm

pytestmark = pytest.mark.slow


def test_nothing_acknowledged_is_lost_or_doubled(empty_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.chaos.worker", "--url", empty_url, "--name", "storm-1", "--slow", "0.1"]
    report = run_storm(empty_url, tmp_path, notes=120, kills=4, worker_command=command, reader=FakeAnalyzer())
    assert report.faults() == {}
    assert report.kills_service + report.kills_worker == 4
    assert report.findings_found > 100


def test_the_real_reader_and_worker_survive_kills(tmp_path: Path, real_analyzer: Analyzer) -> None:
    url = f"sqlite:///{tmp_path / 'binome.sqlite3'}"
    command = [sys.executable, "-m", "service.cli", "worker", "--slot", "1"]
    report = run_storm(
        url, tmp_path, notes=80, kills=3, worker_command=command, reader=real_analyzer, longest_pause_seconds=6
    )
    assert report.faults() == {}
