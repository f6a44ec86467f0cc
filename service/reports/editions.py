"""Freezing reports: an edition is stored with its bytes; what is corrected later makes a new one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.errors import Gone
from service.insights.schemas import Label
from service.reports import queries
from service.reports.content import Before, all_items, build_content, month_name, month_period
from service.reports.ledger import Ledger, pack, read_ledger, unpack
from service.reports.rendering import render
from service.reports.schemas import (
    Accounts,
    Difference,
    Edition,
    Format,
    ReportContent,
    ReportItem,
    ReportLanguage,
    Value,
    without_accounts,
)
from service.reports.splitting import compare_ledgers
from service.reports.tables import ReportFileTable, ReportLedgerTable, ReportQuoteTable, ReportTable
from service.reports.words import WORDS

MAX_DIFFERENCES = 60
HAPPENED = {
    "late": Label(en="Why: notes that came late", fr="Cause : notes arrivées après coup"),
    "erased": Label(en="Why: notes erased", fr="Cause : notes effacées"),
    "edited": Label(en="Why: notes edited", fr="Cause : notes modifiées"),
    "read_anew": Label(en="Why: notes read by another version", fr="Cause : notes lues par une autre version"),
    "corrected": Label(en="Why: notes corrected", fr="Cause : notes corrigées"),
    "regrouped": Label(en="Why: notes whose themes changed", fr="Cause : notes dont les thèmes ont changé"),
}
_READING = {
    "read": Label(en="Notes read", fr="Notes lues"),
    "accounts": Label(en="Accounts", fr="Comptes"),
    "failed": Label(en="Notes that could not be read", fr="Notes illisibles"),
    "corrections": Label(en="Corrections", fr="Corrections"),
    "passages": Label(en="Passages", fr="Passages"),
    "unassigned": Label(en="Passages without a theme", fr="Passages sans thème"),
}
_FIGURES = {
    "notes": Label(en="notes", fr="notes"),
    "accounts": Label(en="accounts", fr="comptes"),
    "rank": Label(en="rank", fr="rang"),
}
_DETAILS = {
    "statuses": {"open": "open", "resolved": "resolved_status", "anticipated": "anticipated"},
    "relations": {name: name for name in ("incumbent", "evaluating", "lost_to", "won_against", "mentioned")},
    "standings": {name: name for name in ("behind", "ahead", "neutral")},
}
"""What corrections may change beside the figures, with the words of each value."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A file of an edition."""

    format: Format
    language: ReportLanguage
    accounts: Accounts
    content: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """An edition before it is stored."""

    content: ReportContent
    edition: Edition
    ledger: Ledger


def draft(session: Session, month: str, now: datetime, *, by: str, reason: str | None = None) -> Draft | None:
    """Build a month's report; None where nothing differs from its last edition."""
    last = queries.find_report(session, month)
    ledger = read_ledger(session, month_period(month))
    content = build_content(session, month, now, ledger, _before(session, month))
    differences = _differences(session, last, content, ledger) if last else []
    if last and not differences:
        return None
    edition = Edition(
        month=month,
        edition=last.edition + 1 if last else 1,
        created_at=now,
        created_by=by,
        reason=reason,
        sha256=frozen(content)["sha256"],
        erased=0,
        differences=differences,
    )
    return Draft(content, edition, ledger)


def _before(session: Session, month: str) -> Before | None:
    row = queries.find_report(session, month_name(month_period(month).previous))
    packed = queries.find_ledger(session, row.id) if row else None
    return Before(read_content(row), unpack(packed)) if row and packed else None


def _differences(session: Session, last: ReportTable, content: ReportContent, ledger: Ledger) -> list[Difference]:
    """Return what moved since the last edition; first how many notes made it move."""
    figures = compare(read_content(last), content)
    packed = queries.find_ledger(session, last.id)
    if not figures or packed is None:
        return figures
    happened = asdict(compare_ledgers(unpack(packed), ledger))
    why = [Difference(about=HAPPENED[name], before=None, after=count) for name, count in happened.items() if count]
    return [*why, *figures]


def store(session: Session, made: Draft, renderings: Sequence[Rendering]) -> ReportTable:
    """Store an edition with its files."""
    fields = made.edition.model_dump(mode="python", exclude={"differences", "sha256"})
    differences = [d.model_dump(mode="json") for d in made.edition.differences]
    row = ReportTable(**fields, **frozen(made.content), differences=differences)
    session.add(row)
    session.flush()
    notes = {int(quote["note_id"]) for quote in _quotes(made.content.model_dump(mode="json"))}
    session.add(ReportLedgerTable(report_id=row.id, content=pack(made.ledger)))
    session.add_all(ReportQuoteTable(report_id=row.id, note_id=note_id) for note_id in sorted(notes))
    _store_files(session, row.id, renderings)
    return row


def _store_files(session: Session, report_id: int, renderings: Sequence[Rendering]) -> None:
    for one in renderings:
        fields = {"format": one.format, "language": one.language, "accounts": one.accounts, "content": one.content}
        digest = hashlib.sha256(one.content).hexdigest()
        session.add(ReportFileTable(report_id=report_id, sha256=digest, **fields))
    session.flush()


