"""Corrections; ids of findings that are never given twice.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CORRECTABLE = ("objections", "competitor_mentions")


def upgrade() -> None:
    """Apply. On SQLite the tables of findings are built anew: only so can they change how they give ids."""
    for table in _CORRECTABLE:
        with op.batch_alter_table(table, recreate="auto", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
            batch_op.add_column(sa.Column("corrected", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "corrections",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("note_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("finding_id", _BIG, nullable=True),
        sa.Column("start", _BIG, nullable=False),
        sa.Column("end", _BIG, nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("suffix", sa.String(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=True),
        sa.Column("right", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["note_id"], ["notes.id"], name=op.f("fk_corrections_note_id_notes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_corrections_finding_id"), "corrections", ["finding_id"])
    op.create_index(op.f("ix_corrections_note_id"), "corrections", ["note_id"])
    op.create_table(
        "corrected_notes",
        sa.Column("note_id", _BIG, nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["note_id"], ["notes.id"], name=op.f("fk_corrected_notes_note_id_notes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_corrected_notes")),
    )


def downgrade() -> None:
    """Take back; what people corrected stays as it counts, until the notes are analysed again."""
    op.drop_table("corrected_notes")
    op.drop_table("corrections")
    for table in _CORRECTABLE:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("corrected")
