"""Indexes that hold all that counting looks at.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BEFORE = {
    ("notes", "ix_notes_occurred_at"): ["occurred_at", "id"],
    ("notes", "ix_notes_account_id"): ["account_id"],
    ("notes", "ix_notes_author_id"): ["author_id"],
    ("notes", "ix_notes_deal_id"): ["deal_id"],
    ("objections", "ix_objections_day"): ["occurred_on", "type", "account_id", "note_id"],
    ("objections", "ix_objections_type"): ["type", "occurred_on", "account_id", "note_id"],
    ("competitor_mentions", "ix_competitor_mentions_day"): ["occurred_on", "name_key", "account_id", "note_id"],
    ("competitor_mentions", "ix_competitor_mentions_name"): ["name_key", "occurred_on", "account_id", "note_id"],
    ("passages", "ix_passages_day"): ["occurred_on", "theme_id", "account_id", "note_id"],
    ("passages", "ix_passages_theme"): ["theme_id", "occurred_on", "account_id", "note_id"],
}
_COUNTED = ["occurred_on", "note_id", "account_id", "author_id", "deal_id"]
_AFTER = {
    ("objections", "ix_objections_item"): ["type", *_COUNTED, "status"],
    ("competitor_mentions", "ix_competitor_mentions_item"): [
        "name_key",
        *_COUNTED,
        "known",
        "relation",
        "standing",
    ],
    ("passages", "ix_passages_item"): ["theme_id", *_COUNTED],
}
_OF_NOTES = [
    "occurred_at",
    "id",
    "account_id",
    "author_id",
    "deal_id",
    "language",
    "kind",
    "source",
    "analysed_revision",
    "deleted_at",
]


def upgrade() -> None:
    """Apply."""
    for table, name in _BEFORE:
        op.drop_index(name, table_name=table)
    for (table, name), columns in _AFTER.items():
        op.create_index(name, table, columns)
    present = sa.text("deleted_at IS NULL")
    op.create_index("ix_notes_day", "notes", _OF_NOTES, sqlite_where=present, postgresql_where=present)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_notes_day", table_name="notes")
    for table, name in _AFTER:
        op.drop_index(name, table_name=table)
    for (table, name), columns in _BEFORE.items():
        op.create_index(name, table, columns)
