"""Notes over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from models.types import Language, ObjectionStatus, ObjectionType, Relation, Standing
from service.dependencies import Admin, Curator, Ingester, NoteReader, Now, ReadSession, WriteSession
from service.errors import Conflict, NotFound
from service.filter_queries import SingleFilterQuery
from service.filters import NoteKind, Outcome, milliseconds
from service.masks.authors import shown_author
from service.masks.view import shown_text, shown_words
from service.notes import intake, queries
from service.notes.schemas import (
    EXAMPLE_NOTE,
    AccountOutput,
    Analysis,
    AnalysisState,
    AuthorOutput,
    CompetitorOutput,
    DealOutput,
    IncomingNote,
    NoteOutput,
    NoteResult,
    NotesAccepted,
    NoteSummary,
    ObjectionOutput,
    OriginOutput,
    PassageOutput,
    PersonalOutput,
    Result,
)
from service.operation.pressure import Pressure, get_pressure
from service.paging import Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from service.problems import problem_responses
from service.sources.record_links import note_link, options_by_source
from service.tables import CompetitorMentionTable, NoteTable, ObjectionTable, PassageTable
from service.themes.queries import keys_of

router = APIRouter(prefix="/v1/notes", tags=["notes"])

NoteId = Annotated[int, Path(ge=1, le=2**62, description="The note's `id`.", examples=[17])]

_NOTES_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/IncomingNote"},
                        {
                            "type": "object",
                            "required": ["notes"],
                            "additionalProperties": False,
                            "properties": {
                                "notes": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": 1000,
                                    "items": {"$ref": "#/components/schemas/IncomingNote"},
                                }
                            },
                        },
                    ]
                },
                "examples": {"one": {"value": EXAMPLE_NOTE}, "many": {"value": {"notes": [EXAMPLE_NOTE]}}},
            }
        },
    }
}


async def raw_body(request: Request) -> bytes:
    """Return the body's bytes: they are parsed by us, so that one bad note does not lose the others."""
    return await request.body()


def admitted_notes(
    body: Annotated[bytes, Depends(raw_body)],
    _caller: Ingester,
    pressure: Annotated[Pressure, Depends(get_pressure)],
) -> Iterator[list[IncomingNote | intake.RejectedNote]]:
    """Read the notes of the body, and keep a turn at writing until they are stored."""
    parsed = intake.parse_body(body)
    with pressure.turn(urgent=any(isinstance(note, IncomingNote) and note.deleted for note in parsed)):
        yield parsed


@router.post("", status_code=202, openapi_extra=_NOTES_BODY, responses=problem_responses(400, 413, 429, 503, 507))
def post_notes(
    parsed: Annotated[list[IncomingNote | intake.RejectedNote], Depends(admitted_notes, scope="function")],
    session: WriteSession,
    now: Now,
) -> NotesAccepted:
    """Take in one note, or up to 1,000; the answer leaves once they are safe on disk.

    In a batch, notes that can't be taken are named and the others kept; 422 where none can be. A note that happened
    longer ago than notes of its source are kept (`/v1/retention`) can't be taken. While too many notes
    wait, or the disk is nearly full, what holds no deletion is refused whole (429, 507): send it again later.
    """
    stored = iter(queries.store_notes(session, [n for n in parsed if isinstance(n, IncomingNote)], now))
    results = [
        _result(next(stored))
        if isinstance(note, IncomingNote)
        else NoteResult(external_id=note.external_id, id=None, result=Result.REJECTED, error=note.error)
        for note in parsed
    ]
    intake.refuse_all_rejected([one.error for one in results])
    return NotesAccepted(results=results)


def _result(stored: queries.StoredNote) -> NoteResult:
    row_id = None if stored.id is None else str(stored.id)
    return NoteResult(external_id=stored.external_id, id=row_id, result=stored.result, error=stored.error)


