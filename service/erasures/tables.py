"""What was erased, without its words: a record, and keyed hashes of ids by which what comes again is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table


class ErasureTable(Table):
    """An erasure: of what kind, by whom, when, and how much went. It holds no erased word and no erased id."""

    __tablename__ = "erasures"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]
    counts: Mapped[dict[str, Any]]
    lifted_at: Mapped[datetime | None]


class ErasedKeyTable(Table):
    """A note's or a contact's id in its source, as a hash: what comes under it again is not taken.

    `note_id` is the tombstone. A contact whom the source itself had erased has no erasure.
    """

    __tablename__ = "erased_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    source: Mapped[str]
    digest: Mapped[str]
    note_id: Mapped[int | None]
    erasure_id: Mapped[int | None] = mapped_column(ForeignKey("erasures.id", ondelete="CASCADE"), index=True)

    __table_args__ = (UniqueConstraint("kind", "source", "digest"),)


class ErasureSaltTable(Table):
    """The secret of this installation under which erased ids are hashed: without it, ids could be guessed and tried."""

    __tablename__ = "erasure_salts"
    id: Mapped[int] = mapped_column(primary_key=True)
    salt: Mapped[bytes] = mapped_column(sa.LargeBinary)
