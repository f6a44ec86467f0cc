"""All sealed values of a database, as they stand there: which can be opened, sealing them anew, giving them up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.deliveries.signing import new_secret
from service.errors import Unavailable
from service.schema import METADATA
from service.sealing.columns import Sealed, SealedDocument
from service.sealing.keyring import Keyring


@dataclass(frozen=True, slots=True)
class SealedValue:
    """One value: where it stands, and how it reads in the database."""

    table: sa.Table
    column: sa.Column[str]
    key: tuple[object, ...]
    token: str

    @property
    def row(self) -> sa.ColumnElement[bool]:
        """The condition that finds its row."""
        pairs = zip(self.table.primary_key.columns, self.key, strict=True)
        return sa.and_(*(column == value for column, value in pairs))


def sealed_columns() -> list[tuple[sa.Table, sa.Column[str]]]:
    """Return the columns whose values are sealed."""
    kinds = (Sealed, SealedDocument)
    return [(table, column) for table in METADATA.sorted_tables for column in table.c if isinstance(column.type, kinds)]


def sealed_values(session: Session) -> Iterator[SealedValue]:
    """Yield every sealed value."""
    for table, column in sealed_columns():
        raw = sa.type_coerce(column, sa.Text())
        query = sa.select(*table.primary_key.columns, raw.label("token")).where(column.is_not(None))
        for *key, token in session.execute(query).all():
            yield SealedValue(table, column, tuple(key), token)


def unreadable_values(session: Session, keyring: Keyring) -> list[SealedValue]:
    """Return the sealed values that no key opens."""
    return [value for value in sealed_values(session) if not _opens(keyring, value.token)]


def _opens(keyring: Keyring, token: str) -> bool:
    try:
        keyring.open(token)
    except Unavailable:
        return False
    return True


def reseal_all(session: Session, keyring: Keyring) -> int:
    """Seal every value anew by the first key; return how many. One that was changed meanwhile is newer, and stays."""
    count = 0
    for value in list(sealed_values(session)):
        raw = sa.type_coerce(value.column, sa.Text())
        anew = sa.literal(keyring.reseal(value.token), sa.Text())
        session.execute(sa.update(value.table).where(value.row, raw == value.token).values({value.column: anew}))
        count += 1
    return count


def give_up(session: Session, values: list[SealedValue], keyring: Keyring, now: datetime) -> None:
    """Forget values that no key opens: those that have to be there become random, and what they are for is closed."""
    for value in values:
        changes: dict[str, object] = {value.column.name: sa.null()}
        if not value.column.nullable:
            empty = "{}" if isinstance(value.column.type, SealedDocument) else new_secret()
            changes = {value.column.name: sa.literal(keyring.seal(empty), sa.Text()), "disabled_at": now}
            if "disabled_reason" in value.table.c:
                changes["disabled_reason"] = "switched_off"
        session.execute(sa.update(value.table).where(value.row).values(changes))
