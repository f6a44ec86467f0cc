"""Which claims of a provider give which role, as a setting says it."""

from __future__ import annotations

from dataclasses import dataclass

from service.auth.scopes import Role, Scope


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for who has a value among a claim's; `*` is anybody whom the provider knows."""

    claim: str
    value: str
    role: Role
    personal: bool


def read_grants(text: str) -> list[Grant]:
    """Read `groups/marketing=curator, groups/heads=admin, realm_access.roles/dpo=reader+personal, *=reader`.

    Raises:
        ValueError: If it is not written so.
    """
    return [_grant(part.strip()) for part in text.split(",") if part.strip()]


def _grant(part: str) -> Grant:
    who, equals, right = part.rpartition("=")
    claim, slash, value = who.partition("/")
    role, plus, more = right.strip().partition("+")
    whole = claim.strip() and (claim.strip() == "*") != bool(slash and value)
    if not equals or not whole or role not in set(Role) or (plus and more != Scope.PERSONAL):
        raise ValueError(f"{part!r} is not written as groups/marketing=curator")
    return Grant(claim.strip(), value.strip(), Role(role), bool(plus))
