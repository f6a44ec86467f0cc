"""Themes as people curate them: edits, merges, pins, changes that can be undone, and places on the map.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service import tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _added() -> dict[str, list[sa.Column[object]]]:
    """Return the new columns of tables that are there."""
    return {
        "themes": [
            sa.Column("description", sa.Text(), nullable=True),
            sa.Column("locked", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.Column("muted", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.Column("area", sa.String(), nullable=True),
            sa.Column("area_edited", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.Column("nature", sa.String(), nullable=True),
            sa.Column("merged_into", _BIG, nullable=True),
            sa.Column("alias", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.Column("missed", _BIG, server_default="0", nullable=False),
            sa.Column("x", sa.Double(), nullable=True),
            sa.Column("y", sa.Double(), nullable=True),
        ],
        "theme_fits": [sa.Column("detail", sa.JSON(), nullable=True)],
        "theme_events": [sa.Column("change_id", _BIG, nullable=True)],
        "passages": [sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False)],
    }


def upgrade() -> None:
    """Apply."""
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "theme_changes",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("theme_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", tables.UtcDateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", tables.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["theme_id"], ["themes.id"], name=op.f("fk_theme_changes_theme_id_themes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_changes")),
    )
    op.create_index(op.f("ix_theme_changes_theme_id"), "theme_changes", ["theme_id"])
    op.create_table(
        "theme_moves",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("change_id", _BIG, nullable=False),
        sa.Column("passage_id", _BIG, nullable=False),
        sa.Column("from_theme_id", _BIG, nullable=True),
        sa.Column("was_pinned", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["theme_changes.id"], name=op.f("fk_theme_moves_change_id_theme_changes"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["passage_id"], ["passages.id"], name=op.f("fk_theme_moves_passage_id_passages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_moves")),
    )
    op.create_index(op.f("ix_theme_moves_change_id"), "theme_moves", ["change_id"])
    op.create_index(op.f("ix_theme_moves_passage_id"), "theme_moves", ["passage_id"])
    op.create_table(
        "theme_pins",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("note_id", _BIG, nullable=False),
        sa.Column("theme_id", _BIG, nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["note_id"], ["notes.id"], name=op.f("fk_theme_pins_note_id_notes"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["theme_id"], ["themes.id"], name=op.f("fk_theme_pins_theme_id_themes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme_pins")),
    )
    op.create_index(op.f("ix_theme_pins_note_id"), "theme_pins", ["note_id"])
    op.create_index(op.f("ix_theme_pins_theme_id"), "theme_pins", ["theme_id"])


def downgrade() -> None:
    """Take back; what people curated stays as it counts, until the next fit."""
    for table in ("theme_pins", "theme_moves", "theme_changes"):
        op.drop_table(table)
    for table, columns in _added().items():
        with op.batch_alter_table(table) as batch_op:
            for column in columns:
                batch_op.drop_column(column.name)
