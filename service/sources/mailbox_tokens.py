"""Signing in to mailboxes by OAuth 2, as Microsoft 365 and Google want it: tokens of an application, or refreshed ones.

Source: RFC 6749, sections 4.4 (client credentials) and 6 (refresh); the token itself goes by XOAUTH2.
"""

from __future__ import annotations

import time
from typing import Any

import httpx2

from service.errors import Problem
from service.sources.contract import Connection
from service.sources.fetching.addresses import check_address
from service.sources.fetching.calling import connect
from service.sources.reading import load_body

MARGIN_SECONDS = 60
MAX_SECONDS = 3_600
DEFAULT_SECONDS = 300
MAX_ANSWER_BYTES = 64 * 1024


class TokenRefused(Exception):
    """No token came; the message holds no secret and nothing of the answer but its error's name."""


class Tokens:
    """Access tokens of mailboxes, kept while they are valid."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, str], tuple[float, str]] = {}

    def token_of(self, connection: Connection) -> str:
        """Return an access token for a connection.

        Raises:
            TokenRefused: If none comes.
        """
        key = (connection.name, connection.secrets[0], connection.option("refresh_token"))
        until, token = self._held.get(key, (0.0, ""))
        if time.monotonic() >= until:
            token, seconds = _requested(connection)
            self._held = {key: (time.monotonic() + seconds, token)} | {
                one: held for one, held in self._held.items() if one[0] != connection.name
            }
        return token

    def forget(self, connection: Connection) -> None:
        """Forget a token that the mailbox refused."""
        self._held = {key: held for key, held in self._held.items() if key[0] != connection.name}


def _requested(connection: Connection) -> tuple[str, float]:
    refresh = connection.option("refresh_token")
    form = {
        "grant_type": "refresh_token" if refresh else "client_credentials",
        "client_id": connection.option("client_id"),
        "client_secret": connection.secrets[0],
        "refresh_token": refresh,
        "scope": connection.option("scope"),
    }
    try:
        with connect() as client:
            url = check_address(connection.option("token_url"), "token_url")
            answer = client.post(url, data={name: value for name, value in form.items() if value})
            document: Any = load_body(answer.content) if len(answer.content) <= MAX_ANSWER_BYTES else None
    except (httpx2.HTTPError, Problem) as error:
        raise TokenRefused(f"The token's address does not answer as it should ({type(error).__name__}).") from None
    said = document if isinstance(document, dict) else {}
    token, seconds = said.get("access_token"), said.get("expires_in")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        name = said.get("error")
        named = f" ({name[:60]})" if isinstance(name, str) and name.isascii() and name.isprintable() else ""
        raise TokenRefused(f"The token's address gives no token{named}: check client_id, secret and scope.")
    lasts = seconds if isinstance(seconds, int) and 0 < seconds < 10**7 else DEFAULT_SECONDS
    return token, max(0.0, min(lasts, MAX_SECONDS) - MARGIN_SECONDS)
