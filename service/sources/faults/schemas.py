"""Faults as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.field_words import WITHOUT_NUL
from service.source_tables import SetAsideTable
from service.sources.faults.queries import FaultState
from service.sources.faults.replaying import can_replay

Word = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100, pattern=WITHOUT_NUL)]


class FaultOutput(BaseModel):
    """What can't be taken, with what was sent, and what became of it.

    `replayable`: what was sent is kept, or the source's API can be asked for it. A settled fault has no payload.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "5",
                    "source": "hubspot",
                    "connection": "main",
                    "code": "foreign_portal",
                    "reason": "the event is of portal 7",
                    "external_id": None,
                    "payload": "{}",
                    "received_at": "2026-09-14T10:20:00Z",
                    "state": "open",
                    "replayable": True,
                    "settled_by": None,
                    "settled_at": None,
                }
            ]
        }
    )

    id: str
    source: str
    connection: str
    code: str
    reason: str
    external_id: str | None
    payload: str
    received_at: datetime
    state: FaultState
    replayable: bool
    settled_by: str | None
    settled_at: datetime | None


class FaultChoice(BaseModel):
    """Which open faults are meant: of a source, of a code, or all."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"source": "hubspot", "code": "foreign_portal"}]}
    )

    source: Word | None = None
    code: Word | None = None


class Replayed(BaseModel):
    """What came of a fault that was played again; what could not be taken anew is a fault of its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"results": {"created": 1}}]})

    results: dict[str, int]


class ReplayedAll(Replayed):
    """What came of several faults: how many were played, how many can't be taken still, how many were not tried."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"results": {"created": 3}, "replayed": 3, "refused": 1, "left": 0}]}
    )

    replayed: int = Field(ge=0)
    refused: int = Field(ge=0)
    left: int = Field(ge=0)


class Dismissed(BaseModel):
    """How many faults were dismissed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dismissed": 12}]})

    dismissed: int = Field(ge=0)


def fault_output(row: SetAsideTable) -> FaultOutput:
    """Return a fault as JSON has it."""
    names = set(FaultOutput.model_fields) - {"id", "replayable"}
    shown = {name: getattr(row, name) for name in names}
    return FaultOutput.model_validate({"id": str(row.id), "replayable": can_replay(row), **shown})
