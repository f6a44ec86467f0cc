"""Search over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import StringConstraints
from sqlalchemy.orm import Session

from service.dependencies import NoteReader, ReadSession
from service.filter_queries import SingleFilterQuery
from service.masks.view import shown_text
from service.notes.queries import NoteRow
from service.notes.routes import summary
from service.notes.schemas import NoteSummary
from service.paging import Cursor, Limit, decode_cursor, encode_cursor
from service.problems import problem_responses
from service.search import queries
from service.search.finding import Found, Hit, find, snippet
from service.search.meaning import MeaningIndex
from service.search.schemas import NearOutput, SearchPage, SearchResult, SnippetOutput, Span

MAX_QUERY_CHARS = 500
router = APIRouter(prefix="/v1/search", tags=["search"], responses=problem_responses(503))

QueryText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUERY_CHARS),
    Query(
        description='Words in English or French; `"…"` holds words together, `-word` leaves notes out, '
        "`word*` takes every ending.",
        examples=["price discount"],
    ),
]


def _meaning_index(request: Request) -> MeaningIndex:
    index: MeaningIndex = request.app.state.meaning
    return index


Meaning = Annotated[MeaningIndex, Depends(_meaning_index)]


@router.get("")
def get_search(
    q: QueryText,
    session: ReadSession,
    index: Meaning,
    _caller: NoteReader,
    filters: SingleFilterQuery,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SearchPage:
    """Search notes by words and by meaning, in English and French: a query in one finds notes in the other.

    Without `from` and `to` all notes are searched.
    """
    start = min(max(0, decode_cursor(cursor, int)[0]), 2**31) if cursor else 0
    found = find(session, index, q, filters)
    following = start + limit
    return SearchPage(
        items=results(session, found, found.hits[start:following]),
        next=encode_cursor([following]) if following < len(found.hits) else None,
        total=len(found.hits),
        total_exact=found.exact,
    )


def results(session: Session, found: Found, hits: Sequence[Hit]) -> list[SearchResult]:
    """Return hits with their notes; those that were erased meanwhile are left out."""
    rows = queries.read_notes(session, [hit.note_id for hit in hits])
    return [_result(rows[hit.note_id], hit, found) for hit in hits if hit.note_id in rows]


def _result(row: NoteRow, hit: Hit, found: Found) -> SearchResult:
    text = shown_text(row[0])
    shown = snippet(text, hit, found.query)
    return SearchResult(
        note=NoteSummary(**summary(row)),
        matched=list(hit.matched),
        snippet=SnippetOutput(start=shown.start, end=shown.end, text=shown.text, cut=shown.end < len(text)),
        highlights=[Span(start=start, end=end) for start, end in shown.highlights],
        passage=NearOutput(start=hit.passage.start, end=hit.passage.end, similarity=hit.passage.similarity)
        if hit.passage
        else None,
    )
