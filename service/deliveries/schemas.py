"""Webhook endpoints and deliveries as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.deliveries.events import DeliveryKind, DeliveryState, EventType
from service.field_words import WITHOUT_NUL
from service.outgoing_tables import AttemptTable, EndpointTable, EventTable, OutgoingTable

Url = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2000)]
Described = Annotated[str, StringConstraints(strict=True, max_length=200, pattern=WITHOUT_NUL)]
Switch = Annotated[bool, Field(strict=True)]

EXAMPLE_ENDPOINT: dict[str, Any] = {
    "id": "1",
    "url": "https://hooks.firm.com/binome",
    "description": "the data team",
    "event_types": ["insight.new", "insight.risen"],
    "quotes": False,
    "created_by": "admin",
    "created_at": "2026-09-14T10:20:00Z",
    "previous_until": None,
    "failing_since": None,
    "disabled": False,
    "disabled_reason": None,
}
EXAMPLE_DELIVERY: dict[str, Any] = {
    "id": "12",
    "kind": "webhook",
    "event_id": "msg_0b1f6c2f9d1e4a7c8e5d3b2a19f08c7d",
    "event_type": "insight.risen",
    "endpoint_id": "1",
    "subscription_id": None,
    "state": "delivered",
    "attempts": 1,
    "status_code": 204,
    "failure": None,
    "created_at": "2026-09-14T10:20:00Z",
    "next_at": None,
    "finished_at": "2026-09-14T10:20:01Z",
}


class NewEndpoint(BaseModel):
    """An address to post events to. No `event_types` means all; `quotes` adds customers' words to insights."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"url": "https://hooks.firm.com/binome", "event_types": ["insight.new", "insight.risen"]}]
        },
    )

    url: Url
    description: Described = ""
    event_types: list[EventType] = Field(default=[], max_length=20)
    quotes: Switch = False


class EndpointChange(BaseModel):
    """What to change of an endpoint; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"disabled": False}]})

    url: Url | None = None
    description: Described | None = None
    event_types: list[EventType] | None = Field(default=None, max_length=20)
    quotes: Switch | None = None
    disabled: Switch | None = None


class EndpointOutput(BaseModel):
    """An endpoint, without its secret.

    `previous_until`: until then the secret before signs too. `disabled_reason`: `gone` (it answered 410), `failing`
    (for three days nothing went well) or `switched_off`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_ENDPOINT]})

    id: str
    url: str
    description: str
    event_types: list[EventType]
    quotes: bool
    created_by: str
    created_at: datetime
    previous_until: datetime | None
    failing_since: datetime | None
    disabled: bool
    disabled_reason: str | None


class EndpointCreated(EndpointOutput):
    """An endpoint with its secret, which is shown this once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE_ENDPOINT, "secret": "whsec_…"}]})

    secret: str


class DeliveryOutput(BaseModel):
    """Something sent, or to be sent. `next_at` is when it is tried next."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_DELIVERY]})

    id: str
    kind: DeliveryKind
    event_id: str | None
    event_type: EventType | None
    endpoint_id: str | None
    subscription_id: str | None
    state: DeliveryState
    attempts: int
    status_code: int | None
    failure: str | None
    created_at: datetime
    next_at: datetime | None
    finished_at: datetime | None


class AttemptOutput(BaseModel):
    """One try: the answer's status, or why there was none."""

    started_at: datetime
    duration_ms: int
    status_code: int | None
    failure: str | None


class DeliveryDetail(DeliveryOutput):
    """A delivery with its tries, first to last, and the event's data."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **EXAMPLE_DELIVERY,
                    "tries": [
                        {
                            "started_at": "2026-09-14T10:20:00Z",
                            "duration_ms": 84,
                            "status_code": 204,
                            "failure": None,
                        }
                    ],
                    "data": {"insight": {"about": "objection", "id": "price"}},
                }
            ]
        }
    )

    tries: list[AttemptOutput]
    data: dict[str, Any]


def endpoint_fields(row: EndpointTable) -> dict[str, Any]:
    """Return the fields of `EndpointOutput`."""
    names = set(EndpointOutput.model_fields) - {"id", "disabled"}
    return {"id": str(row.id), "disabled": row.disabled_at is not None, **{name: getattr(row, name) for name in names}}


def delivery_fields(row: OutgoingTable, event: EventTable | None) -> dict[str, Any]:
    """Return the fields of `DeliveryOutput`."""
    names = ("kind", "state", "attempts", "status_code", "failure", "created_at", "finished_at")
    return {
        "id": str(row.id),
        "event_id": event.key if event else None,
        "event_type": event.type if event else None,
        "endpoint_id": str(row.endpoint_id) if row.endpoint_id else None,
        "subscription_id": str(row.subscription_id) if row.subscription_id else None,
        "next_at": row.next_at if row.state == DeliveryState.WAITING else None,
        **{name: getattr(row, name) for name in names},
    }


def attempt_output(row: AttemptTable) -> AttemptOutput:
    """Return a try as JSON has it."""
    return AttemptOutput.model_validate({name: getattr(row, name) for name in AttemptOutput.model_fields})
