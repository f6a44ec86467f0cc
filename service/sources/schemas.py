"""Sources and connections as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from service.field_words import WITHOUT_NUL
from service.notes.schemas import trimmed

Name = Annotated[str, BeforeValidator(trimmed), StringConstraints(strict=True, min_length=1, max_length=100)]
Secret = Annotated[str, StringConstraints(strict=True, min_length=8, max_length=10_000, pattern=WITHOUT_NUL)]

EXAMPLE_CONNECTION: dict[str, Any] = {
    "id": "1",
    "source": "hubspot",
    "name": "main",
    "url": "https://binome.firm.com/v1/webhooks/hubspot",
    "options": {"portal_id": "62515"},
    "created_at": "2026-09-14T10:20:00Z",
    "previous_until": None,
    "disabled": False,
}


class NewConnection(BaseModel):
    """A sender to let in. Without `secret` one is made, and shown this once."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"source": "hubspot", "name": "main", "options": {"portal_id": "62515"}}]},
    )

    source: Name
    name: Name = "main"
    secret: Secret | None = None
    options: dict[Name, Any] = Field(default={}, max_length=20)


class ConnectionChange(BaseModel):
    """What to change of a connection; `options` are replaced as a whole."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"disabled": True}]})

    options: dict[Name, Any] | None = Field(default=None, max_length=20)
    disabled: Annotated[bool, Field(strict=True)] | None = None


class NewSecret(BaseModel):
    """The next secret; without one it is made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})

    secret: Secret | None = None


class ConnectionOutput(BaseModel):
    """A connection, without its secret. `previous_until`: until then the secret before counts too."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_CONNECTION]})

    id: str
    source: str
    name: str
    url: str
    options: dict[str, Any]
    created_at: datetime
    previous_until: datetime | None
    disabled: bool


class ConnectionCreated(ConnectionOutput):
    """A connection with its secret, which is shown this once, and how to set up the sender."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**EXAMPLE_CONNECTION, "secret": "…", "setup": {"en": "…", "fr": "…"}}]}
    )

    secret: str
    setup: dict[str, str]


class Freshness(BaseModel):
    """How fresh a connection is. `usual_gap_seconds` is a running mean between deliveries that brought notes."""

    connection: str
    deliveries: int
    notes: int
    last_delivery_at: datetime
    last_note_at: datetime | None
    usual_gap_seconds: float | None
    late: bool = Field(description="the last note is over four usual gaps, and an hour, ago")


class MailboxOutput(BaseModel):
    """How far a mailbox is read; `failure` is why the last attempt came to nothing."""

    connection: str
    folder: str
    last_uid: int
    checked_at: datetime | None
    failure: str | None


class SyncOutput(BaseModel):
    """How far the latest synchronisation of a connection is; `skipped` names what its API did not give, and why."""

    job_id: str
    state: Literal["waiting", "fetching", "done", "failed"]
    since: datetime | None
    stream: str
    records: int
    results: dict[str, int]
    skipped: dict[str, str]
    failure: str | None
    started_at: datetime
    finished_at: datetime | None


class ApiOutput(BaseModel):
    """How a connection stands with its source's API.

    `ready` tells whether it has credentials; `attention` is what somebody has to mend. No call is made until
    `paused_until`. `waiting` records are to be fetched, `failed` ones are among the faults.
    """

    connection: str
    ready: bool
    attention: str | None
    attention_at: datetime | None
    paused_until: datetime | None
    waiting: int
    failed: int
    sync: SyncOutput | None


class SourceOutput(BaseModel):
    """A kind of sender: whether it is open, how fresh, what waits, and how to set it up.

    `url` is null, and `mailboxes` filled, for what a worker reads by itself; `api` for what is fetched from.
    `sample` is what such a sender posts, to try the connection with, and `media_type` its type; null where none posts.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "hubspot",
                    "url": "https://binome.firm.com/v1/webhooks/hubspot",
                    "connections": 1,
                    "freshness": [
                        {
                            "connection": "main",
                            "deliveries": 12,
                            "notes": 40,
                            "last_delivery_at": "2026-09-14T10:20:00Z",
                            "last_note_at": "2026-09-14T10:20:00Z",
                            "usual_gap_seconds": 1200.0,
                            "late": False,
                        }
                    ],
                    "mailboxes": [],
                    "api": [
                        {
                            "connection": "main",
                            "ready": True,
                            "attention": None,
                            "attention_at": None,
                            "paused_until": None,
                            "waiting": 3,
                            "failed": 0,
                            "sync": None,
                        }
                    ],
                    "set_aside": 0,
                    "waiting_fetches": 3,
                    "options": {"portal_id": "the account's number"},
                    "setup": {"en": "…", "fr": "…"},
                    "sample": '[{"subscriptionType": "object.propertyChange", "objectId": 42}]',
                    "media_type": "application/json",
                }
            ]
        }
    )

    source: str
    url: str | None
    connections: int
    freshness: list[Freshness]
    mailboxes: list[MailboxOutput] = []
    api: list[ApiOutput] = []
    set_aside: int
    waiting_fetches: int
    options: dict[str, str]
    setup: dict[str, str]
    sample: str | None
    media_type: str | None
