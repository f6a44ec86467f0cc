"""Records of erasures, and hashes of what must not come back.

Revision: 0014, after 0013.
"""

from __future__ import annotations

import hmac
import secrets

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = tables.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "erasures",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("counts", tables.Json, nullable=False),
        sa.Column("lifted_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_table(
        "erasure_salts",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_salts")),
    )
    op.create_table(
        "erased_keys",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("note_id", _BIG, nullable=True),
        sa.Column("erasure_id", _BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["erasure_id"], ["erasures.id"], name=op.f("fk_erased_keys_erasure_id_erasures"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erased_keys")),
        sa.UniqueConstraint("kind", "source", "digest", name=op.f("uq_erased_keys_kind_source_digest")),
    )
    op.create_index(op.f("ix_erased_keys_erasure_id"), "erased_keys", ["erasure_id"])
    _remember_contacts(op.get_bind())


def _remember_contacts(connection: sa.Connection) -> None:
    """Carry over the contacts whom HubSpot had erased: the operator's list of faults forgets them some day."""
    asked = sa.text("select distinct source, external_id from set_aside where code = 'privacy_deletion'")
    known = [(source, contact) for source, contact in connection.execute(asked) if contact]
    if not known:
        return
    salt = secrets.token_bytes(32)
    connection.execute(sa.text("insert into erasure_salts (id, salt) values (1, :salt)"), {"salt": salt})
    insert = sa.text("insert into erased_keys (kind, source, digest) values ('contact', :source, :digest)")
    for source, contact in known:
        digest = hmac.new(salt, contact.encode(), "sha256").hexdigest()
        connection.execute(insert, {"source": source, "digest": digest})


def downgrade() -> None:
    """Take back; what was erased is remembered no longer."""
    op.drop_table("erased_keys")
    op.drop_table("erasure_salts")
    op.drop_table("erasures")
