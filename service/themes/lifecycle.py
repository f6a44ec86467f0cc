"""Where a theme is in its life, and whether it is here to stay: stated rules over months, pure functions.

All rules look at months up to the period's last one. A month counts where at least one note has the theme.

Life, the first rule that holds:
- `retired`: fits no longer find it;
- `emerging`: at least 70 % of its notes fall in the last four months, and those hold at most 60 % of all notes; from
  two accounts and two authors or more;
- `fading`: at most 10 % of its notes fall in the last three months, and those hold at least 20 % of all notes; with
  five notes or more before;
- `established`: any other.

Nature:
- `too_early`: fewer than six months of notes, or fewer than three since the theme was first heard;
- `structural`: heard in at least 60 % of the months since the first notes, from three accounts and two authors or more;
- `conjunctural`: any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


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
MIN_ACCOUNTS, MIN_AUTHORS = 2, 2
MIN_MONTHS, MIN_MONTHS_SINCE_FIRST = 6, 3
STRUCTURAL_SHARE, STRUCTURAL_ACCOUNTS = 0.6, 3


@dataclass(frozen=True, slots=True)
class ThemeMonths:
    """What the rules look at.

    Attributes:
        notes: Notes with the theme, by month number (`month_number`).
        accounts: Accounts that ever said it; three may stand for more.
        authors: Authors who ever heard it; three may stand for more.
    """

    notes: Mapping[int, int]
    accounts: int
    authors: int


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
    if heard_by_enough and recent >= EMERGING_SHARE and recent_of_all <= EMERGING_MOST_OF_ALL:
        return Life.EMERGING
    late, late_of_all = (_share_since(n, last - FADING_MONTHS, last) for n in (theme.notes, all_notes))
    before = sum(count for month, count in theme.notes.items() if month <= last - FADING_MONTHS)
    if late <= FADING_SHARE and late_of_all >= FADING_LEAST_OF_ALL and before >= FADING_NOTES_BEFORE:
        return Life.FADING
    return Life.ESTABLISHED


def _share_since(notes: Mapping[int, int], after: int, last: int) -> float:
    """Return the share of notes up to `last` that fall after a month."""
    total = sum(count for month, count in notes.items() if month <= last)
    return sum(count for month, count in notes.items() if after < month <= last) / total if total else 0.0


def nature(theme: ThemeMonths, all_notes: Mapping[int, int], last: int) -> Nature:
    """Tell whether a theme is structural; see `life` for the arguments."""
    months = [month for month, count in all_notes.items() if count and month <= last]
    heard = [month for month, count in theme.notes.items() if count and month <= last]
    if len(months) < MIN_MONTHS or not heard or last - min(heard) + 1 < MIN_MONTHS_SINCE_FIRST:
        return Nature.TOO_EARLY
    broad = theme.accounts >= STRUCTURAL_ACCOUNTS and theme.authors >= MIN_AUTHORS
    return Nature.STRUCTURAL if broad and len(heard) >= STRUCTURAL_SHARE * len(months) else Nature.CONJUNCTURAL
