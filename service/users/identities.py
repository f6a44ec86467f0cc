"""Whose account a provider's ID token opens, and with which rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from service.auth.roles import Grant
from service.auth.scopes import Role
from service.auth.tables import UserTable
from service.users import queries
from service.users.schemas import NewUser

_ORDER = list(Role)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may do."""

    role: Role
    personal: bool


def rights_of(claims: Mapping[str, Any], grants: list[Grant]) -> Rights | None:
    """Return the most that a person's claims are granted; None where they are granted nothing."""
    given = [grant for grant in grants if grant.claim == "*" or grant.value in _values(claims, grant.claim)]
    if not given:
        return None
    return Rights(max((g.role for g in given), key=_ORDER.index), any(g.personal for g in given))


def _values(claims: Any, path: str) -> list[str]:
    """Return the values of a claim; dots lead into objects."""
    for name in path.split("."):
        claims = claims.get(name) if isinstance(claims, Mapping) else None
    return [str(one) for one in (claims if isinstance(claims, list) else [claims]) if one is not None]


def account_of(
    session: Session, claims: Mapping[str, Any], grants: list[Grant], *, trust_email: bool, now: datetime
) -> UserTable | None:
    """Return the open account of who signs in, made or joined to the identity where that may be.

    An account that exists is joined by its e-mail address only where the provider has verified that. Where grants are
    set, they decide: who has none stays out, and the account has the rights that they give.

    Args:
        claims: Of a checked ID token.
        grants: Which claims give which role; none lets in who has an account already.
        trust_email: Whether all e-mail addresses of the provider are verified.
    """
    rights = rights_of(claims, grants)
    if grants and rights is None:
        return None
    identity = f"{claims['iss']} {claims['sub']}"
    user = queries.find_identity(session, identity) or _joined(session, claims, identity, trust_email)
    if user is None and rights is not None:
        user = _made(session, claims, identity, rights, now)
    if user is None or user.disabled_at is not None:
        return None
    if rights is not None:
        user.role, user.sees_personal = str(rights.role), rights.personal
    return user


def _joined(session: Session, claims: Mapping[str, Any], identity: str, trust_email: bool) -> UserTable | None:
    verified = trust_email or claims.get("email_verified") in (True, "true")
    user = queries.find_user(session, _email(claims)) if verified else None
    if user is None or user.identity is not None or user.disabled_at is not None:
        return None
    user.identity = identity
    return user


def _made(
    session: Session, claims: Mapping[str, Any], identity: str, rights: Rights, now: datetime
) -> UserTable | None:
    try:
        wanted = NewUser(email=_email(claims), name=str(claims.get("name") or _email(claims))[:100], role=rights.role)
    except ValidationError:
        return None
    user = queries.add_user(
        session, email=wanted.email, name=wanted.name, role=rights.role, sees_personal=rights.personal, now=now
    )
    if user is not None:
        user.identity = identity
    return user


def _email(claims: Mapping[str, Any]) -> str:
    return str(claims.get("email") or claims.get("preferred_username") or "")
