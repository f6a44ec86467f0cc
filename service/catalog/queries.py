"""The catalogue in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import Catalog, Competitor
from service.filters import name_key
from service.notes.queries import requeue
from service.tables import CatalogNameTable, CompetitorMentionTable, NoteTable
from service.thresholds import thresholds_of

MAX_SEARCHED_NAMES = 200  # more names in one statement than SQLite allows, and most notes hold one of them


class Role(StrEnum):
    """What a name of the catalogue is."""

    US = "us"
    COMPETITOR = "competitor"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name that notes use like a competitor's and that the catalogue lacks."""

    name: str
    mentions: int
    notes: int
    accounts: int
    example_note_id: int


def read_catalog(session: Session) -> Catalog:
    """Return the catalogue as the reader takes it."""
    rows = list(session.scalars(sa.select(CatalogNameTable).order_by(CatalogNameTable.id)))
    return Catalog(
        us=tuple(row.name for row in rows if row.role == Role.US),
        competitors=tuple(Competitor(row.name, tuple(row.aliases)) for row in rows if row.role == Role.COMPETITOR),
    )


def dismissed_keys(session: Session) -> frozenset[str]:
    """Return the keys of names that a person said are no competitors."""
    return frozenset(
        session.scalars(sa.select(CatalogNameTable.name_key).where(CatalogNameTable.role == Role.DISMISSED))
    )


def replace_catalog(session: Session, catalog: Catalog) -> int:
    """Put another catalogue in place; return how many notes are analysed again.

    Those are the notes that hold a name which came, went or changed, and those in which such a name had been found.
    """
    before = read_catalog(session)
    session.execute(sa.delete(CatalogNameTable).where(CatalogNameTable.role != Role.DISMISSED))
    for name in catalog.us:
        session.add(CatalogNameTable(role=Role.US, name=name, name_key=name_key(name), aliases=[]))
    for competitor in catalog.competitors:
        session.add(
            CatalogNameTable(
                role=Role.COMPETITOR,
                name=competitor.name,
                name_key=name_key(competitor.name),
                aliases=list(competitor.aliases),
            )
        )
    session.flush()
    return _requeue_touched(session, _names(before) ^ _names(catalog))


def _names(catalog: Catalog) -> set[tuple[str, str]]:
    """Return every name with what it stands for, so that a difference of two catalogues shows changed names."""
    ours = {(name, "") for name in catalog.us}
    return ours | {(alias, c.name) for c in catalog.competitors for alias in (c.name, *c.aliases)}


def _requeue_touched(session: Session, changed: set[tuple[str, str]]) -> int:
    if not changed:
        return 0
    words = sorted({word for pair in changed for word in pair if word})
    if len(words) > MAX_SEARCHED_NAMES:
        return requeue(session, [])
    spelled = [NoteTable.text.icontains(word, autoescape=True) for word in words]
    keys = [name_key(word) for word in words]
    mentioned = NoteTable.id.in_(
        sa.select(CompetitorMentionTable.note_id).where(CompetitorMentionTable.name_key.in_(keys))
    )
    return requeue(session, [sa.or_(mentioned, *spelled)])


def list_candidates(session: Session, limit: int | None = None) -> list[Candidate]:
    """Return unknown names, those of most accounts first; dismissed and withheld ones are left out."""
    mention = CompetitorMentionTable
    accounts, authors = (sa.func.count(sa.distinct(column)) for column in (mention.account_id, mention.author_id))
    thresholds = thresholds_of(session)
    rows = session.execute(
        sa.select(
            sa.func.min(mention.name),
            sa.func.count(),
            sa.func.count(sa.distinct(mention.note_id)),
            accounts,
            sa.func.max(mention.note_id),
        )
        .where(mention.known.is_(False), mention.name_key.not_in(dismissed_keys(session)))
        .group_by(mention.name_key)
        .having(accounts >= thresholds.accounts, authors >= thresholds.authors)
        .order_by(accounts.desc(), sa.func.count().desc(), mention.name_key)
        .limit(limit)
    )
    return [Candidate(*row) for row in rows]


def dismiss(session: Session, name: str) -> None:
    """Remember that a name is no competitor, and drop its mentions."""
    key = name_key(name)
    found = session.scalar(
        sa.select(CatalogNameTable).where(CatalogNameTable.role == Role.DISMISSED, CatalogNameTable.name_key == key)
    )
    if found is None:
        session.add(CatalogNameTable(role=Role.DISMISSED, name=name, name_key=key, aliases=[]))
    mention = CompetitorMentionTable
    session.execute(sa.delete(mention).where(mention.name_key == key, mention.known.is_(False)))
