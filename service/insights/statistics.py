"""Tests and intervals behind trends and win rates, from scipy and statsmodels.

Both are imported where they are used: loading them takes longer than all of Binôme, and few processes ask for this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

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

    def over(self, effect: float) -> Share:
        """Return the share with as many notes as independent ones would tell as much."""
        return self if effect == 1 else Share(round(self.count / effect), max(1, round(self.total / effect)))


@dataclass(frozen=True, slots=True)
class Voices:
    """Who was read in a period, and who said a thing.

    Attributes:
        read: Notes by account; those without one under 0.
        said: Of them the notes that say it.
    """

    read: Mapping[int, int]
    said: Mapping[int, int]

    @property
    def accounts(self) -> int:
        """How many accounts said it."""
        return sum(1 for account, notes in self.said.items() if account and notes)

    @property
    def loudest(self) -> int:
        """Its notes of the account that said it most."""
        return max((notes for account, notes in self.said.items() if account), default=0)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the notes of two periods lie over accounts: the same for all items, of which there may be a hundred.

    Attributes:
        totals: Notes now and before.
        changes: By account what part of all notes it has now, less that before; notes without an account left out.
        square: The changes' sum of squares.
    """

    totals: tuple[int, int]
    changes: Mapping[int, float]
    square: float


def reading(now: Mapping[int, int], before: Mapping[int, int]) -> Reading:
    """Compare the notes of two periods, by account; those without one under 0."""
    totals = sum(now.values()), sum(before.values())
    if not all(totals):
        return Reading(totals, {}, 0.0)
    accounts = (now.keys() | before.keys()) - {0}
    changes = {account: now.get(account, 0) / totals[0] - before.get(account, 0) / totals[1] for account in accounts}
    return Reading(totals, changes, sum(change * change for change in changes.values()))


def design_effect(now: Voices, before: Voices, read: Reading) -> float:
    """Return how much more the change of a share varies because accounts repeat themselves; at least 1.

    The variance of the difference of the two shares over accounts, each with its notes of both periods together, by
    the same note by note (Rao and Scott 1992). An account that says a thing as often as before takes nothing away.

    Args:
        now: Who says it now.
        before: Who said it before.
        read: What was read, in `now` and `before`.
    """
    if not all(read.totals):
        return 1.0
    rate = (sum(now.said.values()) + sum(before.said.values())) / sum(read.totals)
    expected = rate * (1 - rate) * (1 / read.totals[0] + 1 / read.totals[1])
    found = sum(
        _alone(voices.said.get(0, 0), voices.read.get(0, 0), rate) / total**2
        for voices, total in zip((now, before), read.totals, strict=True)
    )
    found += rate * rate * read.square  # as if no account said it; those that did are put right one by one
    for account in (now.said.keys() | before.said.keys()) & read.changes.keys():
        change = now.said.get(account, 0) / read.totals[0] - before.said.get(account, 0) / read.totals[1]
        found += change * (change - 2 * rate * read.changes[account])
    return max(1.0, found / expected) if expected else 1.0


def _alone(said: int, read: int, rate: float) -> float:
    """Return the squared deviations of notes without an account: each stands for itself."""
    return said * (1 - rate) ** 2 + (read - said) * rate**2


@dataclass(frozen=True, slots=True)
class Trend:
    """A period against the one before.

    Attributes:
        previous: Notes in the period before.
        change: Relative change of the rate; None where it was nil before.
        p_value: Fisher's exact test, two-sided (twice the smaller tail), of as many notes as count as independent
            where accounts repeat themselves (Rao and Scott 1992), corrected for the number of items by Benjamini and
            Hochberg (1995); 1 for an item of fewer than six notes, which is not tested.
        significant: `p_value` is under 0.05, three accounts or more are behind it in the period where it was said more,
            and it holds without the loudest of them: one account makes no trend.
        at_least: How many times its rate has grown at least, whether that is significant among all items or not: the
            lower end of its one-sided 95 % interval (`grown_at_least`), of as many notes as count as independent, where
            three accounts or more are behind it and it grew without the loudest of them too; 1 where it may not have.
    """

    direction: Direction
    previous: int
    change: float | None
    p_value: float
    significant: bool
    at_least: float = 1.0

    @property
    def moved(self) -> bool:
        """Whether anything was found that who said it may take back (`hold`)."""
        return self.direction is not Direction.STEADY or self.at_least > 1


STEADY = Trend(Direction.STEADY, 0, None, 1.0, False)


