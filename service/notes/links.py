"""What notes hang on: accounts, authors and deals, made and brought up to date as notes and events name them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import insert_ignoring
from service.filters import Outcome, milliseconds, name_key
from service.notes.schemas import AccountInput, DealInput, IncomingNote
from service.tables import (
    AccountTable,
    AuthorTable,
    CompetitorMentionTable,
    DealTable,
    NoteTable,
    ObjectionTable,
    PassageTable,
)

FINDINGS = (ObjectionTable, CompetitorMentionTable, PassageTable)


@dataclass(frozen=True, slots=True)
class Links:
    """Row ids of the accounts, authors and deals of a batch, by key."""

    accounts: dict[str, int]
    authors: dict[str, int]
    deals: dict[str, int]
    accounts_of_deals: dict[str, int | None]

    def account_of(self, note: IncomingNote) -> int | None:
        """Return which account a note is about: the one that it names, else its deal's."""
        if note.account:
            return self.accounts.get(account_key(note.account))
        return self.accounts_of_deals.get(note.deal.id) if note.deal else None


def account_key(account: AccountInput) -> str:
    """Return what tells an account: its id, else its name without case and spaces."""
    return account.id or f"name:{name_key(account.name or '')}"


def _account_values(account: AccountInput) -> dict[str, Any]:
    known = name_key(account.name) if account.name else None
    return {"name": account.name, "name_key": known, "segment": account.segment}


def link_account(session: Session, account: AccountInput) -> int:
    """Create or refresh an account; return its row's id."""
    key = account_key(account)
    return _accounts(session, {key: _account_values(account)})[key]


def link(session: Session, notes: Sequence[IncomingNote], now: datetime) -> Links:
    """Create and refresh the accounts, authors and deals that notes name."""
    accounts = {account_key(n.account): _account_values(n.account) for n in notes if n.account}
    authors = {n.author.id: {"name": n.author.name, "team": n.author.team} for n in notes if n.author}
    deals = [(n.deal.id, _deal_values(n, n.deal, now)) for n in notes if n.deal]
    latest: dict[str, dict[str, Any]] = {}
    for key, values in deals:
        if key not in latest or values["version_ms"] >= latest[key]["version_ms"]:
            latest[key] = values
    deal_rows = _refreshed(session, DealTable, latest)
    return Links(
        accounts=_accounts(session, accounts),
        authors=_refresh(session, AuthorTable, authors),
        deals={key: row.id for key, row in deal_rows.items()},
        accounts_of_deals={key: row.account_id for key, row in deal_rows.items()},
    )


def _accounts(session: Session, told: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Create and refresh accounts; one that is told by its name alone is the account with an id that has that name."""
    known = _known_by_name(session, {values["name_key"] for key, values in told.items() if key.startswith("name:")})
    meant = {
        key: known.get(values["name_key"] or "", key) if key.startswith("name:") else key
        for key, values in told.items()
    }
    by_name = {meant[key]: {"segment": values["segment"]} for key, values in told.items() if meant[key] != key}
    rows = _refresh(session, AccountTable, by_name | {key: told[key] for key in told if meant[key] == key})
    with_ids = [values for key, values in told.items() if not key.startswith("name:")]
    adopt(session, {str(values["name_key"]) for values in with_ids if values["name_key"]})
    return {key: rows[meant[key]] for key in told}


def adopt(session: Session, names: set[str]) -> None:
    """Give the accounts with ids that have these names what was told of them by name alone, before ids were known."""
    keys = {f"name:{name}" for name in names}
    query = sa.select(AccountTable.id, AccountTable.name_key).where(AccountTable.key.in_(sorted(keys)))
    alone = {row.name_key: row.id for row in session.execute(query)} if keys else {}
    known = _known_by_name(session, set(alone))
    owners = {row.key: row.id for row in _by_key(session, AccountTable, known.values()).values()}
    for name, key in sorted(known.items()):
        for table in (NoteTable, DealTable, *FINDINGS):
            its = sa.update(table).where(table.account_id == alone[name])
            session.execute(its.values(account_id=owners[key]))


def _known_by_name(session: Session, names: set[str | None]) -> dict[str, str]:
    """Return the keys of accounts with ids by their names without case and spaces; names of several are left out."""
    if not names:
        return {}
    table = AccountTable
    query = sa.select(table.name_key, sa.func.min(table.key)).where(
        table.name_key.in_(sorted(name for name in names if name)), table.key != sa.literal("name:") + table.name_key
    )
    found = session.execute(query.group_by(table.name_key).having(sa.func.count() == 1))
    return {str(name): str(key) for name, key in found}


def _deal_values(note: IncomingNote, deal: DealInput, now: datetime) -> dict[str, Any]:
    """Return what a note tells of its deal; one that only names it tells nothing, and leaves what is known."""
    values = deal.model_dump(exclude={"id"})
    if "outcome" not in deal.model_fields_set:
        values["outcome"] = None
    told = any(value is not None for value in values.values())
    return {"version_ms": version_ms(note, now) if told else 0, **values}


def _refresh(session: Session, table: Any, wanted: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Bring rows up to date; return their ids by key."""
    return {key: row.id for key, row in _refreshed(session, table, wanted).items()}


def _refreshed(session: Session, table: Any, wanted: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Insert rows of `wanted` that are missing and update those that changed; an absent value changes nothing."""
    rows = _by_key(session, table, wanted)
    missing = sorted(wanted.keys() - rows.keys())
    if missing:
        session.execute(insert_ignoring(session, table, ("key",)), [_new_row(key, wanted[key]) for key in missing])
        rows |= _by_key(session, table, missing)
    for key in sorted(wanted):
        row, values = rows[key], wanted[key]
        if values.get("version_ms", 0) < getattr(row, "version_ms", 0):
            continue
        for name, value in values.items():
            if value is not None and getattr(row, name) != value:
                setattr(row, name, value)
    return rows


def _new_row(key: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, **values} | ({"outcome": values["outcome"] or Outcome.OPEN} if "outcome" in values else {})


def _by_key(session: Session, table: Any, keys: Iterable[str]) -> dict[str, Any]:
    wanted = sorted(keys)
    query = sa.select(table).where(table.key.in_(wanted)).order_by(table.id).with_for_update()
    return {row.key: row for row in session.scalars(query.execution_options(populate_existing=True))} if wanted else {}


def version_ms(note: IncomingNote, now: datetime) -> int:
    """Return what orders a note among its edits: its own time of change, else its arrival."""
    return milliseconds(note.updated_at or now)
