"""What every request passes first: its host is one of ours, nobody asks too often, and answers carry safe headers."""

from __future__ import annotations

import time
from collections import OrderedDict

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems
from service.auth.queries import hash_secret
from service.dependencies import client_address, cookie_name
from service.errors import BadRequest, Problem, TooMany
from service.settings import Settings

MOST_BUCKETS = 10_000
_UNLIMITED = ("/healthz", "/readyz", "/metrics", "/static/")
_INGEST = ("/v1/notes", "/v1/webhooks/", "/v1/imports")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS = "max-age=31536000"


class Buckets:
    """Token buckets by name: each holds a minute's requests and fills evenly. The ones used longest ago are dropped."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, at: float) -> float:
        """Take one token.

        Args:
            name: Whose bucket.
            at: Seconds of a clock that never goes back.

        Returns:
            Seconds until the next token where there is none, else 0.
        """
        if not self._per_minute:
            return 0.0
        rate = self._per_minute / 60
        level, since = self._levels.pop(name, (float(self._per_minute), at))
        level = min(float(self._per_minute), level + (at - since) * rate)
        self._levels[name] = (level - 1 if level >= 1 else level, at)
        if len(self._levels) > MOST_BUCKETS:
            self._levels.popitem(last=False)
        return 0.0 if level >= 1 else (1 - level) / rate


class Limits:
    """The hosts under which Binôme may be asked, and how often each caller may."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = settings.host_names
        self._by_key = Buckets(settings.rate_limit)
        self._by_address = Buckets(settings.rate_limit_address)
        self._ingest = Buckets(settings.rate_limit_ingest)

    def refusal(self, request: Request) -> Problem | None:
        """Return why a request is not let in, None where it is."""
        if self._hosts and (request.url.hostname or "") not in self._hosts:
            return BadRequest("This host is not one of BINOME_ALLOWED_HOSTS.", code="unknown_host")
        at = time.monotonic()
        address, key = client_address(request), _key(request)
        if request.method == "POST" and request.url.path.startswith(_INGEST):
            wait = self._ingest.take(key or f"address {address}", at)
        else:
            wait = self._by_address.take(str(address), at) or (self._by_key.take(key, at) if key else 0.0)
        return TooMany("Too many requests: wait, then go on.", retry_after=int(wait) + 1) if wait else None


class Boundary:
    """Refuse foreign hosts and callers that ask too often; add the headers that browsers heed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let an HTTP request pass, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(request, MutableHeaders(scope=message))
            await send(message)

        problem = None if request.url.path.startswith(_UNLIMITED) else request.app.state.limits.refusal(request)
        answer = problems.answer(request, problem) if problem else self.app
        await answer(scope, receive, guarded)


def _key(request: Request) -> str | None:
    """Return what a caller proves itself with, hashed."""
    headers = request.headers
    given = headers.get("authorization") or headers.get("x-api-key") or request.cookies.get(cookie_name(request))
    return hash_secret(given) if given else None


def _add_headers(request: Request, headers: MutableHeaders) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if request.url.path.startswith(("/v1/", "/mcp")):
        headers.setdefault("Cache-Control", "no-store")
    if request.url.scheme == "https":
        headers["Strict-Transport-Security"] = _HSTS
