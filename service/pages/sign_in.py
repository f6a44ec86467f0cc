"""Signing in by password, link or key, and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from service.audit.acts import name_actor
from service.auth.queries import find_key
from service.auth.scopes import Scope, allows
from service.auth.sessions import FACTOR_LIFE, Owner, SessionKind, close_session, open_session, use_link
from service.auth.tables import ApiKeyTable, UserTable
from service.database import read_session, write_session
from service.dependencies import (
    Caller,
    Now,
    ReadSession,
    caller_of,
    client_address,
    cookie_name,
    find_caller,
    get_engine,
    get_settings,
    refuse_single_notes,
)
from service.errors import Forbidden, TooLarge, TooMany
from service.pages.answers import NotSignedIn, PageRoute, render
from service.users import throttle
from service.users.queries import any_user, begin_factor, get_user
from service.users.queries import signed_in as mark_signed_in
from service.users.signing_in import check_credentials, slowed

MAX_FORM_BYTES = 20_000
router = APIRouter(route_class=PageRoute, include_in_schema=False)


def visitor(request: Request, session: ReadSession, now: Now) -> Caller:
    """Return who is signed in with the right to read.

    Raises:
        NotSignedIn: If nobody is.
        Forbidden: If the session's key may not read.
    """
    caller = find_caller(session, request, None, now)
    if caller is None:
        raise NotSignedIn("Sign in first.")
    if not allows(caller.scopes, Scope.READ):
        raise Forbidden(f"This key lacks the scope {Scope.READ}.")
    return caller


Visitor = Annotated[Caller, Depends(visitor)]


def _note_visitor(request: Request, visitor: Visitor) -> Caller:
    return refuse_single_notes(request, visitor)


NoteVisitor = Annotated[Caller, Depends(_note_visitor)]


def may_curate(visitor: Caller) -> bool:
    """Tell whether a visitor may correct and curate."""
    return allows(visitor.scopes, Scope.CURATE)


def may_administer(visitor: Caller) -> bool:
    """Tell whether a visitor may set up sources."""
    return allows(visitor.scopes, Scope.ADMIN)


def may_ingest(visitor: Caller) -> bool:
    """Tell whether a visitor may send files in."""
    return allows(visitor.scopes, Scope.INGEST)


def _with_right(allowed: Callable[[Caller], bool]) -> Callable[..., Caller]:
    """Make a dependency that lets visitors with a right pass."""

    def checked(visitor: Visitor) -> Caller:
        if not allowed(visitor):
            raise Forbidden("This key lacks the scope.")
        return visitor

    return checked


CuratingVisitor = Annotated[Caller, Depends(_with_right(may_curate))]
AdminVisitor = Annotated[Caller, Depends(_with_right(may_administer))]
IngestingVisitor = Annotated[Caller, Depends(_with_right(may_ingest))]


def same_site(request: Request) -> None:
    """Refuse a form that a page of another site posts.

    Browsers that say nothing of the site say the origin; what says neither is no browser with a cookie to misuse.

    Raises:
        Forbidden: If it was.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    foreign = site not in {"same-origin", "none"} if site else origin and urlsplit(origin).netloc != request.url.netloc
    if foreign:
        raise Forbidden("This form was sent from another site.")


async def form_fields(request: Request) -> dict[str, str]:
    """Return the fields of a small posted form; a page of another site can't post it."""
    same_site(request)
    body = await request.body()
    if len(body) > MAX_FORM_BYTES:
        raise TooLarge("The form is too large.")
    try:
        fields = parse_qs(body.decode("ascii", "replace"), errors="replace", max_num_fields=700)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


FormFields = Annotated[dict[str, str], Depends(form_fields)]


@router.get("/sign-in")
def get_sign_in(request: Request, session: ReadSession, now: Now) -> Response:
    """Open a session by a link that works once, or show the form."""
    token = request.query_params.get("token", "")
    wanted = inside(request.query_params.get("next", ""))
    if not token:
        return sign_in_form(request, wanted=wanted)
    with write_session(get_engine(request)) as writing:
        owner = use_link(writing, token, SessionKind.LINK, now)
        cookie = open_browser_session(writing, request, owner, now) if owner and _may_read(owner) else None
    if cookie:
        return signed_in(request, cookie, "/")
    if find_caller(session, request, None, now):
        return RedirectResponse("/", 303)  # the link was opened again in the browser that it signed in
    return sign_in_form(request, "key_cannot_read" if owner else "bad_link", status=403 if owner else 401)


@router.post("/sign-in")
def post_sign_in(request: Request, fields: FormFields, now: Now) -> Response:
    """Open a session by e-mail address and password, or by a key."""
    wanted = inside(fields.get("next", ""))
    try:
        if "email" in fields:
            return _by_password(request, fields, now, wanted)
        return _by_key(request, fields.get("key", "").strip(), now, wanted)
    except TooMany as problem:
        response = sign_in_form(request, "slowed", status=problem.status, wanted=wanted)
        response.headers["Retry-After"] = str(problem.retry_after)
        return response


