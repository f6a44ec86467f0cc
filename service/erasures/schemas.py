"""Erasures as they are asked for and told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.erasures.tables import ErasureTable
from service.field_words import WITHOUT_NUL

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=WITHOUT_NUL)]


class Subject(StrEnum):
    """What is erased.

    A note, an account or a contact takes its notes along. An author's notes stay, without author. A person's name is
    struck from the notes that have it, which are read again.
    """

    NOTE = "note"
    ACCOUNT = "account"
    CONTACT = "contact"
    AUTHOR = "author"
    PERSON = "person"


Erased = Literal["note", "account", "contact", "author", "person", "retention"]
_COUNTS: dict[str, Any] = {"notes": 12, "struck_notes": 1, "records": 3, "reports": 2, "themes": 1}


class ErasureRequest(BaseModel):
    """What to erase; without `confirm`, only what it would take along is counted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "account", "id": "acc-17", "also": ["Norvane"], "confirm": False}]},
    )

    kind: Subject
    id: Name = Field(description="the note's id here; the account's, contact's or author's id or name; a person's name")
    source: Name | None = Field(None, description="of a contact: in which source it has the id, such as hubspot")
    also: list[Name] = Field(
        default_factory=list, max_length=20, description="other names, addresses and numbers to strike, 3 characters up"
    )
    confirm: bool = Field(False, description="true erases; it can't be undone")


class ErasureCounts(BaseModel):
    """How much goes, or went."""

    model_config = ConfigDict(json_schema_extra={"examples": [_COUNTS]})

    notes: int = Field(0, description="notes that are emptied for good, with findings and corrections")
    struck_notes: int = Field(0, description="other notes from which names are struck; they are read again")
    records: int = Field(0, description="imports, refused rows, kept deliveries, faults and other records emptied")
    reports: int = Field(0, description="editions of reports that lose words or quotes: new ones replace them")
    themes: int = Field(0, description="themes that lose words of their labels or keywords")

    def plus(self, other: ErasureCounts) -> ErasureCounts:
        """Return the sums."""
        return ErasureCounts(**{name: count + getattr(other, name) for name, count in self})


class ErasureOutput(BaseModel):
    """An erasure, or a preview of one (no id)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "3",
                    "kind": "account",
                    "counts": _COUNTS,
                    "requested_by": "first key",
                    "created_at": "2026-09-14T10:20:00Z",
                    "lifted_at": None,
                }
            ]
        }
    )

    id: str | None
    kind: Erased = Field(description="what was asked for; `retention` for what was past it")
    counts: ErasureCounts
    requested_by: str
    created_at: datetime
    lifted_at: datetime | None = Field(None, description="since when the erased ids are taken again")


def erasure_output(row: ErasureTable) -> ErasureOutput:
    """Return a record of an erasure."""
    fields: dict[str, Any] = {name: getattr(row, name) for name in ("requested_by", "created_at", "lifted_at")}
    return ErasureOutput(id=str(row.id), kind=cast(Erased, row.kind), counts=ErasureCounts(**row.counts), **fields)
