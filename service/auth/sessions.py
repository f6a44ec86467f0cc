"""Browsers' sessions and one-time links, of keys and of people. Tokens are stored as SHA-256 only.

A session ends when it was not used for a while, when it has lasted long enough, with its key or its person's account,
and by signing out.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.auth.queries import hash_secret, valid_key
from service.auth.tables import ApiKeyTable, SessionTable, UserTable

COOKIE_LIFE = timedelta(days=7)
IDLE_LIFE = timedelta(hours=12)
LINK_LIFE = timedelta(hours=12)
INVITATION_LIFE = timedelta(days=3)
FACTOR_LIFE = timedelta(minutes=10)
MAX_BROWSER_LENGTH = 200


class SessionKind(StrEnum):
    """A browser's session, a link that opens one, one to choose a password, or waiting for the second factor."""

    COOKIE = "cookie"
    LINK = "link"
    INVITATION = "invitation"
    FACTOR = "factor"


_LIVES = {
    SessionKind.COOKIE: COOKIE_LIFE,
    SessionKind.LINK: LINK_LIFE,
    SessionKind.INVITATION: INVITATION_LIFE,
    SessionKind.FACTOR: FACTOR_LIFE,
}

Owner = ApiKeyTable | UserTable


def open_session(
    session: Session,
    owner: Owner,
    kind: SessionKind,
    now: datetime,
    *,
    life: timedelta | None = None,
    address: str | None = None,
    browser: str = "",
) -> str:
    """Open a browser's session, or make a link; return its token.

    Args:
        owner: The key or the person that it acts for.
        life: How long it lasts at most; what is usual for the kind if left out.
        address: Of the browser.
        browser: What it calls itself.
    """
    token = secrets.token_urlsafe(32)
    session.execute(sa.delete(SessionTable).where(SessionTable.expires_at <= now))
    session.add(
        SessionTable(
            kind=kind,
            token_hash=hash_secret(token),
            key_id=owner.id if isinstance(owner, ApiKeyTable) else None,
            user_id=owner.id if isinstance(owner, UserTable) else None,
            created_at=now,
            expires_at=now + (life or _LIVES[kind]),
            seen_at=now,
            address=address,
            browser=browser[:MAX_BROWSER_LENGTH] or None,
        )
    )
    session.flush()
    return token


def find_session(
    session: Session, token: str, kind: SessionKind, now: datetime, *, idle: timedelta = IDLE_LIFE
) -> tuple[SessionTable, Owner] | None:
    """Return a session and whom it acts for, or None where either is no longer valid.

    Args:
        idle: How long a browser may do nothing; links wait as long as they last.
    """
    valid = [SessionTable.token_hash == hash_secret(token), SessionTable.kind == kind, SessionTable.expires_at > now]
    if kind is SessionKind.COOKIE:
        valid.append(SessionTable.seen_at > now - idle)
    found = session.execute(
        sa.select(SessionTable, ApiKeyTable, UserTable)
        .outerjoin(ApiKeyTable, sa.and_(SessionTable.key_id == ApiKeyTable.id, valid_key(now)))
        .outerjoin(UserTable, sa.and_(SessionTable.user_id == UserTable.id, UserTable.disabled_at.is_(None)))
        .where(*valid, sa.or_(ApiKeyTable.id.is_not(None), UserTable.id.is_not(None)))
    ).first()
    return (found[0], found[1] or found[2]) if found else None


def use_link(session: Session, token: str, kind: SessionKind, now: datetime) -> Owner | None:
    """Use up a link and return whom it is for; None where it is unknown, expired or used.

    Deleting first makes it work once: of two requests at the same moment, one deletes nothing.
    """
    found = find_session(session, token, kind, now)
    used = session.execute(
        sa.delete(SessionTable).where(SessionTable.token_hash == hash_secret(token), SessionTable.kind == kind)
    )
    assert isinstance(used, sa.CursorResult)
    return found[1] if found and used.rowcount else None


def close_session(session: Session, token: str) -> None:
    """End a session, or use up a link."""
    session.execute(sa.delete(SessionTable).where(SessionTable.token_hash == hash_secret(token)))


def close_sessions(session: Session, user_id: int, *, only: int | None = None, kind: SessionKind | None = None) -> None:
    """End all sessions and links of a person, those of a kind, or the one with an id."""
    wanted = [SessionTable.user_id == user_id]
    if only is not None:
        wanted.append(SessionTable.id == only)
    if kind is not None:
        wanted.append(SessionTable.kind == kind)
    session.execute(sa.delete(SessionTable).where(*wanted))


def list_sessions(session: Session, user_id: int, now: datetime, *, idle: timedelta = IDLE_LIFE) -> list[SessionTable]:
    """Return a person's open sessions, the latest first."""
    query = sa.select(SessionTable).where(
        SessionTable.user_id == user_id,
        SessionTable.kind == SessionKind.COOKIE,
        SessionTable.expires_at > now,
        SessionTable.seen_at > now - idle,
    )
    return list(session.scalars(query.order_by(SessionTable.id.desc())))


def mark_sessions_seen(session: Session, seen: dict[int, datetime]) -> None:
    """Remember when sessions were used last."""
    for session_id, at in seen.items():
        session.execute(sa.update(SessionTable).where(SessionTable.id == session_id).values(seen_at=at))
