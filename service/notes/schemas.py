"""Notes as JSON."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from models.types import Language, ObjectionStatus, ObjectionType, PersonalKind, Relation, Standing
from service.field_words import CURRENCY, NOTE_LANGUAGE
from service.filters import NoteKind, Outcome
from service.notes.text import plain_text

MAX_TEXT_CHARS = 500_000
MAX_BATCH = 1_000
MAX_AMOUNT = 1e15
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC)

EXAMPLE_NOTE: dict[str, Any] = {
    "source": "api",
    "external_id": "call-1042",
    "kind": "call_note",
    "occurred_at": "2026-09-14T10:20:00Z",
    "author": {"id": "rep-07", "name": "R. Marchetti", "team": "north"},
    "account": {"id": "acc-019", "name": "Harrow Foods", "segment": "mid-market"},
    "deal": {"id": "d-104", "amount": 48000, "currency": "EUR", "stage": "proposal", "outcome": "open"},
    "text": "They like the demo, but we are 20% above the other quote.",
}


def refuse_unstorable(value: Any) -> Any:
    """Refuse what no database or reader can hold."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("holds U+0000: remove it")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("holds a lone surrogate: send valid Unicode")
    return value


def trimmed(value: Any) -> Any:
    """Take a name without the spaces around it, so that one of spaces alone is empty."""
    return refuse_unstorable(value.strip() if isinstance(value, str) else value)


def _identifier(value: Any) -> Any:
    """Take whole numbers as ids: CRMs send them so."""
    return str(value) if type(value) is int else trimmed(value)


def _time(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value
    raise ValueError("is not a time: send RFC 3339 with a zone, such as 2026-09-14T10:20:00Z")


Short = Annotated[str, BeforeValidator(refuse_unstorable), StringConstraints(strict=True, max_length=500)]
Identifier = Annotated[
    str,
    BeforeValidator(_identifier),
    StringConstraints(strict=True, min_length=1, max_length=500),
]
Body = Annotated[str, BeforeValidator(refuse_unstorable), StringConstraints(strict=True)]
RowId = Annotated[  # as answers give it, in quotes, or without
    int,
    Field(ge=1, le=2**62),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"},
                {"type": "integer", "minimum": 1, "maximum": 2**62},
            ]
        }
    ),
]
Time = Annotated[AwareDatetime, BeforeValidator(_time)]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_unset(cls, values: Any) -> Any:
        """Leave out what is "", and parts of nothing else: merge fields that a CRM's flow has not set come so."""
        if not isinstance(values, dict):
            return values
        known = {*cls.model_fields, "id"}
        return {name: value for name, value in values.items() if name not in known or not _unset(value)}


def _unset(value: Any) -> bool:
    if isinstance(value, dict) and value:
        return all(part == "" for part in value.values())
    return bool(value == "")


class AuthorInput(_Input):
    """Who wrote the note."""

    id: Identifier
    name: Short | None = None
    team: Short | None = None


class AccountInput(_Input):
    """Which customer or prospect it is about; `id` or `name` is needed."""

    id: Identifier | None = None
    name: Short | None = None
    segment: Short | None = None

    @model_validator(mode="after")
    def _named(self) -> AccountInput:
        if not self.id and not (self.name or "").strip():
            raise ValueError("an account needs an id or a name")
        return self


class DealInput(_Input):
    """The deal, as it stands now: a later note of the same deal replaces it."""

    id: Identifier
    amount: Annotated[float, Field(strict=True, ge=0, le=MAX_AMOUNT, allow_inf_nan=False)] | None = None
    currency: Annotated[Short, StringConstraints(pattern=CURRENCY)] | None = None
    stage: Short | None = None
    outcome: Outcome = Outcome.OPEN


class IncomingNote(_Input):
    """A note as it comes in: the guide's format with `source` and `external_id`.

    Without `external_id` one is made from the content, so that sending it again does not double it. `updated_at` orders
    edits; without it, what arrives later is newer. `deleted` erases the note. HTML in `text` is turned to plain text. A
    field that is "" counts as left out.
    The guide's annotations (`objections`, `competitors`, `passages`) may stay in and are ignored.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_NOTE]})

    source: Identifier = "api"
    external_id: Identifier | None = Field(None, validation_alias=AliasChoices("external_id", "id"))
    kind: NoteKind = NoteKind.CALL_NOTE
    language: Annotated[str, Field(pattern=NOTE_LANGUAGE)] | None = None
    occurred_at: Time | None = None
    updated_at: Time | None = None
    author: AuthorInput | None = None
    account: AccountInput | None = None
    deal: DealInput | None = None
    text: Body = ""
    deleted: Annotated[bool, Field(strict=True)] = False
    objections: list[Any] | None = Field(None, exclude=True)
    competitors: list[Any] | None = Field(None, exclude=True)
    passages: list[Any] | None = Field(None, exclude=True)

    @model_validator(mode="after")
    def _readable(self) -> IncomingNote:
        if self.deleted:
            if self.external_id is None:
                raise ValueError("a deletion needs an external_id")
            self.text = ""
            return self
        if len(self.text) > MAX_TEXT_CHARS:
            raise ValueError(f"text is over {MAX_TEXT_CHARS} characters: split the note")
        self.text = plain_text(self.text)
        if not self.text.strip():
            raise ValueError("text is empty: a note needs words")
        if self.external_id is None:
            self.external_id = f"sha256-{self.content_hash()[:32]}"
        for name in ("occurred_at", "updated_at"):
            value = getattr(self, name)
            if value is not None and not _EARLIEST <= value < _LATEST:
                raise ValueError(f"{name} is outside the years 1900 to 2200")
        return self

    def content_hash(self) -> str:
        """Return the SHA-256 of all that an edit can change."""
        content = self.model_dump(
            mode="json", include={"kind", "language", "occurred_at", "author", "account", "deal", "text", "deleted"}
        )
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Result(StrEnum):
    """What became of an incoming note."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    STALE = "stale"
    REJECTED = "rejected"


