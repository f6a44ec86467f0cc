"""A second factor: codes of an authenticator application (RFC 6238), and recovery codes for when it is lost.

Codes have six digits and change every 30 seconds; those before and after count too, for clocks that differ. None counts
twice, nor after a later one. Recovery codes hold 120 random bits, so their SHA-256 is enough.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from service.auth.queries import hash_secret

if TYPE_CHECKING:  # it takes a while to load, and most processes check no code
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

ISSUER = "Binôme"
DIGITS = 6
STEP_SECONDS = 30
RECOVERY_CODES = 10
_SECRET_BYTES = 20
_GROUPS, _GROUP_LENGTH = 4, 6
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32, none taken for another


def new_secret() -> str:
    """Make the secret that is shared with an application, in base32 as it is typed."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def setup_address(secret: str, email: str) -> str:
    """Return the `otpauth:` address that an application reads from a QR code."""
    return _totp(secret).get_provisioning_uri(email, ISSUER)


def step_of(secret: str, code: str, now: datetime, last: int | None) -> int | None:
    """Return the time step whose code this is; None where it is wrong, too old, or not after the last that counted."""
    from cryptography.hazmat.primitives.twofactor import InvalidToken

    totp, present = _totp(secret), int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        try:
            totp.verify(code.encode(), step * STEP_SECONDS)
        except InvalidToken:
            continue
        return step if last is None or step > last else None
    return None


def _totp(secret: str) -> TOTP:
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 applications know no other well


def new_recovery_codes() -> list[str]:
    """Make the codes of which each signs in once."""
    return ["-".join(_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH))


def hash_recovery_code(code: str) -> str:
    """Return the hash of a recovery code, however it was typed."""
    return hash_secret(plain_code(code))


def plain_code(text: str) -> str:
    """Return a code of either kind without spaces and hyphens, in large letters."""
    return "".join(one for one in text[:100].upper() if one.isalnum())
