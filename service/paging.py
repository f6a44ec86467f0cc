"""Lists: `{"items", "next", "total"}` with opaque cursors."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from service.errors import InvalidInput

Limit = Annotated[int, Query(ge=1, le=200, description="Items a page, 1 to 200.")]
Cursor = Annotated[str | None, Query(max_length=500, description="The `next` of the page before.")]


Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """One page of a list.

    Attributes:
        next: Cursor of the next page; null at the end.
        total: Number of items in the whole list.
    """

    items: list[Item]
    next: str | None = Field(None, examples=["WzE3MF0"])
    total: int = Field(ge=0)


def encode_cursor(position: list[Any]) -> str:
    """Make a cursor of a position: JSON values."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> list[Any]:
    """Read a cursor back.

    Args:
        cursor: As `encode_cursor` made it.
        types: The type of each value of the position.

    Raises:
        InvalidInput: If it is not one of ours.
    """
    try:
        position = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        position = None
    matches = isinstance(position, list) and len(position) == len(types)
    if not matches or not all(type(value) is kind for value, kind in zip(position, types, strict=True)):
        raise bad_cursor()
    return list(position)


def cut(rows: Sequence[Row], limit: int, cursor: str | None) -> tuple[list[Row], str | None]:
    """Return one page of a list that is read whole, and the cursor of the next."""
    start = max(0, decode_cursor(cursor, int)[0]) if cursor else 0
    following = start + limit
    return list(rows[start:following]), encode_cursor([following]) if following < len(rows) else None


def page_of(rows: Sequence[Row], show: Callable[[Row], Item], limit: int, cursor: str | None) -> Page[Item]:
    """Return one page of a list that is short enough to be read whole.

    Args:
        rows: The whole list.
        show: Makes an item of a row.
        limit: Items a page.
        cursor: The `next` of the page before.
    """
    page, following = cut(rows, limit, cursor)
    return Page(items=[show(row) for row in page], next=following, total=len(rows))


def bad_cursor() -> InvalidInput:
    """Return the error for a cursor that no list gave."""
    return InvalidInput(
        "cursor is not one that this list gave: send the `next` of the page before, or none.",
        errors=[{"field": "cursor", "code": "invalid", "message": "not a cursor of this list"}],
    )
