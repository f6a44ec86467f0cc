"""Saved filters as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import object_session

from service.field_words import ONE_LINE
from service.filters import Filters
from service.insights.measures import About
from service.masks.authors import told_filters
from service.masks.view import sees_personal
from service.saved_filters.tables import SavedFilterTable

MAX_NAME_CHARS = 80
_EXAMPLE: dict[str, Any] = {
    "name": "Retail, third quarter",
    "shared": False,
    "filters": {"from": "2026-07-01", "to": "2026-09-30", "segment": "retail", "about": ["objection"]},
}

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_CHARS, pattern=ONE_LINE)
]


class KeptFilters(Filters):
    """Filters, with the kinds of insight to show."""

    model_config = ConfigDict(extra="forbid")

    about: list[About] = Field(default_factory=list, max_length=len(About), description="Kinds; none for all.")

    def as_address(self) -> dict[str, Any]:
        """Return what an address would have: the filters that are set."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


class NewSavedFilter(BaseModel):
    """Filters to keep under a name; the caller's former ones of that name are replaced."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]}, extra="forbid")

    name: Name
    shared: bool = Field(False, description="Whether all see them; needs the scope `curate`.")
    filters: KeptFilters


class SavedFilterOutput(BaseModel):
    """Filters under a name; `query` is the part of an address after the question mark."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _EXAMPLE
                | {
                    "id": "1",
                    "own": True,
                    "query": "from=2026-07-01&to=2026-09-30&segment=retail&about=objection",
                    "created_at": "2026-10-02T08:00:00Z",
                }
            ]
        }
    )

    id: str
    name: str
    shared: bool
    own: bool
    filters: dict[str, Any]
    query: str
    created_at: datetime


def saved_output(row: SavedFilterTable, owner: str) -> SavedFilterOutput:
    """Return saved filters as JSON has them, with an author as the caller may know them."""
    session = object_session(row)
    filters = row.filters if session is None or sees_personal(session) else told_filters(session, row.filters)
    return SavedFilterOutput(
        id=str(row.id),
        name=row.name,
        shared=row.shared,
        own=row.owner == owner,
        filters=filters,
        query=urlencode(filters, doseq=True),
        created_at=row.created_at,
    )
