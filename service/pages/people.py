"""Who may do what, for administrators: people and keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.auth import routes as keys
from service.auth.scopes import Role, Scope
from service.auth.sessions import close_sessions
from service.database import write_session
from service.dependencies import Now, ReadSession, get_engine, get_settings
from service.errors import Conflict
from service.pages.answers import PageRoute, render
from service.pages.sign_in import AdminVisitor, FormFields
from service.settings import Settings
from service.users import routes as users
from service.users.schemas import NewUser, UserChange

router = APIRouter(route_class=PageRoute, include_in_schema=False)
AppSettings = Annotated[Settings, Depends(get_settings)]
Id = Annotated[int, Path(ge=1, le=2**62)]


@router.get("/people")
def get_people(request: Request, session: ReadSession, visitor: AdminVisitor, now: Now) -> Response:
    """Show people and keys."""
    return _people(request, session, visitor, now)


def _people(
    request: Request, session: ReadSession, visitor: AdminVisitor, now: Now, *, status: int = 200, **shown: Any
) -> Response:
    context: dict[str, Any] = {"fault": "", "secret": "", "secret_of": "", **shown}
    return render(
        request,
        "people.html",
        status,
        people=users.get_users(session, visitor).items,
        keys=keys.get_keys(session, visitor).items,
        roles=list(Role),
        scopes=list(Scope),
        visitor=visitor,
        now=now,
        **context,
    )


@router.post("/people")
def post_person(
    request: Request, fields: FormFields, session: ReadSession, visitor: AdminVisitor, settings: AppSettings, now: Now
) -> Response:
    """Let a person in; the answer shows the link to choose a password this once."""
    try:
        wanted = NewUser(
            email=fields.get("email", ""),
            name=fields.get("name", ""),
            role=Role(fields.get("role", Role.READER)),
            personal="personal" in fields,
        )
        with write_session(get_engine(request)) as writing:
            made = users.post_user(wanted, writing, now, settings, visitor)
    except ValueError:
        return _people(request, session, visitor, now, status=422, fault="wrong_person")
    except Conflict:
        return _people(request, session, visitor, now, status=409, fault="person_taken")
    return _people(request, session, visitor, now, status=201, secret=made.invitation.url, secret_of=made.name)


@router.post("/people/{user_id}")
def post_change(
    user_id: Id, request: Request, fields: FormFields, session: ReadSession, visitor: AdminVisitor, now: Now
) -> Response:
    """Change a person's role and rights, or close or open the account."""
    try:
        if "do" in fields:
            change = UserChange(disabled=fields["do"] == "close")
        else:
            change = UserChange(role=Role(fields.get("role", "")), personal="personal" in fields)
        with write_session(get_engine(request)) as writing:
            users.patch_user(user_id, change, writing, now, visitor)
    except ValueError:
        return _people(request, session, visitor, now, status=422, fault="wrong_person")
    except Conflict:
        return _people(request, session, visitor, now, status=409, fault="last_admin")
    return RedirectResponse("/people", 303)


@router.post("/people/{user_id}/invitation")
def post_invitation(
    user_id: Id,
    request: Request,
    _fields: FormFields,
    session: ReadSession,
    visitor: AdminVisitor,
    settings: AppSettings,
    now: Now,
) -> Response:
    """Show a link to choose a password, this once."""
    with write_session(get_engine(request)) as writing:
        name = users.found_user(writing, user_id).name
        made = users.post_invitation(user_id, writing, now, settings, visitor)
    return _people(request, session, visitor, now, status=201, secret=made.url, secret_of=name)


@router.post("/people/{user_id}/sessions")
def post_end_sessions(user_id: Id, request: Request, _fields: FormFields, visitor: AdminVisitor) -> Response:
    """Sign a person out everywhere."""
    with write_session(get_engine(request)) as session:
        close_sessions(session, users.found_user(session, user_id).id)
    return RedirectResponse("/people", 303)


@router.post("/people/{user_id}/factor")
def post_reset_factor(user_id: Id, request: Request, _fields: FormFields, visitor: AdminVisitor) -> Response:
    """Take away a second factor that its person lost."""
    with write_session(get_engine(request)) as session:
        users.delete_factor(user_id, session, visitor)
    return RedirectResponse("/people", 303)


@router.post("/keys")
def post_key(request: Request, fields: FormFields, session: ReadSession, visitor: AdminVisitor, now: Now) -> Response:
    """Make a key; the answer shows it this once."""
    scopes = [scope for scope in Scope if f"scope-{scope}" in fields]
    try:
        wanted = keys.NewKey(name=fields.get("name", ""), scopes=scopes)
    except ValidationError:
        return _people(request, session, visitor, now, status=422, fault="wrong_key")
    with write_session(get_engine(request)) as writing:
        made = keys.post_key(wanted, writing, now, visitor)
    return _people(request, session, visitor, now, status=201, secret=made.key, secret_of=made.name)


@router.post("/keys/{key_id}/rotate")
def post_rotate(
    key_id: Id,
    request: Request,
    fields: FormFields,
    session: ReadSession,
    visitor: AdminVisitor,
    settings: AppSettings,
    now: Now,
) -> Response:
    """Give a key another secret; the answer shows it this once."""
    wanted = keys.Rotation(grace_hours=0) if "at_once" in fields else keys.Rotation(grace_hours=24)
    with write_session(get_engine(request)) as writing:
        made = keys.rotate_key(key_id, writing, now, settings, visitor, wanted)
    return _people(request, session, visitor, now, secret=made.key, secret_of=made.name)


@router.post("/keys/{key_id}/revoke")
def post_revoke(key_id: Id, request: Request, _fields: FormFields, visitor: AdminVisitor, now: Now) -> Response:
    """Revoke a key."""
    with write_session(get_engine(request)) as session:
        keys.delete_key(key_id, session, now, visitor)
    return RedirectResponse("/people", 303)
