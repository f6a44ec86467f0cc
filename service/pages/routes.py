"""The pages that show what was found."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.catalog.queries import list_candidates
from service.corrections.queries import corrections_of, shown
from service.dependencies import Now, ReadSession
from service.errors import InvalidInput, NotFound
from service.insights.evidence import Step
from service.insights.measures import About
from service.masks.authors import shown_author
from service.masks.view import shown_text
from service.notes.queries import analysis_state, get_note, other_origins
from service.operation.queries import read_backlog
from service.pages import views
from service.pages.account import router as account_router
from service.pages.answers import PageRoute, render
from service.pages.audit import router as audit_router
from service.pages.competitors import router as competitors_router
from service.pages.corrections import competitor_names
from service.pages.corrections import router as corrections_router
from service.pages.factor import router as factor_router
from service.pages.forms import FilterForm, fault_of, read_form
from service.pages.highlights import cut
from service.pages.imports import router as imports_router
from service.pages.outgoing import router as outgoing_router
from service.pages.people import router as people_router
from service.pages.provider import router as provider_router
from service.pages.queries import list_segments, list_teams
from service.pages.reports import router as reports_router
from service.pages.retention import router as retention_router
from service.pages.saved_filters import router as saved_router
from service.pages.saved_filters import saved_panel
from service.pages.search import router as search_router
from service.pages.sign_in import NoteVisitor, Visitor, may_curate
from service.pages.sign_in import router as sign_in_router
from service.pages.sources import router as sources_router
from service.pages.status import router as status_router
from service.pages.themes import curation_panel
from service.pages.themes import router as themes_router
from service.pages.unsubscribing import router as unsubscribing_router
from service.pages.words import Words, choose_language
from service.sources.record_links import note_link, options_by_source

MAX_NOTE_ID = 2**62
MAX_NEW_NAMES = 99  # told on the first page
router = APIRouter(route_class=PageRoute, include_in_schema=False)
router.include_router(sign_in_router)
router.include_router(provider_router)
router.include_router(account_router)
router.include_router(factor_router)
router.include_router(people_router)
router.include_router(audit_router)
router.include_router(themes_router)
router.include_router(corrections_router)
router.include_router(reports_router)
router.include_router(retention_router)
router.include_router(sources_router)
router.include_router(outgoing_router)
router.include_router(unsubscribing_router)
router.include_router(search_router)
router.include_router(competitors_router)
router.include_router(status_router)
router.include_router(imports_router)
router.include_router(saved_router)


@router.get("/")
def get_home(request: Request, session: ReadSession, now: Now, visitor: Visitor) -> Response:
    """Show the ranked insights."""
    form = read_form(session, request.query_params)
    backlog = read_backlog(session, now)
    context: dict[str, Any] = {
        "backlog": backlog,
        "teams": list_teams(session),
        "segments": list_segments(session),
        "new_names": len(list_candidates(session, MAX_NEW_NAMES)) if may_curate(visitor) else 0,
        "saved": saved_panel(session, visitor),
        "names": competitor_names(session, visitor),
        "post_address": f"{request.url.scheme}://{request.url.netloc}/v1/notes",
    }
    if form.faults:
        return _home(request, form, 422, **context)
    if not backlog.analysed:
        return _home(request, form, **context)
    try:
        view = views.ranking_view(session, form.filters, form.kinds, form.page)
    except InvalidInput as error:
        form.faults.append(fault_of(error))
        return _home(request, form, 422, **context)
    return _home(request, form, view=view, **context)


def _home(
    request: Request, form: FilterForm, status: int = 200, *, view: views.RankingView | None = None, **context: Any
) -> Response:
    return render(
        request,
        "home.html",
        status,
        form=form,
        wrong={fault.field for fault in form.faults},
        view=view,
        item_address=views.item_address,
        **context,
    )


@router.get("/insights/{about}/{item_id:path}")
def get_item(about: str, item_id: str, request: Request, session: ReadSession, visitor: Visitor) -> Response:
    """Show one item."""
    form = read_form(session, request.query_params)
    if about not in set(About):
        raise NotFound("There is no such kind of insight.")
    if form.faults:
        raise InvalidInput("Some filters are wrong.")
    asked = request.query_params.get("by")
    step = Step(asked) if asked in set(Step) else None
    found = views.item_view(session, About(about), item_id, form.filters, step=step, page=form.page)
    if found is None:
        raise NotFound("There is no such item.")
    view, by = found
    address = views.item_address(About(about), item_id)
    panel = curation_panel(session, item_id, visitor) if view.about is About.THEME else None
    names = None if view.about is About.THEME else competitor_names(session, visitor)
    return render(
        request,
        "item.html",
        form=form,
        view=view,
        by=by,
        steps=list(Step),
        address=address,
        item_id=item_id,
        curation=panel,
        names=names,
        saved=saved_panel(session, visitor),
        item_address=views.item_address,
    )


@router.get("/notes/{note_id}")
def get_note_page(note_id: str, request: Request, session: ReadSession, visitor: NoteVisitor) -> Response:
    """Show one note with what was found in it."""
    number = int(note_id) if note_id.isascii() and note_id.isdigit() and len(note_id) < 20 else 0
    row = get_note(session, number) if 1 <= number <= MAX_NOTE_ID else None
    if row is None:
        raise NotFound("There is no such note.")
    note, author, account, deal = row
    highlights = views.note_highlights(session, row, Words(choose_language(request)))
    return render(
        request,
        "note.html",
        note=note,
        author=author,
        author_name=next((one for one in reversed(shown_author(author)) if one), "") if author else "",
        account=account,
        deal=deal,
        state=analysis_state(note),
        origins=other_origins(session, note),
        highlights=highlights,
        segments=cut(shown_text(note), highlights),
        record_url=note_link(options_by_source(session), note, account, deal),
        names=competitor_names(session, visitor),
        corrections=[(one, shown(one)[0]) for one in corrections_of(session, note.id)],
        fault=request.query_params.get("fault", ""),
    )