class NoteError(BaseModel):
    """Why a note was rejected."""

    field: str
    code: str
    message: str


class NoteResult(BaseModel):
    """What became of one incoming note; `error` names the field where it was rejected."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"external_id": "call-1042", "id": "17", "result": "created", "error": None}]}
    )

    external_id: str | None
    id: str | None
    result: Result
    error: NoteError | None = None


class NotesAccepted(BaseModel):
    """The answer to notes: one result each, in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"results": [{"external_id": "call-1042", "id": "17", "result": "created", "error": None}]}]
        }
    )

    results: list[NoteResult]


class AnalysisState(StrEnum):
    """Whether the note's present content has been read; a `duplicate` was, and another note counts for it."""

    PENDING = "pending"
    DONE = "done"
    DUPLICATE = "duplicate"
    FAILED = "failed"


class ObjectionOutput(BaseModel):
    """An objection found; offsets are code points into `text`. `corrected`: a person changed or added it."""

    id: str
    start: int
    end: int
    quote: str
    type: ObjectionType
    status: ObjectionStatus
    score: float | None
    corrected: bool = False


class CompetitorOutput(BaseModel):
    """A competitor mention found."""

    id: str
    start: int
    end: int
    quote: str
    name: str
    known: bool
    relation: Relation
    standing: Standing
    score: float | None
    corrected: bool = False


class PassageOutput(BaseModel):
    """A passage and its theme, if any."""

    start: int
    end: int
    theme_id: str | None
    similarity: float | None


class PersonalOutput(BaseModel):
    """A place in `text` that names a person or leads to one: hidden from who lacks the scope `personal`."""

    start: int
    end: int
    kind: PersonalKind


class Analysis(BaseModel):
    """What was read in a note. `error` is the reason where `state` is `failed`."""

    state: AnalysisState
    language: Language | None
    analyzer_version: str | None
    analyzed_at: datetime | None
    error: str | None = None
    objections: list[ObjectionOutput] = []
    competitors: list[CompetitorOutput] = []
    passages: list[PassageOutput] = []


class AuthorOutput(BaseModel):
    """Who wrote the note; a pseudonym (`rep-` and eight signs) without name to who lacks the scope `personal`."""

    id: str
    name: str | None
    team: str | None


class AccountOutput(BaseModel):
    """The customer or prospect."""

    id: str
    name: str | None
    segment: str | None


class DealOutput(BaseModel):
    """The deal, as its latest note tells it."""

    id: str
    amount: float | None
    currency: str | None
    stage: str | None
    outcome: Outcome


EXAMPLE_SUMMARY: dict[str, Any] = {
    "id": "17",
    **{
        name: EXAMPLE_NOTE[name]
        for name in ("source", "external_id", "kind", "occurred_at", "author", "account", "deal")
    },
    "state": "done",
    "language": "en",
}


class NoteSummary(BaseModel):
    """A note in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_SUMMARY]})

    id: str
    source: str
    external_id: str
    kind: NoteKind
    occurred_at: datetime
    author: AuthorOutput | None
    account: AccountOutput | None
    deal: DealOutput | None
    state: AnalysisState
    language: Language | None


class OriginOutput(BaseModel):
    """The same note as another source brought it; the one that `counts` has the findings."""

    id: str
    source: str
    external_id: str
    occurred_at: datetime
    counts: bool


EXAMPLE_OUTPUT: dict[str, Any] = {
    **EXAMPLE_SUMMARY,
    "received_at": "2026-09-14T10:21:07Z",
    "updated_at": "2026-09-14T10:21:07Z",
    "text": EXAMPLE_NOTE["text"],
    "personal": [],
    "record_url": "https://app.hubspot.com/contacts/62515/record/0-48/1042",
    "also_from": [
        {
            "id": "18",
            "source": "mail",
            "external_id": "w37@firm.example",
            "occurred_at": "2026-09-14T16:02:00Z",
            "counts": False,
        }
    ],
    "analysis": {
        "state": "done",
        "language": "en",
        "analyzer_version": "reader-49e9db1f1c",
        "analyzed_at": "2026-09-14T10:21:09Z",
        "error": None,
        "objections": [
            {
                "id": "41",
                "start": 24,
                "end": 56,
                "quote": "we are 20% above the other quote",
                "type": "price",
                "status": "open",
                "score": 0.93,
                "corrected": False,
            }
        ],
        "competitors": [],
        "passages": [{"start": 0, "end": 57, "theme_id": "theme-7", "similarity": 0.71}],
    },
}


class NoteOutput(NoteSummary):
    """One note with its text and what was read in it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_OUTPUT]})

    received_at: datetime
    updated_at: datetime
    text: str = Field(
        description="as long for all: without the scope personal, a block stands for each character of what is personal"
    )
    personal: list[PersonalOutput] = []
    record_url: str | None = Field(None, description="the note's record at its source, where that can be told")
    also_from: list[OriginOutput] = []
    analysis: Analysis
