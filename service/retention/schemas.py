"""Rules of retention as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.field_words import WITHOUT_NUL

MAX_DAYS = 36_500
SourceName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=WITHOUT_NUL)]


class RetentionChange(BaseModel):
    """A rule to set, or to take back; without `confirm`, only what it would erase is counted."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"source": "hubspot", "days": 730, "confirm": False}]}
    )

    source: SourceName | None = Field(None, description="whose notes; null for every source without a rule of its own")
    days: Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS)] | None = Field(
        description="whole days that a note is kept after it happened; null takes the rule back"
    )
    confirm: bool = Field(False, description="true sets the rule, and erases what is past it; it can't be undone")


class RetentionRule(BaseModel):
    """A rule: notes that happened before `first_kept` (midnight UTC) are erased."""

    source: str | None
    days: int
    first_kept: datetime
    set_by: str
    set_at: datetime


class Past(BaseModel):
    """What is past the rules, and goes when they are applied next."""

    notes: int
    by_source: dict[str, int]
    records: int = Field(description="faults and refused rows of imports whose content goes")


class Retention(BaseModel):
    """The rules, and what is past them; `confirmed` is false where they are not in force, but were asked about."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rules": [
                        {
                            "source": "hubspot",
                            "days": 730,
                            "first_kept": "2024-11-27T00:00:00Z",
                            "set_by": "first key",
                            "set_at": "2026-11-27T09:00:00Z",
                        }
                    ],
                    "past": {"notes": 41, "by_source": {"hubspot": 41}, "records": 2},
                    "confirmed": True,
                }
            ]
        }
    )

    rules: list[RetentionRule]
    past: Past
    confirmed: bool = True
