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


def slowed(wait: int) -> TooMany:
    """Return the answer to a try that came too early."""
    return TooMany("Signing in failed too often: wait, then try again.", retry_after=wait, code="sign_in_slowed")
