"""The chain of seals: each covers its row and the seal before, so that a row changed, added or taken out shows.

Rows are written at once and sealed a moment later, in the order in which they are found: so that requests never wait
for one another. Whoever can write the database can also forge the whole chain; note `binome audit verify`'s last seal
somewhere else now and then, and give it back to the next run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.audit.tables import AuditChainTable, AuditEventTable

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    Attributes:
        rows: Sealed rows that were checked.
        unsealed: Rows that are too new to be sealed.
        broken_at: Position of the first that does not fit; None where all do.
        last_seal: The newest seal.
        known: Whether a seal that was asked for is one of the chain's; None where none was.
    """

    rows: int
    unsealed: int
    broken_at: int | None
    last_seal: str
    known: bool | None


def seal_rows(session: Session) -> int:
    """Seal up to `AT_ONCE` rows that are not yet; return how many were. Only one transaction does so at a time."""
    chain = _ends(session)
    query = sa.select(AuditEventTable).where(AuditEventTable.position.is_(None)).order_by(AuditEventTable.id)
    rows = list(session.scalars(query.limit(AT_ONCE)))
    for row in rows:
        chain.last_position += 1
        chain.last_seal = _seal(chain.last_seal, chain.last_position, row)
        row.position, row.seal = chain.last_position, chain.last_seal
    session.flush()
    return len(rows)


def verify(session: Session, seal: str | None = None) -> Verdict:
    """Check the whole chain, and whether it holds a seal that was noted before."""
    chain = session.scalars(sa.select(AuditChainTable)).one()
    unsealed = session.scalar(sa.select(sa.func.count()).where(AuditEventTable.position.is_(None))) or 0
    position, before, known = chain.start_position, chain.start_seal, seal == chain.start_seal
    for row in _sealed(session):
        position += 1
        expected = _seal(before, position, row)
        if row.position != position or row.seal != expected:
            return Verdict(position - chain.start_position, unsealed, position, before, known if seal else None)
        before, known = expected, known or expected == seal
    whole = (position, before) == (chain.last_position, chain.last_seal)
    count = position - chain.start_position
    return Verdict(count, unsealed, None if whole else position + 1, before, known if seal else None)


def prune(session: Session, days: int, now: datetime) -> int:
    """Remove sealed rows older than some days, from the chain's beginning; return how many were. 0 days: none."""
    if not days:
        return 0
    chain = _ends(session)
    young_rows = sa.select(AuditEventTable.position).where(AuditEventTable.at >= now - timedelta(days=days))
    sealed = young_rows.where(AuditEventTable.position.is_not(None))
    young = session.scalar(sealed.order_by(AuditEventTable.position).limit(1))
    last = (young or chain.last_position + 1) - 1
    if last <= chain.start_position:
        return 0
    end = session.scalar(sa.select(AuditEventTable.seal).where(AuditEventTable.position == last))
    session.execute(sa.delete(AuditEventTable).where(AuditEventTable.position <= last))
    removed = last - chain.start_position
    chain.start_position, chain.start_seal = last, end or ""
    session.flush()
    return removed


def _ends(session: Session) -> AuditChainTable:
    return session.scalars(sa.select(AuditChainTable).with_for_update()).one()


def _sealed(session: Session) -> Iterator[AuditEventTable]:
    last = 0
    while True:
        query = sa.select(AuditEventTable).where(AuditEventTable.position > last)
        rows = list(session.scalars(query.order_by(AuditEventTable.position).limit(AT_ONCE)))
        if not rows:
            return
        yield from rows
        last = rows[-1].position or last
        session.expunge_all()


def _seal(before: str, position: int, row: AuditEventTable) -> str:
    """Return the SHA-256 over the seal before and the row's content, as JSON with sorted keys."""
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    content = [before, position, at, row.request_id, row.actor, row.address, row.action]
    content += [row.subject, row.filters, row.changed, row.status, row.times]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