def render_all(made: Draft) -> list[Rendering]:
    """Render an edition in every form; takes seconds, so never inside a transaction."""
    found = []
    for accounts in Accounts:
        content = made.content if accounts is Accounts.SHOWN else without_accounts(made.content)
        for language in ReportLanguage:
            for format_ in Format:
                data = render(content, made.edition, format_, language)
                found.append(Rendering(format_, language, accounts, data))
    return found


def frozen(content: ReportContent) -> dict[str, str]:
    """Return the content as it is stored, equal figures always as equal bytes, and its digest."""
    text = json.dumps(content.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {"content": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def read_content(row: ReportTable, accounts: Accounts = Accounts.SHOWN) -> ReportContent:
    """Return the content of an edition."""
    content = ReportContent.model_validate_json(row.content)
    return without_accounts(content) if accounts is Accounts.HIDDEN else content


def edition_output(row: ReportTable) -> Edition:
    """Return an edition as lists show it."""
    return Edition(
        month=row.month,
        edition=row.edition,
        created_at=row.created_at,
        created_by=row.created_by,
        reason=row.reason,
        sha256=row.sha256,
        erased=row.erased,
        withdrawn_at=row.withdrawn_at,
        replaced_by=row.replaced_by,
        differences=[Difference.model_validate(d) for d in row.differences],
    )


def compare(before: ReportContent, after: ReportContent) -> list[Difference]:
    """List the names and figures that differ between two editions."""
    found = []
    for name, about in _READING.items():
        old, new = getattr(before.coverage, name), getattr(after.coverage, name)
        if old != new:
            found.append(Difference(about=about, before=old, after=new))
    old_items, new_items = ({(i.about, i.id): i for i in all_items(c)} for c in (before, after))
    for key in sorted(old_items.keys() | new_items.keys()):
        found += _item_differences(old_items.get(key), new_items.get(key))
    if _versions(before) != _versions(after):
        label = Label(en="Versions of reader or themes", fr="Versions du lecteur ou des thèmes")
        found.append(Difference(about=label, before=_versions(before), after=_versions(after)))
    return found[:MAX_DIFFERENCES]


def _versions(content: ReportContent) -> str:
    return ", ".join([*content.method.analyzers, content.method.themes or "–"])


def _item_differences(old: ReportItem | None, new: ReportItem | None) -> list[Difference]:
    item = new or old
    assert item is not None, "one of the two editions has it"
    found = []
    if old and new and old.title != new.title:
        names = (f"{one.title.en} · {one.title.fr}" for one in (old, new))
        found.append(Difference(about=Label(en="Name", fr="Nom"), before=next(names), after=next(names)))
    figures: list[tuple[Label, Value, Value]] = [
        (words, getattr(old, name, None), getattr(new, name, None)) for name, words in _FIGURES.items()
    ]
    for detail, values in _DETAILS.items():
        here, there = (getattr(one, detail, {}) for one in (old, new))
        figures += [(_small(WORDS[words]), here.get(value), there.get(value)) for value, words in values.items()]
    for words, before, after in figures:
        if (before or 0) != (after or 0):
            about = Label(en=f"{item.title.en}: {words.en}", fr=f"{item.title.fr} : {words.fr}")
            found.append(Difference(about=about, before=before, after=after))
    return found


def _small(label: Label) -> Label:
    return Label(en=label.en.lower(), fr=label.fr.lower())


def store_files_anew(session: Session, made: Draft, renderings: Sequence[Rendering]) -> None:
    """Store the files of an edition that lost quotes, unless it lost others meanwhile."""
    row = queries.find_report(session, made.edition.month, made.edition.edition)
    if row is not None and row.sha256 == made.edition.sha256:
        queries.drop_files(session, row.id)
        _store_files(session, row.id, renderings)


def read_file(
    engine: sa.Engine, row: ReportTable, format_: Format, language: ReportLanguage, accounts: Accounts
) -> ReportFileTable:
    """Return a file of an edition; one that is not made yet is made and kept.

    Raises:
        Gone: If the edition is withdrawn.
    """
    if row.withdrawn_at is not None:
        raise Gone(
            f"Edition {row.edition} of {row.month} is withdrawn: words in it were erased. "
            f"Edition {row.replaced_by} replaces it.",
            code="withdrawn",
        )
    with read_session(engine) as session:
        found = queries.find_file(session, row.id, format_, language, accounts)
    if found is not None:
        return found
    data = render(read_content(row, accounts), edition_output(row), format_, language)
    with write_session(engine) as session:
        kept = queries.find_file(session, row.id, format_, language, accounts)
        if kept is None:
            _store_files(session, row.id, [Rendering(format_, language, accounts, data)])
            kept = queries.find_file(session, row.id, format_, language, accounts)
        assert kept is not None, "it was stored just now"
        session.expunge(kept)
        return kept


def _quotes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [quote for one in value for quote in _quotes(one)]
    if not isinstance(value, dict):
        return []
    return [value] if "followed_by" in value else [quote for one in value.values() for quote in _quotes(one)]
