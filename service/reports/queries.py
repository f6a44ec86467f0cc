"""What reports read and store, in SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.analysis.queries import count_unanalysed
from service.database import is_sqlite
from service.filters import NoteFilters, Period, day_end, day_start
from service.insights.evidence import Quote, Step, read_quotes, step_start
from service.insights.measures import About
from service.masks.view import shown_text
from service.reports.tables import ReportFileTable, ReportLedgerTable, ReportQuoteTable, ReportTable
from service.tables import (
    AccountTable,
    AuthorTable,
    CatalogNameTable,
    CorrectionTable,
    NoteTable,
    ObjectionTable,
    ThemeFitTable,
)
from service.themes.queries import count_passages_in
from service.thresholds import thresholds_of, voices_by

FOLLOWING_CHARS = 240
RESOLVED = 6


def author_names(session: Session) -> list[str | None]:
    """Return the names of all authors."""
    return list(session.scalars(sa.select(AuthorTable.name).where(AuthorTable.name.is_not(None))))


def catalogue_names(session: Session) -> list[str]:
    """Return our names, the competitors' and their aliases."""
    rows = session.scalars(sa.select(CatalogNameTable).where(CatalogNameTable.role != "dismissed"))
    return [name for row in rows for name in (row.name, *row.aliases)]


def segments_by_account(session: Session) -> dict[str, str | None]:
    """Return segments by account's name, or key where it has none: as quotes name them."""
    rows = session.execute(sa.select(AccountTable.name, AccountTable.key, AccountTable.segment))
    return {row.name or row.key: row.segment for row in rows}


def _in(period: Period) -> list[sa.ColumnElement[bool]]:
    days = NoteTable.occurred_at.between(day_start(period.start), day_end(period.end))
    return [days, NoteTable.deleted_at.is_(None)]


def notes_by_week(session: Session, period: Period, weeks: int) -> list[tuple[date, int]]:
    """Return how many notes were read in each of the weeks up to a period's last, by their Mondays.

    Where one of the weeks stands on too few accounts or authors, there is none: a chart with a hole would tell it.
    """
    last = step_start(period.end, Step.WEEK)
    thresholds = thresholds_of(session)
    counted: list[tuple[date, int]] = []
    for monday in (last - timedelta(weeks=ago) for ago in reversed(range(weeks))):
        week = Period(monday, min(monday + timedelta(days=6), period.end))
        accounts, authors = (sa.func.count(sa.distinct(of)) for of in (NoteTable.account_id, NoteTable.author_id))
        asked = sa.select(sa.func.count(), accounts, authors).where(*_in(week), NoteTable.analysed_revision > 0)
        notes, *voices = session.execute(asked).one()
        if notes and thresholds.hide(*voices):
            return []
        counted.append((monday, notes))
    return counted


@dataclass(frozen=True, slots=True)
class NoteStates:
    """How far the notes of a period are."""

    notes: int
    waiting: int
    failed: int


def note_states(session: Session, period: Period) -> NoteStates:
    """Count the notes of a period by state."""
    unread = NoteTable.analysed_revision < NoteTable.revision
    notes, waiting, failed = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(sa.case((unread & NoteTable.failure.is_(None), 1))),
            sa.func.count(sa.case((unread & NoteTable.failure.is_not(None), 1))),
        ).where(*_in(period))
    ).one()
    return NoteStates(notes, waiting, failed)


_PARTED: dict[str, Any] = {"source": NoteTable.source, "team": AuthorTable.team, "language": NoteTable.language}


def notes_by(session: Session, what: str, period: Period, hidden: Collection[str | None]) -> dict[str | None, int]:
    """Count the notes of a period by `source`, `team` or `language`.

    Args:
        session: The session.
        what: Which of them.
        period: The period.
        hidden: Names that are withheld; their notes are counted together with those that have none.
    """
    column = _PARTED[what]
    query = sa.select(column, sa.func.count()).select_from(NoteTable)
    query = query.outerjoin(AuthorTable, AuthorTable.id == NoteTable.author_id)
    counts: Counter[str | None] = Counter()
    for name, count in session.execute(query.where(*_in(period)).group_by(column)):
        counts[None if name in hidden else name] += count
    return dict(counts)


