"""Tables of operation."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from service.tables import Table


class CountTable(Table):
    """What all workers counted since the database was made; `labels` is JSON with its keys in order."""

    __tablename__ = "counts"
    name: Mapped[str] = mapped_column(primary_key=True)
    labels: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float] = mapped_column(sa.Float)
