"""Corrections as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.types import ObjectionStatus, ObjectionType, Relation, Standing
from service.catalog.schemas import Name
from service.notes.schemas import MAX_TEXT_CHARS, Body, RowId

Offset = Annotated[int, Field(strict=True, ge=0, le=MAX_TEXT_CHARS)]


class CorrectionKind(StrEnum):
    """What is wrong."""

    NOT_AN_OBJECTION = "not_an_objection"
    WRONG_TYPE = "wrong_type"
    WRONG_STATUS = "wrong_status"
    WRONG_SPAN = "wrong_span"
    MISSED_OBJECTION = "missed_objection"
    NOT_A_COMPETITOR = "not_a_competitor"
    WRONG_RELATION = "wrong_relation"
    WRONG_STANDING = "wrong_standing"
    WRONG_NAME = "wrong_name"
    MISSED_COMPETITOR = "missed_competitor"


OF_OBJECTIONS = frozenset(
    {
        CorrectionKind.NOT_AN_OBJECTION,
        CorrectionKind.WRONG_TYPE,
        CorrectionKind.WRONG_STATUS,
        CorrectionKind.WRONG_SPAN,
        CorrectionKind.MISSED_OBJECTION,
    }
)
DENIALS = frozenset({CorrectionKind.NOT_AN_OBJECTION, CorrectionKind.NOT_A_COMPETITOR})
ADDITIONS = frozenset({CorrectionKind.MISSED_OBJECTION, CorrectionKind.MISSED_COMPETITOR})

_SPAN = ("start", "end")
NEEDED: Mapping[CorrectionKind, tuple[str, ...]] = {
    CorrectionKind.NOT_AN_OBJECTION: ("finding_id",),
    CorrectionKind.WRONG_TYPE: ("finding_id", "type"),
    CorrectionKind.WRONG_STATUS: ("finding_id", "status"),
    CorrectionKind.WRONG_SPAN: ("finding_id", *_SPAN),
    CorrectionKind.MISSED_OBJECTION: ("note_id", *_SPAN, "type"),
    CorrectionKind.NOT_A_COMPETITOR: ("finding_id",),
    CorrectionKind.WRONG_RELATION: ("finding_id", "relation"),
    CorrectionKind.WRONG_STANDING: ("finding_id", "standing"),
    CorrectionKind.WRONG_NAME: ("finding_id", "name"),
    CorrectionKind.MISSED_COMPETITOR: ("note_id", *_SPAN),
}
"""The fields that a kind must have; `OPTIONAL` adds those that it may have. `quote` goes with all."""
OPTIONAL: Mapping[CorrectionKind, tuple[str, ...]] = {
    CorrectionKind.MISSED_OBJECTION: ("status",),
    CorrectionKind.MISSED_COMPETITOR: ("name", "relation", "standing"),
}


class NewCorrection(BaseModel):
    """A correction to make.

    | kind | says | fields |
    | --- | --- | --- |
    | `not_an_objection` | the objection found is none | `finding_id` |
    | `wrong_type`, `wrong_status` | it is one, of another type or status | `finding_id`, `type` or `status` |
    | `wrong_span` | it stands elsewhere | `finding_id`, `start`, `end` |
    | `missed_objection` | one was not found | `note_id`, `start`, `end`, `type`, `status` (`open` if left out) |
    | `not_a_competitor` | the mention found is none | `finding_id` |
    | `wrong_relation`, `wrong_standing` | it is one, with another relation or standing | `finding_id`, and the field |
    | `wrong_name` | it means another competitor of the catalogue | `finding_id`, `name` |
    | `missed_competitor` | one was not found | `note_id`, `start`, `end`; `name` (the words themselves if left out),
    `relation` (`mentioned`), `standing` (`neutral`) |

    `finding_id` is the `id` in the note's `analysis`. Offsets are code points into the note's `text`. With `quote` (the
    finding's words, or those between `start` and `end`) the correction is refused where the text says otherwise.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"kind": "wrong_type", "finding_id": "41", "type": "budget"},
                {"kind": "not_an_objection", "finding_id": "41", "quote": "we are 20% above the other quote"},
                {"kind": "missed_competitor", "note_id": "17", "start": 9, "end": 16, "relation": "incumbent"},
            ]
        },
    )

    kind: CorrectionKind
    finding_id: RowId | None = None
    note_id: RowId | None = None
    start: Offset | None = None
    end: Offset | None = None
    quote: Annotated[Body, StringConstraints(max_length=MAX_TEXT_CHARS)] | None = None
    type: ObjectionType | None = None
    status: ObjectionStatus | None = None
    name: Name | None = None
    relation: Relation | None = None
    standing: Standing | None = None


class CorrectionState(StrEnum):
    """Whether a correction counts: `set_aside` while the note's text does not hold its words."""

    APPLIED = "applied"
    SET_ASIDE = "set_aside"


class CorrectionOutput(BaseModel):
    """A correction.

    `start`, `end` and `quote` say where the finding stood that it corrects, `found` what was found there and `right`
    what the person says; `right` is null where it is no objection or no competitor, `found` where nothing was found.
    `finding_id` is the finding's id when it was corrected; a new analysis gives others.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "7",
                    "kind": "wrong_type",
                    "state": "applied",
                    "reason": None,
                    "note_id": "17",
                    "finding_id": "41",
                    "start": 24,
                    "end": 56,
                    "quote": "we are 20% above the other quote",
                    "found": {"type": "price", "status": "open"},
                    "right": {"type": "budget"},
                    "created_by": "marketing",
                    "created_at": "2026-09-15T09:00:00Z",
                }
            ]
        }
    )

    id: str
    kind: CorrectionKind
    state: CorrectionState
    reason: str | None = Field(description="why it is set aside")
    note_id: str
    finding_id: str | None
    start: int
    end: int
    quote: str
    found: dict[str, Any] | None
    right: dict[str, Any] | None
    created_by: str
    created_at: datetime
