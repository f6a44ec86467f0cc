"""The catalogue over HTTP."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter

from models.types import Catalog, Competitor
from service.catalog import queries
from service.catalog.schemas import (
    CandidateDecision,
    CandidateOutput,
    CatalogBody,
    CatalogReplaced,
    CompetitorNames,
    Decision,
)
from service.dependencies import Curator, Reader, ReadSession, WriteSession
from service.errors import Conflict, InvalidInput
from service.filters import name_key
from service.paging import Cursor, Limit, Page, page_of
from service.problems import problem_responses

router = APIRouter(prefix="/v1/catalog", tags=["catalog"], responses=problem_responses(503))


@router.get("")
def get_catalog(session: ReadSession, _caller: Reader) -> CatalogBody:
    """Read our names and the competitors'."""
    return _body(queries.read_catalog(session))


@router.put("")
def put_catalog(body: CatalogBody, session: WriteSession, _caller: Curator) -> CatalogReplaced:
    """Replace the catalogue; the notes that hold a changed name are analysed again."""
    return _replace(session, body.to_catalog())


@router.get("/candidates")
def get_candidates(
    session: ReadSession, _caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> Page[CandidateOutput]:
    """List names that notes use like a competitor's and that the catalogue lacks, those of most accounts first.

    Where there are thresholds, names that too few accounts or authors used are left out.
    """
    return page_of(queries.list_candidates(session), _candidate, limit, cursor)


def _candidate(found: queries.Candidate) -> CandidateOutput:
    return CandidateOutput(
        name=found.name,
        mentions=found.mentions,
        notes=found.notes,
        accounts=found.accounts,
        example_note_id=str(found.example_note_id),
    )


@router.post("/candidates", responses=problem_responses(409))
def decide_candidate(body: CandidateDecision, session: WriteSession, _caller: Curator) -> CatalogReplaced:
    """Accept a name as a competitor, make it another name of one, or say that it is none."""
    catalog = queries.read_catalog(session)
    if body.decision is Decision.DISMISS:
        queries.dismiss(session, body.name)
        return CatalogReplaced(**_body(catalog).model_dump(), requeued_notes=0)
    taken = {name_key(n) for c in catalog.competitors for n in (c.name, *c.aliases)} | {name_key(n) for n in catalog.us}
    if name_key(body.name) in taken:
        raise Conflict(f"{body.name!r} is in the catalogue already.")
    return _replace(session, _with_candidate(catalog, body))


def _with_candidate(catalog: Catalog, body: CandidateDecision) -> Catalog:
    if body.decision is Decision.ACCEPT:
        return replace(catalog, competitors=(*catalog.competitors, Competitor(body.name)))
    if not any(c.name == body.of for c in catalog.competitors):
        raise InvalidInput(
            "of: name the competitor of the catalogue that this is another name of.",
            errors=[{"field": "of", "code": "unknown_competitor", "message": "not in the catalogue"}],
        )
    return replace(
        catalog,
        competitors=tuple(
            Competitor(c.name, (*c.aliases, body.name)) if c.name == body.of else c for c in catalog.competitors
        ),
    )


def _replace(session: WriteSession, catalog: Catalog) -> CatalogReplaced:
    requeued = queries.replace_catalog(session, catalog)
    return CatalogReplaced(**_body(catalog).model_dump(), requeued_notes=requeued)


def _body(catalog: Catalog) -> CatalogBody:
    return CatalogBody(
        us=list(catalog.us),
        competitors=[CompetitorNames(name=c.name, aliases=list(c.aliases)) for c in catalog.competitors],
    )
