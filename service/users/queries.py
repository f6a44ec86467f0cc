"""People in the database."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.auth.scopes import Role
from service.auth.sessions import SessionKind, close_sessions, open_session
from service.auth.tables import UserTable
from service.database import insert_ignoring


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


def signed_in(user: UserTable, now: datetime, rehashed: str | None = None) -> None:
    """Remember when a person signed in, and the password's hash with today's parameters."""
    user.signed_in_at = now
    user.password_hash = rehashed or user.password_hash


def other_admins(session: Session, user_id: int) -> int:
    """Count the administrators with open accounts beside one."""
    query = sa.select(sa.func.count()).where(
        UserTable.role == Role.ADMIN, UserTable.disabled_at.is_(None), UserTable.id != user_id
    )
    return session.scalar(query) or 0
