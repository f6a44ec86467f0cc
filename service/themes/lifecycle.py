"""Where a theme is in its life, and whether it is here to stay: stated rules over months, pure functions.

All rules look at months up to the period's last one. A month counts where at least one note has the theme.

Life, the first rule that holds:
- `retired`: fits no longer find it;
- `emerging`: at least 70 % of its notes fall in the last four months, and those hold at most 60 % of all notes; from
  two accounts and two authors or more;
- `fading`: at most 10 % of its notes fall in the last three months, and those hold at least 20 % of all notes; with
  five notes or more before;
- `established`: any other.

Both must be no accident: were its notes drawn from all notes at random, it would come about once in twenty times at
most, that so many fall in those months, or that none falls before the first month it was heard (after the last).

Nature:
- `too_early`: fewer than six months of notes, or fewer than three since the theme was first heard;
- `structural`: heard in at least 60 % of the months since the first notes, or in the same season of two years, from
  three accounts and two authors or more, and from two teams or two segments where the notes name two; no month holds
  more than half of its notes;
- `conjunctural`: any other.

The evidence also gives burstiness, (σ - μ) / (σ + μ) of the monthly shares of notes (after Goh and Barabási 2008): -1
is the same every month, 0 as by chance, 1 all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from statistics import fmean, pstdev


class Life(StrEnum):
    """Where a theme is in its life."""

    EMERGING = "emerging"
    ESTABLISHED = "established"
    FADING = "fading"
    RETIRED = "retired"


class Nature(StrEnum):
    """Whether a theme comes from how things are, or from a passing state of things."""

    STRUCTURAL = "structural"
    CONJUNCTURAL = "conjunctural"
    TOO_EARLY = "too_early"


EMERGING_MONTHS, EMERGING_SHARE, EMERGING_MOST_OF_ALL = 4, 0.7, 0.6
FADING_MONTHS, FADING_SHARE, FADING_LEAST_OF_ALL, FADING_NOTES_BEFORE = 3, 0.1, 0.2, 5
BY_CHANCE = 0.05
MIN_ACCOUNTS, MIN_AUTHORS = 2, 2
MIN_MONTHS, MIN_MONTHS_SINCE_FIRST = 6, 3
STRUCTURAL_SHARE, STRUCTURAL_ACCOUNTS = 0.6, 3
PEAK_SHARE = 0.5
SEASON_MONTHS, SEASON_SHARE, TWO_YEARS = 3, 0.7, 18


@dataclass(frozen=True, slots=True)
class ThemeMonths:
    """What the rules look at.

    Attributes:
        notes: Notes with the theme, by month number (`month_number`).
        accounts: Accounts that ever said it; three may stand for more.
        authors: Authors who ever heard it; three may stand for more.
        teams: Teams that ever heard it; three may stand for more.
        segments: Segments that ever said it; three may stand for more.
    """

    notes: Mapping[int, int]
    accounts: int
    authors: int
    teams: int = 0
    segments: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers behind life and nature, up to the last month looked at.

    Attributes:
        months_heard: Months with at least one of its notes.
        months_read: Months with any note.
        months_since_first: Months since it was first heard, that one included.
        presence: `months_heard / months_read`.
        peak_share: Share of its notes in its loudest month.
        burstiness: In [-1, 1]; None under three months of notes.
        season_share: Largest share of its notes in three months of the calendar in a row; None under 18 months of
            notes.
        season_years: In how many years it was heard in that season.
        recent_share: Share of its notes in the last four months; `recent_share_of_all` the same of all notes.
        late_share: Share of its notes in the last three months; `late_share_of_all` the same of all notes.
    """

    notes: int
    months_heard: int
    months_read: int
    months_since_first: int
    presence: float
    accounts: int
    authors: int
    teams: int
    segments: int
    peak_share: float
    burstiness: float | None
    season_share: float | None
    season_years: int
    recent_share: float
    recent_share_of_all: float
    late_share: float
    late_share_of_all: float


def month_number(year: int, month: int) -> int:
    """Count months, so that they can be subtracted."""
    return year * 12 + month - 1


def month_start(number: int) -> datetime:
    """Return the first moment of a month, UTC."""
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def life(theme: ThemeMonths, all_notes: Mapping[int, int], last: int, *, retired: bool) -> Life:
    """Tell where a theme is in its life.

    Args:
        all_notes: All notes that were read, by month number.
        last: Number of the last month to look at.
        retired: Whether fits no longer find it.
    """
    if retired:
        return Life.RETIRED
    heard_by_enough = theme.accounts >= MIN_ACCOUNTS and theme.authors >= MIN_AUTHORS
    recent, recent_of_all = (_share_since(n, last - EMERGING_MONTHS, last) for n in (theme.notes, all_notes))
    rises = recent >= EMERGING_SHARE and recent_of_all <= EMERGING_MOST_OF_ALL
    if heard_by_enough and rises and _chance_of_rise(theme.notes, all_notes, last) <= BY_CHANCE:
        return Life.EMERGING
    late, late_of_all = (_share_since(n, last - FADING_MONTHS, last) for n in (theme.notes, all_notes))
    before = sum(count for month, count in theme.notes.items() if month <= last - FADING_MONTHS)
    falls = late <= FADING_SHARE and late_of_all >= FADING_LEAST_OF_ALL and before >= FADING_NOTES_BEFORE
    if falls and _chance_of_fall(theme.notes, all_notes, last) <= BY_CHANCE:
        return Life.FADING
    return Life.ESTABLISHED


