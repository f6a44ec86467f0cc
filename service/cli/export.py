"""`binome export`: notes, findings and corrections as JSON Lines or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import sqlalchemy as sa
import typer

from service.cli.database import opened
from service.cli.output import console
from service.cli.person import person_export
from service.corrections.annotated import annotated_notes
from service.database import read_session
from service.errors import BinomeError
from service.exports.writing import harmless, plain
from service.tables import (
    AccountTable,
    AuthorTable,
    CompetitorMentionTable,
    DealTable,
    NoteTable,
    ObjectionTable,
    PassageTable,
    ThemeTable,
)

_ROWS_AT_ONCE = 1_000


class What(StrEnum):
    """What to export."""

    NOTES = "notes"
    OBJECTIONS = "objections"
    COMPETITORS = "competitors"
    THEMES = "themes"
    CORRECTIONS = "corrections"
    PERSON = "person"


class Format(StrEnum):
    """How the file is written."""

    JSONL = "jsonl"
    CSV = "csv"


def export(
    what: Annotated[What, typer.Argument(help="What to export.")],
    form: Annotated[Format, typer.Option("--format", help="jsonl or csv.")] = Format.JSONL,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; standard output if left out.")] = None,
    email: Annotated[str | None, typer.Option(help="Of a person: the e-mail address.")] = None,
    name: Annotated[str | None, typer.Option(help="Of a person: the name, as notes write it.")] = None,
    author: Annotated[str | None, typer.Option(help="Of a person: the author's id or name.")] = None,
    contact: Annotated[str | None, typer.Option(help="Of a person: the contact's id in a source.")] = None,
    source: Annotated[str | None, typer.Option(help="Of a contact: the source of the id.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Of a person: plain text to read, in place of JSON.")] = False,
) -> None:
    """Write notes, objections, competitor mentions, themes or corrections to a file or to standard output.

    `person` is all that is held on one: what they wrote, what mentions them, their account and what they did.

    Cells of a CSV that a spreadsheet would take for a formula are written with an apostrophe in front. Corrections are
    whole corrected notes in the annotation guide's format, which `make learn CORRECTIONS=FILE` trains on.
    """
    if what is What.CORRECTIONS and form is Format.CSV:
        raise BinomeError("Corrections are whole notes with their marks: they are written as JSON Lines only.")
    if what is What.PERSON:
        asked = {"email": email, "name": name, "author": author, "contact": contact, "source": source}
        held = person_export(asked, as_text=text)
        with _opened(output) as file:
            file.write(held)
        return
    with opened("export") as engine, _opened(output) as file, read_session(engine) as session:
        if what is What.CORRECTIONS:
            count = _write(file, form, [], annotated_notes(session))
        else:
            rows = session.execute(_query(what).execution_options(yield_per=_ROWS_AT_ONCE))
            count = _write(file, form, list(rows.keys()), (row._asdict() for row in rows))
    if output:
        console.print(f"{count} {'corrected notes' if what is What.CORRECTIONS else what} written to {output}.")


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise BinomeError(f"{output} can't be written ({error.strerror}).") from None


def _query(what: What) -> sa.Select[*tuple[Any, ...]]:
    note = [NoteTable.source, NoteTable.external_id]
    finding = [*note, NoteTable.occurred_at, AccountTable.key.label("account_id"), AccountTable.name.label("account")]
    if what is What.NOTES:
        return (
            sa.select(
                *note,
                NoteTable.kind,
                NoteTable.language,
                NoteTable.occurred_at,
                AuthorTable.key.label("author_id"),
                AuthorTable.team,
                AccountTable.key.label("account_id"),
                AccountTable.name.label("account"),
                AccountTable.segment,
                DealTable.key.label("deal_id"),
                DealTable.amount,
                DealTable.currency,
                DealTable.outcome,
                NoteTable.text,
            )
            .outerjoin(AuthorTable, AuthorTable.id == NoteTable.author_id)
            .outerjoin(AccountTable, AccountTable.id == NoteTable.account_id)
            .outerjoin(DealTable, DealTable.id == NoteTable.deal_id)
            .where(NoteTable.deleted_at.is_(None))
            .order_by(NoteTable.id)
        )
    if what is What.THEMES:
        passages = sa.func.count(PassageTable.id).label("passages")
        return (
            sa.select(ThemeTable.key.label("id"), ThemeTable.label_en, ThemeTable.label_fr, ThemeTable.state, passages)
            .outerjoin(PassageTable, PassageTable.theme_id == ThemeTable.id)
            .group_by(ThemeTable.id)
            .order_by(ThemeTable.id)
        )
    table: Any = ObjectionTable if what is What.OBJECTIONS else CompetitorMentionTable
    own = ["type", "status"] if what is What.OBJECTIONS else ["name", "known", "relation", "standing"]
    columns = [getattr(table, name) for name in [*own, "start", "end", "quote", "score", "corrected"]]
    return (
        sa.select(*finding, *columns)
        .select_from(table)
        .join(NoteTable, NoteTable.id == table.note_id)
        .outerjoin(AccountTable, AccountTable.id == table.account_id)
        .order_by(table.id)
    )


def _write(file: TextIO, form: Format, names: list[str], rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    writer = csv.writer(file)
    if form is Format.CSV:
        writer.writerow(names)
    for row in rows:
        count += 1
        if form is Format.CSV:
            writer.writerow([harmless(row[name]) for name in names])
        else:
            file.write(json.dumps(row, ensure_ascii=False, default=plain) + "\n")
    return count
