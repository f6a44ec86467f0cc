"""Subscriptions as JSON."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from models.types import ObjectionType
from service.field_words import FOUND_LANGUAGE, ONE_LINE, WITHOUT_NUL
from service.filters import NoteKind, Outcome
from service.notes.schemas import trimmed
from service.outgoing_tables import SubscriptionTable

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")


class Channel(StrEnum):
    """How a subscription is reached."""

    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"


class Sensitivity(StrEnum):
    """How much has to rise for an alert.

    `calm`: p under 0.01, five accounts or more, among the first ten of the ranking; `normal`: significant, and among
    the first twenty; `keen`: everything significant, and emerging themes.
    """

    CALM = "calm"
    NORMAL = "normal"
    KEEN = "keen"


class TextLanguage(StrEnum):
    """Languages of messages."""

    EN = "en"
    FR = "fr"


def is_mail_address(value: str) -> bool:
    """Tell whether a text is one plain mail address: no name, no list, nothing that could end a header."""
    return len(value) <= 254 and _MAIL.fullmatch(value) is not None


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is no time zone, such as Europe/Paris")
    return value


Name = Annotated[
    str,
    BeforeValidator(trimmed),
    StringConstraints(strict=True, min_length=1, max_length=100, pattern=ONE_LINE),
]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200, pattern=WITHOUT_NUL)]
Address = Annotated[str, BeforeValidator(trimmed), StringConstraints(strict=True, min_length=3, max_length=2000)]
Switch = Annotated[bool, Field(strict=True)]
Zone = Annotated[str, StringConstraints(strict=True, max_length=64), AfterValidator(_zone)]
Weekday = Annotated[int, Field(ge=1, le=7, description="day of the digest, 1 is Monday")]
Hour = Annotated[int, Field(ge=0, le=23, description="hour of the digest, in the time zone")]


class SubscriptionFilters(BaseModel):
    """Which notes a subscription is about; the filters of the lists."""

    model_config = ConfigDict(extra="forbid")

    language: Annotated[str, Field(pattern=FOUND_LANGUAGE)] | None = None
    team: Text | None = None
    segment: Text | None = None
    account: Text | None = None
    kind: NoteKind | None = None
    outcome: Outcome | None = None
    source: Text | None = None
    competitor: Text | None = None
    objection_type: ObjectionType | None = None
    theme: Text | None = None


EXAMPLE_SUBSCRIPTION: dict[str, Any] = {
    "id": "1",
    "name": "Product marketing",
    "channel": "email",
    "address": "marketing@firm.com",
    "language": "en",
    "digest": True,
    "alerts": True,
    "sensitivity": "normal",
    "filters": {"segment": "retail"},
    "weekday": 1,
    "hour": 8,
    "time_zone": "Europe/Paris",
    "created_by": "admin",
    "created_at": "2026-09-14T10:20:00Z",
    "digested_on": None,
    "alerted_at": None,
    "disabled": False,
    "disabled_reason": None,
}


class NewSubscription(BaseModel):
    """Who is to get digests and alerts: a mail address, or the URL of a Slack or Teams webhook."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Product marketing",
                    "channel": "email",
                    "address": "marketing@firm.com",
                    "language": "fr",
                    "filters": {"segment": "retail"},
                    "time_zone": "Europe/Paris",
                }
            ]
        },
    )

    name: Name
    channel: Channel
    address: Address
    language: TextLanguage = TextLanguage.EN
    digest: Switch = True
    alerts: Switch = True
    sensitivity: Sensitivity = Sensitivity.NORMAL
    filters: SubscriptionFilters = SubscriptionFilters()
    weekday: Weekday = 1
    hour: Hour = 8
    time_zone: Zone = "UTC"


class SubscriptionChange(BaseModel):
    """What to change; what is left out stays, `filters` are replaced as a whole."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"sensitivity": "calm"}]})

    name: Name | None = None
    address: Address | None = None
    language: TextLanguage | None = None
    digest: Switch | None = None
    alerts: Switch | None = None
    sensitivity: Sensitivity | None = None
    filters: SubscriptionFilters | None = None
    weekday: Weekday | None = None
    hour: Hour | None = None
    time_zone: Zone | None = None
    disabled: Switch | None = None


class SubscriptionOutput(BaseModel):
    """A subscription. Of a chat's webhook only the host is shown: who has the URL may post there."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_SUBSCRIPTION]})

    id: str
    name: str
    channel: Channel
    address: str
    language: TextLanguage
    digest: bool
    alerts: bool
    sensitivity: Sensitivity
    filters: dict[str, Any]
    weekday: int
    hour: int
    time_zone: str
    created_by: str
    created_at: datetime
    digested_on: datetime | None
    alerted_at: datetime | None
    disabled: bool
    disabled_reason: str | None


def subscription_output(row: SubscriptionTable) -> SubscriptionOutput:
    """Return a subscription as JSON has it."""
    names = set(SubscriptionOutput.model_fields) - {"id", "address", "disabled"}
    mail = row.channel == Channel.EMAIL
    return SubscriptionOutput(
        id=str(row.id),
        address=row.address if mail else f"https://{urlsplit(row.address).hostname}/…",
        disabled=row.disabled_at is not None,
        **{name: getattr(row, name) for name in names},
    )