def _chance_of_rise(notes: Mapping[int, int], all_notes: Mapping[int, int], last: int) -> float:
    """Return how likely notes drawn at random would be as late: the more telling of two exact tests.

    One counts those of the last months, the other looks at where the first one falls; as there are two, it is doubled.
    """
    heard = {month: count for month, count in notes.items() if count and month <= last}
    total, recent = sum(heard.values()), sum(n for month, n in heard.items() if month > last - EMERGING_MONTHS)
    share = _share_since(all_notes, last - EMERGING_MONTHS, last)
    since_first = _share_since(all_notes, min(heard) - 1, last)
    return 2 * min(_chance_of_as_many(recent, total, share), since_first**total)


def _chance_of_fall(notes: Mapping[int, int], all_notes: Mapping[int, int], last: int) -> float:
    """Return how likely notes drawn at random would be as early, as `_chance_of_rise` does."""
    heard = {month: count for month, count in notes.items() if count and month <= last}
    total, before = sum(heard.values()), sum(n for month, n in heard.items() if month <= last - FADING_MONTHS)
    share = 1 - _share_since(all_notes, last - FADING_MONTHS, last)
    until_last = 1 - _share_since(all_notes, max(heard), last)
    return 2 * min(_chance_of_as_many(before, total, share), until_last**total)


def _chance_of_as_many(count: int, total: int, share: float) -> float:
    from scipy.stats import binom  # here: it takes a second to load, which only who shows themes waits for

    return float(binom.sf(count - 1, total, share))


def _share_since(notes: Mapping[int, int], after: int, last: int) -> float:
    """Return the share of notes up to `last` that fall after a month."""
    total = sum(count for month, count in notes.items() if month <= last)
    return sum(count for month, count in notes.items() if after < month <= last) / total if total else 0.0


def nature(theme: ThemeMonths, all_notes: Mapping[int, int], last: int, *, teams: int = 0, segments: int = 0) -> Nature:
    """Tell whether a theme is structural; see `life` for the arguments.

    Args:
        teams: Teams that the notes name, of all themes; three may stand for more.
        segments: Segments likewise.
    """
    seen = evidence(theme, all_notes, last)
    heard_by_enough = seen.accounts >= MIN_ACCOUNTS and seen.authors >= MIN_AUTHORS
    early = seen.months_read < MIN_MONTHS or seen.months_since_first < MIN_MONTHS_SINCE_FIRST
    if not seen.months_heard or early or not heard_by_enough:
        return Nature.TOO_EARLY
    broad = seen.accounts >= STRUCTURAL_ACCOUNTS and (max(teams, segments) < 2 or max(seen.teams, seen.segments) >= 2)
    seasonal = (seen.season_share or 0.0) >= SEASON_SHARE and seen.season_years >= 2
    lasting = (seen.presence >= STRUCTURAL_SHARE and seen.peak_share <= PEAK_SHARE) or seasonal
    return Nature.STRUCTURAL if broad and lasting else Nature.CONJUNCTURAL


def evidence(theme: ThemeMonths, all_notes: Mapping[int, int], last: int) -> Evidence:
    """Return the numbers that the rules look at; see `life` for the arguments."""
    read = sorted(month for month, count in all_notes.items() if count and month <= last)
    notes = {month: count for month, count in theme.notes.items() if count and month <= last}
    total = sum(notes.values())
    season_share, season_years = _season(notes, read)
    return Evidence(
        notes=total,
        months_heard=len(notes),
        months_read=len(read),
        months_since_first=last - min(notes) + 1 if notes else 0,
        presence=len(notes) / len(read) if read else 0.0,
        accounts=theme.accounts,
        authors=theme.authors,
        teams=theme.teams,
        segments=theme.segments,
        peak_share=max(notes.values()) / total if total else 0.0,
        burstiness=_burstiness([notes.get(month, 0) / all_notes[month] for month in read]),
        season_share=season_share,
        season_years=season_years,
        recent_share=_share_since(notes, last - EMERGING_MONTHS, last),
        recent_share_of_all=_share_since(all_notes, last - EMERGING_MONTHS, last),
        late_share=_share_since(notes, last - FADING_MONTHS, last),
        late_share_of_all=_share_since(all_notes, last - FADING_MONTHS, last),
    )


def _burstiness(rates: list[float]) -> float | None:
    if len(rates) < 3 or not any(rates):
        return None
    mean = fmean(rates)
    spread = pstdev(rates)
    return (spread - mean) / (spread + mean)


def _season(notes: Mapping[int, int], read: list[int]) -> tuple[float | None, int]:
    """Return the largest share of notes in three calendar months in a row, and in how many years they were heard."""
    if not notes or not read or read[-1] - read[0] + 1 < TWO_YEARS:
        return None, 0
    total = sum(notes.values())
    seasons = [{(first + i) % 12 for i in range(SEASON_MONTHS)} for first in range(12)]
    best = max(seasons, key=lambda season: sum(count for month, count in notes.items() if month % 12 in season))
    inside = [month for month in notes if month % 12 in best]
    years = {(month - min(m for m in inside)) // 12 for month in inside}
    return sum(notes[month] for month in inside) / total, len(years)
