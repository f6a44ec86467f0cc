"""One's own account: choosing a password by an invitation, changing it, one's sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from service.auth.sessions import SessionKind, close_sessions, find_session, list_sessions, use_link
from service.auth.tables import UserTable
from service.database import read_session, write_session
from service.dependencies import Caller, Now, ReadSession, client_address, get_engine, get_settings
from service.errors import Forbidden, InvalidInput, TooMany
from service.pages.answers import PageRoute, render
from service.pages.sign_in import FormFields, Visitor, let_in, open_browser_session, signed_in
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
        return let_in(session, request, owner, now, "/")


def _invited(session: Session, token: str, now: Now) -> UserTable | None:
    found = find_session(session, token, SessionKind.INVITATION, now) if token else None
    return found[1] if found and isinstance(found[1], UserTable) else None


def _invitation(request: Request, token: str, *, known: bool, fault: str = "") -> Response:
    status = 422 if fault else 200 if known else 404
    return render(request, "invitation.html", status, signed_in=False, token=token, known=known, fault=fault)


@router.get("/account")
def get_account(request: Request, session: ReadSession, visitor: Visitor, now: Now) -> Response:
    """Show one's account and open sessions."""
    return account_page(request, session, visitor, now)


def account_page(
    request: Request, session: Session, visitor: Caller, now: datetime, *, fault: str = "", of: str = ""
) -> Response:
    """Show one's account; `fault` is what went wrong, in the part `of` it."""
    user = queries.get_user(session, visitor.user_id) if visitor.user_id else None
    context: dict[str, Any] = {
        "user": user,
        "visitor": visitor,
        "sessions": list_sessions(session, user.id, now) if user else [],
        "needs_factor": user is not None and get_settings(request).needs_factor(user.role),
        "fault": fault,
        "fault_of": of,
    }
    status = (429 if fault == "slowed" else 422) if fault else 200
    return render(request, "account.html", status, **context)


def present_fault(request: Request, user: UserTable, fields: Mapping[str, str], now: datetime) -> str:
    """Return what is wrong with the present password, asked once more for what an open browser is not enough for.

    Who signs in at the provider alone has none to give.
    """
    if user.password_hash is None:
        return ""
    try:
        given, address = fields.get("present", ""), client_address(request)
        found = check_credentials(get_engine(request), user.email, given, address=address, now=now)
    except TooMany:
        return "slowed"
    return "" if found else "wrong_present"


@router.post("/account/password")
def post_password(request: Request, fields: FormFields, visitor: Visitor, now: Now) -> Response:
    """Change one's password; all other sessions end, and this one gets another id."""
    engine, password = get_engine(request), fields.get("password", "")
    with read_session(engine) as session:
        user = own_account(session, visitor)
        fault = present_fault(request, user, fields, now)
        try:
            check_password(password, user.email, user.name)
        except InvalidInput as error:
            fault = fault or f"password_{error.errors[0]['code']}"
        if fault:
            return account_page(request, session, visitor, now, fault=fault, of="password")
    hashed = hash_password(password)
    with write_session(engine) as session:
        user = own_account(session, visitor)
        queries.set_password(session, user, hashed)
        cookie = open_browser_session(session, request, user, now)
    return signed_in(request, cookie, "/account")


@router.post("/account/sessions")
def post_end_sessions(request: Request, fields: FormFields, visitor: Visitor, now: Now) -> Response:
    """End those of one's sessions that are ticked, or all of them."""
    with read_session(get_engine(request)) as session:
        user = own_account(session, visitor)
        fault = present_fault(request, user, fields, now)
        ticked = [one.id for one in list_sessions(session, user.id, now) if f"session-{one.id}" in fields]
        everywhere = fields.get("do") == "everywhere"
        fault = fault or ("" if ticked or everywhere else "no_session_ticked")
        if fault:
            return account_page(request, session, visitor, now, fault=fault, of="sessions")
    with write_session(get_engine(request)) as session:
        user = own_account(session, visitor)
        if everywhere:
            queries.end_sessions(session, user)
            return RedirectResponse("/sign-in", 303)
        for session_id in ticked:
            close_sessions(session, user.id, only=session_id)
    return RedirectResponse("/account", 303)


def own_account(session: Session, visitor: Caller) -> UserTable:
    """Return the account of who is signed in.

    Raises:
        Forbidden: If a key is.
    """
    user = queries.get_user(session, visitor.user_id) if visitor.user_id else None
    if user is None:
        raise Forbidden("A key has no account.")
    return user
