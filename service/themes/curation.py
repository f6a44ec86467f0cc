"""What people change about themes, and how it is taken back.

A change is a row that holds what undoing needs; the passages that it moved stand in `theme_moves`. Fits keep to what
people changed: a merged theme's key leads to where it went, a split or declared theme is locked, pinned passages stay.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import LivingTheme
from service.errors import Conflict, InvalidInput, NotFound
from service.tables import NoteTable, PassageTable, ThemeChangeTable, ThemeMoveTable, ThemePinTable, ThemeTable
from service.themes.passages import VECTOR_BYTES
from service.themes.queries import find_theme
from service.themes.schemas import ChangeKind, Declaration, Edit
from service.themes.storage import NO_THEME, PLACES, ThemeEventKind, ThemeState, add_theme, log_event

MAX_AT_ONCE = 20_000
"""Passages that a request looks at, the latest: about a second. The next fit looks at all."""

_EVENTS = {
    ChangeKind.EDIT: ThemeEventKind.EDITED,
    ChangeKind.MERGE: ThemeEventKind.MERGED,
    ChangeKind.SPLIT: ThemeEventKind.SPLIT,
    ChangeKind.DECLARE: ThemeEventKind.DECLARED,
    ChangeKind.MOVE: ThemeEventKind.MOVED,
    ChangeKind.TAKE_OUT: ThemeEventKind.TAKEN_OUT,
}


def edit_theme(session: Session, theme: ThemeTable, wanted: Edit, *, by: str, now: datetime) -> ThemeChangeTable:
    """Rename a theme, choose its area or nature, lock or mute it.

    Raises:
        InvalidInput: If nothing is to be changed.
    """
    after = _edited(theme, wanted)
    if not after:
        raise _invalid("body", "missing", "name what to change: label, area, locked, muted or nature")
    before = {name: getattr(theme, name) for name in after}
    for name, value in after.items():
        setattr(theme, name, value)
    theme.updated_at = now
    change = _record(session, ChangeKind.EDIT, theme, [theme.id], by, now, before=before, after=after)
    return _with_effect(session, change, PassageTable.theme_id == theme.id)


def _edited(theme: ThemeTable, wanted: Edit) -> dict[str, Any]:
    given = wanted.model_fields_set
    after: dict[str, Any] = {}
    if wanted.label is not None:
        label = {"label_en": wanted.label.en or theme.label_en, "label_fr": wanted.label.fr or theme.label_fr}
        after |= {**label, "label_edited": True}
    if "area" in given:
        after |= {"area": wanted.area, "area_edited": True}
    if "nature" in given:
        after["nature"] = wanted.nature
    after |= {name: getattr(wanted, name) for name in ("locked", "muted") if getattr(wanted, name) is not None}
    return after


def merge_themes(session: Session, theme: ThemeTable, into: str, *, by: str, now: datetime) -> ThemeChangeTable:
    """Put a theme and all its passages into another; its key leads there from now on.

    Raises:
        InvalidInput: If it is merged into itself.
        NotFound: If there is no theme to merge into.
        Conflict: If one of them is no longer active.
    """
    target = find_theme(session, into, lock=True)
    if target is None:
        raise NotFound("There is no theme of this id to merge into.")
    if target.id == theme.id:
        raise _invalid("into", "itself", "a theme can't be merged into itself: name another one")
    for one in (theme, target):
        check_active(one)
    theme.state, theme.merged_into, theme.alias, theme.updated_at = ThemeState.MERGED, target.id, True, now
    change = _record(session, ChangeKind.MERGE, theme, [theme.id, target.id], by, now, into=target.id)
    log_event(session, target.id, ThemeEventKind.MERGED, now, change_id=change.id, by=by, taken=theme.id)
    return _move(session, change, PassageTable.theme_id == theme.id, target.id)


def split_theme(
    session: Session,
    theme: ThemeTable,
    passage_ids: Sequence[int] | None,
    label: Mapping[str, str] | None,
    *,
    by: str,
    now: datetime,
) -> ThemeChangeTable:
    """Make a theme of some of a theme's passages: those that are named, or the smaller of two matters found in it.

    Raises:
        InvalidInput: If a named passage is not the theme's.
        Conflict: If one of the two would be left without passages, or no two matters are found.
    """
    from models.theme_curation import halve  # numpy stays out of the HTTP process until somebody curates

    check_active(theme)
    rows = _latest(session, PassageTable.theme_id == theme.id)
    if passage_ids is None:
        rows = [row for row in rows if len(row.theme_vector) == VECTOR_BYTES]
        parts = halve([row.theme_vector for row in rows])
        if len(parts) < 2:
            raise Conflict("No two matters are found in this theme: name the passages to split off.", code="no_split")
        second = {rows[i].id for i in parts[1]}
    else:
        second = set(passage_ids)
        if second - {row.id for row in rows}:
            raise _invalid("passages", "not_of_theme", "names a passage that this theme does not have")
    rest = [row for row in rows if row.id not in second]
    if not second or not rest:
        raise Conflict("This split would leave a theme without passages: name some of them, not all.", code="no_split")
    name = label or {"en": f"{theme.label_en} (2)", "fr": f"{theme.label_fr} (2)"}
    part = add_theme(session, name, theme.keywords, _centroid([r for r in rows if r.id in second]), now)
    part.label_edited, part.locked, part.area = label is not None, True, theme.area
    before = {"locked": theme.locked, **{name: base64.b64encode(getattr(theme, name)).decode() for name in PLACES}}
    theme.locked, theme.centroid, theme.updated_at = True, _centroid(rest), now
    theme.origin = theme.centroid  # a person says what it is about from now on
    change = _record(session, ChangeKind.SPLIT, theme, [theme.id, part.id], by, now, before=before, born=part.id)
    log_event(session, part.id, ThemeEventKind.BORN, now, change_id=change.id, by=by, source=theme.id)
    return _move_rows(session, change, sorted(second), part.id)


def declare_theme(session: Session, wanted: Declaration, *, by: str, now: datetime) -> ThemeChangeTable:
    """Make a theme of a name and a description, and give it the passages that are nearest to it.

    Passages that a person pinned, and those of locked themes, stay where they are.

    Raises:
        InvalidInput: If the words say nothing that can be compared.
    """
    from models.theme_curation import describe_theme
    from models.themes import assign

    label = {
        "en": wanted.name,
        "fr": wanted.name,
        **(wanted.label.model_dump(exclude_none=True) if wanted.label else {}),
    }
    centroid = describe_theme([*dict.fromkeys(label.values()), wanted.description])
    if not any(centroid):
        raise _invalid("description", "no_words", "says nothing that passages could be compared with: write a sentence")
    theme = add_theme(session, label, {"en": [], "fr": []}, centroid, now)
    theme.label_edited, theme.locked, theme.description = True, True, wanted.description
    locked = sa.select(ThemeTable.id).where(ThemeTable.locked.is_(True))
    free = sa.or_(PassageTable.theme_id.is_(None), PassageTable.theme_id.not_in(locked))
    rows = _latest(session, sa.and_(PassageTable.pinned.is_(False), free))
    rows = [row for row in rows if len(row.theme_vector) == VECTOR_BYTES]
    matches = assign([row.theme_vector for row in rows], [LivingTheme(theme.key, centroid)])
    taken = [
        row.id
        for row, match in zip(rows, matches, strict=True)
        if match and (row.theme_id is None or match.similarity > (row.similarity or 0.0))
    ]
    change = _record(session, ChangeKind.DECLARE, theme, [theme.id], by, now)
    return _move_rows(session, change, taken, theme.id)


def move_passage(session: Session, theme: ThemeTable, passage_id: int, *, by: str, now: datetime) -> ThemeChangeTable:
    """Put a passage into a theme, for good: fits and new readings of its note leave it there.

    Raises:
        NotFound: If there is no such passage.
    """
    check_active(theme)
    passage, quote = _passage(session, passage_id)
    detail = _pin(session, passage, quote, theme.id)
    themes = [theme.id, *([passage.theme_id] if passage.theme_id and passage.theme_id != theme.id else [])]
    change = _record(session, ChangeKind.MOVE, theme, themes, by, now, **detail)
    return _move_pinned(session, change, passage_id, theme.id)


def take_out(session: Session, theme: ThemeTable, passage_id: int, *, by: str, now: datetime) -> ThemeChangeTable:
    """Take a passage out of a theme, for good: fits and new readings of its note leave it without a theme.

    Raises:
        NotFound: If there is no such passage in the theme.
    """
    passage, quote = _passage(session, passage_id)
    if passage.theme_id != theme.id:
        raise NotFound(f"There is no passage {passage_id} in {theme.key}.")
    detail = _pin(session, passage, quote, None)
    change = _record(session, ChangeKind.TAKE_OUT, theme, [theme.id], by, now, **detail)
    return _move_pinned(session, change, passage_id, None)


def _passage(session: Session, passage_id: int) -> tuple[PassageTable, str]:
    """Return a passage and its words.

    Raises:
        NotFound: If there is no such passage.
    """
    row = session.execute(
        sa.select(PassageTable, NoteTable.text)
        .join(NoteTable, NoteTable.id == PassageTable.note_id)
        .where(PassageTable.id == passage_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no passage {passage_id}.")
    return row[0], row[1][row[0].start : row[0].end]


def _pin(session: Session, passage: PassageTable, quote: str, theme_id: int | None) -> dict[str, Any]:
    """Pin a passage by its words; return what undoing that needs.

    `pinned` is the theme that it was pinned to, `NO_THEME` where to none, None where it was not pinned.
    """
    pins = ThemePinTable.note_id == passage.note_id, ThemePinTable.quote == quote
    before = session.scalars(sa.select(ThemePinTable).where(*pins)).first()
    pinned = (before.theme_id or NO_THEME) if before else None
    session.execute(sa.delete(ThemePinTable).where(*pins))
    pin = ThemePinTable(note_id=passage.note_id, theme_id=theme_id, quote=quote)
    session.add(pin)
    session.flush()
    return {"passage": passage.id, "pin": pin.id, "pinned": pinned}


def _move_pinned(session: Session, change: ThemeChangeTable, passage_id: int, to: int | None) -> ThemeChangeTable:
    _move_rows(session, change, [passage_id], to)
    session.execute(sa.update(PassageTable).where(PassageTable.id == passage_id).values(pinned=True))
    return change


def check_active(theme: ThemeTable) -> None:
    """Refuse to change a theme that takes no passages any more.

    Raises:
        Conflict: If it was retired or merged.
    """
    if theme.state != ThemeState.ACTIVE:
        raise Conflict(f"{theme.key} is {theme.state}: it takes no passages any more.", code=f"theme_{theme.state}")


def _record(
    session: Session, kind: ChangeKind, theme: ThemeTable, themes: list[int], by: str, now: datetime, **detail: Any
) -> ThemeChangeTable:
    change = ThemeChangeTable(
        theme_id=theme.id, kind=kind, detail={"themes": themes, **detail}, made_by=by, made_at=now
    )
    session.add(change)
    session.flush()
    told = {name: value for name, value in detail.items() if name in ("into", "born", "passage", "after")}
    log_event(session, theme.id, _EVENTS[kind], now, change_id=change.id, by=by, **told)
    return change


def _latest(session: Session, condition: sa.ColumnElement[bool]) -> list[Any]:
    columns = (PassageTable.id, PassageTable.theme_vector, PassageTable.theme_id, PassageTable.similarity)
    query = sa.select(*columns).where(condition).order_by(PassageTable.occurred_on.desc(), PassageTable.id.desc())
    return list(session.execute(query.limit(MAX_AT_ONCE)))


def _centroid(rows: Sequence[Any]) -> bytes:
    """Return the centroid of the passages that lie in the present space; nothing where none does."""
    from models.theme_curation import mean_vector

    vectors = [row.theme_vector for row in rows if len(row.theme_vector) == VECTOR_BYTES]
    return mean_vector(vectors) if vectors else b""


def _move_rows(session: Session, change: ThemeChangeTable, ids: Sequence[int], to: int | None) -> ThemeChangeTable:
    for begin in range(0, len(ids), 1_000):
        _move(session, change, PassageTable.id.in_(ids[begin : begin + 1_000]), to)
    return _with_effect(session, change, PassageTable.id.in_(_moved(change)))


def _move(
    session: Session, change: ThemeChangeTable, which: sa.ColumnElement[bool], to: int | None
) -> ThemeChangeTable:
    """Move passages at once, and write down where they came from."""
    columns = ["change_id", "passage_id", "from_theme_id", "was_pinned"]
    source = sa.select(sa.literal(change.id), PassageTable.id, PassageTable.theme_id, PassageTable.pinned).where(which)
    session.execute(sa.insert(ThemeMoveTable).from_select(columns, source))
    session.execute(
        sa.update(PassageTable)
        .where(PassageTable.id.in_(_moved(change)))
        .values(theme_id=to)
        .execution_options(synchronize_session=False)
    )
    return _with_effect(session, change, PassageTable.id.in_(_moved(change)))


def _moved(change: ThemeChangeTable) -> sa.Select[Any]:
    return sa.select(ThemeMoveTable.passage_id).where(ThemeMoveTable.change_id == change.id)


def _with_effect(session: Session, change: ThemeChangeTable, which: sa.ColumnElement[bool]) -> ThemeChangeTable:
    """Write down how many passages, notes and accounts a change touches."""
    passages, notes, accounts = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(sa.distinct(PassageTable.note_id)),
            sa.func.count(sa.distinct(PassageTable.account_id)),
        ).where(which)
    ).one()
    change.detail = {**change.detail, "effect": {"passages": passages, "notes": notes, "accounts": accounts}}
    session.flush()
    return change


def _invalid(field: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(f"{field}: {message}.", errors=[{"field": field, "code": code, "message": message}])
