"""Signing in by link or key, and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qs

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from service.auth.queries import COOKIE_LIFE, SessionKind, close_session, find_key, open_session
from service.auth.scopes import Scope, allows
from service.auth.tables import ApiKeyTable
from service.database import write_session
from service.dependencies import COOKIE, Caller, Now, ReadSession, find_caller, get_engine
from service.errors import Forbidden, TooLarge
from service.pages.answers import NotSignedIn, PageRoute, render
from service.pages.queries import use_link

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
    if not allows(list(caller.scopes), Scope.READ):
        raise Forbidden(f"This key lacks the scope {Scope.READ}.")
    return caller


Visitor = Annotated[Caller, Depends(visitor)]


def may_curate(visitor: Caller) -> bool:
    """Tell whether a visitor may correct and curate."""
    return allows(list(visitor.scopes), Scope.CURATE)


def may_administer(visitor: Caller) -> bool:
    """Tell whether a visitor may set up sources."""
    return allows(list(visitor.scopes), Scope.ADMIN)


def may_ingest(visitor: Caller) -> bool:
    """Tell whether a visitor may send files in."""
    return allows(list(visitor.scopes), Scope.INGEST)


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

    Raises:
        Forbidden: If it was.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
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
        return _form(request, wanted=wanted)
    engine = get_engine(request)
    with write_session(engine) as writing:
        key = use_link(writing, token, now)
        cookie = _open(writing, request, key, now) if key and allows(key.scopes, Scope.READ) else None
    if cookie:
        return _signed_in(request, cookie, "/")
    if find_caller(session, request, None, now):
        return RedirectResponse("/", 303)  # the link was opened again in the browser that it signed in
    return _form(request, "key_cannot_read" if key else "bad_link", status=403 if key else 401)


@router.post("/sign-in")
def post_sign_in(request: Request, fields: FormFields, now: Now) -> Response:
    """Open a session by a key."""
    wanted = inside(fields.get("next", ""))
    with write_session(get_engine(request)) as session:
        key = find_key(session, fields.get("key", "").strip(), now)
        cookie = _open(session, request, key, now) if key and allows(key.scopes, Scope.READ) else None
    if cookie:
        return _signed_in(request, cookie, wanted)
    return _form(request, "key_cannot_read" if key else "bad_key", status=403 if key else 401, wanted=wanted)


@router.post("/sign-out")
def post_sign_out(request: Request, _fields: FormFields) -> Response:
    """End the session."""
    with write_session(get_engine(request)) as session:
        close_session(session, request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return response


def _open(session: sa.orm.Session, request: Request, key: ApiKeyTable, now: Now) -> str:
    """Open a session in place of the browser's former one."""
    former = request.cookies.get(COOKIE)
    if former:
        close_session(session, former)
    return open_session(session, key, SessionKind.COOKIE, now)


def _signed_in(request: Request, cookie: str, wanted: str) -> Response:
    response = RedirectResponse(wanted, 303)
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(COOKIE_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _form(request: Request, fault: str = "", *, status: int = 200, wanted: str = "/") -> Response:
    response = render(request, "sign_in.html", status, signed_in=False, fault=fault, wanted=wanted)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def inside(address: str) -> str:
    """Return an address of this site, else the first page: browsers read `//` and a backslash as another site."""
    inside = address.startswith("/") and not address.startswith("//") and address.isprintable()
    return address if inside and "\\" not in address else "/"
