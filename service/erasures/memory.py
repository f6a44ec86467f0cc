"""Knowing erased ids again without keeping them: HMAC-SHA-256 under a secret of the installation (RFC 2104)."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Iterable
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.database import is_sqlite
from service.erasures.tables import ErasedKeyTable, ErasureSaltTable

_SALT_BYTES = 32
_ONLY = 1  # the salt's row


class ErasedKind(StrEnum):
    """Whose id is remembered."""

    NOTE = "note"
    CONTACT = "contact"


def erased_notes(session: Session, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the tombstones of those keys (source, id) whose notes were erased for good."""
    salt = _salt(session)
    if salt is None:
        return {}
    by_digest = {(source, _digest(salt, external_id)): (source, external_id) for source, external_id in keys}
    query = sa.select(ErasedKeyTable.source, ErasedKeyTable.digest, ErasedKeyTable.note_id).where(
        ErasedKeyTable.kind == ErasedKind.NOTE, ErasedKeyTable.digest.in_({digest for _, digest in by_digest})
    )
    found = {(row.source, row.digest): row.note_id for row in session.execute(query)}
    return {by_digest[pair]: note_id for pair, note_id in found.items() if pair in by_digest}


def erased_contacts(session: Session, source: str, contacts: Collection[str]) -> set[str]:
    """Return those contacts of a source who were erased."""
    salt = _salt(session)
    if salt is None or not contacts:
        return set()
    by_digest = {_digest(salt, contact): contact for contact in contacts}
    query = sa.select(ErasedKeyTable.digest).where(
        ErasedKeyTable.kind == ErasedKind.CONTACT,
        ErasedKeyTable.source == source,
        ErasedKeyTable.digest.in_(by_digest),
    )
    return {by_digest[digest] for digest in session.scalars(query)}


def remember(
    session: Session, kind: ErasedKind, ids: Iterable[tuple[str, str, int | None]], erasure_id: int | None = None
) -> None:
    """Remember ids (source, id, tombstone) as hashes; those that are known stay as they are."""
    salt = _salt(session) or _new_salt(session)
    values = [
        {"kind": kind, "source": source, "digest": _digest(salt, one), "note_id": note_id, "erasure_id": erasure_id}
        for source, one, note_id in ids
    ]
    if values:
        insert = sqlite.insert(ErasedKeyTable) if is_sqlite(session) else postgresql.insert(ErasedKeyTable)
        session.execute(insert.on_conflict_do_nothing(index_elements=["kind", "source", "digest"]), values)


def _salt(session: Session) -> bytes | None:
    return session.scalar(sa.select(ErasureSaltTable.salt).where(ErasureSaltTable.id == _ONLY))


def _new_salt(session: Session) -> bytes:
    insert = sqlite.insert(ErasureSaltTable) if is_sqlite(session) else postgresql.insert(ErasureSaltTable)
    values = {"id": _ONLY, "salt": secrets.token_bytes(_SALT_BYTES)}
    session.execute(insert.on_conflict_do_nothing(index_elements=["id"]), values)
    salt = _salt(session)
    assert salt is not None, "one was put there, now or by another transaction"
    return salt


def _digest(salt: bytes, value: str) -> str:
    return hmac.new(salt, value.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
