"""Tests and intervals behind trends and win rates, from scipy and statsmodels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from scipy.stats import false_discovery_control, hypergeom
from statsmodels.stats.proportion import confint_proportions_2indep

SIGNIFICANT = 0.05
MIN_CLOSED_DEALS = 5
MIN_ACCOUNTS = 3
MIN_NOTES = 6  # fewer in two periods together can't be significant, whichever period they fall in (Tarone 1990)


class Direction(StrEnum):
    """Where an item goes from one period to the next; `steady` unless the change is significant."""

    NEW = "new"
    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"
    GONE = "gone"


UPWARD = frozenset({Direction.NEW, Direction.RISING})
DOWNWARD = frozenset({Direction.FALLING, Direction.GONE})


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many: notes with an item, of the notes that were read.

    Attributes:
        accounts: How many accounts the notes with the item come from; None where that is left open.
    """

    count: int
    total: int
    accounts: int | None = None

    @property
    def rate(self) -> float:
        """In [0, 1]; 0 where nothing was read."""
        return self.count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Voices:
    """From how many accounts an item comes in a period, and how many of its notes from the loudest of them."""

    accounts: int
    loudest: int


NO_VOICE = Voices(0, 0)


@dataclass(frozen=True, slots=True)
class Trend:
    """A period against the one before.

    Attributes:
        previous: Notes in the period before.
        change: Relative change of the rate; None where it was nil before.
        p_value: Fisher's exact test, two-sided (twice the smaller tail), corrected for the number of items by
            Benjamini and Hochberg (1995); 1 for an item of fewer than six notes, which is not tested.
        significant: `p_value` is under 0.05, three accounts or more are behind it in the period where it was said more,
            and it holds without the loudest of them: one account makes no trend.
    """

    direction: Direction
    previous: int
    change: float | None
    p_value: float
    significant: bool


STEADY = Trend(Direction.STEADY, 0, None, 1.0, False)


def trends(pairs: Sequence[tuple[Share, Share]]) -> list[Trend]:
    """Compare items between periods.

    Args:
        pairs: For each item its share now and before.

    Returns:
        One trend per item, p-values corrected over all of them.
    """
    tested = [pair for pair in pairs if pair[0].count + pair[1].count >= MIN_NOTES]
    corrected = dict(zip(tested, false_discovery_control(_p_values(tested)), strict=True)) if tested else {}
    return [_trend(now, before, float(corrected.get((now, before), 1.0))) for now, before in pairs]


def hold_without(trend: Trend, now: Share, before: Share, voices: Voices) -> Trend:
    """Take a trend back unless it comes from several accounts and is significant without the loudest of them.

    Args:
        trend: What was seen with all accounts.
        now: The item's share now.
        before: Its share before.
        voices: Who said it, in the period where it was said more.
    """
    loudest = voices.loudest
    if now.rate > before.rate:
        now = replace(now, count=now.count - loudest, total=now.total - loudest)
        holds = now.rate > before.rate
    else:
        before = replace(before, count=before.count - loudest, total=before.total - loudest)
        holds = now.rate < before.rate
    if holds and voices.accounts >= MIN_ACCOUNTS and _p_values([(now, before)])[0] < SIGNIFICANT:
        return trend
    return replace(trend, direction=Direction.STEADY, significant=False)


def _p_values(pairs: Sequence[tuple[Share, Share]]) -> list[float]:
    """Test each item in the direction in which it went; all of a direction at once: one by one takes a second."""
    went_up = [now.rate > before.rate for now, before in pairs]
    upper = iter(_tails([pair for pair, up in zip(pairs, went_up, strict=True) if up], upper=True))
    lower = iter(_tails([pair for pair, up in zip(pairs, went_up, strict=True) if not up], upper=False))
    return [min(1.0, 2 * next(upper if up else lower)) for up in went_up]


def _tails(pairs: Sequence[tuple[Share, Share]], *, upper: bool) -> list[float]:
    """Return how likely a count at least (or at most) as large is now, if notes fell into periods by chance."""
    if not pairs:
        return []
    totals = [now.total + before.total for now, before in pairs]
    both = [now.count + before.count for now, before in pairs]
    draws = [now.total for now, _ in pairs]
    if upper:
        tails = hypergeom.sf([now.count - 1 for now, _ in pairs], totals, both, draws)
    else:
        tails = hypergeom.cdf([now.count for now, _ in pairs], totals, both, draws)
    return [float(tail) for tail in tails]


def _trend(now: Share, before: Share, p_value: float) -> Trend:
    louder = now if now.rate > before.rate else before
    significant = p_value < SIGNIFICANT and (louder.accounts is None or louder.accounts >= MIN_ACCOUNTS)
    direction = Direction.STEADY
    if significant and now.rate > before.rate:
        direction = Direction.RISING if before.count else Direction.NEW
    elif significant:
        direction = Direction.FALLING if now.count else Direction.GONE
    change = (now.rate - before.rate) / before.rate if before.rate else None
    return Trend(direction, before.count, change, p_value, significant)


@dataclass(frozen=True, slots=True)
class WinRates:
    """Closed deals with an item, and those without it."""

    won: int
    lost: int
    others_won: int
    others_lost: int

    @property
    def rate(self) -> float | None:
        """Share won of closed deals with it; None under five closed deals."""
        return _rate(self.won, self.lost)

    @property
    def rate_without(self) -> float | None:
        """The same for the other deals."""
        return _rate(self.others_won, self.others_lost)

    @property
    def difference(self) -> tuple[float, float] | None:
        """95 % interval of `rate - rate_without` (Newcombe 1998); None without enough data on both sides."""
        if self.rate is None or self.rate_without is None:
            return None
        return _difference(self.won, self.won + self.lost, self.others_won, self.others_won + self.others_lost)

    @property
    def enough_data(self) -> bool:
        """Whether a rate may be shown."""
        return self.rate is not None


@lru_cache(maxsize=4096)  # half a millisecond each, and asked for again and again
def _difference(won: int, closed: int, others_won: int, others: int) -> tuple[float, float]:
    low, high = confint_proportions_2indep(won, closed, others_won, others, method="newcomb", compare="diff")
    return float(low), float(high)


def _rate(won: int, lost: int) -> float | None:
    return won / (won + lost) if won + lost >= MIN_CLOSED_DEALS else None


def win_rates(won: int, lost: int, all_won: int, all_lost: int) -> WinRates:
    """Compare the deals with an item to the others of the same notes' period.

    Args:
        won: Won deals with the item.
        lost: Lost deals with it.
        all_won: Won deals, with it or not.
        all_lost: Lost deals, with it or not.
    """
    return WinRates(won, lost, all_won - won, all_lost - lost)
