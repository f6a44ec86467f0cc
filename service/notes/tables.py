"""What notes of two sources are known by."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table


class NotePrintTable(Table):
    """The least hashes of a note's words, a few each: notes of nearly the same words share some."""

    __tablename__ = "note_prints"
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True)
    print: Mapped[int] = mapped_column(primary_key=True, index=True)
