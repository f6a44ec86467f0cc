"""Corrections over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from service.corrections import queries, storage
from service.corrections.schemas import CorrectionKind, CorrectionOutput, CorrectionState, NewCorrection
from service.dependencies import Curator, NoteReader, Now, ReadSession, WriteSession, refuse_single_notes
from service.errors import NotFound
from service.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service.problems import problem_responses
from service.tables import CorrectionTable

router = APIRouter(prefix="/v1/corrections", tags=["corrections"], responses=problem_responses(503))

_GONE = "The note's text does not hold these words any more."


@router.post(
    "",
    status_code=201,
    responses={
        200: {"description": "The same correction was made before.", "model": CorrectionOutput},
        **problem_responses(409),
    },
)
def post_correction(
    body: NewCorrection, request: Request, session: WriteSession, now: Now, caller: Curator, response: Response
) -> CorrectionOutput:
    """Correct a finding, or add one that was missed.

    It counts at once, is kept when the note is analysed again, and follows its words through edits of the note.
    """
    if body.start is not None:  # the answer shows the words there, whatever they are
        refuse_single_notes(request, caller)
    correction, new = storage.correct(session, body, by=caller.name, now=now)
    response.status_code = 201 if new else 200
    return _output(correction)


@router.get("")
def get_corrections(
    session: ReadSession,
    _caller: NoteReader,
    note_id: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    kind: CorrectionKind | None = None,
    state: CorrectionState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CorrectionOutput]:
    """List corrections, latest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows, total = queries.list_corrections(
        session, note_id=note_id, kind=kind, state=state, limit=limit + 1, before=before
    )
    following = encode_cursor([rows[limit - 1].id]) if len(rows) > limit else None
    return Page(items=[_output(row) for row in rows[:limit]], next=following, total=total)


@router.delete("/{correction_id}", status_code=204, responses=problem_responses(404))
def delete_correction(
    correction_id: Annotated[int, Path(ge=1, le=2**62)], session: WriteSession, _caller: Curator
) -> None:
    """Undo a correction: what the analyser found counts again."""
    if not storage.undo(session, correction_id):
        raise NotFound(f"There is no correction {correction_id}.")


def _output(row: CorrectionTable) -> CorrectionOutput:
    state = CorrectionState(row.state)
    quote, right = queries.shown(row)
    return CorrectionOutput(
        id=str(row.id),
        kind=CorrectionKind(row.kind),
        state=state,
        reason=_GONE if state is CorrectionState.SET_ASIDE else None,
        note_id=str(row.note_id),
        finding_id=str(row.finding_id) if row.finding_id else None,
        start=row.start,
        end=row.end,
        quote=quote,
        found=row.found,
        right=right,
        created_by=row.created_by,
        created_at=row.created_at,
    )
