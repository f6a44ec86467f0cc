"""Signing in by OpenID Connect: to the provider, and back."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import astuple
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from service.database import write_session
from service.dependencies import Now, client_address, cookie_name, get_engine, get_settings
from service.errors import NotFound, TooMany, Unauthorized, Unavailable
from service.pages.answers import PageRoute
from service.pages.sign_in import cookie_flags, inside, open_browser_session, sign_in_form, signed_in
from service.users import queries, throttle
from service.users.identities import account_of
from service.users.signing_in import slowed
from service.users.tries import Try, new_try

if TYPE_CHECKING:
    from service.users.provider import Provider

TRY_SECONDS = 600
MOST_CODE = 4096
router = APIRouter(route_class=PageRoute, include_in_schema=False)


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise NotFound("No provider of accounts is set: BINOME_OIDC_ISSUER.")
    return provider


@router.get("/sign-in/provider")
def get_start(request: Request) -> Response:
    """Lead the browser to the provider; it keeps what the answer must name again."""
    provider = _provider(request)
    one = new_try(inside(request.query_params.get("next", "")))
    try:
        response = RedirectResponse(provider.address(one), 303)
    except Unavailable:
        return sign_in_form(request, "provider_away", status=503)
    kept = base64.urlsafe_b64encode(json.dumps(astuple(one)).encode()).decode()
    response.set_cookie(_cookie(request), kept, max_age=TRY_SECONDS, **cookie_flags(request))
    return response


@router.get("/sign-in/provider/callback")
def get_callback(request: Request, now: Now) -> Response:
    """Sign in who comes back from the provider; a try counts once."""
    response = _answered(request, _provider(request), now)
    response.delete_cookie(_cookie(request), **cookie_flags(request))
    return response


def _answered(request: Request, provider: Provider, now: datetime) -> Response:
    given, one = request.query_params, _kept_try(request)
    code = given.get("code", "")
    same = one is not None and hmac.compare_digest(given.get("state", "").encode(), one.state.encode())
    if one is None or not same or not code or len(code) > MOST_CODE:
        return sign_in_form(request, "provider_refused", status=401)
    if "iss" in given and not provider.is_issuer(given["iss"]):
        return sign_in_form(request, "provider_refused", status=401)
    try:
        return _signed_in(request, provider, one, code, now)
    except Unauthorized as problem:
        fault = "provider_weak" if problem.code == "too_weak" else "provider_refused"
        return sign_in_form(request, fault, status=401)
    except Unavailable:
        return sign_in_form(request, "provider_away", status=503)
    except TooMany as problem:
        response = sign_in_form(request, "slowed", status=problem.status)
        response.headers["Retry-After"] = str(problem.retry_after)
        return response


def _signed_in(request: Request, provider: Provider, one: Try, code: str, now: datetime) -> Response:
    engine, settings, address = get_engine(request), get_settings(request), client_address(request)
    with write_session(engine) as session:
        wait = throttle.begin_try(session, now, account=None, address=address)
    if wait:
        raise slowed(wait)
    claims = provider.claims(one, code)
    with write_session(engine) as session:
        throttle.take_back(session, account=None, address=address)
        trusted = settings.oidc_email_trusted
        user = account_of(session, claims, settings.grants, trust_email=trusted, now=now)
        if user is None:
            return sign_in_form(request, "provider_no_account", status=403)
        queries.signed_in(user, now)
        cookie = open_browser_session(session, request, user, now)
    return signed_in(request, cookie, one.wanted)


def _cookie(request: Request) -> str:
    return f"{cookie_name(request)}_provider"


def _kept_try(request: Request) -> Try | None:
    """Return the try that the browser began; None where it keeps none, or something else."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(request.cookies.get(_cookie(request), "")))
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or len(parts) != 4 or not all(isinstance(part, str) and part for part in parts):
        return None
    state, nonce, verifier, wanted = parts
    return Try(state, nonce, verifier, inside(wanted))
