"""A second factor: set up and given up on one's account, asked for after the password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Request
from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from service.audit.acts import name_actor
from service.auth.sessions import SessionKind, close_session, find_session
from service.auth.tables import UserTable
from service.database import read_session, write_session
from service.dependencies import Caller, Now, caller_of, client_address, get_engine, get_settings
from service.errors import TooMany
from service.pages.account import account_page, own_account, present_fault
from service.pages.answers import PageRoute, render
from service.pages.sign_in import (
    FormFields,
    Visitor,
    cookie_flags,
    factor_cookie,
    inside,
    keep_session,
    open_browser_session,
    sign_in_form,
    signed_in,
)
from service.users import queries
from service.users.factor import setup_address
from service.users.signing_in import check_code

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/account/factor")
def post_begin(request: Request, fields: FormFields, visitor: Visitor, now: Now) -> Response:
    """Make a secret, and show it until a code of it was given."""
    refused = _refused(request, visitor, fields, now, "wrong_step" if _has_factor(request, visitor) else "")
    if refused:
        return refused
    with write_session(get_engine(request)) as session:
        user = own_account(session, visitor)
        queries.begin_factor(user)
        return _setup(request, user, "/account/factor/confirm")


@router.post("/account/factor/confirm")
def post_confirm(request: Request, fields: FormFields, visitor: Visitor, now: Now) -> Response:
    """Let the factor count once a code of it was given; all other sessions end."""
    with write_session(get_engine(request)) as session:
        user = own_account(session, visitor)
        return _confirmed(session, request, user, fields, now, "/account")


@router.post("/account/factor/codes")
def post_codes(request: Request, fields: FormFields, visitor: Visitor, now: Now) -> Response:
    """Show new recovery codes, this once."""
    refused = _refused(request, visitor, fields, now, "" if _has_factor(request, visitor) else "wrong_step")
    if refused:
        return refused
    with write_session(get_engine(request)) as session:
        codes = queries.renew_recovery_codes(own_account(session, visitor))
    return _codes(request, codes, "/account")


@router.post("/account/factor/off")
def post_off(request: Request, fields: FormFields, visitor: Visitor, now: Now) -> Response:
    """Give the factor up, unless it is required; all other sessions end."""
    with read_session(get_engine(request)) as session:
        user = own_account(session, visitor)
        required = "factor_required" if get_settings(request).needs_factor(user.role) else ""
        fault = "wrong_step" if user.factor_since is None else required
    refused = _refused(request, visitor, fields, now, fault)
    if refused:
        return refused
    with write_session(get_engine(request)) as session:
        user = own_account(session, visitor)
        queries.remove_factor(session, user)
        cookie = open_browser_session(session, request, user, now)
    return signed_in(request, cookie, "/account")


@router.get("/sign-in/code")
def get_code(request: Request, now: Now) -> Response:
    """Ask who gave the password for a code."""
    with read_session(get_engine(request)) as session:
        user = _half_signed_in(session, request, now)
        if user is None or user.factor_since is None:
            return RedirectResponse("/sign-in", 303)
    return _ask(request, inside(request.query_params.get("next", "")))


@router.post("/sign-in/code")
def post_code(request: Request, fields: FormFields, now: Now) -> Response:
    """Sign in by a code of the application, or a recovery code."""
    wanted, engine = inside(fields.get("next", "")), get_engine(request)
    with read_session(engine) as session:
        user = _half_signed_in(session, request, now)
        if user is None or user.factor_since is None:
            return sign_in_form(request, "factor_late", status=401, wanted=wanted)
        user_id = user.id
    try:
        right = check_code(engine, user_id, fields.get("code", ""), address=client_address(request), now=now)
    except TooMany as problem:
        response = _ask(request, wanted, "slowed", status=problem.status)
        response.headers["Retry-After"] = str(problem.retry_after)
        return response
    if not right:
        return _ask(request, wanted, "wrong_code", status=401)
    with write_session(engine) as session:
        user = _half_signed_in(session, request, now)
        if user is None:
            return sign_in_form(request, "factor_late", status=401, wanted=wanted)
        return _let_in(session, request, user, now, RedirectResponse(wanted, 303))


@router.get("/sign-in/factor")
def get_setup(request: Request, now: Now) -> Response:
    """Have who gave the password set up the factor that is required."""
    with read_session(get_engine(request)) as session:
        user = _half_signed_in(session, request, now)
        if user is None or user.factor_secret is None or user.factor_since is not None:
            return RedirectResponse("/sign-in", 303)
        return _setup(request, user, "/sign-in/factor", wanted=inside(request.query_params.get("next", "")))


@router.post("/sign-in/factor")
def post_setup(request: Request, fields: FormFields, now: Now) -> Response:
    """Let the factor count once a code of it was given, and sign in."""
    wanted = inside(fields.get("next", ""))
    with write_session(get_engine(request)) as session:
        user = _half_signed_in(session, request, now)
        if user is None or user.factor_since is not None:
            return sign_in_form(request, "factor_late", status=401, wanted=wanted)
        return _confirmed(session, request, user, fields, now, wanted)


def _refused(
    request: Request, visitor: Caller, fields: Mapping[str, str], now: datetime, fault: str
) -> Response | None:
    """Return the page that says why not: what is given, else a wrong present password; None where all is right."""
    with read_session(get_engine(request)) as session:
        user = own_account(session, visitor)
        fault = "factor_by_provider" if user.password_hash is None else fault
        fault = fault or present_fault(request, user, fields, now)
        return account_page(request, session, visitor, now, fault=fault, of="factor") if fault else None


def _has_factor(request: Request, visitor: Caller) -> bool:
    with read_session(get_engine(request)) as session:
        return own_account(session, visitor).factor_since is not None


def _half_signed_in(session: Session, request: Request, now: datetime) -> UserTable | None:
    """Return who gave the password in this browser and has yet to give the second factor."""
    token = request.cookies.get(factor_cookie(request), "")
    found = find_session(session, token, SessionKind.FACTOR, now) if token else None
    if found is None or not isinstance(found[1], UserTable):
        return None
    name_actor(caller_of(found[1]).actor)
    return found[1]


def _confirmed(
    session: Session, request: Request, user: UserTable, fields: Mapping[str, str], now: datetime, wanted: str
) -> Response:
    """Show recovery codes to who gave a right code, signed in anew; else ask once more."""
    codes = queries.confirm_factor(session, user, fields.get("code", ""), now)
    if codes is None:
        if user.factor_secret is None or user.factor_since is not None:
            return RedirectResponse("/account", 303)
        return _setup(request, user, request.url.path, wanted=wanted, fault="wrong_code")
    return _let_in(session, request, user, now, _codes(request, codes, wanted))


def _let_in(session: Session, request: Request, user: UserTable, now: datetime, response: Response) -> Response:
    """Open a session in place of the half one, whose cookie goes."""
    close_session(session, request.cookies.get(factor_cookie(request), ""))
    queries.signed_in(user, now)
    keep_session(request, response, open_browser_session(session, request, user, now))
    response.delete_cookie(factor_cookie(request), **cookie_flags(request))
    return response


def _setup(request: Request, user: UserTable, post_to: str, *, wanted: str = "", fault: str = "") -> Response:
    """Show the secret, as a code to scan and as text, and ask for a code of it."""
    assert user.factor_secret is not None, "it was made before"
    secret = user.factor_secret
    address = setup_address(secret, user.email)
    shown = {"qr": _qr(address), "address": address, "secret": re.findall(".{1,4}", secret)}
    context = {"post_to": post_to, "wanted": wanted, "fault": fault, "on_account": not wanted}
    return render(request, "factor.html", 422 if fault else 200, signed_in=not wanted, **shown, **context)


def _qr(address: str) -> Markup:
    """Draw an address as SVG; dark on light in dark mode too, or cameras don't read it."""
    import segno  # few ask for it

    drawn = segno.make(address, error="l", micro=False)
    return Markup(drawn.svg_inline(border=3, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True))  # noqa: S704 made here


def _codes(request: Request, codes: list[str], wanted: str) -> Response:
    """Show recovery codes, this once."""
    return render(request, "recovery_codes.html", codes=codes, wanted=wanted or "/account")


def _ask(request: Request, wanted: str, fault: str = "", *, status: int = 200) -> Response:
    return render(request, "code.html", status, signed_in=False, wanted=wanted, fault=fault)
