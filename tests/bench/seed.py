"""A large workspace, made up: notes with findings over two years, straight into the database."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from models.types import THEME_DIMS, ObjectionStatus, ObjectionType, Relation, Standing
from service.tables import (
    AccountTable,
    AuthorTable,
    CompetitorMentionTable,
    DealTable,
    NoteTable,
    ObjectionTable,
    PassageTable,
    Table,
    ThemeTable,
)

ACCOUNTS, AUTHORS, DEALS, THEMES, COMPETITORS = 3_000, 120, 6_000, 60, 25
LAST_DAY = datetime(2026, 9, 30, tzinfo=UTC)
DAYS = 730
_NUMBERED = (AccountTable, AuthorTable, DealTable, ThemeTable, NoteTable)
"""Tables whose rows are inserted with ids of their own."""
CHUNK = 5_000
VECTOR = struct.pack("<384e", *[384**-0.5] * 384)
THEME_VECTOR = struct.pack(f"<{THEME_DIMS}e", *[THEME_DIMS**-0.5] * THEME_DIMS)


def seed(engine: sa.Engine, notes: int, days: int = DAYS) -> None:
    """Fill an empty, migrated database.

    Args:
        engine: The database.
        notes: How many notes; each has on average 1.2 objections, 0.6 competitor mentions and 2.5 passages.
        days: Over how many days they are spread, the last being that of `LAST_DAY`.
    """
    chance = random.Random(7)
    insert_dimensions(engine, chance)
    for begin in range(0, notes, CHUNK):
        with engine.begin() as connection:
            for table, rows in _chunk(chance, range(begin + 1, min(begin + CHUNK, notes) + 1), days).items():
                insert(connection, table, rows)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in (table.__tablename__ for table in _NUMBERED):  # their sequences of ids know nothing of it
                of_ids = f"pg_get_serial_sequence('{name}', 'id')"
                connection.exec_driver_sql(f"select setval({of_ids}, (select max(id) from {name}))")
            connection.exec_driver_sql("analyze")


def insert(connection: sa.Connection, table: type[Table], rows: list[dict[str, Any]]) -> None:
    """Insert rows as the driver does it fastest: a million findings one by one take minutes."""
    names = list(rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    values = ([row[name] for name in names] for row in rows)
    if connection.dialect.name == "postgresql":
        with (
            connection.connection.cursor() as cursor,
            cursor.copy(f"copy {table.__tablename__} ({columns}) from stdin") as copy,
        ):
            for row in values:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(names))
    statement = f"insert into {table.__tablename__} ({columns}) values ({marks})"  # our own names
    connection.exec_driver_sql(statement, [tuple(map(_plain, row)) for row in values])


def _plain(value: Any) -> Any:
    """Return a value as SQLite keeps it."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value


def insert_dimensions(engine: sa.Engine, chance: random.Random) -> None:
    """Insert accounts, authors, deals and themes."""
    segments, teams = ["enterprise", "mid-market", "small"], ["north", "south", "west"]
    now = LAST_DAY
    accounts = [
        {"id": i, "key": f"acc-{i}", "name": f"Firm {i}", "segment": chance.choice(segments)} for i in _ids(ACCOUNTS)
    ]
    authors = [{"id": i, "key": f"rep-{i}", "name": f"Rep {i}", "team": chance.choice(teams)} for i in _ids(AUTHORS)]
    deals = [
        {
            "id": i,
            "key": f"d-{i}",
            "amount": float(chance.randint(5, 400) * 1000),
            "currency": "EUR",
            "stage": None,
            "outcome": chance.choices(["open", "won", "lost"], [5, 3, 4])[0],
            "version_ms": 0,
        }
        for i in _ids(DEALS)
    ]
    themes = [
        {
            "id": i,
            "key": f"theme-{i}",
            "label_en": f"Theme {i}",
            "label_fr": f"Thème {i}",
            "keywords": {"en": [], "fr": []},
            "centroid": THEME_VECTOR,
            "state": "active",
            "label_edited": False,
            "created_at": now,
            "updated_at": now,
        }
        for i in _ids(THEMES)
    ]
    with engine.begin() as connection:
        for table, rows in ((AccountTable, accounts), (AuthorTable, authors), (DealTable, deals), (ThemeTable, themes)):
            connection.execute(sa.insert(table), rows)


def _ids(count: int) -> range:
    return range(1, count + 1)


def _chunk(chance: random.Random, ids: range, days: int) -> dict[type[Table], list[dict[str, Any]]]:
    rows: dict[type[Table], list[dict[str, Any]]] = {
        table: [] for table in (NoteTable, ObjectionTable, CompetitorMentionTable, PassageTable)
    }
    for note_id in ids:
        at = LAST_DAY - timedelta(days=chance.randrange(days), minutes=chance.randrange(600))
        links = {"account_id": _skewed(chance, ACCOUNTS), "author_id": chance.randint(1, AUTHORS)}
        links["deal_id"] = chance.randint(1, DEALS) if chance.random() < 0.7 else None
        rows[NoteTable].append(note(note_id, at, links, chance))
        common = {"note_id": note_id, "occurred_on": at.date(), "start": 0, "end": 40, **links}
        for table, made in _findings(chance):
            rows[table].append({**common, **made})
    return rows


def note(note_id: int, at: datetime, links: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return the row of a note that was read."""
    return {
        "id": note_id,
        "source": "seed",
        "external_id": str(note_id),
        "kind": "call_note",
        "text": "The customer said something that takes about this much room to write down. " * 5,
        "occurred_at": at,
        "content_hash": hashlib.sha256(str(note_id).encode()).hexdigest(),
        "version_ms": 0,
        "revision": 1,
        "queued_revision": 1,
        "analysed_revision": 1,
        "attempts": 0,
        "language": chance.choice(["en", "fr"]),
        "analyzer_version": "seed",
        "analysed_at": at,
        "received_at": at,
        "updated_at": at,
        "masks": "[]",  # as JSON is stored: it was read, and names nobody
        **links,
    }


def _findings(chance: random.Random) -> Iterator[tuple[type[Table], dict[str, Any]]]:
    quote = "The customer said something that takes a"
    shared = {"quote": quote, "score": 0.9, "origin": "seed"}
    for _ in range(chance.choice((0, 1, 1, 1, 3))):
        kind = list(ObjectionType)[_skewed(chance, len(ObjectionType)) - 1]
        yield ObjectionTable, {**shared, "type": kind, "status": chance.choice(list(ObjectionStatus))}
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        name = f"Rival {_skewed(chance, COMPETITORS)}"
        stand = {"relation": chance.choice(list(Relation)), "standing": chance.choice(list(Standing))}
        yield (
            CompetitorMentionTable,
            {**shared, "name": name, "name_key": name.casefold().replace(" ", ""), "known": True, **stand},
        )
    for _ in range(chance.choice((1, 2, 3, 4))):
        theme = _skewed(chance, THEMES) if chance.random() < 0.7 else None
        similarity = 0.7 if theme else None
        yield (
            PassageTable,
            {
                "language": "en",
                "vector": VECTOR,
                "theme_vector": THEME_VECTOR,
                "theme_id": theme,
                "similarity": similarity,
            },
        )


def _skewed(chance: random.Random, count: int) -> int:
    """Return 1 to count, small numbers more often."""
    return 1 + int(count * chance.random() ** 2)
