"""Keys over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.auth import queries
from service.auth.scopes import Scope
from service.auth.tables import ApiKeyTable
from service.dependencies import Admin, Moment, Now, ReadSession, WriteSession, get_settings
from service.errors import NotFound
from service.field_words import WITHOUT_NUL
from service.paging import Cursor, Limit, Page, page_of
from service.problems import problem_responses
from service.settings import Settings
from service.start import rotate

router = APIRouter(prefix="/v1/keys", tags=["keys"], responses=problem_responses(503))

KeyId = Annotated[int, Path(ge=1, le=2**62, description="The key's `id`.", examples=[2])]
AppSettings = Annotated[Settings, Depends(get_settings)]

EXAMPLE_KEY: dict[str, Any] = {
    "id": "2",
    "name": "hubspot",
    "scopes": ["ingest"],
    "created_at": "2026-09-14T10:20:00Z",
    "last_used_at": "2026-11-02T08:05:00Z",
    "previous_until": None,
    "expires_at": None,
    "revoked_at": None,
}


class NewKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "hubspot", "scopes": ["ingest"]}]}
    )

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=WITHOUT_NUL)]
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    expires_at: Moment | None = None


class Rotation(BaseModel):
    """How a key is rotated."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"grace_hours": 24}, {"grace_hours": 0}]})

    grace_hours: float = Field(
        24, ge=0, le=720, description="Hours that the present secret is valid still; 0 ends it at once."
    )


_USUAL = Rotation(grace_hours=24)


class KeyOutput(BaseModel):
    """A key, without its secret.

    Attributes:
        last_used_at: To a few minutes.
        previous_until: Until when the secret before the last rotation is valid.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_KEY]})

    id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None
    previous_until: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class KeyCreated(KeyOutput):
    """A new key with its secret, which is shown this once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE_KEY, "key": "bn_…"}]})

    key: str


@router.get("")
def get_keys(session: ReadSession, _caller: Admin, limit: Limit = 50, cursor: Cursor = None) -> Page[KeyOutput]:
    """List keys, oldest first."""
    return page_of(queries.list_keys(session), lambda key: KeyOutput(**_shown(key)), limit, cursor)


@router.post("", status_code=201)
def post_key(body: NewKey, session: WriteSession, now: Now, _caller: Admin) -> KeyCreated:
    """Make a key."""
    key, secret = queries.create_key(session, name=body.name, scopes=body.scopes, now=now, expires_at=body.expires_at)
    return KeyCreated(**_shown(key), key=secret)


@router.post("/{key_id}/rotate", responses=problem_responses(404, 409))
def rotate_key(
    key_id: KeyId, session: WriteSession, now: Now, settings: AppSettings, _caller: Admin, body: Rotation = _USUAL
) -> KeyCreated:
    """Give a key another secret; the present one is valid for a grace more."""
    grace = timedelta(hours=body.grace_hours)
    rotated = rotate(session, settings, key_id, now, grace)
    if rotated is None:
        raise NotFound(f"There is no key {key_id} in force.")
    return KeyCreated(**_shown(rotated[0]), key=rotated[1])


@router.delete("/{key_id}", status_code=204, responses=problem_responses(404))
def delete_key(key_id: KeyId, session: WriteSession, now: Now, _caller: Admin) -> None:
    """Revoke a key; its sessions end at once."""
    if not queries.revoke_key(session, key_id, now):
        raise NotFound(f"There is no key {key_id} in force.")


def _shown(key: ApiKeyTable) -> dict[str, object]:
    return {
        "id": str(key.id),
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "previous_until": key.previous_until,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
