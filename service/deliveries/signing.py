"""Signatures by Standard Webhooks (standardwebhooks.com), and the secrets behind them."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from service import __version__
from service.outgoing_tables import EndpointTable, EventTable


def new_secret() -> str:
    """Make a secret: 256 random bits, as `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def secrets_in_force(endpoint: EndpointTable, now: datetime) -> list[str]:
    """Return the secrets that sign: the present one, and during a change the one before."""
    before = endpoint.previous_secret
    overlap = before and endpoint.previous_until and now < endpoint.previous_until
    return [endpoint.secret, before] if before and overlap else [endpoint.secret]


def body_of(event: EventTable, quotes: Sequence[dict[str, Any]] | None = None) -> bytes:
    """Return the body of an event: `{"type", "timestamp", "data"}`; `data.quotes` where the endpoint asks for them."""
    data = event.data if quotes is None else {**event.data, "quotes": list(quotes)}
    at = event.happened_at.isoformat().replace("+00:00", "Z")
    body = {"type": event.type, "timestamp": at, "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signed_headers(key: str, body: bytes, signing: Sequence[str], now: datetime) -> dict[str, str]:
    """Return the headers of a post.

    Args:
        key: The event's key; the same at each try.
        body: What is posted.
        signing: The secrets that sign; the receiver needs to know one of them.
        now: The time of this try, which is signed too.
    """
    text = body.decode()
    return {
        "content-type": "application/json",
        "user-agent": f"Binome/{__version__}",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(key, now, text) for secret in signing),
    }
