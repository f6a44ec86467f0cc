"""The space of themes is learned anew, over a tagger that has learned more: places in the former one mean nothing.

Revision: 0036, after 0035. As after 0030, passages get their place when their notes are read again, themes at the next
fit; until then passages stay with their themes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

NOWHERE = sa.literal(b"", sa.LargeBinary())
PLACES = ("centroid", "origin")


def upgrade() -> None:
    """Apply; what undoing a split would put back is a place of the former space too."""
    for table, names in (("passages", ("theme_vector",)), ("themes", PLACES)):
        columns = [sa.column(name, sa.LargeBinary()) for name in names]
        op.execute(sa.table(table, *columns).update().values(dict.fromkeys(names, NOWHERE)))
    changes = sa.table("theme_changes", sa.column("id"), sa.column("kind"), sa.column("detail", sa.JSON()))
    connection = op.get_bind()
    splits = sa.select(changes.c.id, changes.c.detail).where(changes.c.kind == "split")
    for id_, detail in connection.execute(splits).all():
        before = {name: value for name, value in detail["before"].items() if name not in PLACES}
        connection.execute(changes.update().where(changes.c.id == id_).values(detail={**detail, "before": before}))


def downgrade() -> None:
    """Take nothing back: an earlier Binôme reads all notes again."""
