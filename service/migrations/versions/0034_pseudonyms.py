"""Names for authors that tell nobody who they are.

Revision: 0034, after 0033.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.tables import new_pseudonym

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; the authors that are there get theirs."""
    op.add_column("authors", sa.Column("pseudonym", sa.String(), nullable=True))
    authors = sa.table("authors", sa.column("id", sa.BigInteger), sa.column("pseudonym", sa.String))
    ids = list(op.get_bind().scalars(sa.select(authors.c.id)))
    if ids:
        named = authors.update().where(authors.c.id == sa.bindparam("author")).values(pseudonym=sa.bindparam("made_up"))
        op.get_bind().execute(named, [{"author": one, "made_up": new_pseudonym()} for one in ids])
    op.create_index("ix_authors_pseudonym", "authors", ["pseudonym"], unique=True)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_authors_pseudonym", "authors")
    op.drop_column("authors", "pseudonym")
