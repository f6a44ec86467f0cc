"""Keys in the database. Secrets are stored as SHA-256 only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.auth.scopes import Scope
from service.auth.tables import ApiKeyTable, SessionTable

KEY_PREFIX = "bn_"
ROTATION_GRACE = timedelta(hours=24)


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a key or token, in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(
    session: Session, *, name: str, scopes: Sequence[Scope], now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKeyTable, str]:
    """Store a new key; return it with its secret, which is not seen again."""
    secret = _new_secret()
    return store_key(session, secret, name=name, scopes=scopes, now=now, expires_at=expires_at), secret


def _new_secret() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)


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
    found = session.scalar(sa.select(ApiKeyTable).where(_has_secret(secret)))
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
    """Return the valid key with this secret, or None where it is unknown, expired, rotated away or revoked."""
    digest = hash_secret(secret)
    rotated = sa.and_(ApiKeyTable.previous_hash == digest, ApiKeyTable.previous_until > now)
    return session.scalar(sa.select(ApiKeyTable).where(sa.or_(ApiKeyTable.key_hash == digest, rotated), valid_key(now)))


def fault_of_key(session: Session, secret: str, now: datetime) -> str | None:
    """Tell why a secret is not valid: `key_expired`, `key_rotated`, `key_revoked`; None where it is unknown."""
    key = session.scalar(sa.select(ApiKeyTable).where(_has_secret(secret)))
    if key is None:
        return None
    if key.revoked_at is not None:
        return "key_revoked"
    return "key_expired" if key.expires_at is not None and key.expires_at <= now else "key_rotated"


def find_key_id(session: Session, secret: str) -> int | None:
    """Return the id of the key that has or had this secret, valid or not."""
    return session.scalar(sa.select(ApiKeyTable.id).where(_has_secret(secret)))


def _has_secret(secret: str) -> sa.ColumnElement[bool]:
    digest = hash_secret(secret)
    return sa.or_(ApiKeyTable.key_hash == digest, ApiKeyTable.previous_hash == digest)


def valid_key(now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that a key is neither revoked nor expired."""
    return sa.and_(
        ApiKeyTable.revoked_at.is_(None), sa.or_(ApiKeyTable.expires_at.is_(None), ApiKeyTable.expires_at > now)
    )


def list_keys(session: Session) -> list[ApiKeyTable]:
    """Return all keys, oldest first."""
    return list(session.scalars(sa.select(ApiKeyTable).order_by(ApiKeyTable.id)))


def rotate_key(session: Session, key_id: int, now: datetime, grace: timedelta) -> tuple[ApiKeyTable, str] | None:
    """Give a key another secret; the present one is valid for a grace more, at most until the key expires.

    Browsers that signed in with the key sign in anew.

    Args:
        grace: How long the present secret is valid still; nothing for not at all. One from an earlier rotation ends
            now.

    Returns:
        The key and its new secret, which is not seen again; None where there is no such key in force.
    """
    key = session.scalar(sa.select(ApiKeyTable).where(ApiKeyTable.id == key_id, valid_key(now)).with_for_update())
    if key is None:
        return None
    secret = _new_secret()
    key.previous_hash, key.previous_until = key.key_hash, now + grace
    key.key_hash = hash_secret(secret)
    session.execute(sa.delete(SessionTable).where(SessionTable.key_id == key_id))
    session.flush()
    return key, secret


def revoke_key(session: Session, key_id: int, now: datetime) -> bool:
    """Revoke a key and end its sessions; False where there is no such key in force."""
    key = session.get(ApiKeyTable, key_id)
    if key is None or key.revoked_at is not None:
        return False
    key.revoked_at = now
    session.execute(sa.delete(SessionTable).where(SessionTable.key_id == key_id))
    return True


def mark_keys_used(session: Session, used: dict[int, datetime]) -> None:
    """Remember when keys were used last."""
    for key_id, at in used.items():
        session.execute(sa.update(ApiKeyTable).where(ApiKeyTable.id == key_id).values(last_used_at=at))
