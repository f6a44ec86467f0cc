"""Signing in is slowed down, for an account and for an address, twice as long with each failure.

A try counts as failed from its start, so that many at once pass no more than many in a row; the one that works is taken
back. Nobody is shut out for good, and who is signed in stays so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.auth.queries import hash_secret
from service.auth.tables import SignInFailureTable
from service.database import insert_ignoring

FREE_OF_ACCOUNT = 5
FREE_OF_ADDRESS = 20  # people of one office share theirs
LONGEST = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


def begin_try(session: Session, now: datetime, *, account: str | None, address: str | None) -> int:
    """Count a try as failed unless it comes too early.

    Returns:
        Seconds to wait before the next one; 0 where this one may go on.
    """
    session.execute(sa.delete(SignInFailureTable).where(SignInFailureTable.last_at < now - FORGOTTEN_AFTER))
    rows = [(_row(session, subject, now), free) for subject, free in _subjects(account, address)]
    wait = max((_wait(row, free, now) for row, free in rows), default=timedelta())
    if wait > timedelta():
        return int(wait.total_seconds()) + 1
    for row, _ in rows:
        row.failures += 1
        row.last_at = now
    return 0


def take_back(session: Session, *, account: str | None, address: str | None) -> None:
    """Forget the failures of an account that signed in, and this try of its address."""
    for subject, free in _subjects(account, address):
        row = session.scalar(_found(subject).with_for_update())
        if row is None:
            continue
        if free == FREE_OF_ACCOUNT:
            session.delete(row)
        else:
            row.failures = max(0, row.failures - 1)


def _subjects(account: str | None, address: str | None) -> list[tuple[str, int]]:
    named = ((account, "account", FREE_OF_ACCOUNT), (address, "address", FREE_OF_ADDRESS))
    return [(hash_secret(f"{kind}:{text}"), free) for text, kind, free in named if text]


def _found(subject: str) -> sa.Select[SignInFailureTable]:
    return sa.select(SignInFailureTable).where(SignInFailureTable.subject == subject)


def _row(session: Session, subject: str, now: datetime) -> SignInFailureTable:
    values = {"subject": subject, "failures": 0, "last_at": now}
    session.execute(insert_ignoring(session, SignInFailureTable, ("subject",)), values)
    return session.scalars(_found(subject).with_for_update()).one()


def _wait(row: SignInFailureTable, free: int, now: datetime) -> timedelta:
    """Return how long is left: 1 second after the last free try, 2 after the next, then 4, 8 and so on."""
    over = row.failures - free
    pause = min(LONGEST, timedelta(seconds=2 ** min(over, 10))) if over >= 0 else timedelta()
    return row.last_at + pause - now
