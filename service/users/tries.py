"""Tries to sign in with a provider of accounts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Try:
    """One try to sign in, which its browser keeps: what the answer must name again, and where to go then."""

    state: str
    nonce: str
    verifier: str
    wanted: str


def new_try(wanted: str) -> Try:
    """Begin a try with random values."""
    return Try(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), wanted)