@router.get("", responses=problem_responses(503))
def get_notes(
    session: ReadSession,
    _caller: NoteReader,
    filters: SingleFilterQuery,
    state: Annotated[AnalysisState | None, Query(description="State of the analysis.")] = None,
    external_id: Annotated[str | None, Query(max_length=500)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[NoteSummary]:
    """List notes, latest first."""
    before = _position(cursor) if cursor else None
    rows, total = queries.list_notes(
        session, filters, state=state, external_id=external_id, limit=limit + 1, before=before
    )
    more = rows[limit - 1][0] if len(rows) > limit else None
    return Page(
        items=[NoteSummary(**summary(row)) for row in rows[:limit]],
        next=_cursor(more) if more else None,
        total=total,
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _cursor(note: NoteTable) -> str:
    return encode_cursor([(note.occurred_at - _EPOCH) // timedelta(microseconds=1), note.id])


def _position(cursor: str) -> tuple[datetime, int]:
    microseconds, note_id = decode_cursor(cursor, int, int)
    try:
        return _EPOCH + timedelta(microseconds=microseconds), note_id
    except OverflowError:
        raise bad_cursor() from None


@router.get("/{note_id}", responses=problem_responses(404, 503))
def get_note(note_id: NoteId, session: ReadSession, _caller: NoteReader) -> NoteOutput:
    """Read one note with its text and what was found in it."""
    row = queries.get_note(session, note_id)
    if row is None:
        raise NotFound(f"There is no note {note_id}.")
    note, _author, account, deal = row
    objections = queries.findings_of(session, note_id, ObjectionTable)
    mentions = queries.findings_of(session, note_id, CompetitorMentionTable)
    passages = queries.findings_of(session, note_id, PassageTable)
    themes = keys_of(session, {p.theme_id for p in passages if p.theme_id})
    analysis = Analysis(
        state=queries.analysis_state(note),
        language=Language(note.language) if note.language else None,
        analyzer_version=note.analyzer_version,
        analyzed_at=note.analysed_at,
        error=note.failure,
        objections=[_objection(note, o) for o in objections],
        competitors=[_mention(note, m) for m in mentions],
        passages=[
            PassageOutput(
                start=p.start,
                end=p.end,
                theme_id=themes.get(p.theme_id) if p.theme_id else None,
                similarity=None if p.similarity is None else round(p.similarity, 4),
            )
            for p in passages
        ],
    )
    origins = [
        OriginOutput(
            id=str(other.id),
            source=other.source,
            external_id=other.external_id,
            occurred_at=other.occurred_at,
            counts=other.duplicate_of is None,
        )
        for other in queries.other_origins(session, note)
    ]
    return NoteOutput(
        **summary(row),
        received_at=note.received_at,
        updated_at=note.updated_at,
        text=shown_text(note),
        personal=[PersonalOutput(start=start, end=end, kind=kind) for start, end, kind in note.masks or []],
        record_url=note_link(options_by_source(session), note, account, deal),
        also_from=origins,
        analysis=analysis,
    )


def _objection(note: NoteTable, row: ObjectionTable) -> ObjectionOutput:
    return ObjectionOutput(
        id=str(row.id),
        start=row.start,
        end=row.end,
        quote=shown_words(note, row.start, row.end, row.quote),
        type=ObjectionType(row.type),
        status=ObjectionStatus(row.status),
        score=row.score,
        corrected=row.corrected,
    )


def _mention(note: NoteTable, row: CompetitorMentionTable) -> CompetitorOutput:
    return CompetitorOutput(
        id=str(row.id),
        start=row.start,
        end=row.end,
        quote=shown_words(note, row.start, row.end, row.quote),
        name=row.name,
        known=row.known,
        relation=Relation(row.relation),
        standing=Standing(row.standing),
        score=row.score,
        corrected=row.corrected,
    )


def summary(row: queries.NoteRow) -> dict[str, Any]:
    """Return the fields of `NoteSummary`."""
    note, author, account, deal = row
    author_id, author_name = shown_author(author) if author else ("", None)
    return {
        "id": str(note.id),
        "source": note.source,
        "external_id": note.external_id,
        "kind": NoteKind(note.kind),
        "occurred_at": note.occurred_at,
        "author": AuthorOutput(id=author_id, name=author_name, team=author.team) if author else None,
        "account": AccountOutput(id=account.key, name=account.name, segment=account.segment) if account else None,
        "deal": DealOutput(
            id=deal.key,
            amount=deal.amount,
            currency=deal.currency,
            stage=deal.stage,
            outcome=Outcome(deal.outcome),
        )
        if deal
        else None,
        "state": queries.analysis_state(note),
        "language": Language(note.language) if note.language else None,
    }


@router.delete("/{note_id}", status_code=204, responses=problem_responses(404, 503))
def delete_note(note_id: NoteId, session: WriteSession, now: Now, _caller: Admin) -> None:
    """Erase a note: its text, links and findings go; older versions of it that come later stay away."""
    note = _locked(session, note_id)
    note.version_ms = max(note.version_ms, milliseconds(now))
    note.content_hash = ""
    note.revision += 1
    queries.erase(session, note, now)


@router.post("/{note_id}/retry", status_code=202, responses=problem_responses(404, 409, 503))
def retry_note(note_id: NoteId, session: WriteSession, _caller: Curator) -> NoteResult:
    """Try the analysis of a failed note again."""
    note = _locked(session, note_id)
    if queries.analysis_state(note) is not AnalysisState.FAILED:
        raise Conflict(f"Note {note_id} has not failed: nothing to retry.")
    queries.requeue(session, [NoteTable.id == note_id])
    return NoteResult(external_id=note.external_id, id=str(note.id), result=Result.UPDATED)


def _locked(session: WriteSession, note_id: int) -> NoteTable:
    note = queries.lock_note(session, note_id)
    if note is None:
        raise NotFound(f"There is no note {note_id}.")
    return note
