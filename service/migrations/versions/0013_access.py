"""People, rotation of keys, sessions of people, and failures to sign in.

Revision: 0013, after 0017.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0013"
down_revision = "0017"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _create_users()
    with op.batch_alter_table("api_keys") as batch:
        batch.add_column(sa.Column("previous_hash", sa.String(), nullable=True))
        batch.add_column(sa.Column("previous_until", _TIME, nullable=True))
        batch.add_column(sa.Column("last_used_at", _TIME, nullable=True))
        batch.create_unique_constraint(op.f("uq_api_keys_previous_hash"), ["previous_hash"])
    op.execute("delete from sessions")  # they have no time of last use: browsers sign in anew
    with op.batch_alter_table("sessions") as batch:
        batch.alter_column("key_id", existing_type=_BIG, nullable=True)
        batch.add_column(sa.Column("user_id", _BIG, nullable=True))
        batch.add_column(sa.Column("seen_at", _TIME, nullable=False))
        batch.add_column(sa.Column("address", sa.String(), nullable=True))
        batch.add_column(sa.Column("browser", sa.String(), nullable=True))
        batch.create_foreign_key(op.f("fk_sessions_user_id_users"), "users", ["user_id"], ["id"], ondelete="CASCADE")
        batch.create_index(op.f("ix_sessions_user_id"), ["user_id"])
    _create_sign_ins()


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("sees_personal", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("signed_in_at", _TIME, nullable=True),
        sa.Column("disabled_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("identity", name=op.f("uq_users_identity")),
    )


def _create_sign_ins() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("failures", _BIG, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
        sa.UniqueConstraint("subject", name=op.f("uq_sign_in_failures_subject")),
    )
    op.create_index(op.f("ix_sign_in_failures_last_at"), "sign_in_failures", ["last_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("sign_in_failures")
    op.execute("delete from sessions")
    with op.batch_alter_table("sessions") as batch:
        batch.drop_index(op.f("ix_sessions_user_id"))
        batch.drop_constraint(op.f("fk_sessions_user_id_users"), type_="foreignkey")
        for column in ("user_id", "seen_at", "address", "browser"):
            batch.drop_column(column)
        batch.alter_column("key_id", existing_type=_BIG, nullable=False)
    op.drop_table("users")
    with op.batch_alter_table("api_keys") as batch:
        batch.drop_constraint(op.f("uq_api_keys_previous_hash"), type_="unique")
        for column in ("previous_hash", "previous_until", "last_used_at"):
            batch.drop_column(column)
