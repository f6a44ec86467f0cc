"""The page of search: results with what was found marked, each with a link to the place in its note."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from service.dependencies import ReadSession
from service.filters import NoteFilters
from service.notes.queries import get_note
from service.notes.schemas import NoteSummary
from service.pages.answers import PageRoute, render
from service.pages.corrections import competitor_names
from service.pages.forms import read_form
from service.pages.highlights import Highlight
from service.pages.queries import list_segments, list_teams
from service.pages.saved_filters import saved_panel
from service.pages.sign_in import NoteVisitor
from service.pages.views import PAGE_SIZE, Pager, note_highlights
from service.pages.words import Words, choose_language
from service.search.finding import Way, find
from service.search.meaning import MeaningIndex
from service.search.routes import MAX_QUERY_CHARS, Meaning, results
from service.search.schemas import SearchResult

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ShownResult:
    """A note that was found, as the page shows it.

    Attributes:
        span: Where the snippet stands in the note's text.
        pieces: The snippet cut where marks start and end: text, and whether it is marked.
        found: What was read in the snippet, for who may correct it.
        address: The note's page at the place: browsers scroll to the words of the fragment.
    """

    note: NoteSummary
    matched: list[Way]
    span: tuple[int, int]
    pieces: list[tuple[str, bool]]
    cut_before: bool
    cut_after: bool
    address: str
    found: tuple[Highlight, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchView:
    """One page of what was found; `exact` is false where there is more than the ranking holds."""

    results: list[ShownResult]
    pager: Pager
    exact: bool


@router.get("/search")
def get_search_page(request: Request, session: ReadSession, index: Meaning, visitor: NoteVisitor) -> Response:
    """Show what a search finds."""
    q = request.query_params.get("q", "").replace("\0", "").strip()
    form = read_form(session, request.query_params)
    wrong = {fault.field for fault in form.faults} | ({"q"} if len(q) > MAX_QUERY_CHARS else set())
    names = competitor_names(session, visitor)
    context: dict[str, Any] = {
        "teams": list_teams(session),
        "segments": list_segments(session),
        "names": names,
        "saved": saved_panel(session, visitor),
    }
    view = search_view(session, index, q, form.filters, form.page) if q and not wrong else None
    if view and names is not None:
        view = with_findings(session, view, Words(choose_language(request)))
    cleared = f"/search?{urlencode({'q': q})}"
    shown = q[:MAX_QUERY_CHARS]
    status = 422 if wrong else 200
    return render(
        request,
        "search.html",
        status,
        form=form,
        wrong=wrong,
        q=shown,
        view=view,
        cleared=cleared,
        **context,
    )


def search_view(session: Session, index: MeaningIndex, q: str, filters: NoteFilters, page: int) -> SearchView:
    """Search, and gather what one page shows."""
    found = find(session, index, q, filters)
    total = len(found.hits)
    pager = Pager(min(page, Pager(1, total).pages), total)
    page_results = results(session, found, found.hits[pager.skipped :][:PAGE_SIZE])
    return SearchView([_shown(result) for result in page_results], pager, found.exact)


def with_findings(session: Session, view: SearchView, words: Words) -> SearchView:
    """Add what was read in the snippets and can be corrected."""
    return replace(view, results=[_with_findings(session, result, words) for result in view.results])


def _with_findings(session: Session, result: ShownResult, words: Words) -> ShownResult:
    row = get_note(session, int(result.note.id))
    start, end = result.span
    found = note_highlights(session, row, words) if row else []
    return replace(result, found=tuple(h for h in found if h.detail and h.start < end and start < h.end))


def _shown(result: SearchResult) -> ShownResult:
    part = result.snippet
    pieces: list[tuple[str, bool]] = []
    at = part.start
    for mark in result.highlights:
        start, end = max(mark.start, at), min(mark.end, part.end)
        if start < end:
            pieces += [(_text(result, at, start), False), (_text(result, start, end), True)]
            at = end
    pieces.append((_text(result, at, part.end), False))
    marked = [text for text, is_marked in pieces if is_marked]
    return ShownResult(
        note=result.note,
        matched=result.matched,
        span=(part.start, part.end),
        pieces=[piece for piece in pieces if piece[0]],
        cut_before=part.start > 0,
        cut_after=part.cut,
        address=f"/notes/{result.note.id}{_fragment(marked[0]) if marked else ''}",
    )


def _text(result: SearchResult, start: int, end: int) -> str:
    return result.snippet.text[start - result.snippet.start : end - result.snippet.start]


def _fragment(words: str) -> str:
    """Return a text fragment, of which `-` and `,` are the syntax; long words are cut at a space."""
    first = words.partition("\n")[0][:120]
    whole = first.rpartition(" ")[0] if len(first) < len(words) and " " in first else first
    return f"#:~:text={quote(whole.strip(), safe='').replace('-', '%2D')}"
