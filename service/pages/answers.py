"""How a page is answered: template, language, headers, and errors as pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Coroutine
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from models.types import ObjectionStatus, ObjectionType, Relation, Standing
from service.database_faults import problem_of
from service.errors import Problem, Unauthorized
from service.insights.words import OBJECTION_TITLES
from service.pages.menu import ENTRIES
from service.pages.strings import STRINGS
from service.pages.words import Words, asked_language, choose_language, language_cookie
from service.problems import request_id
from service.thresholds import WITHHELD

_FOLDER = Path(__file__).parent
_YEAR_SECONDS = 365 * 24 * 3600
_TOLD = ("changed", "moved", "undone")  # in the address of a page: what was just done
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # addresses hold filters, and once a token
    "Cache-Control": "no-store",  # customers' words stay out of shared caches
}
_log = structlog.get_logger()

templates = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.globals["findings"] = {
    "type": [(str(kind), OBJECTION_TITLES[kind]) for kind in ObjectionType],
    "status": list(ObjectionStatus),
    "relation": list(Relation),
    "standing": list(Standing),
}
templates.filters["pairs"] = lambda values: [(value, value) for value in values]  # the options of a choice


class NotSignedIn(Unauthorized):
    """Nobody is signed in: the page leads to the sign-in."""


class PageRoute(APIRoute):
    """A route whose answers carry the pages' headers and whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except NotSignedIn:
                response = RedirectResponse(_sign_in_address(request), 303)
            except Exception as error:
                response = error_page(request, _status(request, error), getattr(error, "code", ""))
            return finish(request, response)

        return answer


def render(
    request: Request, template: str, status: int = 200, *, signed_in: bool = True, **context: object
) -> HTMLResponse:
    """Fill in a template in the request's language."""
    words = Words(choose_language(request))
    html = templates.get_template(template).render(
        t=words,
        path=request.url.path,
        switched=_without(request.url.include_query_params(lang=words.lang.other), *_TOLD, "token"),
        styles=_style_addresses(),
        menu=ENTRIES,
        here=_without(request.url, *_TOLD, "fault", "token"),
        changed=_numbers(request, "changed"),
        moved=_numbers(request, "moved"),
        undone="undone" in request.query_params,
        signed_in=signed_in,
        **context,
    )
    return HTMLResponse(html, status_code=status)


def _without(url: URL, *names: str) -> str:
    """Return a page's address within the site without some of its parameters."""
    rest = url.remove_query_params(names)
    return f"{rest.path}?{rest.query}" if rest.query else rest.path


def _numbers(request: Request, name: str) -> str:
    """Return the changes that the address says were just made, which the page offers to undo."""
    text = request.query_params.get(name, "")
    return text if re.fullmatch(r"\d{1,18}(,\d{1,18}){0,9}", text, re.ASCII) else ""


def error_page(request: Request, status: int, code: str = "") -> Response:
    """Say in a plain sentence what went wrong; what is withheld has sentences of its own."""
    known = f"error_{status}" if f"error_{status}" in STRINGS else "error_400"
    title = f"error_title_{status}" if f"error_title_{status}" in STRINGS else "error_title"
    if code == WITHHELD:
        known, title = f"error_withheld_{status}", "error_title_withheld"
    number = request_id(request) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
    return render(request, "error.html", status, signed_in=False, title=title, message=known, number=number)


def finish(request: Request, response: Response) -> Response:
    """Add the headers of all pages, and remember the language that was asked for."""
    response.headers.update(_HEADERS)
    asked = asked_language(request)
    if asked:
        secure, name = request.url.scheme == "https", language_cookie(request)
        response.set_cookie(name, asked, max_age=_YEAR_SECONDS, httponly=True, samesite="lax", secure=secure)
    return response


def install(app: FastAPI) -> None:
    """Serve the static files, and answer a browser's wrong addresses with a page; call it after `problems.install`."""
    app.mount("/static", StaticFiles(directory=_FOLDER / "static"), name="static")
    answer_json: Any = app.exception_handlers[HTTPException]

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        if not _is_browser(request):
            response: Response = answer_json(request, error)
            return response
        return finish(request, error_page(request, error.status_code))


def _is_browser(request: Request) -> bool:
    api = request.url.path.startswith("/v1/")
    return request.method == "GET" and not api and "text/html" in request.headers.get("accept", "")


def _sign_in_address(request: Request) -> str:
    """Return the sign-in page, which leads back to where the visitor wanted to go."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in" if wanted == "/" or request.method != "GET" else f"/sign-in?next={quote(wanted, safe='/')}"


def _status(request: Request, error: Exception) -> int:
    """Return the status that an error is answered with; what nobody foresaw goes to the log, without its message."""
    if isinstance(error, Problem):
        return error.status
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, ClientDisconnect):
        return HTTPStatus.BAD_REQUEST
    away = problem_of(error)
    if away is not None:
        _log.error("database_unavailable", error=type(error).__name__)
        return away.status
    _log.exception("request_failed", path=request.url.path)
    return HTTPStatus.INTERNAL_SERVER_ERROR


@cache
def asset(name: str) -> str:
    """Return the address of a static file; it changes with its content, so that browsers never show an old one."""
    digest = hashlib.sha256((_FOLDER / "static" / name).read_bytes()).hexdigest()
    return f"/static/{name}?{digest[:12]}"


@cache
def _style_addresses() -> list[str]:
    """Return the addresses of the style sheets; `binome.css` first: the others build on its colours and parts."""
    names = sorted((path.name for path in (_FOLDER / "static").glob("*.css")), key=lambda n: (n != "binome.css", n))
    return [asset(name) for name in names]


templates.globals["asset"] = asset
