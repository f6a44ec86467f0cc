"""The table of saved filters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Json, Table


class SavedFilterTable(Table):
    """Filters under a name.

    `owner` is who saved them, such as `key:3` or `user:2`; `filters` are as an address has them.
    """

    __tablename__ = "saved_filters"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]
    shared: Mapped[bool]
    filters: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("owner", "name"),)
