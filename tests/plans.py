"""How a database carries statements out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event


@contextmanager
def plans(engine: sa.Engine) -> Iterator[list[str]]:
    """Collect the plans of all statements, a line each."""
    seen: list[str] = []
    sqlite = engine.dialect.name == "sqlite"

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            inner = connection.connection.cursor()
            rows = inner.execute(f"explain {'query plan ' if sqlite else ''}{statement}", parameters).fetchall()
            seen.extend(row[3] if sqlite else row[0] for row in rows)

    event.listen(engine, "after_cursor_execute", explain)
    try:
        yield seen
    finally:
        event.remove(engine, "after_cursor_execute", explain)
