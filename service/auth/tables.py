"""Tables of keys, people, browsers' sessions and failures to sign in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.sealing.columns import Sealed
from service.tables import Table


class ApiKeyTable(Table):
    """A key of the API. Only its SHA-256 is kept; keys hold 256 random bits, so no slow hash is needed.

    `previous_hash` is of the secret before the last rotation, which counts until `previous_until`. `last_used_at` is
    coarse: it moves once in some minutes.
    """

    __tablename__ = "api_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    previous_hash: Mapped[str | None] = mapped_column(unique=True)
    previous_until: Mapped[datetime | None]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class UserTable(Table):
    """A person who signs in with a password (Argon2id), by OpenID Connect, or both.

    `email` is in small letters. `identity` is the provider's issuer and subject. A person who was invited and has not
    chosen a password has none. The second factor's secret counts from `factor_since` on, codes of steps after
    `factor_step`; of recovery codes only the SHA-256 is kept.
    """

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    sees_personal: Mapped[bool]
    password_hash: Mapped[str | None]
    identity: Mapped[str | None] = mapped_column(unique=True)
    factor_secret: Mapped[str | None] = mapped_column(Sealed)
    factor_since: Mapped[datetime | None]
    factor_step: Mapped[int | None]
    recovery_codes: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class SessionTable(Table):
    """A browser's session (`cookie`), a link that opens one once (`link`), or one to choose a password (`invitation`).

    One that is a `factor` is of who gave the password, and not the second factor yet. It belongs to a key or to a
    person. Only the token's SHA-256 is kept. `seen_at` is coarse, as a key's last use.
    """

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    key_id: Mapped[int | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    address: Mapped[str | None]
    browser: Mapped[str | None]


class SignInFailureTable(Table):
    """How often signing in failed in a row, for an account or an address (`subject` is its SHA-256)."""

    __tablename__ = "sign_in_failures"
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(unique=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
