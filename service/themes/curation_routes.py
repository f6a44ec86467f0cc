"""Curation of themes over HTTP: each change can be previewed, and undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from service.dependencies import Curator, Now, Reader, ReadSession, WriteSession
from service.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service.problems import problem_responses
from service.tables import ThemeChangeTable
from service.themes import curation, outputs, queries
from service.themes.routes import ThemeId, found_theme
from service.themes.schemas import ChangeOutput, Declaration, Edit, Merge, PassageMove, Split
from service.themes.undoing import undo_change

router = APIRouter(prefix="/v1/themes", tags=["themes"], responses=problem_responses(503))

PassageId = Annotated[int, Path(ge=1, le=2**62, description="The passage's `id`.", examples=[41])]
Preview = Annotated[bool, Query(description="Show the effect in counts, and change nothing.")]


@router.get("/changes")
def get_theme_changes(
    session: ReadSession, _caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> Page[ChangeOutput]:
    """List what people changed about themes, latest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows, total = queries.list_changes(session, limit=limit + 1, before=before)
    following = encode_cursor([rows[limit - 1].id]) if len(rows) > limit else None
    return Page(items=outputs.change_outputs(session, rows[:limit]), next=following, total=total)


@router.post("/changes/{change_id}/undo", responses=problem_responses(404, 409))
def undo_theme_change(
    change_id: Annotated[int, Path(ge=1, le=2**62)],
    session: WriteSession,
    now: Now,
    caller: Curator,
    preview: Preview = False,
) -> ChangeOutput:
    """Undo a change: the theme and its passages are as they were, where no later change stands on it."""
    return change(session, lambda: undo_change(session, change_id, by=caller.name, now=now), preview=preview)


@router.post("", status_code=201, responses={200: {"model": ChangeOutput, "description": "A preview."}})
def declare_theme(
    body: Declaration, session: WriteSession, now: Now, caller: Curator, response: Response, preview: Preview = False
) -> ChangeOutput:
    """Declare a theme by a name and a description; the passages nearest to it go there at once.

    At most the latest 20,000 passages are looked at; the next fit looks at all.
    """
    response.status_code = 200 if preview else 201
    return change(session, lambda: curation.declare_theme(session, body, by=caller.name, now=now), preview=preview)


@router.patch("/{theme_id}", responses=problem_responses(404))
def edit_theme(
    theme_id: ThemeId, body: Edit, session: WriteSession, now: Now, caller: Curator, preview: Preview = False
) -> ChangeOutput:
    """Rename a theme, choose its area, lock it against retirement, mute it, or say its nature; fits keep to it."""
    theme = found_theme(session, theme_id, lock=True)
    return change(session, lambda: curation.edit_theme(session, theme, body, by=caller.name, now=now), preview=preview)


@router.post("/{theme_id}/merge", responses=problem_responses(404, 409))
def merge_theme(
    theme_id: ThemeId, body: Merge, session: WriteSession, now: Now, caller: Curator, preview: Preview = False
) -> ChangeOutput:
    """Merge a theme into another: all its passages, past and to come."""
    theme = found_theme(session, theme_id, lock=True)
    return change(
        session, lambda: curation.merge_themes(session, theme, body.into, by=caller.name, now=now), preview=preview
    )


@router.post("/{theme_id}/split", responses=problem_responses(404, 409))
def split_theme(
    theme_id: ThemeId, body: Split, session: WriteSession, now: Now, caller: Curator, preview: Preview = False
) -> ChangeOutput:
    """Split a theme in two: the passages named, or the smaller of two matters found (`preview` proposes them)."""
    theme = found_theme(session, theme_id, lock=True)
    label = body.label.model_dump() if body.label else None
    return change(
        session,
        lambda: curation.split_theme(session, theme, body.passages, label, by=caller.name, now=now),
        preview=preview,
    )


@router.post("/{theme_id}/passages", responses=problem_responses(404, 409))
def move_passage(
    theme_id: ThemeId, body: PassageMove, session: WriteSession, now: Now, caller: Curator, preview: Preview = False
) -> ChangeOutput:
    """Put a passage into this theme; fits and new readings of its note leave it there."""
    theme = found_theme(session, theme_id, lock=True)
    return change(
        session,
        lambda: curation.move_passage(session, theme, body.passage_id, by=caller.name, now=now),
        preview=preview,
    )


@router.delete("/{theme_id}/passages/{passage_id}", responses=problem_responses(404, 409))
def take_out(
    theme_id: ThemeId,
    passage_id: PassageId,
    session: WriteSession,
    now: Now,
    caller: Curator,
    preview: Preview = False,
) -> ChangeOutput:
    """Take a passage out of this theme; fits and new readings of its note leave it without one."""
    theme = found_theme(session, theme_id, lock=True)
    return change(
        session, lambda: curation.take_out(session, theme, passage_id, by=caller.name, now=now), preview=preview
    )


def change(session: Session, make: Callable[[], ThemeChangeTable], *, preview: bool) -> ChangeOutput:
    """Make a change, or show it: a preview is the change itself, taken back."""
    point = session.begin_nested()
    made = make()
    (shown,) = outputs.change_outputs(session, [made], preview=preview, quotes=True)
    if preview:
        point.rollback()
    return shown