def _by_password(request: Request, fields: Mapping[str, str], now: datetime, wanted: str) -> Response:
    engine, address = get_engine(request), client_address(request)
    email, password = fields.get("email", ""), fields.get("password", "")
    found = check_credentials(engine, email, password, address=address, now=now)
    if found is None:
        return sign_in_form(request, "bad_password", status=401, wanted=wanted, email=email[:254])
    user_id, rehashed = found
    with write_session(engine) as session:
        user = get_user(session, user_id)
        assert user is not None, "people are never removed"
        user.password_hash = rehashed or user.password_hash
        return let_in(session, request, user, now, wanted)


def let_in(session: Session, request: Request, user: UserTable, now: datetime, wanted: str) -> Response:
    """Sign in who gave a password, or ask for the second factor first: for a code of it, or to set one up."""
    has_factor = user.factor_since is not None
    if not has_factor and not get_settings(request).needs_factor(user.role):
        mark_signed_in(user, now)
        return signed_in(request, open_browser_session(session, request, user, now), wanted)
    if not has_factor:
        begin_factor(user)
    name_actor(caller_of(user).actor)
    token = open_session(session, user, SessionKind.FACTOR, now)
    response = RedirectResponse(f"/sign-in/{'code' if has_factor else 'factor'}?{urlencode({'next': wanted})}", 303)
    age = int(FACTOR_LIFE.total_seconds())
    response.set_cookie(factor_cookie(request), token, max_age=age, **cookie_flags(request))
    return response


def factor_cookie(request: Request) -> str:
    """Return the name of the cookie of who has yet to give the second factor."""
    return f"{cookie_name(request)}_factor"


def _by_key(request: Request, secret: str, now: datetime, wanted: str) -> Response:
    address = client_address(request)
    with write_session(get_engine(request)) as session:
        wait = throttle.begin_try(session, now, account=None, address=address)
    if wait:
        raise slowed(wait)
    with write_session(get_engine(request)) as session:
        key = find_key(session, secret, now)
        if key:
            throttle.take_back(session, account=None, address=address)
        cookie = open_browser_session(session, request, key, now) if key and _may_read(key) else None
    if cookie:
        return signed_in(request, cookie, wanted)
    return sign_in_form(request, "key_cannot_read" if key else "bad_key", status=403 if key else 401, wanted=wanted)


@router.post("/sign-out")
def post_sign_out(request: Request, _fields: FormFields, now: Now) -> Response:
    """End the session."""
    name = cookie_name(request)
    with write_session(get_engine(request)) as session:
        find_caller(session, request, None, now)  # into the audit log
        close_session(session, request.cookies.get(name, ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(name, **cookie_flags(request))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _may_read(owner: Owner) -> bool:
    return not isinstance(owner, ApiKeyTable) or allows(owner.scopes, Scope.READ)


def open_browser_session(session: Session, request: Request, owner: Owner, now: datetime) -> str:
    """Open a session in place of the browser's former one; return its token."""
    name_actor(caller_of(owner).actor)
    former = request.cookies.get(cookie_name(request))
    if former:
        close_session(session, former)
    return open_session(
        session,
        owner,
        SessionKind.COOKIE,
        now,
        life=timedelta(hours=get_settings(request).session_hours),
        address=client_address(request),
        browser=request.headers.get("user-agent", ""),
    )


def signed_in(request: Request, cookie: str, wanted: str) -> Response:
    """Lead a browser on, with the cookie of its new session."""
    response = RedirectResponse(wanted, 303)
    keep_session(request, response, cookie)
    return response


def keep_session(request: Request, response: Response, cookie: str) -> None:
    """Have a browser keep the cookie of its session."""
    age = get_settings(request).session_hours * 3600
    response.set_cookie(cookie_name(request), cookie, max_age=age, **cookie_flags(request))


def cookie_flags(request: Request) -> dict[str, Any]:
    """Return what keeps a cookie from other sites, and from scripts."""
    return {"path": "/", "httponly": True, "samesite": "lax", "secure": request.url.scheme == "https"}


def sign_in_form(
    request: Request, fault: str = "", *, status: int = 200, wanted: str = "/", email: str = ""
) -> Response:
    """Show the ways to sign in, and what went wrong."""
    with read_session(get_engine(request)) as session:
        keys_alone = not any_user(session)
    by_provider = get_settings(request).oidc_name if get_settings(request).oidc_issuer else ""
    context = {"fault": fault, "wanted": wanted, "email": email, "keys_alone": keys_alone, "by_provider": by_provider}
    response = render(request, "sign_in.html", status, signed_in=False, **context)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def inside(address: str) -> str:
    """Return an address of this site, else the first page: browsers read `//` and a backslash as another site."""
    inside = address.startswith("/") and not address.startswith("//") and address.isprintable()
    return address if inside and "\\" not in address else "/"
