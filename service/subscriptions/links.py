"""The link that ends a subscription: signed, and good for as long as the subscription is."""

from __future__ import annotations

import jwt

from service.outgoing_tables import SubscriptionTable
from service.settings import Settings
from service.sources.intake import public_url

_ALGORITHM, _USE = "HS256", "unsubscribe"


def unsubscribe_link(settings: Settings, row: SubscriptionTable) -> str:
    """Return the link for a subscription's messages."""
    token = jwt.encode({"sub": str(row.id), "use": _USE}, row.token_secret, algorithm=_ALGORITHM)
    return f"{public_url(settings)}/unsubscribe/{row.id}/{token}"


def is_signed(row: SubscriptionTable, token: str) -> bool:
    """Tell whether a token is of a subscription's own link."""
    try:
        claims = jwt.decode(token, row.token_secret, algorithms=[_ALGORITHM])
    except (jwt.PyJWTError, ValueError):
        return False
    return claims.get("use") == _USE and claims.get("sub") == str(row.id)
