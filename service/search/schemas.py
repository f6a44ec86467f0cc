"""What a search finds, as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from service.notes.schemas import EXAMPLE_NOTE, EXAMPLE_SUMMARY, NoteSummary
from service.paging import Page
from service.search.finding import Way


class Span(BaseModel):
    """A stretch of a note's text: code points, `end` excluded."""

    start: int
    end: int


class SnippetOutput(Span):
    """A part of a note's text: `note.text[start:end] == text`; `cut` tells whether the note goes on after it."""

    text: str
    cut: bool


class NearOutput(Span):
    """The passage that is near the query in meaning; `similarity` is a cosine in [0.15, 1]."""

    similarity: float


EXAMPLE_RESULT: dict[str, Any] = {
    "note": EXAMPLE_SUMMARY,
    "matched": ["words", "meaning"],
    "snippet": {"start": 0, "end": 57, "text": EXAMPLE_NOTE["text"], "cut": False},
    "highlights": [{"start": 51, "end": 56}],
    "passage": {"start": 0, "end": 57, "similarity": 0.52},
}


class SearchResult(BaseModel):
    """A note that was found, and why.

    Attributes:
        matched: `words` where it has all words of the query, `meaning` where a passage of it is near the query.
        highlights: The query's words, or else the passage: offsets into the note's text.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_RESULT]})

    note: NoteSummary
    matched: list[Way]
    snippet: SnippetOutput
    highlights: list[Span]
    passage: NearOutput | None


class SearchPage(Page[SearchResult]):
    """One page of what was found, the best first; with `total_exact` false there are more than `total`."""

    model_config = ConfigDict(title="SearchPage")

    total_exact: bool = Field(description="Whether `total` is all, or only what is ranked.")
