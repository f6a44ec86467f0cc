"""How long notes are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table


class RetentionRuleTable(Table):
    """For how many days the notes of a source are kept; `*` is every source that has no rule of its own."""

    __tablename__ = "retention_rules"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(unique=True)
    days: Mapped[int]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
