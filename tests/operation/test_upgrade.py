"""From every released schema, with data in every table that it had, to the present one: nothing is lost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from service.database import alembic_config, current_revision, head_revision, make_engine, migrate
from service.errors import StartRefused
from service.sealing.keyring import KEY_FILE, Keyring

NOT_DATA = {"alembic_version", "day_versions", "sessions"}  # browsers sign in anew after 0013
PLACES = {"theme_vector", "centroid", "origin"}  # in the space of themes, emptied where it is learned anew
INDEX = "note_words"  # SQLite's index of words and the tables that it is made of: built anew from the notes
SEALED = "gAAAA"  # what a sealed text begins with
ROWS = 3
AT = datetime(2026, 9, 14, 10, 20, tzinfo=UTC)


def revisions() -> list[str]:
    """Return every revision, oldest first."""
    script = ScriptDirectory.from_config(alembic_config("sqlite://"))
    return [one.revision for one in reversed(list(script.walk_revisions()))]


def reflected(engine: sa.Engine) -> sa.MetaData:
    metadata = sa.MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
    return metadata


def tables(engine: sa.Engine) -> list[sa.Table]:
    """Return the tables that hold data, those first that others refer to."""
    found = reflected(engine).sorted_tables
    return [one for one in found if one.name not in NOT_DATA and not one.name.startswith(INDEX)]


def fill(engine: sa.Engine, found: Sequence[sa.Table], numbers: Sequence[int]) -> dict[str, list[str]]:
    """Put rows into every table of a schema, by what its columns are; return the columns that are to stay."""
    with engine.begin() as connection:
        for table in found:
            connection.execute(sa.insert(table), [row(table, number) for number in numbers])
    return {table.name: [column.name for column in table.c if column.name not in PLACES] for table in found}


def row(table: sa.Table, number: int) -> dict[str, Any]:
    return {column.name: value(column, number) for column in table.c}


def value(column: sa.Column[Any], number: int) -> Any:
    if column.foreign_keys or (column.primary_key and isinstance(column.type, sa.Integer)):
        return number
    kinds: list[tuple[type, Any]] = [
        (sa.Boolean, bool(number % 2)),
        (sa.Integer, number),
        (sa.Float, number / 2),
        (sa.Numeric, number),
        (sa.DateTime, AT),
        (sa.Date, date(2026, 9, 14)),
        (sa.LargeBinary, number.to_bytes(4, "big")),
        (sa.JSON, {"número": number}),
    ]
    for kind, made in kinds:
        if isinstance(column.type, kind):
            return made.replace(tzinfo=None) if kind is sa.DateTime and not column.type.timezone else made
    return f"{column.name} é {number}"


def stored(
    engine: sa.Engine,
    present: Sequence[sa.Table],
    columns: dict[str, list[str]],
    numbers: Sequence[int],
    keyring: Keyring,
) -> dict[str, list[Any]]:
    """Return the values that `fill` put into given columns of the present tables, by table, in order."""
    found = {}
    with engine.connect() as connection:
        for table in present:
            if table.name in columns:
                chosen = [table.c[one] for one in columns[table.name]]
                key = table.primary_key.columns.values()[0]
                wanted = key.in_([value(key, number) for number in numbers])
                rows = connection.execute(sa.select(*chosen).where(wanted))
                found[table.name] = sorted((tuple(plain(opened(v, keyring)) for v in one) for one in rows), key=repr)
    return found


def opened(one: Any, keyring: Keyring) -> Any:
    """Return what is sealed; documents that are sealed, as documents."""
    if not isinstance(one, str) or not one.startswith(SEALED):
        return one
    text = keyring.open(one)
    return json.loads(text) if text.startswith("{") else text


def plain(one: Any) -> Any:
    return json.dumps(one, sort_keys=True) if isinstance(one, dict | list) else one


def test_data_of_every_release_outlives_the_upgrade(empty_url: str, tmp_path: Path) -> None:
    """At each revision every table gets rows; at the head all rows of all revisions are as they were written."""
    keyring = Keyring(tmp_path / KEY_FILE)
    engine = make_engine(empty_url)
    written = []
    for place, revision in enumerate(revisions()):
        command.upgrade(alembic_config(empty_url, keyring), revision)
        numbers = range(100 * place + 1, 100 * place + 1 + ROWS)
        present = tables(engine)
        columns = fill(engine, present, numbers)
        written.append((revision, numbers, columns, stored(engine, present, columns, numbers, keyring)))
    migrate(empty_url, keyring)
    assert current_revision(engine) == head_revision()
    present = tables(engine)
    for revision, numbers, columns, before in written:
        assert len(before["notes"]) == ROWS
        after = stored(engine, present, columns, numbers, keyring)
        assert after.keys() == before.keys(), revision
        for name, rows in before.items():
            assert after[name] == rows, (revision, name)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            assert not connection.exec_driver_sql("pragma foreign_key_check").fetchall()
    engine.dispose()


def test_revisions_are_one_line() -> None:
    script = ScriptDirectory.from_config(alembic_config("sqlite://"))
    chain = list(script.walk_revisions())
    assert len(script.get_heads()) == 1
    assert all(later.down_revision == earlier.revision for later, earlier in itertools.pairwise(chain))


def test_an_older_binome_does_not_touch_a_newer_database(empty_url: str) -> None:
    migrate(empty_url)
    engine = make_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StartRefused, match=r"9999.*newer version.*back-up"):
        migrate(empty_url)
    assert current_revision(engine) == "9999"
    engine.dispose()
