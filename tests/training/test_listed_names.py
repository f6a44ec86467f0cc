"""How the head over listed names is fitted and judged."""

from __future__ import annotations

import numpy as np
import pytest

from models.mentions import YES
from training.listed_names import HARD_WEIGHT, ListedRows, fit_head, judge_head, weighted_f1

RNG = np.random.default_rng(3)


def rows(n: int, *, told: bool) -> ListedRows:
    """Names of four industries; `told`: whether the first feature tells which are rivals."""
    rivals = np.arange(n) % 3 > 0
    features = RNG.normal(size=(n, 5)).astype(np.float32)
    if told:
        features[:, 0] += np.where(rivals, 40, -40)
    groups = np.array(["a", "b", "c", "d"])[np.arange(n) * 4 // n]
    return ListedRows(features, rivals, groups, list(range(n)), np.arange(n) % 2 == 0)


def test_it_learns_what_tells_rivals() -> None:
    learned = rows(240, told=True)
    head = fit_head(learned)
    found = head.probabilities(learned.features)[:, head.labels.index(YES)] > 0.5
    assert (found == learned.rivals).all()


def test_it_is_judged_on_industries_that_it_has_not_learned() -> None:
    measures = judge_head(rows(240, told=True))
    assert measures["common"]["f1"] == measures["hard"]["f1"] == 1.0
    chance = judge_head(rows(240, told=False))
    assert chance["common"]["precision"] < 0.8


def test_a_hard_name_counts_less() -> None:
    truth, found = np.array([True, True, False]), np.array([True, False, True])
    assert weighted_f1(found, truth, np.ones(3)) == pytest.approx(0.5)
    assert weighted_f1(found, truth, np.array([1, HARD_WEIGHT, HARD_WEIGHT])) == pytest.approx(1 / (1 + HARD_WEIGHT))


def test_places_of_one_name_are_judged_together() -> None:
    learned = rows(240, told=True)
    # one place speaks against the two others of its name
    keys = [(group, i // 3) for i, group in enumerate(learned.groups)]
    rivals = np.repeat(np.arange(80) % 3 > 0, 3)
    features = learned.features.copy()
    features[:, 0] = np.where(rivals, 40, -40) * np.where(np.arange(240) % 3 == 0, -0.5, 1)
    together = ListedRows(features, rivals, learned.groups, keys, learned.hard)
    alone = ListedRows(features, rivals, learned.groups, list(range(240)), learned.hard)
    assert judge_head(together)["common"]["f1"] > judge_head(alone)["common"]["f1"]
