"""The space of themes is learned anew: places in the former one mean nothing in it.

Revision: 0030, after 0029. Passages get their place when their notes are read again, themes at the next fit; until then
passages stay with their themes, as after 0027.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

FORMER_BYTES = 640
NOWHERE = sa.literal(b"", sa.LargeBinary())


def upgrade() -> None:
    """Apply."""
    for table, name in (("passages", "theme_vector"), ("themes", "centroid")):
        vector: sa.ColumnClause[bytes] = sa.column(name, sa.LargeBinary())
        former = sa.func.length(vector) == FORMER_BYTES
        op.execute(sa.table(table, vector).update().where(former).values({name: NOWHERE}))


def downgrade() -> None:
    """Take nothing back: an earlier Binôme reads all notes again."""
