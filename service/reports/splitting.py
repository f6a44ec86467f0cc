"""What a change between two months comes from: pure functions over ledgers.

The month before is counted twice: as its report froze it, and as the same notes are read and grouped now. What differs
between the two is not the customers' doing; each note that differs is put down to one cause, so that the parts add up:

- *notes*: it came late, was edited, or was erased;
- *reader*: another version of the reader read it, the catalogue had it read again, or a person corrected it;
- *taxonomy*: it was read once, and its theme changed: a fit, a merge, a split, a move.

What is left, from the month before as counted now to this month, is the customers' doing: the *market*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from service.insights.measures import About
from service.reports.ledger import Entry, ItemId, Ledger


@dataclass(frozen=True, slots=True)
class Split:
    """Notes with an item: `then` + `notes` + `reader` + `taxonomy` + `market` = `now`.

    Attributes:
        then: In the month before, as its report froze it; None without such a report.
        recounted: In the month before, as it is read and grouped now.
        now: In this month.
    """

    then: int | None
    recounted: int
    now: int
    notes: int
    reader: int
    taxonomy: int

    @property
    def market(self) -> int:
        """What customers did."""
        return self.now - self.recounted


def split_changes(frozen: Ledger | None, recounted: Ledger, now: Ledger) -> dict[ItemId, Split]:
    """Split the change of every item between two months.

    Args:
        frozen: The month before as its report kept it; None without one.
        recounted: The same month now.
        now: The month of the report.
    """
    before, after = _count(recounted.values()), _count(now.values())
    then = _count(frozen.values()) if frozen is not None else None
    causes = _causes(frozen, recounted) if frozen is not None else {}
    return {
        item: Split(
            then=then[item] if then is not None else None,
            recounted=before[item],
            now=after[item],
            notes=causes.get("notes", Counter())[item],
            reader=causes.get("reader", Counter())[item],
            taxonomy=causes.get("taxonomy", Counter())[item],
        )
        for item in sorted(before.keys() | after.keys() | (then or Counter[ItemId]()).keys())
    }


def _count(entries: Iterable[Entry]) -> Counter[ItemId]:
    return Counter(item for entry in entries for item in entry.items)


def _causes(frozen: Ledger, recounted: Ledger) -> dict[str, Counter[ItemId]]:
    causes: dict[str, Counter[ItemId]] = {"notes": Counter(), "reader": Counter(), "taxonomy": Counter()}
    for note_id in frozen.keys() | recounted.keys():
        old, new = frozen.get(note_id), recounted.get(note_id)
        held, holds = (old.items if old else frozenset()), (new.items if new else frozenset())
        for item in held ^ holds:
            causes[_cause(item, old, new)][item] += 1 if item in holds else -1
    return causes


def _cause(item: ItemId, old: Entry | None, new: Entry | None) -> str:
    if old is None or new is None or old.revision != new.revision:
        return "notes"
    if item[0] == About.THEME and old.reader == new.reader:
        return "taxonomy"
    return "reader"


@dataclass(frozen=True, slots=True)
class Reread:
    """How many notes differ between two countings of one month, by what happened to them; each counts once."""

    late: int
    erased: int
    edited: int
    read_anew: int
    corrected: int
    regrouped: int


def compare_ledgers(old: Ledger, new: Ledger) -> Reread:
    """Say what happened to the notes of a month since it was last counted."""
    found: Counter[str] = Counter()
    for note_id in old.keys() & new.keys():
        before, after = old[note_id], new[note_id]
        if before.revision != after.revision:
            found["edited"] += 1
        elif before.reader != after.reader:
            found["read_anew"] += 1
        elif before.corrections != after.corrections:
            found["corrected"] += 1
        elif before.items != after.items:
            found["regrouped"] += 1
    return Reread(
        late=len(new.keys() - old.keys()),
        erased=len(old.keys() - new.keys()),
        edited=found["edited"],
        read_anew=found["read_anew"],
        corrected=found["corrected"],
        regrouped=found["regrouped"],
    )
