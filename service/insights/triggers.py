"""Triggers that give a day a new version with every change of its notes or findings, and the deals one with theirs.

They are put in place after every migration, because SQLite drops them with a table that a migration builds anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from service.insights.tables import DEALS
from service.tables import CompetitorMentionTable, DealTable, NoteTable, ObjectionTable, PassageTable

FINDINGS = tuple(table.__tablename__ for table in (ObjectionTable, CompetitorMentionTable, PassageTable))
NOTES = NoteTable.__tablename__
EVENTS = ("insert", "update", "delete")
_DEALS = f"'{DEALS.isoformat()}'"
COUNTED = (
    "occurred_at",
    "account_id",
    "author_id",
    "deal_id",
    "language",
    "kind",
    "source",
    "analysed_revision",
    "deleted_at",
    "duplicate_of",
)
"""Columns of notes that counting reads; others may change without a new version."""
PASSAGES = PassageTable.__tablename__
OF_PASSAGES = ("theme_id", "occurred_on", "note_id", "account_id", "author_id", "deal_id", "start", "end")
"""Columns of passages that counting reads: a fit writes the similarity of all, and moves few of them."""
DEAL_TABLE = DealTable.__tablename__
OF_DEALS = ("outcome", "currency", "amount")
"""Columns of deals that counting reads."""


def install(connection: sa.Connection) -> None:
    """Create the triggers that are missing, and those anew that say something else than they should."""
    sqlite = connection.dialect.name == "sqlite"
    present = _present(connection)
    for statement in _functions(connection):
        connection.exec_driver_sql(statement)
    for name, statement in (_sqlite() if sqlite else _postgresql()).items():
        if sqlite and present.get(name, statement).casefold() != statement.casefold():
            connection.exec_driver_sql(f"drop trigger {name}")
            del present[name]
        if name not in present:
            connection.exec_driver_sql(statement)
    token = "random()" if sqlite else "(random() * 9007199254740991)::bigint"
    connection.exec_driver_sql(
        f"insert into day_versions (day, token) select {_DEALS}, {token} "  # noqa: S608  # our own words
        f"where not exists (select 1 from day_versions where day = {_DEALS})"
    )


def remove(connection: sa.Connection) -> None:
    """Drop the triggers and their functions."""
    sqlite = connection.dialect.name == "sqlite"
    for table in (NOTES, *FINDINGS, DEAL_TABLE):
        for event in EVENTS:
            connection.exec_driver_sql(
                f"drop trigger if exists {_name(table, event)}{'' if sqlite else f' on {table}'}"
            )
    if not sqlite:
        names = ("version_days_of_notes()", "version_days_of_findings()", "version_deals()", "version_days(date[])")
        for function in names:
            connection.exec_driver_sql(f"drop function if exists {function}")


def _name(table: str, event: str) -> str:
    return f"version_{table}_{event}"


def _present(connection: sa.Connection) -> dict[str, str]:
    """Return the triggers that there are, with what made them; on PostgreSQL their functions say what they do."""
    sqlite = connection.dialect.name == "sqlite"
    query = (
        "select name, sql from sqlite_master where type = 'trigger'" if sqlite else "select tgname, '' from pg_trigger"
    )
    return {row[0]: row[1] for row in connection.exec_driver_sql(query)}


def _sqlite() -> dict[str, str]:
    """Return a trigger a row: SQLite knows no others."""
    statements = {}
    for table in (NOTES, *FINDINGS):
        day = "substr({0}.occurred_at, 1, 10)" if table == NOTES else "{0}.occurred_on"
        for event in EVENTS:
            condition = _sqlite_condition(table, event)
            rows = {"insert": ("new",), "delete": ("old",), "update": ("old", "new")}[event]
            body = " ".join(_renew(day.format(row)) for row in rows)
            name = _name(table, event)
            statements[name] = f"create trigger {name} after {event} on {table} {condition} begin {body} end"
    return statements | {
        _name(DEAL_TABLE, event): f"create trigger {_name(DEAL_TABLE, event)} after {event} on {DEAL_TABLE} "
        f"{_differs(OF_DEALS) if event == 'update' else ''} begin {_renew(_DEALS)} end"
        for event in EVENTS
    }


def _differs(columns: Sequence[str]) -> str:
    return "when " + " or ".join(f'old."{column}" is not new."{column}"' for column in columns)


def _sqlite_condition(table: str, event: str) -> str:
    """Return when a change counts: not when a note is taken in or queued, which must be fast."""
    if event == "update" and table in (NOTES, PASSAGES):
        return _differs(COUNTED if table == NOTES else OF_PASSAGES)
    if table == NOTES:
        return f"when {'new' if event == 'insert' else 'old'}.analysed_revision > 0"
    return ""


def _renew(day: str) -> str:
    return (
        f"update day_versions set token = random() where day = {day}; "  # noqa: S608  # columns named here
        f"insert into day_versions (day, token) select {day}, random() where changes() = 0;"
    )


# Tokens that another transaction is about to replace are left to it: nobody waits, and no two can deadlock.
_VERSION_DAYS = """
create or replace function version_days(days date[]) returns void language sql as $$
    delete from day_versions where id in
        (select id from day_versions where day = any(days) for update skip locked);
    insert into day_versions (day, token)
        select day, (random() * 9007199254740991)::bigint from unnest(days) as day;
