"""The versions of days, by which what is held in memory is known to be current."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table

DEALS = date(1, 1, 1)  # stands for the outcomes and amounts of all deals, among the days


class DayVersionTable(Table):
    """A random token for each day on which something was said; triggers give a new one with every change of that day.

    Whatever changes notes or findings, this changes in the same transaction. On PostgreSQL a day may have several
    tokens, so that writers of one day never wait for each other: all that can be seen make its version. What became of
    deals has a version too, under a day of its own (`DEALS`).
    """

    __tablename__ = "day_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    token: Mapped[int]

    __table_args__ = (Index("ix_day_versions_day", "day", "token"),)