def withheld_names(session: Session, what: str, periods: Sequence[Period]) -> set[str | None]:
    """Return the sources, teams or languages that too few accounts or authors are behind in one of some periods."""
    thresholds = thresholds_of(session)
    hidden: set[str | None] = set()
    for period in periods if thresholds.are_set else ():
        query = sa.select(_PARTED[what], NoteTable.account_id, NoteTable.author_id).select_from(NoteTable).distinct()
        query = query.outerjoin(AuthorTable, AuthorTable.id == NoteTable.author_id).where(*_in(period))
        hidden |= thresholds.hidden_parts(voices_by(session.execute(query)))
    return hidden


def passages_in(session: Session, period: Period) -> tuple[int, int]:
    """Return how many passages of a period have no theme, and how many there are."""
    return count_passages_in(session, NoteFilters(), period)


def corrections_in(session: Session, period: Period) -> int:
    """Count the corrections of the notes of a period."""
    query = (
        sa.select(sa.func.count()).select_from(CorrectionTable).join(NoteTable, NoteTable.id == CorrectionTable.note_id)
    )
    return session.scalar(query.where(*_in(period))) or 0


def analyzer_versions(session: Session, period: Period) -> dict[str, int]:
    """Count the notes of a period by the version that read them."""
    version = NoteTable.analyzer_version
    rows = session.execute(
        sa.select(version, sa.func.count())
        .where(*_in(period), version.is_not(None))
        .group_by(version)
        .order_by(version)
    )
    return {str(name): count for name, count in rows}


def latest_fit(session: Session) -> ThemeFitTable | None:
    """Return the last fit of themes."""
    return session.scalar(sa.select(ThemeFitTable).order_by(ThemeFitTable.id.desc()).limit(1))


def objection_segments(session: Session, period: Period) -> dict[str, dict[str, int]]:
    """Return for each type of objection how many accounts of each segment raised it; withheld ones are left out."""
    accounts = sa.func.count(sa.distinct(ObjectionTable.account_id))
    rows = session.execute(
        sa.select(ObjectionTable.type, AccountTable.segment, accounts)
        .join(AccountTable, AccountTable.id == ObjectionTable.account_id)
        .where(ObjectionTable.occurred_on.between(period.start, period.end), AccountTable.segment.is_not(None))
        .group_by(ObjectionTable.type, AccountTable.segment)
        .order_by(accounts.desc(), AccountTable.segment)
    )
    found: dict[str, dict[str, int]] = {}
    for kind, segment, count in rows:
        found.setdefault(kind, {})[str(segment)] = count
    thresholds = thresholds_of(session)
    if not thresholds.are_set:
        return found
    said = session.execute(
        sa.select(ObjectionTable.type, AccountTable.segment, ObjectionTable.account_id, ObjectionTable.author_id)
        .join(AccountTable, AccountTable.id == ObjectionTable.account_id)
        .where(ObjectionTable.occurred_on.between(period.start, period.end), AccountTable.segment.is_not(None))
        .distinct()
    )
    voices = voices_by(((kind, str(segment)), account, author) for kind, segment, account, author in said)
    for kind, counts in found.items():
        hidden = thresholds.hidden_parts({segment: voices[kind, segment] for segment in counts})
        found[kind] = {segment: count for segment, count in counts.items() if segment not in hidden}
    return found


def resolved_objections(session: Session, period: Period) -> dict[str, list[tuple[Quote, str]]]:
    """Return some resolved objections of each type, latest first, with the words that follow them."""
    place = sa.func.row_number().over(
        partition_by=ObjectionTable.type, order_by=(ObjectionTable.occurred_on.desc(), ObjectionTable.id.desc())
    )
    days = ObjectionTable.occurred_on.between(period.start, period.end)
    ranked = sa.select(ObjectionTable.id, place.label("place")).where(days, ObjectionTable.status == "resolved")
    ranked_rows = ranked.subquery()
    ids = list(session.scalars(sa.select(ranked_rows.c.id).where(ranked_rows.c.place <= RESOLVED)))
    quotes = read_quotes(session, About.OBJECTION, sorted(ids, reverse=True))
    wanted = sa.select(NoteTable).where(NoteTable.id.in_({q.note_id for q in quotes}))
    texts = {note.id: shown_text(note) for note in session.scalars(wanted)}
    found: dict[str, list[tuple[Quote, str]]] = {}
    for quote in quotes:
        found.setdefault(quote.item, []).append((quote, _next_sentence(texts[quote.note_id], quote.end)))
    return found


