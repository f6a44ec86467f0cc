"""Signing in with a password. Hashing happens outside transactions: it takes as long as many writes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from service.database import read_session, write_session
from service.errors import TooMany
from service.users import queries, throttle
from service.users.passwords import hash_password, is_dated, is_password


def check_credentials(
    engine: sa.Engine, email: str, password: str, *, address: str | None, now: datetime
) -> tuple[int, str | None] | None:
    """Find out who signs in; a wrong password and an unknown, closed or invited account look the same.

    Returns:
        The person's id, and a new hash where the stored one is dated; None where the name or password is wrong.

    Raises:
        TooMany: If the account or the address failed too often.
    """
    account = queries.plain_email(email)
    with write_session(engine) as session:
        wait = throttle.begin_try(session, now, account=account, address=address)
    if wait:
        raise slowed(wait)
    with read_session(engine) as session:
        user = queries.find_user(session, email)
        hashed = user.password_hash if user and user.disabled_at is None else None
        user_id = user.id if user else 0
    if not is_password(hashed, password) or hashed is None:
        return None
    with write_session(engine) as session:
        throttle.take_back(session, account=account, address=address)
    return user_id, hash_password(password) if is_dated(hashed) else None


def check_code(engine: sa.Engine, user_id: int, code: str, *, address: str | None, now: datetime) -> bool:
    """Tell whether a person's code is right, of the application or for recovery; it does not count again.

    Codes are guessed as passwords are, but by who has the password: their failures are counted apart, so that a right
    password does not forgive them.

    Raises:
        TooMany: If the account or the address failed too often.
    """
    with write_session(engine) as session:
        user = queries.get_user(session, user_id)
        account = f"code {user.email}" if user else None
        wait = throttle.begin_try(session, now, account=account, address=address)
    if wait:
        raise slowed(wait)
    with write_session(engine) as session:
        user = queries.lock_user(session, user_id)
        right = user is not None and user.disabled_at is None and queries.use_code(user, code, now)
        if right:
            throttle.take_back(session, account=account, address=address)
    return right


def slowed(wait: int) -> TooMany:
    """Return the answer to a try that came too early."""
    return TooMany("Signing in failed too often: wait, then try again.", retry_after=wait, code="sign_in_slowed")
