"""A note's text cut where findings start and end, so that overlapping ones can be marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from service.insights.measures import About


@dataclass(frozen=True, slots=True)
class Highlight:
    """A finding as the page marks it.

    Attributes:
        start: Code points into the note's text.
        end: After `start`, at most the text's length.
        anchor: Its id in the page.
        label: What was found, in words.
        address: The page of its item.
        detail: What a person can correct of it; empty where nothing.
    """

    about: About
    start: int
    end: int
    anchor: str
    label: str
    quote: str
    address: str
    finding_id: int = 0
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text with the findings that cover it, and those of them that begin here."""

    text: str
    covering: tuple[Highlight, ...]
    beginning: tuple[Highlight, ...]

    @property
    def kinds(self) -> str:
        """The kinds that cover it, as classes."""
        return " ".join(about for about in About if any(h.about is about for h in self.covering))


def cut(text: str, highlights: Sequence[Highlight]) -> list[Segment]:
    """Cut a text at every start and end of findings; the segments' texts together are the text."""
    inside = [h for h in highlights if 0 <= h.start < h.end <= len(text)]
    places = sorted({0, len(text), *(h.start for h in inside), *(h.end for h in inside)})
    return [
        Segment(
            text[start:end],
            tuple(h for h in inside if h.start <= start and end <= h.end),
            tuple(h for h in inside if h.start == start),
        )
        for start, end in pairwise(places)
    ]