def trends(pairs: Sequence[tuple[Share, Share]]) -> list[Trend]:
    """Compare items between periods, each note for itself.

    Args:
        pairs: For each item its share now and before.

    Returns:
        One trend per item, p-values corrected over all of them.
    """
    return _corrected(pairs, _p_values(pairs))


def hold(
    pairs: Sequence[tuple[Share, Share]], found: Sequence[Trend], voices: Mapping[int, tuple[Voices, Voices]]
) -> list[Trend]:
    """Take back the trends that come from too few accounts, from one loud one, or from accounts repeating themselves.

    Args:
        pairs: As of `trends`.
        found: What `trends` found.
        voices: Who said it now and before, by the index of each item that was found to move; of the same notes all.
    """
    if not voices:
        return _corrected(pairs, _p_values(pairs))
    p_values = _p_values(pairs)
    read = reading(*(of.read for of in next(iter(voices.values()))))
    counted = {
        index: (now.over(effect), before.over(effect))
        for index, (now, before) in ((index, pairs[index]) for index in voices)
        for effect in [design_effect(*voices[index], read)]
    }
    for (index, _), p_value in zip(counted.items(), _p_values(list(counted.values())), strict=True):
        p_values[index] = max(p_values[index], p_value)
    corrected = _corrected(pairs, p_values)
    return [
        _held(trend, pairs[index], counted[index], voices[index]) if index in voices else trend
        for index, trend in enumerate(corrected)
    ]


def _held(
    trend: Trend, pair: tuple[Share, Share], counted: tuple[Share, Share], voices: tuple[Voices, Voices]
) -> Trend:
    """Keep of a trend what comes from several accounts, and is there without the loudest of them.

    Args:
        trend: What was found of the notes.
        pair: Its shares now and before.
        counted: The same of as many notes as count as independent.
        voices: Who said it now and before.
    """
    up = pair[0].rate > pair[1].rate
    louder = voices[0 if up else 1]
    without = (_without(pair[0], louder), pair[1]) if up else (pair[0], _without(pair[1], louder))
    holds = louder.accounts >= MIN_ACCOUNTS and (without[0].rate > without[1].rate) is up
    at_least = grown_at_least(*counted) if up and holds else 1.0
    if holds and _p_values([without])[0] < SIGNIFICANT:
        return replace(trend, at_least=at_least)
    return replace(trend, direction=Direction.STEADY, significant=False, at_least=at_least)


def _without(share: Share, voices: Voices) -> Share:
    return replace(share, count=share.count - voices.loudest, total=share.total - voices.loudest)


def grown_at_least(now: Share, before: Share) -> float:
    """Return how many times a rate has grown at least, with 95 % confidence; 1 where it may not have grown.

    Of the notes of both periods that say it, those of now are a binomial draw; its interval (Clopper and Pearson 1934)
    gives that of the ratio of the rates (Przyborowski and Wilenski 1940).
    """
    if now.rate <= before.rate or not before.total:
        return 1.0
    from scipy.special import betaincinv

    part = float(betaincinv(now.count, before.count + 1, SIGNIFICANT))  # the quantile; scipy.stats takes far longer
    return max(1.0, part / (1 - part) * before.total / now.total)


def _corrected(pairs: Sequence[tuple[Share, Share]], p_values: Sequence[float]) -> list[Trend]:
    """Correct p-values over the items that have enough notes to be tested."""
    tested = [index for index, (now, before) in enumerate(pairs) if now.count + before.count >= MIN_NOTES]
    corrected = [1.0] * len(pairs)
    if tested:
        from scipy.stats import false_discovery_control

        of_tested = false_discovery_control([p_values[index] for index in tested])
        for index, p_value in zip(tested, of_tested, strict=True):
            corrected[index] = float(p_value)
    return [_trend(now, before, p_value) for (now, before), p_value in zip(pairs, corrected, strict=True)]


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
    from scipy.stats import hypergeom

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
    return Trend(direction, before.count, change, p_value, significant, grown_at_least(now, before))


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
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of `rate` (Wilson 1927); None under five closed deals."""
        return None if self.rate is None else _wilson(self.won, self.won + self.lost)

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
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(won, closed, others_won, others, method="newcomb", compare="diff")
    return float(low), float(high)


def _wilson(count: int, total: int) -> tuple[float, float]:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, total, method="wilson")
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


@lru_cache(maxsize=4096)
def at_least(count: int, total: int) -> float:
    """Return the lower end of the 95 % interval of a share (Wilson 1927), in [0, 1]; 0 of nothing."""
    if not count or not total:
        return 0.0
    return _wilson(count, total)[0]