def _next_sentence(text: str, end: int) -> str:
    """Return the sentence after an offset, on the same line."""
    rest = text[end : end + FOLLOWING_CHARS].partition("\n")[0].lstrip(" .,;:!?»\"'…)-–—")
    for mark in (". ", "! ", "? "):
        rest = rest.partition(mark)[0]
    whole = end + FOLLOWING_CHARS >= len(text) or len(rest) < FOLLOWING_CHARS - 40
    return rest.strip() if whole else ""


def find_report(session: Session, month: str, edition: int | None = None) -> ReportTable | None:
    """Return an edition of a month's report; the latest without a number."""
    query = sa.select(ReportTable).where(ReportTable.month == month).order_by(ReportTable.edition.desc()).limit(1)
    return session.scalar(query if edition is None else query.where(ReportTable.edition == edition))


def find_ledger(session: Session, report_id: int) -> bytes | None:
    """Return the packed ledger of an edition."""
    return session.scalar(sa.select(ReportLedgerTable.content).where(ReportLedgerTable.report_id == report_id))


def list_reports(
    session: Session, *, limit: int, after: int, month: str | None = None
) -> tuple[list[ReportTable], int]:
    """Return one page of editions, latest month first, and how many there are."""
    mine = [ReportTable.month == month] if month else []
    query = sa.select(ReportTable).where(*mine).order_by(ReportTable.month.desc(), ReportTable.edition.desc())
    total = session.scalar(sa.select(sa.func.count()).select_from(ReportTable).where(*mine)) or 0
    return list(session.scalars(query.limit(limit).offset(after))), total


def find_file(session: Session, report_id: int, format_: str, language: str, accounts: str) -> ReportFileTable | None:
    """Return a rendering of an edition."""
    return session.scalar(
        sa.select(ReportFileTable).where(
            ReportFileTable.report_id == report_id,
            ReportFileTable.format == format_,
            ReportFileTable.language == language,
            ReportFileTable.accounts == accounts,
        )
    )


def month_to_close(session: Session, today: date) -> Period | None:
    """Return the month before, if it has notes, all of them read, and no report yet."""
    end = today.replace(day=1) - timedelta(days=1)
    period = Period(end.replace(day=1), end)
    has_notes = session.scalar(sa.select(NoteTable.id).where(*_in(period)).limit(1)) is not None
    if not has_notes or count_unanalysed(session) or find_report(session, f"{end:%Y-%m}"):
        return None
    return period


def lock_reports(session: Session) -> None:
    """Let no other transaction store an edition until this one ends; SQLite has one writer anyway."""
    if not is_sqlite(session):
        session.execute(sa.text("LOCK TABLE reports IN SHARE ROW EXCLUSIVE MODE"))


def months_quoting_erased(session: Session) -> list[str]:
    """Return the months of which an edition quotes notes that are erased now."""
    gone = ~sa.exists().where(NoteTable.id == ReportQuoteTable.note_id, NoteTable.deleted_at.is_(None))
    query = sa.select(ReportTable.month).join(ReportQuoteTable, ReportQuoteTable.report_id == ReportTable.id)
    return list(session.scalars(query.where(gone).distinct().order_by(ReportTable.month)))


def quoted_notes(session: Session, report_id: int) -> set[int]:
    """Return the ids of the notes that an edition quotes."""
    return set(session.scalars(sa.select(ReportQuoteTable.note_id).where(ReportQuoteTable.report_id == report_id)))


def quoted_and_erased(session: Session, report_id: int) -> set[int]:
    """Return the ids of the notes that an edition quotes and that are erased now."""
    gone = ~sa.exists().where(NoteTable.id == ReportQuoteTable.note_id, NoteTable.deleted_at.is_(None))
    query = sa.select(ReportQuoteTable.note_id).where(ReportQuoteTable.report_id == report_id, gone)
    return set(session.scalars(query))


def forget_quotes(session: Session, report_id: int, note_ids: Sequence[int]) -> None:
    """Strike notes from the list of those that an edition quotes."""
    session.execute(
        sa.delete(ReportQuoteTable).where(
            ReportQuoteTable.report_id == report_id, ReportQuoteTable.note_id.in_(note_ids)
        )
    )


def drop_files(session: Session, report_id: int) -> None:
    """Remove the renderings of an edition."""
    session.execute(sa.delete(ReportFileTable).where(ReportFileTable.report_id == report_id))
