"""What a request or a command does: who, what, where from, and which rows it changed.

An act is carried through its thread or task. A transaction that changes something while an act is carried writes the
act down itself, so that there is no change without its row, and no row without its change.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from models.types import Language, ObjectionType
from service.audit.tables import AuditChainTable, AuditEventTable
from service.exports.writing import Format
from service.filters import Compare, NoteKind, Outcome
from service.insights.measures import About

MOST_LENGTH = 200
MOST_IDS = 20
_TELLING_NOBODY = re.compile(r"\d{1,19}|\d{4}-\d\d(-\d\d)?|theme-\d{1,19}", re.ASCII)
_WORDS = {
    str(word) for words in (About, ObjectionType, Language, NoteKind, Outcome, Compare, Format) for word in words
} | {"all", "html", "pdf", "pptx", "week", "month", "on", "off", "true", "false", "set"}
_OF_THE_LOG = {AuditEventTable.__tablename__, AuditChainTable.__tablename__}
_BOOKKEEPING = _OF_THE_LOG | {"sign_in_failures"}
_CHANGED = "changed"  # in a session's `info`


@dataclass(slots=True)
class Act:
    """What a request or a command does.

    Attributes:
        describe: Returns `request_id`, `address`, `action`, `subject`, `filters` and `status`.
        actor: `key:ID`, `user:ID` or `command:NAME`; None until it is known.
        with_changes: Whether transactions write it down with what they change.
        written: Whether one did.
    """

    describe: Callable[[], dict[str, Any]]
    actor: str | None = None
    with_changes: bool = True
    written: bool = False


_present: ContextVar[Act | None] = ContextVar("present_act", default=None)


@contextmanager
def acting(act: Act) -> Iterator[None]:
    """Carry an act through the block, its tasks and its threads."""
    token = _present.set(act)
    try:
        yield
    finally:
        _present.reset(token)


def name_actor(actor: str) -> None:
    """Say who does what is being done."""
    act = _present.get()
    if act is not None:
        act.actor = actor


def started(session: Session, version: str, settings: dict[str, str]) -> None:
    """Write down that the service starts, with the settings that are not as they come."""
    row = {"at": datetime.now(UTC), "actor": "service", "action": f"start {version}", "filters": settings}
    insert_acts(session, [{**row, "request_id": "", "address": None, "subject": {}, "status": 0, "times": 1}])


def insert_acts(session: Session, acts: list[dict[str, Any]]) -> None:
    """Write acts down: dicts of the columns of `AuditEventTable`, values of `subject` and `filters` as they came."""
    salt = session.scalars(sa.select(AuditChainTable.salt)).one()
    hidden = [{**act, **{name: _hidden(act[name], salt) for name in ("subject", "filters")}} for act in acts]
    session.execute(sa.insert(AuditEventTable), hidden)


def _hidden(values: Mapping[str, Any], salt: str) -> dict[str, str]:
    """Return parameters without tokens; what may tell a person or a firm is there as a keyed hash."""
    named = {str(name)[:50].replace("\x00", "\ufffd"): str(value) for name, value in values.items() if name != "token"}
    return {
        name: value if name != "q" and _tells_nobody(value) else _hash(value, salt) for name, value in named.items()
    }


def _tells_nobody(value: str) -> bool:
    return value in _WORDS or _TELLING_NOBODY.fullmatch(value) is not None


def _hash(value: str, salt: str) -> str:
    return "hash:" + hmac.new(salt.encode(), value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]


@event.listens_for(Session, "after_flush")
def _flushed(session: Session, _context: Any) -> None:
    if _present.get() is None:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        table = sa.inspect(row).mapper.local_table
        _remember(session, str(table), getattr(row, "id", None))


@event.listens_for(Session, "do_orm_execute")
def _executed(state: ORMExecuteState) -> None:
    if _present.get() is not None and (state.is_insert or state.is_update or state.is_delete):
        _remember(state.session, str(state.statement.table.name), None)  # type: ignore[attr-defined]


def _remember(session: Session, table: str, row_id: int | None) -> None:
    if table in _BOOKKEEPING:
        return
    ids = session.info.setdefault(_CHANGED, {}).setdefault(table, [])
    if row_id is not None and row_id not in ids and len(ids) < MOST_IDS:
        ids.append(row_id)


@event.listens_for(Session, "before_commit")
def _write_with_changes(session: Session) -> None:
    act = _present.get()
    if act is None or act.actor is None or not act.with_changes or session.in_nested_transaction():
        return
    session.flush()
    changed = session.info.pop(_CHANGED, None)
    if changed:
        row = {"at": datetime.now(UTC), "actor": act.actor, "changed": changed, "times": 1, **act.describe()}
        insert_acts(session, [row])
        act.written = True


@event.listens_for(Session, "after_rollback")
def _forget_changes(session: Session) -> None:
    session.info.pop(_CHANGED, None)
