"""What is held on a person, as JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.audit.schemas import AuditEvent
from service.erasures.schemas import Name


class PersonQuery(BaseModel):
    """By what a person is known; at least one is needed, and all count together."""

    model_config = ConfigDict(extra="forbid")

    email: Name | None = Field(None, description="an e-mail address: of an account here, an author's id, or in texts")
    name: Name | None = Field(None, description="the person's name, as notes write it")
    author: Name | None = Field(None, description="an author's id or name")
    contact: Name | None = Field(None, description="the contact's id in a source")
    source: Name | None = Field(None, description="of the contact: in which source, hubspot if left out")

    @model_validator(mode="after")
    def _known_by_something(self) -> PersonQuery:
        if not any((self.email, self.name, self.author, self.contact)):
            raise ValueError("say who: email, name, author or contact")
        return self


class ExportForm(StrEnum):
    """How the export is written."""

    JSON = "json"
    TEXT = "text"


class PersonExportQuery(PersonQuery):
    """Who, and how it is written."""

    format: ExportForm = Field(ExportForm.JSON, description="`json`, or `text` to read and hand over")


ExportQuery = Annotated[PersonExportQuery, Query()]


class HeldAuthor(BaseModel):
    """An author of notes."""

    id: str
    name: str | None
    team: str | None


class HeldUser(BaseModel):
    """An account to sign in with; the password's hash and the second factor are not shown."""

    id: str
    email: str
    name: str
    role: str
    personal: bool
    identity: str | None = Field(description="issuer and subject at the provider")
    created_at: datetime
    factor_since: datetime | None = Field(description="since when a second factor is asked for; it is not shown")
    signed_in_at: datetime | None
    disabled_at: datetime | None


class HeldSession(BaseModel):
    """A browser that is signed in, or a link; the token is not kept."""

    kind: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime
    address: str | None
    browser: str | None


class Span(BaseModel):
    """Where a note has the name; code points."""

    start: int
    end: int


class HeldNote(BaseModel):
    """A note that the person wrote, that is about them, or that mentions them."""

    id: str
    source: str
    external_id: str
    occurred_at: datetime
    why: list[Literal["written", "about", "mentions"]]
    spans: list[Span]
    text: str


class HeldRecord(BaseModel):
    """Something else: `kind` is the table, `why` whether the person `did` it or it `mentions` them."""

    kind: str
    id: str
    why: Literal["did", "mentions"]
    content: dict[str, Any]


EXAMPLE_EXPORT: dict[str, Any] = {
    "asked": {"name": "Ilona Vasseur"},
    "made_at": "2026-11-27T09:00:00Z",
    "authors": [{"id": "rep-07", "name": "Ilona Vasseur", "team": "north"}],
    "users": [],
    "sessions": [],
    "audit": [],
    "notes": [
        {
            "id": "17",
            "source": "hubspot",
            "external_id": "1042",
            "occurred_at": "2026-09-14T10:20:00Z",
            "why": ["mentions"],
            "spans": [{"start": 8, "end": 21}],
            "text": "Said to Ilona Vasseur that it is dear.",
        }
    ],
    "records": [],
}


class PersonExport(BaseModel):
    """All that is held on a person."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_EXPORT]})

    asked: dict[str, str]
    made_at: datetime
    authors: list[HeldAuthor]
    users: list[HeldUser]
    sessions: list[HeldSession]
    audit: list[AuditEvent]
    notes: list[HeldNote]
    records: list[HeldRecord]
