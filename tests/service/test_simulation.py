"""On worlds whose truth is known: flags keep their rate of false alarms, intervals hold what they should."""

from __future__ import annotations

import pytest

from tests.simulation import INTERVALS, WORLDS, coverage, false_alarms

WORLDS_DRAWN = 60


@pytest.mark.parametrize("name", WORLDS)
def test_false_flags_stay_under_five_in_a_hundred(name: str) -> None:
    figures = false_alarms(WORLDS[name], WORLDS_DRAWN, seed=3)
    assert figures["false"] <= 0.05
    assert figures["grown"] <= 0.05
    if "fourfold" in name:
        assert figures["found"] > 0.8


def test_without_the_correction_there_would_be_more_false_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound above can be missed: sixty tests of one in twenty give a false flag in most worlds."""
    monkeypatch.setattr("scipy.stats.false_discovery_control", lambda values: values)
    assert false_alarms(WORLDS["nothing changes"], WORLDS_DRAWN, seed=3)["false"] > 0.2


@pytest.mark.parametrize(("rate", "without", "deals", "others"), INTERVALS)
def test_the_interval_of_a_difference_holds_it_nineteen_times_of_twenty(
    rate: float, without: float, deals: int, others: int
) -> None:
    assert coverage(rate, without, deals, others, 1_000, seed=3) >= 0.93