$$
"""


def _functions(connection: sa.Connection) -> tuple[str, ...]:
    if connection.dialect.name == "sqlite":
        return ()
    return _VERSION_DAYS, _of_findings(), _of_notes(), _of_deals()


def _row(name: str, columns: Sequence[str]) -> str:
    return "(" + ", ".join(f'{name}."{column}"' for column in columns) + ")"


def _of_findings() -> str:
    old, new = _row("stale", OF_PASSAGES), _row("fresh", OF_PASSAGES)
    return f"""
    create or replace function version_days_of_findings() returns trigger language plpgsql as $$
    begin
        if tg_op = 'INSERT' then
            perform version_days(array(select distinct occurred_on from fresh));
        elsif tg_op = 'DELETE' then
            perform version_days(array(select distinct occurred_on from stale));
        elsif tg_table_name = '{PASSAGES}' then
            perform version_days(array(
                select distinct changed.day
                from stale join fresh on fresh.id = stale.id and {old} is distinct from {new},
                lateral (values (stale.occurred_on), (fresh.occurred_on)) as changed (day)
            ));
        else
            perform version_days(array(select occurred_on from stale union select occurred_on from fresh));
        end if;
        return null;
    end $$
    """  # noqa: S608  # columns named here


def _of_notes() -> str:
    old, new = _row("stale", COUNTED), _row("fresh", COUNTED)
    utc = "(occurred_at at time zone 'UTC')::date"
    return f"""
    create or replace function version_days_of_notes() returns trigger language plpgsql as $$
    begin
        if tg_op = 'INSERT' then
            perform version_days(array(select distinct {utc} from fresh where analysed_revision > 0));
        elsif tg_op = 'DELETE' then
            perform version_days(array(select distinct {utc} from stale where analysed_revision > 0));
        else
            perform version_days(array(
                select distinct (changed.at at time zone 'UTC')::date
                from stale join fresh on fresh.id = stale.id and {old} is distinct from {new},
                lateral (values (stale.occurred_at), (fresh.occurred_at)) as changed (at)
            ));
        end if;
        return null;
    end $$
    """  # noqa: S608  # columns named here


def _of_deals() -> str:
    old, new = _row("stale", OF_DEALS), _row("fresh", OF_DEALS)
    return f"""
    create or replace function version_deals() returns trigger language plpgsql as $$
    begin
        if tg_op = 'UPDATE' then
            if not exists (
                select from stale join fresh on fresh.id = stale.id and {old} is distinct from {new}
            ) then
                return null;
            end if;
        end if;
        perform version_days(array[{_DEALS}::date]);
        return null;
    end $$
    """  # noqa: S608  # columns named here


def _postgresql() -> dict[str, str]:
    """Return a trigger a statement."""
    rows = {"insert": "new table as fresh", "delete": "old table as stale"}
    rows["update"] = f"{rows['delete']} {rows['insert']}"
    statements = {}
    functions = {NOTES: "version_days_of_notes", DEAL_TABLE: "version_deals"}
    for table in (NOTES, *FINDINGS, DEAL_TABLE):
        function = functions.get(table, "version_days_of_findings")
        for event in EVENTS:
            name = _name(table, event)
            statements[name] = (
                f"create trigger {name} after {event} on {table} referencing {rows[event]} "
                f"for each statement execute function {function}()"
            )
    return statements
