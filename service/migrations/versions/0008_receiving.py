"""Merged contacts, mailboxes, notes from two sources, and what was left out of a row that was taken.

Revision: 0008, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = tables.UtcDateTime(timezone=True)
_DAY = ["occurred_at", "id", "account_id", "author_id", "deal_id", "language", "kind", "source", "analysed_revision"]
_LIVING = sa.text("deleted_at IS NULL")
_DUPLICATES = sa.text("duplicate_of IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "contact_merges",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("into", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "contact", "into", name=op.f("pk_contact_merges")),
    )
    op.create_index("ix_contact_merges_into", "contact_merges", ["source", "into"])
    op.create_table(
        "mailboxes",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("uid_validity", _BIG, nullable=True),
        sa.Column("last_uid", _BIG, nullable=False),
        sa.Column("checked_at", _TIME, nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("held_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("connection", "folder", name=op.f("pk_mailboxes")),
    )
    op.add_column("import_refusals", sa.Column("taken", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "note_prints",
        sa.Column("note_id", _BIG, nullable=False),
        sa.Column("print", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["note_id"], ["notes.id"], name=op.f("fk_note_prints_note_id_notes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("note_id", "print", name=op.f("pk_note_prints")),
    )
    op.create_index(op.f("ix_note_prints_print"), "note_prints", ["print"])
    op.add_column("notes", sa.Column("duplicate_of", _BIG, nullable=True))
    op.create_index(
        "ix_notes_duplicate_of", "notes", ["duplicate_of"], sqlite_where=_DUPLICATES, postgresql_where=_DUPLICATES
    )
    _day_index([*_DAY, "deleted_at", "duplicate_of"])


def downgrade() -> None:
    """Take back; notes from two sources count twice then, once they are analysed again."""
    _day_index([*_DAY, "deleted_at"])
    op.drop_index("ix_notes_duplicate_of", "notes")
    op.drop_column("notes", "duplicate_of")
    op.drop_table("note_prints")
    op.drop_column("import_refusals", "taken")
    op.drop_table("mailboxes")
    op.drop_table("contact_merges")


def _day_index(columns: list[str]) -> None:
    op.drop_index("ix_notes_day", "notes")
    op.create_index("ix_notes_day", "notes", columns, sqlite_where=_LIVING, postgresql_where=_LIVING)
