"""Keys and sessions in the database. Secrets are stored as SHA-256 only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.auth.scopes import Scope
from service.auth.tables import ApiKeyTable, SessionTable

KEY_PREFIX = "bn_"
COOKIE_LIFE = timedelta(days=30)
LINK_LIFE = timedelta(hours=12)


class SessionKind(StrEnum):
    """A browser's session, or a link that opens one."""

    COOKIE = "cookie"
    LINK = "link"


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a key or token, in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(
    session: Session, *, name: str, scopes: Sequence[Scope], now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKeyTable, str]:
    """Store a new key; return it with its secret, which is not seen again."""
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    return store_key(session, secret, name=name, scopes=scopes, now=now, expires_at=expires_at), secret


def store_key(
    session: Session,
    secret: str,
    *,
    name: str,
    scopes: Sequence[Scope],
    now: datetime,
    expires_at: datetime | None = None,
) -> ApiKeyTable:
    """Store a key whose secret is given; one that is stored already is returned as it is."""
    found = session.scalar(sa.select(ApiKeyTable).where(ApiKeyTable.key_hash == hash_secret(secret)))
    if found:
        return found
    key = ApiKeyTable(
        name=name,
        key_hash=hash_secret(secret),
        scopes=[str(scope) for scope in scopes],
        created_at=now,
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key


def find_key(session: Session, secret: str, now: datetime) -> ApiKeyTable | None:
    """Return the valid key with this secret, or None where it is unknown, expired or revoked."""
    return session.scalar(sa.select(ApiKeyTable).where(ApiKeyTable.key_hash == hash_secret(secret), _valid_key(now)))


def _valid_key(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        ApiKeyTable.revoked_at.is_(None), sa.or_(ApiKeyTable.expires_at.is_(None), ApiKeyTable.expires_at > now)
    )


def list_keys(session: Session) -> list[ApiKeyTable]:
    """Return all keys, oldest first."""
    return list(session.scalars(sa.select(ApiKeyTable).order_by(ApiKeyTable.id)))


def revoke_key(session: Session, key_id: int, now: datetime) -> bool:
    """Revoke a key and end its sessions; False where there is no such key in force."""
    key = session.get(ApiKeyTable, key_id)
    if key is None or key.revoked_at is not None:
        return False
    key.revoked_at = now
    session.execute(sa.delete(SessionTable).where(SessionTable.key_id == key_id))
    return True


def open_session(session: Session, key: ApiKeyTable, kind: SessionKind, now: datetime) -> str:
    """Open a browser session, or make a link to one; return its token."""
    token = secrets.token_urlsafe(32)
    life = COOKIE_LIFE if kind is SessionKind.COOKIE else LINK_LIFE
    session.execute(sa.delete(SessionTable).where(SessionTable.expires_at <= now))
    session.add(
        SessionTable(kind=kind, token_hash=hash_secret(token), key_id=key.id, created_at=now, expires_at=now + life)
    )
    return token


def find_session_key(session: Session, token: str, kind: SessionKind, now: datetime) -> ApiKeyTable | None:
    """Return the key behind a session's token, or None where either is no longer valid."""
    return session.scalar(
        sa.select(ApiKeyTable)
        .join(SessionTable, SessionTable.key_id == ApiKeyTable.id)
        .where(
            SessionTable.token_hash == hash_secret(token),
            SessionTable.kind == kind,
            SessionTable.expires_at > now,
            _valid_key(now),
        )
    )


def close_session(session: Session, token: str) -> None:
    """End a session, or use up a link."""
    session.execute(sa.delete(SessionTable).where(SessionTable.token_hash == hash_secret(token)))
