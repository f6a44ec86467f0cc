"""People in the database."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.auth.scopes import Role
from service.auth.sessions import SessionKind, close_sessions, open_session
from service.auth.tables import UserTable
from service.database import insert_ignoring
from service.users import factor


def list_users(session: Session) -> list[UserTable]:
    """Return all people, by e-mail address."""
    return list(session.scalars(sa.select(UserTable).order_by(UserTable.email)))


def any_user(session: Session) -> bool:
    """Tell whether anybody has an account."""
    return session.scalar(sa.select(UserTable.id).limit(1)) is not None


def get_user(session: Session, user_id: int) -> UserTable | None:
    """Return a person, by id."""
    return session.get(UserTable, user_id)


def find_user(session: Session, email: str) -> UserTable | None:
    """Return a person, by e-mail address in any letters."""
    return session.scalar(sa.select(UserTable).where(UserTable.email == plain_email(email)))


def find_identity(session: Session, identity: str) -> UserTable | None:
    """Return the person whom the provider knows under this identity."""
    return session.scalar(sa.select(UserTable).where(UserTable.identity == identity))


def plain_email(email: str) -> str:
    """Return an e-mail address as accounts are found by it."""
    return email.strip().lower()


def add_user(
    session: Session, *, email: str, name: str, role: Role, sees_personal: bool, now: datetime
) -> UserTable | None:
    """Store a person without a password; None where the address is taken."""
    values = {"email": plain_email(email), "name": name, "role": str(role), "sees_personal": sees_personal}
    statement = insert_ignoring(session, UserTable, ("email",)).returning(UserTable)
    return session.scalars(statement, {**values, "created_at": now}).first()


def invite(session: Session, user: UserTable, now: datetime) -> str:
    """Return the token of a link to choose a password; earlier ones no longer work."""
    close_sessions(session, user.id, kind=SessionKind.INVITATION)
    return open_session(session, user, SessionKind.INVITATION, now)


def set_password(session: Session, user: UserTable, hashed: str) -> None:
    """Give a person a password; all their sessions and links end."""
    user.password_hash = hashed
    close_sessions(session, user.id)


def switch_user(session: Session, user: UserTable, disabled_at: datetime | None) -> None:
    """Close a person's account, ending all sessions, or open it again."""
    user.disabled_at = disabled_at
    if disabled_at is not None:
        close_sessions(session, user.id)


def end_sessions(session: Session, user: UserTable) -> None:
    """Sign a person out everywhere; a link to choose a password stays."""
    close_sessions(session, user.id, kind=SessionKind.COOKIE)


def signed_in(user: UserTable, now: datetime) -> None:
    """Remember when a person signed in."""
    user.signed_in_at = now


def begin_factor(user: UserTable) -> None:
    """Make the secret of a second factor; it does not count before a code of it was given."""
    user.factor_secret, user.factor_since = factor.new_secret(), None
    user.factor_step, user.recovery_codes = None, []


def confirm_factor(session: Session, user: UserTable, code: str, now: datetime) -> list[str] | None:
    """Let a second factor count from now on, ending all sessions.

    Returns:
        Recovery codes; None where the code is wrong.
    """
    if user.factor_secret is None or user.factor_since is not None or not use_code(user, code, now):
        return None
    user.factor_since = now
    close_sessions(session, user.id)
    return renew_recovery_codes(user)


def use_code(user: UserTable, code: str, now: datetime) -> bool:
    """Tell whether a code of the application, or a recovery code, is right; it does not count again."""
    plain, hashed = factor.plain_code(code), factor.hash_recovery_code(code)
    if hashed in user.recovery_codes:
        user.recovery_codes = [one for one in user.recovery_codes if one != hashed]
        return True
    step = factor.step_of(user.factor_secret, plain, now, user.factor_step) if user.factor_secret else None
    user.factor_step = step or user.factor_step
    return step is not None


def renew_recovery_codes(user: UserTable) -> list[str]:
    """Give a person new recovery codes; those of before count no more."""
    codes = factor.new_recovery_codes()
    user.recovery_codes = [factor.hash_recovery_code(code) for code in codes]
    return codes


def remove_factor(session: Session, user: UserTable) -> None:
    """Take a person's second factor away; all their sessions end."""
    user.factor_secret = user.factor_since = user.factor_step = None
    user.recovery_codes = []
    close_sessions(session, user.id)


def lock_user(session: Session, user_id: int) -> UserTable | None:
    """Return a person whom nobody else changes meanwhile."""
    return session.scalar(sa.select(UserTable).where(UserTable.id == user_id).with_for_update())


def other_admins(session: Session, user_id: int) -> int:
    """Count the administrators with open accounts beside one."""
    query = sa.select(sa.func.count()).where(
        UserTable.role == Role.ADMIN, UserTable.disabled_at.is_(None), UserTable.id != user_id
    )
    return session.scalar(query) or 0
