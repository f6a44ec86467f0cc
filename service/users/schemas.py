"""People as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.auth.scopes import Role
from service.field_words import MAIL_ADDRESS, ONE_LINE

EXAMPLE_USER: dict[str, Any] = {
    "id": "3",
    "email": "marketing@firm.example",
    "name": "Marketing",
    "role": "curator",
    "personal": False,
    "has_password": True,
    "by_provider": False,
    "second_factor": False,
    "created_at": "2026-09-14T10:20:00Z",
    "signed_in_at": None,
    "disabled_at": None,
}

Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=MAIL_ADDRESS)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=ONE_LINE)]


class NewUser(BaseModel):
    """A person to let in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "marketing@firm.example", "name": "Marketing", "role": "curator"}]},
    )

    email: Email
    name: Name
    role: Role = Role.READER
    personal: bool = Field(False, description="Whether they may see what names persons; administrators may.")


class UserChange(BaseModel):
    """What to change of a person; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "reader"}, {"disabled": True}]})

    name: Name | None = None
    role: Role | None = None
    personal: bool | None = None
    disabled: bool | None = Field(None, description="True closes the account and ends its sessions.")


class UserOutput(BaseModel):
    """A person. `by_provider`: signed in by OpenID Connect before. `second_factor`: set up, and asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_USER]})

    id: str
    email: str
    name: str
    role: Role
    personal: bool
    has_password: bool
    by_provider: bool
    second_factor: bool
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None


class Invitation(BaseModel):
    """A link to choose a password, which works once; it is shown this once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://…/invitation?token=…", "expires_at": "2026-09-17T10:20:00Z"}]}
    )

    url: str
    expires_at: datetime


class UserCreated(UserOutput):
    """A new person with the link to choose a password."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **EXAMPLE_USER,
                    "has_password": False,
                    "invitation": {
                        "url": "https://…/invitation?token=…",
                        "expires_at": "2026-09-17T10:20:00Z",
                    },
                }
            ]
        }
    )

    invitation: Invitation
