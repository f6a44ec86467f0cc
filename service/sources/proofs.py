"""Proofs of origin: comparisons in constant time, clocks, bearer tokens, basic auth, secret URLs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime

from service.sources.contract import Connection, Delivery, NotVerified

TOLERANCE_SECONDS = 300
_DIGITS = re.compile(r"[0-9]{1,16}")


def same(given: str, expected: str) -> bool:
    """Compare in constant time; an empty secret equals nothing."""
    return bool(expected) and hmac.compare_digest(_octets(given), _octets(expected))


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def hmac_sha256(key: str | bytes, message: bytes) -> bytes:
    """Return the HMAC-SHA256 of a message."""
    return hmac.new(key if isinstance(key, bytes) else _octets(key), message, hashlib.sha256).digest()


def check_clock(given: str | None, now: datetime, *, unit: int = 1) -> str:
    """Refuse a timestamp that is more than 5 minutes old or ahead; return it as it was sent.

    Args:
        given: Digits, as the header has them.
        now: Our clock.
        unit: Parts of a second: 1 for seconds, 1000 for milliseconds.
    """
    if given is None or not _DIGITS.fullmatch(given):
        raise NotVerified("its timestamp is missing or no number")
    if abs(now.timestamp() - int(given) / unit) > TOLERANCE_SECONDS:
        raise NotVerified("its timestamp is more than 5 minutes off our clock")
    return given


def bearer(delivery: Delivery) -> str | None:
    """Return the bearer token of a delivery."""
    scheme, _, token = delivery.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def check_token(delivery: Delivery, connection: Connection) -> None:
    """Take a bearer token, a secret URL, or `token` in the query."""
    given = [bearer(delivery) or "", delivery.token]
    given += [value for name, value in delivery.query if name in {"token", "key", "code"}]
    given += [delivery.headers.get(name, "") for name in ("x-api-key", "x-webhook-token")]
    if not any([same(one, secret) for one in given if one for secret in connection.secrets]):
        raise NotVerified("its token is missing or wrong")


def check_url_token(delivery: Delivery, connection: Connection) -> None:
    """Take a secret URL, or `token` in the query."""
    given = [delivery.token, *(value for name, value in delivery.query if name in {"token", "key"})]
    if not any([same(one, secret) for one in given if one for secret in connection.secrets]):
        raise NotVerified("the secret part of its URL is missing or wrong")


def check_basic(delivery: Delivery, connection: Connection) -> None:
    """Take basic auth (RFC 7617), in UTF-8; the connection's secret is `user:password`."""
    scheme, _, encoded = delivery.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise NotVerified("it lacks basic auth")
    login = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    if not any([same(login, secret) for secret in connection.secrets]):
        raise NotVerified("its user or password is wrong")
