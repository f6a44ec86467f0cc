"""Objections as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from models.types import ObjectionStatus, ObjectionType
from service.insights.breakdown import Dimension
from service.insights.schemas import (
    EXAMPLE_MEASURES,
    EXAMPLE_PARTS,
    EXAMPLE_QUOTE,
    Label,
    Measures,
    PartOutput,
    QuoteOutput,
)

EXAMPLE_OBJECTION: dict[str, Any] = {
    **EXAMPLE_MEASURES,
    "id": "price",
    "title": {"en": "Price", "fr": "Prix"},
    "statuses": {"open": 27, "resolved": 4, "anticipated": 3},
}
EXAMPLE_ANSWER: dict[str, Any] = {
    "objection": {**EXAMPLE_QUOTE, "detail": {"type": "price", "status": "resolved", "score": 0.93}},
    "start": 57,
    "end": 118,
    "text": "After we showed the cost over five years they were fine with it.",
}


class ObjectionItem(Measures):
    """A type of objection, its measures and the statuses of its mentions."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_OBJECTION]})

    id: ObjectionType
    title: Label
    statuses: dict[ObjectionStatus, int] = Field(description="mentions; those that are withheld are left out")


class AnswerOutput(BaseModel):
    """A resolved objection and the words that followed it; `start` and `end` are code points in the note's text."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_ANSWER]})

    objection: QuoteOutput
    start: int
    end: int
    text: str


class ObjectionView(ObjectionItem):
    """A type of objection with what resolved it, and where it is heard."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**EXAMPLE_OBJECTION, "answers": [EXAMPLE_ANSWER], **EXAMPLE_PARTS}]}
    )

    answers: list[AnswerOutput] = Field(description="the latest ten, one an account first")
    parts: dict[Dimension, list[PartOutput]]
    parts_withheld: dict[Dimension, int] = Field(description="parts that too few accounts or authors are behind")
