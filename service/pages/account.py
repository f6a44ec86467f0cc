"""One's own account: choosing a password by an invitation, changing it, one's sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from service.auth.sessions import SessionKind, close_sessions, find_session, list_sessions, use_link
from service.auth.tables import UserTable
from service.database import read_session, write_session
from service.dependencies import Caller, Now, ReadSession, client_address, get_engine
from service.errors import Forbidden, InvalidInput, TooMany
from service.pages.answers import PageRoute, render
from service.pages.sign_in import FormFields, Visitor, open_browser_session, signed_in
from service.users import queries
from service.users.passwords import check_password, hash_password
from service.users.signing_in import check_credentials

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/invitation")
def get_invitation(request: Request, session: ReadSession, now: Now) -> Response:
    """Ask for a password; the link is used up by the answer, not by looking at it."""
    token = request.query_params.get("token", "")
    return _invitation(request, token, known=_invited(session, token, now) is not None)


@router.post("/invitation")
def post_invitation(request: Request, fields: FormFields, now: Now) -> Response:
    """Set the password that an invited person chose, and sign them in."""
    token, password = fields.get("token", ""), fields.get("password", "")
    with read_session(get_engine(request)) as session:
        user = _invited(session, token, now)
        if user is None:
            return _invitation(request, "", known=False)
        try:
            check_password(password, user.email, user.name)
        except InvalidInput as error:
            return _invitation(request, token, known=True, fault=f"password_{error.errors[0]['code']}")
    hashed = hash_password(password)
    with write_session(get_engine(request)) as session:
        owner = use_link(session, token, SessionKind.INVITATION, now)
        if not isinstance(owner, UserTable):
            return _invitation(request, "", known=False)
        queries.set_password(session, owner, hashed)
        queries.signed_in(owner, now)
        cookie = open_browser_session(session, request, owner, now)
    return signed_in(request, cookie, "/")


def _invited(session: Session, token: str, now: Now) -> UserTable | None:
    found = find_session(session, token, SessionKind.INVITATION, now) if token else None
    return found[1] if found and isinstance(found[1], UserTable) else None


def _invitation(request: Request, token: str, *, known: bool, fault: str = "") -> Response:
    status = 422 if fault else 200 if known else 404
    return render(request, "invitation.html", status, signed_in=False, token=token, known=known, fault=fault)


@router.get("/account")
def get_account(request: Request, session: ReadSession, visitor: Visitor, now: Now) -> Response:
    """Show one's account and open sessions."""
    return _account(request, session, visitor, now)


def _account(
    request: Request, session: Session, visitor: Caller, now: Now, *, status: int = 200, fault: str = ""
) -> Response:
    user = queries.get_user(session, visitor.user_id) if visitor.user_id else None
    sessions = list_sessions(session, user.id, now) if user else []
    return render(request, "account.html", status, user=user, visitor=visitor, sessions=sessions, fault=fault)


@router.post("/account/password")
def post_password(request: Request, fields: FormFields, visitor: Visitor, now: Now) -> Response:
    """Change one's password; all other sessions end, and this one gets another id."""
    engine = get_engine(request)
    with read_session(engine) as session:
        user = _own(session, visitor)
        email, name = user.email, user.name
        try:
            found = check_credentials(
                engine, email, fields.get("present", ""), address=client_address(request), now=now
            )
            if found is None:
                return _account(request, session, visitor, now, status=422, fault="wrong_present")
            check_password(fields.get("password", ""), email, name)
        except InvalidInput as error:
            fault = f"password_{error.errors[0]['code']}"
            return _account(request, session, visitor, now, status=422, fault=fault)
        except TooMany:
            return _account(request, session, visitor, now, status=429, fault="slowed")
    hashed = hash_password(fields["password"])
    with write_session(engine) as session:
        user = _own(session, visitor)
        queries.set_password(session, user, hashed)
        cookie = open_browser_session(session, request, user, now)
    return signed_in(request, cookie, "/account")


@router.post("/account/sessions")
def post_end_all(request: Request, _fields: FormFields, visitor: Visitor) -> Response:
    """Sign out everywhere."""
    with write_session(get_engine(request)) as session:
        queries.end_sessions(session, _own(session, visitor))
    return RedirectResponse("/sign-in", 303)


@router.post("/account/sessions/{session_id}")
def post_end_one(
    session_id: Annotated[int, Path(ge=1, le=2**62)], request: Request, _fields: FormFields, visitor: Visitor
) -> Response:
    """End one of one's sessions."""
    with write_session(get_engine(request)) as session:
        close_sessions(session, _own(session, visitor).id, only=session_id)
    return RedirectResponse("/account", 303)


def _own(session: Session, visitor: Caller) -> UserTable:
    """Return the account of who is signed in.

    Raises:
        Forbidden: If a key is.
    """
    user = queries.get_user(session, visitor.user_id) if visitor.user_id else None
    if user is None:
        raise Forbidden("A key has no account.")
    return user
