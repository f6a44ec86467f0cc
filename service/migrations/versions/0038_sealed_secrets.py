"""Secrets of connections, endpoints and subscriptions are sealed; those that are there are sealed now.

On PostgreSQL the change of type writes each table anew after its secrets were sealed, so that none stays in its file.

Revision: 0038, after 0037.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_COLUMNS: dict[str, dict[str, Any]] = {
    "connections": {"secret": sa.String(), "previous_secret": sa.String(), "options": sa.JSON()},
    "api_states": {"access_token": sa.Text(), "refresh_token": sa.Text()},
    "webhook_endpoints": {"secret": sa.String(), "previous_secret": sa.String()},
    "subscriptions": {"address": sa.Text(), "token_secret": sa.String()},
}
"""The columns and the types that they had."""


def upgrade() -> None:
    """Apply."""
    for table, columns in _COLUMNS.items():
        _change_all(table, columns, lambda keyring: keyring.seal)
        with op.batch_alter_table(table) as batch:
            for name, kind in columns.items():
                text = f"{name} #>> '{{}}'" if isinstance(kind, sa.JSON) else f"{name} || ''"
                batch.alter_column(name, existing_type=kind, type_=sa.Text(), postgresql_using=text)


def downgrade() -> None:
    """Take back."""
    for table, columns in _COLUMNS.items():
        _change_all(table, dict.fromkeys(columns, sa.Text()), lambda keyring: keyring.open)
        with op.batch_alter_table(table) as batch:
            for name, kind in columns.items():
                json = f"{name}::json" if isinstance(kind, sa.JSON) else None
                batch.alter_column(name, existing_type=sa.Text(), type_=kind, postgresql_using=json)


def _change_all(name: str, columns: dict[str, Any], change: Callable[[Any], Callable[[str], str]]) -> None:
    """Change each value of some columns; a document is taken as its text, and put back as a JSON string."""
    connection = op.get_bind()
    table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    keys = table.primary_key.columns
    texts = [sa.cast(table.c[column], sa.Text) for column in columns]
    rows = connection.execute(sa.select(*keys, *texts)).all()
    if not rows:
        return
    keyring = context.config.attributes.get("keyring")
    if keyring is None:
        raise RuntimeError(f"{name} holds secrets: sealing them needs migrate(url, keyring)")
    keyring.ensure()
    for row in rows:
        found = sa.and_(*(column == value for column, value in zip(keys, row, strict=False)))
        values = {
            column: _stored(table.c[column], change(keyring)(text), connection.dialect.name)
            for column, text in zip(columns, row[len(keys) :], strict=True)
            if text is not None
        }
        if values:
            connection.execute(sa.update(table).where(found).values(values))


def _stored(column: sa.Column[Any], text: str, dialect: str) -> Any:
    if isinstance(column.type, sa.JSON) and dialect == "sqlite":
        return sa.literal(text, sa.Text)  # its JSON is text already
    return text
