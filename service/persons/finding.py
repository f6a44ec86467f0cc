"""Gathering all that is held on a person."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.audit.schemas import audit_event
from service.erasures.traces import Traces
from service.exports.writing import plain
from service.persons import queries
from service.persons.schemas import (
    HeldAuthor,
    HeldNote,
    HeldRecord,
    HeldSession,
    HeldUser,
    PersonExport,
    PersonQuery,
    Span,
)

DEFAULT_SOURCE = "hubspot"


def gather(session: Session, asked: PersonQuery, now: datetime) -> PersonExport:
    """Return all that is held on a person."""
    given = [one for one in (asked.author, asked.email, asked.name) if one]
    authors = queries.authors_of(session, given)
    user = queries.user_of(session, asked.email)
    known = [name for author in authors for name in (author.name, author.key) if name]
    traces = Traces([*given, *known])
    records = [_record("mentions", *one) for one in queries.records_naming(session, traces)]
    if user:
        records = [_record("did", *one) for one in queries.records_done(session, user.name, _actor(user.id))] + records
    return PersonExport(
        asked={name: str(value) for name, value in asked if value is not None and name != "format"},
        made_at=now,
        authors=[HeldAuthor(id=author.key, name=author.name, team=author.team) for author in authors],
        users=[_user(user)] if user else [],
        sessions=[_session(one) for one in queries.sessions_of(session, user.id)] if user else [],
        audit=[audit_event(one) for one in queries.acts_of(session, _actor(user.id))] if user else [],
        notes=_notes(session, asked, traces, [author.id for author in authors]),
        records=records,
    )


def _actor(user_id: int) -> str:
    return f"user:{user_id}"


def _notes(session: Session, asked: PersonQuery, traces: Traces, author_ids: list[int]) -> list[HeldNote]:
    written = set(queries.notes_written(session, author_ids))
    about = set(queries.notes_about(session, asked.source or DEFAULT_SOURCE, asked.contact)) if asked.contact else set()
    mentioning = set(queries.notes_mentioning(session, traces))
    held = []
    for note in queries.notes_with(session, written | about | mentioning):
        held.append(
            HeldNote(
                id=str(note.id),
                source=note.source,
                external_id=note.external_id,
                occurred_at=note.occurred_at,
                why=[
                    *(["written"] if note.id in written else []),
                    *(["about"] if note.id in about else []),
                    *(["mentions"] if note.id in mentioning else []),
                ],
                spans=[Span(start=start, end=end) for start, end in traces.places(note.text)],
                text=note.text,
            )
        )
    return held


def _user(row: Any) -> HeldUser:
    fields = ("email", "name", "role", "identity", "created_at", "factor_since", "signed_in_at", "disabled_at")
    return HeldUser(id=str(row.id), personal=row.sees_personal, **{name: getattr(row, name) for name in fields})


def _session(row: Any) -> HeldSession:
    return HeldSession(**{name: getattr(row, name) for name in HeldSession.model_fields})


def _record(why: Any, kind: str, row_id: int, content: dict[str, Any]) -> HeldRecord:
    written = json.loads(json.dumps(content, default=plain, ensure_ascii=False))
    return HeldRecord(kind=kind, id=str(row_id), why=why, content=written)


def readable(export: PersonExport) -> str:
    """Return an export as plain text, part by part."""
    parts = [f"All that Binôme holds on {', '.join(export.asked.values())}, {export.made_at:%Y-%m-%d %H:%M} UTC\n"]
    for note in export.notes:
        head = f"Note {note.id} ({note.source}, {note.external_id}), {note.occurred_at:%Y-%m-%d}: {', '.join(note.why)}"
        parts.append(f"{head}\n{note.text}\n")
    named: list[tuple[str, list[Any]]] = [
        ("Author", export.authors),
        ("Account", export.users),
        ("Session", export.sessions),
        ("Act", export.audit),
        ("Record", export.records),
    ]
    for title, rows in named:
        parts += [f"{title}\n{_lines(row.model_dump(mode='json'))}\n" for row in rows]
    if len(parts) == 1:
        parts.append("Nothing.\n")
    return "\n".join(parts)


def _lines(values: dict[str, Any]) -> str:
    told = {name: value for name, value in values.items() if value not in (None, [], {})}
    return "\n".join(f"  {name}: {_told(value)}" for name, value in told.items())


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
