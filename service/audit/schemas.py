"""The audit log as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from service.audit.tables import AuditEventTable

EXAMPLE_EVENT: dict[str, Any] = {
    "id": "812",
    "at": "2026-11-02T08:05:00Z",
    "actor": "user:3",
    "address": "10.1.2.3",
    "action": "POST /v1/keys/{key_id}/rotate",
    "subject": {"key_id": "2"},
    "filters": {},
    "changed": {"api_keys": [2]},
    "status": 200,
    "times": 1,
    "request_id": "0f5c",
    "position": 812,
    "seal": "9b1d",
}


class AuditEvent(BaseModel):
    """One act.

    Attributes:
        actor: `key:ID`, `user:ID`, `command:NAME` of who ran a command, `service`, or `nobody`.
        action: Method and route, or a command.
        subject: Ids in the address; those that may name persons or firms as keyed hashes.
        filters: Query parameters, in the same way.
        changed: Tables that were changed, with the ids of up to twenty rows; null where nothing was.
        status: HTTP status; of a change, the one that its route promises. 0 for what is no request.
        times: How often it was done within a second.
        position: Place in the chain of seals; null until it is sealed.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_EVENT]})

    id: str
    at: datetime
    actor: str
    address: str | None
    action: str
    subject: dict[str, Any]
    filters: dict[str, Any]
    changed: dict[str, Any] | None
    status: int
    times: int
    request_id: str
    position: int | None
    seal: str | None


def audit_event(row: AuditEventTable) -> AuditEvent:
    """Return an act as JSON."""
    names = AuditEvent.model_fields.keys() - {"id"}
    return AuditEvent(id=str(row.id), **{name: getattr(row, name) for name in names})
