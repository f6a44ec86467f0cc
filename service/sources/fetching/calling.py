"""Calls to an API: paced, proved, in bounded time and size; what an answer means for the next try.

Redirects are not followed and proxies of the environment are not used. A short failure is tried again at once, a longer
one is the caller's to come back to.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import httpx2
import sqlalchemy as sa

from service.database import write_session
from service.deliveries.sending import retry_after
from service.errors import InvalidInput, Problem
from service.sources.contract import Connection
from service.sources.fetching import queries
from service.sources.fetching.addresses import check_address
from service.sources.fetching.contract import (
    Fetcher,
    NotAllowed,
    NotAuthorised,
    NotThere,
    Params,
    Refused,
    TokenRequest,
    TryLater,
)
from service.sources.reading import load_body

TIMEOUT_SECONDS = 20.0
DEADLINE_SECONDS = 90.0
MAX_ANSWER_BYTES = 50 * 1024 * 1024
MAX_TOKEN_BYTES = 64 * 1024
QUICK_TRIES = 4
QUICK_DELAYS = (0.5, 1.0, 2.0)
PATIENCE_SECONDS = 15.0  # a wait that is longer is not sat out: the work is put back
TOKEN_MARGIN_SECONDS = 60
DEFAULT_TOKEN_SECONDS = 1_800
DAILY_LIMIT_SECONDS = 3_600.0  # a day's limit is looked at again each hour
_RESETS = (("x-ratelimit-reset", 1), ("ratelimit-reset", 1), ("x-hubspot-ratelimit-interval-milliseconds", 1_000))


def connect() -> httpx2.Client:
    """Return a client for calls of one job."""
    return httpx2.Client(follow_redirects=False, trust_env=False, timeout=TIMEOUT_SECONDS)


class Calls:
    """The API of one connection, for one job."""

    def __init__(
        self,
        engine: sa.Engine,
        client: httpx2.Client,
        fetcher: Fetcher,
        connection: Connection,
        memory: MutableMapping[str, Any],
    ) -> None:
        self.memory = memory
        self._engine = engine
        self._client = client
        self._fetcher = fetcher
        self._connection = connection
        try:
            self._base = check_address(connection.option("base_url") or fetcher.base_url, "base_url")
        except InvalidInput as error:
            raise NotAuthorised(error.detail) from None
        self._token: str | None = None

    def get(self, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of an answer; None where it is empty."""
        return self._proved("GET", path, {"params": dict(params or {})}, headers or {})

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON of an answer to a JSON body."""
        return self._proved("POST", path, {"json": body}, {})

    def _proved(self, method: str, path: str, content: dict[str, Any], headers: Mapping[str, str]) -> Any:
        """Call with the token in force; where it is refused, once more with a new one."""
        for attempt in range(2):
            proof = self._fetcher.headers(self._connection, self._access_token())
            try:
                return self._tried(method, self._base + path, {**content, "headers": {**headers, **proof}})
            except NotAllowed as failure:
                raise NotAllowed(f"{failure}: {path}") from None
            except NotAuthorised:
                if attempt or not self._refreshable():
                    raise
                self._forget_token()
        raise NotAuthorised("the token is refused")

    def _tried(self, method: str, url: str, content: dict[str, Any]) -> Any:
        for attempt in range(QUICK_TRIES):
            self._pace()
            try:
                return load_answer(*self._sent(method, url, content, MAX_ANSWER_BYTES))
            except TryLater as failure:
                wait = failure.seconds
                if wait is None:
                    wait = QUICK_DELAYS[min(attempt, len(QUICK_DELAYS) - 1)] * (0.75 + random.random() / 2)  # noqa: S311
                if failure.everything:  # all who call for this connection hold back
                    with write_session(self._engine) as session:
                        queries.pause(session, self._connection, wait, datetime.now(UTC))
                if attempt == QUICK_TRIES - 1 or wait > PATIENCE_SECONDS:
                    raise
                time.sleep(wait)
        raise TryLater("it does not answer")

    def _pace(self) -> None:
        """Wait for this call's turn."""
        with write_session(self._engine) as session:
            wait = queries.reserve_call(session, self._connection, self._fetcher.calls, datetime.now(UTC))
        if wait > PATIENCE_SECONDS:
            raise TryLater("the API asked to wait", wait, everything=True)
        if wait > 0:
            time.sleep(wait)

    def _sent(self, method: str, url: str, content: dict[str, Any], most: int) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and read its answer, within bounds."""
        end = time.monotonic() + DEADLINE_SECONDS
        try:
            with self._client.stream(method, url, **content) as response:
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if len(body) > most:
                        raise Refused(f"the answer is over {most} bytes")
                    if time.monotonic() > end:
                        raise TryLater(f"no whole answer within {DEADLINE_SECONDS:.0f} seconds")
                return response.status_code, response.headers, bytes(body)
        except httpx2.TimeoutException:
            raise TryLater(f"no answer within {TIMEOUT_SECONDS:.0f} seconds") from None
        except httpx2.HTTPError as error:
            raise TryLater(f"the connection failed ({type(error).__name__})") from None

    def _refreshable(self) -> bool:
        return self._fetcher.token_request is not None and bool(self._connection.option("refresh_token"))

    def _access_token(self) -> str:
        """Return the token in force: the one given, else the one that the refresh token was changed for."""
        if not self._refreshable():
            return self._connection.option("access_token")
        if self._token is None:
            with write_session(self._engine) as session:
                held = queries.held_token(session, self._connection, datetime.now(UTC))
                refresh_token = queries.refresh_token(session, self._connection)
            self._token = held or self._refreshed(refresh_token)
        return self._token

    def _forget_token(self) -> None:
        """Give up a token that was refused, unless another worker has replaced it meanwhile."""
        with write_session(self._engine) as session:
            queries.forget_token(session, self._connection, self._token)
        self._token = None

    def _refreshed(self, refresh_token: str) -> str:
        assert self._fetcher.token_request is not None
        request = self._fetcher.token_request(self._connection, self._base, refresh_token)
        try:
            document = self._token_answer(request)
        except (Refused, NotAllowed, NotThere, NotAuthorised) as failure:
            raise NotAuthorised(f"the refresh token is refused: {failure}") from None
        token = document.get("access_token") if isinstance(document, dict) else None
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            said = str(document.get("error", ""))[:60] if isinstance(document, dict) else ""
            raise NotAuthorised(f"the refresh token brings no access token{f' ({said})' if said else ''}")
        lasts, rotated = document.get("expires_in"), document.get("refresh_token")
        seconds = lasts if isinstance(lasts, int) and 0 < lasts < 10**7 else DEFAULT_TOKEN_SECONDS
        with write_session(self._engine) as session:
            queries.hold_token(
                session,
                self._connection,
                token,
                rotated if isinstance(rotated, str) and rotated else None,
                max(0, seconds - TOKEN_MARGIN_SECONDS),
                datetime.now(UTC),
            )
        return token

    def _token_answer(self, request: TokenRequest) -> Any:
        for attempt in range(QUICK_TRIES):
            try:
                return load_answer(*self._sent("POST", request.url, {"data": dict(request.form)}, MAX_TOKEN_BYTES))
            except TryLater as failure:
                wait = failure.seconds or QUICK_DELAYS[min(attempt, len(QUICK_DELAYS) - 1)]
                if attempt == QUICK_TRIES - 1 or wait > PATIENCE_SECONDS:
                    raise
                time.sleep(wait)
        raise TryLater("it does not answer")


def load_answer(status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """Return the JSON of an answer; None where it is empty, or nothing changed.

    Raises:
        TryLater: For 408, 425, 429, 5xx, and for what is no JSON.
        NotAuthorised: For 401.
        NotAllowed: For 403.
        NotThere: For 404 and 410.
        Refused: For every other status that is no success.
    """
    if 200 <= status < 300 or status == 304:
        if status == 304 or not body.strip():
            return None
        try:
            return load_body(body)
        except Problem:
            raise TryLater("the answer is no JSON") from None
    wait = retry_after(headers.get("retry-after", ""), datetime.now(UTC))
    if status == 429:
        wait = wait if wait is not None else limit_reset(headers, body, datetime.now(UTC))
        raise TryLater("it answered 429: too many calls", wait, everything=True)
    if status in {408, 425} or status >= 500:
        raise TryLater(f"it answered {status}", wait)
    if status == 401:
        raise NotAuthorised("it answered 401: the token is refused or expired")
    if status == 403:
        raise NotAllowed("it answered 403: the token may not read this")
    if status in {404, 410}:
        raise NotThere(f"it answered {status}")
    if 300 <= status < 400:
        raise Refused(f"it answered {status}: redirects are not followed")
    raise Refused(f"it answered {status}")


def limit_reset(headers: Mapping[str, str], body: bytes, now: datetime) -> float | None:
    """Return the seconds until a rate limit counts anew, where the answer tells it otherwise than by `Retry-After`.

    HubSpot names its daily limit in the body, and the length of its interval in a header; Pipedrive says the seconds
    that are left, Zoho when they end (milliseconds since 1970).
    """
    if b'"DAILY"' in body[:2_000]:
        return DAILY_LIMIT_SECONDS
    for name, unit in _RESETS:
        told = headers.get(name, "").strip()
        if told.isascii() and told.isdigit() and len(told) <= 15:
            value = int(told) / unit
            value = value / 1000 if value > 1e11 else value
            return min(max(0.0, value - now.timestamp() if value > 1e9 else value), DAILY_LIMIT_SECONDS)
    return None
