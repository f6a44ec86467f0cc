"""Trends and win rates: what is significant, what is not, and what is not said."""

from __future__ import annotations

import random

import pytest
from scipy.stats import binom, fisher_exact

from service.insights.statistics import Direction, Share, trends, win_rates


def share(count: int, total: int = 100, accounts: int | None = None) -> Share:
    return Share(count, total, count if accounts is None else accounts)


@pytest.mark.parametrize(
    ("now", "before", "direction"),
    [
        (share(30), share(5), Direction.RISING),
        (share(5), share(30), Direction.FALLING),
        (share(12), share(0), Direction.NEW),
        (share(0), share(12), Direction.GONE),
        (share(6), share(5), Direction.STEADY),
        (share(0), share(0), Direction.STEADY),
        (share(0, total=0), share(30), Direction.STEADY),
    ],
)
def test_direction(now: Share, before: Share, direction: Direction) -> None:
    assert trends([(now, before)])[0].direction is direction


def test_two_loud_accounts_make_no_trend() -> None:
    (trend,) = trends([(share(40, accounts=2), share(1))])
    assert trend.direction is Direction.STEADY
    assert not trend.significant


def test_the_p_value_is_that_of_fishers_test() -> None:
    (trend,) = trends([(share(9, 80), share(2, 90))])
    one_sided = fisher_exact([[9, 71], [2, 88]], alternative="greater").pvalue
    assert trend.p_value == pytest.approx(2 * one_sided)


def test_no_items_no_trends() -> None:
    assert trends([]) == []


def test_among_many_items_that_do_not_change_hardly_any_gets_an_arrow() -> None:
    """Two hundred worlds of forty items without any change: the share with a false arrow stays under 5 %."""
    rng = random.Random(11)
    false_alarms = 0
    for _ in range(200):
        rates = [rng.uniform(0.02, 0.3) for _ in range(40)]
        pairs = [tuple(share(int(binom.ppf(rng.random(), 150, r)), 150) for _ in range(2)) for r in rates]
        false_alarms += any(t.significant for t in trends([(a, b) for a, b in pairs]))
    assert false_alarms / 200 <= 0.05


def test_no_rate_under_five_closed_deals() -> None:
    assert win_rates(1, 3, 20, 20).rate is None
    assert not win_rates(1, 3, 20, 20).enough_data
    assert win_rates(1, 4, 20, 20).rate == 0.2


def test_the_difference_has_an_interval_that_holds_it() -> None:
    wins = win_rates(2, 10, 22, 20)
    assert wins.rate_without == pytest.approx(20 / 30)
    assert wins.difference is not None
    low, high = wins.difference
    assert low < 2 / 12 - 20 / 30 < high < 0
