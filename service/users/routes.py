"""People over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from service.auth.scopes import Role
from service.auth.sessions import INVITATION_LIFE
from service.auth.tables import UserTable
from service.dependencies import Admin, Now, ReadSession, WriteSession, get_settings
from service.errors import Conflict, NotFound
from service.paging import Cursor, Limit, Page, page_of
from service.problems import problem_responses
from service.settings import Settings
from service.start import base_url
from service.users import queries
from service.users.schemas import Invitation, NewUser, UserChange, UserCreated, UserOutput

router = APIRouter(prefix="/v1/users", tags=["users"], responses=problem_responses(503))
UserId = Annotated[int, Path(ge=1, le=2**62, description="The person's `id`.", examples=[3])]
AppSettings = Annotated[Settings, Depends(get_settings)]


@router.get("")
def get_users(session: ReadSession, _caller: Admin, limit: Limit = 50, cursor: Cursor = None) -> Page[UserOutput]:
    """List people, by e-mail address."""
    return page_of(queries.list_users(session), lambda user: UserOutput(**_shown(user)), limit, cursor)


@router.post("", status_code=201, responses=problem_responses(409))
def post_user(body: NewUser, session: WriteSession, now: Now, settings: AppSettings, _caller: Admin) -> UserCreated:
    """Let a person in; they choose a password by the link in the answer."""
    user = queries.add_user(
        session, email=body.email, name=body.name, role=body.role, sees_personal=body.personal, now=now
    )
    if user is None:
        raise Conflict("There is a person with this e-mail address: GET /v1/users.")
    return UserCreated(**_shown(user), invitation=_invitation(session, user, settings, now))


@router.patch("/{user_id}", responses=problem_responses(404, 409))
def patch_user(user_id: UserId, body: UserChange, session: WriteSession, now: Now, _caller: Admin) -> UserOutput:
    """Change a person's name, role or rights, or close the account; it counts from the next request on."""
    user = found_user(session, user_id)
    wanted = body.role or Role(user.role)
    ends = wanted is not Role.ADMIN or body.disabled
    if user.role == Role.ADMIN and user.disabled_at is None and ends and not queries.other_admins(session, user_id):
        raise Conflict("This is the last administrator with an open account: make another one first.")
    user.role = str(wanted)
    user.name = user.name if body.name is None else body.name
    user.sees_personal = user.sees_personal if body.personal is None else body.personal
    if body.disabled is not None and body.disabled != (user.disabled_at is not None):
        queries.switch_user(session, user, now if body.disabled else None)
    return UserOutput(**_shown(user))


@router.post("/{user_id}/invitation", status_code=201, responses=problem_responses(404))
def post_invitation(
    user_id: UserId, session: WriteSession, now: Now, settings: AppSettings, _caller: Admin
) -> Invitation:
    """Make a link to choose a password, also a forgotten one; links made before no longer work."""
    return _invitation(session, found_user(session, user_id), settings, now)


@router.delete("/{user_id}/sessions", status_code=204, responses=problem_responses(404))
def delete_sessions(user_id: UserId, session: WriteSession, _caller: Admin) -> None:
    """Sign a person out everywhere."""
    queries.end_sessions(session, found_user(session, user_id))


@router.delete("/{user_id}/factor", status_code=204, responses=problem_responses(404))
def delete_factor(user_id: UserId, session: WriteSession, _caller: Admin) -> None:
    """Take away a person's second factor, which they lost: their sessions end, and the password alone signs in.

    Where a second factor is required, they set up another one as they sign in.
    """
    queries.remove_factor(session, found_user(session, user_id))


def found_user(session: Session, user_id: int) -> UserTable:
    """Return a person.

    Raises:
        NotFound: If there is none with this id.
    """
    user = queries.get_user(session, user_id)
    if user is None:
        raise NotFound(f"There is no person {user_id}: GET /v1/users.")
    return user


def _invitation(session: Session, user: UserTable, settings: Settings, now: datetime) -> Invitation:
    return Invitation(url=invitation_url(session, user, settings, now), expires_at=now + INVITATION_LIFE)


def invitation_url(session: Session, user: UserTable, settings: Settings, now: datetime) -> str:
    """Make a link to choose a password."""
    address = (settings.public_url or base_url(settings)).rstrip("/")
    return f"{address}/invitation?token={queries.invite(session, user, now)}"


def _shown(user: UserTable) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "personal": user.sees_personal,
        "has_password": user.password_hash is not None,
        "by_provider": user.identity is not None,
        "second_factor": user.factor_since is not None,
        "created_at": user.created_at,
        "signed_in_at": user.signed_in_at,
        "disabled_at": user.disabled_at,
    }
