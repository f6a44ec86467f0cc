"""Made-up worlds whose truth is known: do trends and intervals keep what they promise?

    python -m tests.simulation

Writes data/metrics/simulation.json. Seeds are fixed: the figures are the same on every run.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.insights.statistics import Share, Trend, Voices, hold, trends, win_rates

METRICS = Path(__file__).parents[1] / "data" / "metrics" / "simulation.json"
ITEMS = 60
NOTES = 300  # a period
INTERVALS = ((0.5, 0.5, 12, 40), (0.2, 0.5, 12, 40), (0.1, 0.4, 5, 60), (0.7, 0.6, 30, 300), (0.3, 0.3, 8, 8))
"""Win rate with an item and without it, closed deals with it and without it."""


@dataclass(frozen=True, slots=True)
class World:
    """Two periods of notes, and items of which some change their share from one to the next.

    Attributes:
        changed: How many of the items change.
        factor: By what their share of notes grows.
        accounts: How many accounts the notes of a period come from, at random; each note counts for its own account
            where it is as large as the number of notes.
        loyalty: How much more often an account that said a thing says it again, 0 for not at all.
        habits: How far accounts differ in how often they say a thing, in both periods: the variance of their shares by
            the square of the mean; 0 for not at all.
    """

    changed: int
    factor: float = 4.0
    accounts: int = NOTES
    loyalty: float = 0.0
    habits: float = 0.0


def false_alarms(world: World, worlds: int, seed: int) -> dict[str, float]:
    """Draw worlds, and count flags.

    Returns:
        `false`: mean share of false flags among the flags of a world (0 where it has none), which Benjamini and
        Hochberg keep at 5 %; `any_false`: share of worlds with a false flag; `found`: share of changed items flagged;
        `grown`: share of the other items that get points for growth, 5 % at most by the interval they are given by.
    """
    chance = random.Random(seed)
    rates, any_false, found, grown = [], 0, 0, 0
    for _ in range(worlds):
        found_trends = _trends(chance, world)
        flags = [trend.significant for trend in found_trends]
        grown += sum(trend.at_least > 1 for trend in found_trends[world.changed :])
        wrong = sum(flags[world.changed :])
        rates.append(wrong / max(1, sum(flags)))
        any_false += wrong > 0
        found += sum(flags[: world.changed])
    figures = {
        "false": sum(rates) / worlds,
        "any_false": any_false / worlds,
        "grown": grown / (worlds * (ITEMS - world.changed)),
    }
    if world.changed:
        figures["found"] = found / (worlds * world.changed)
    return {name: round(value, 4) for name, value in figures.items()}


def _trends(chance: random.Random, world: World) -> list[Trend]:
    """Return what is found of each item of one world, the changed ones first."""
    pairs, heard = [], []
    read = [_accounts(chance, world) for _ in range(2)]
    for number in range(ITEMS):
        rate = chance.uniform(0.02, 0.1)
        grown = rate * (world.factor if number < world.changed else 1)
        habit = _habits(chance, world)
        said = [_said(chance, world, notes, share, habit) for notes, share in zip(read, (grown, rate), strict=True)]
        pairs.append((_share(said[0]), _share(said[1])))
        heard.append((Voices(Counter(read[0]), said[0]), Voices(Counter(read[1]), said[1])))
    found = trends(pairs)
    voices = {n: heard[n] for n, trend in enumerate(found) if trend.moved}
    return hold(pairs, found, voices)


def _habits(chance: random.Random, world: World) -> Mapping[int, float]:
    """Return how much more or less often than others each account says a thing; 1 on average."""
    if not world.habits:
        return {}
    shape = 1 / world.habits
    return {account: chance.gammavariate(shape, world.habits) for account in range(1, world.accounts + 1)}


def _accounts(chance: random.Random, world: World) -> list[int]:
    """Return the account of each note of a period."""
    if world.accounts >= NOTES:
        return list(range(1, NOTES + 1))
    return [1 + chance.randrange(world.accounts) for _ in range(NOTES)]


def _said(
    chance: random.Random, world: World, accounts: list[int], share: float, habits: Mapping[int, float]
) -> Counter[int]:
    """Return how many notes of each account say a thing."""
    heard: Counter[int] = Counter()
    for account in accounts:
        likely = share * habits.get(account, 1.0) * (1 + (world.loyalty if heard[account] else 0))
        heard[account] += chance.random() < likely
    return +heard


def _share(heard: Counter[int]) -> Share:
    return Share(heard.total(), NOTES, len(heard))


def coverage(rate: float, without: float, deals: int, others: int, draws: int, seed: int) -> float:
    """Return how often the 95 % interval of a difference of win rates holds the true difference."""
    chance = random.Random(seed)
    held = 0
    for _ in range(draws):
        won = sum(chance.random() < rate for _ in range(deals))
        others_won = sum(chance.random() < without for _ in range(others))
        wins = win_rates(won, deals - won, won + others_won, deals - won + others - others_won)
        assert wins.difference is not None
        held += wins.difference[0] <= rate - without <= wins.difference[1]
    return round(held / draws, 4)


WORLDS = {
    "nothing changes": World(0),
    "six of sixty items grow fourfold": World(6),
    "six of sixty items double": World(6, factor=2.0),
    "nothing changes, 60 accounts that repeat themselves": World(0, accounts=60, loyalty=1.0),
    "six grow fourfold, 60 accounts that repeat themselves": World(6, accounts=60, loyalty=1.0),
    "nothing changes, 60 accounts of which some say it more than others": World(0, accounts=60, habits=2.0),
    "six grow fourfold, 60 accounts of which some say it more than others": World(6, accounts=60, habits=2.0),
}


def main() -> None:
    """Measure, print, write."""
    result: dict[str, Any] = {
        "trends": {name: false_alarms(world, 200, seed=5) for name, world in WORLDS.items()},
        "intervals": [
            {"rate": r, "without": w, "deals": n, "others": m, "coverage": coverage(r, w, n, m, 2_000, seed=7)}
            for r, w, n, m in INTERVALS
        ],
    }
    METRICS.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
