"""Tables of reports: editions as they were frozen, and their files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table


class ReportTable(Table):
    """One edition of a month's report. `content` is JSON as it was written: read again, it is the same bytes.

    `differences` says what changed since the edition before. `erased` counts the quotes that had to go because their
    notes were erased. One that held what was erased is withdrawn: it has neither files nor quotes any more, and
    `replaced_by` is the number of the edition to read instead.
    """

    __tablename__ = "reports"
    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[str]
    edition: Mapped[int]
    content: Mapped[str] = mapped_column(sa.Text)
    sha256: Mapped[str]
    differences: Mapped[list[Any]] = mapped_column(sa.JSON)
    reason: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    erased: Mapped[int] = mapped_column(default=0, server_default="0")
    withdrawn_at: Mapped[datetime | None]
    replaced_by: Mapped[int | None]

    __table_args__ = (UniqueConstraint("month", "edition"),)


class ReportFileTable(Table):
    """A rendering of an edition: `html`, `pdf`, `pptx` or `xlsx`, in a language, with or without accounts' names."""

    __tablename__ = "report_files"
    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"), index=True)
    format: Mapped[str]
    language: Mapped[str]
    accounts: Mapped[str]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    sha256: Mapped[str]

    __table_args__ = (UniqueConstraint("report_id", "format", "language", "accounts"),)


class ReportQuoteTable(Table):
    """A note that an edition quotes: its erasure reaches the edition."""

    __tablename__ = "report_quotes"
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True)
    note_id: Mapped[int] = mapped_column(primary_key=True, index=True)


class ReportLedgerTable(Table):
    """Which notes had which items when an edition was made (`ledger`), packed; it holds no words."""

    __tablename__ = "report_ledgers"
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
