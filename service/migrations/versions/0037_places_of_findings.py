"""The indexes by which findings are counted tell where they stand: what stands on the same words is one insight.

Revision: 0037, after 0036.
"""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_COUNTED = ["occurred_on", "note_id", "account_id", "author_id", "deal_id"]
_INDEXES = {
    "objections": ["type", *_COUNTED, "status"],
    "competitor_mentions": ["name_key", *_COUNTED, "known", "relation", "standing"],
    "passages": ["theme_id", *_COUNTED],
}


def upgrade() -> None:
    """Apply."""
    _create(["start", "end"])


def downgrade() -> None:
    """Take back."""
    _create([])


def _create(further: list[str]) -> None:
    for table, columns in _INDEXES.items():
        op.drop_index(f"ix_{table}_item", table_name=table)
        op.create_index(f"ix_{table}_item", table, [*columns, *further])
