"""`binome report`: a month's theme report, built if there is none."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service.cli.database import opened
from service.cli.output import console
from service.errors import BinomeError
from service.field_words import MONTH
from service.reports.building import build
from service.reports.content import month_period
from service.reports.editions import edition_output, read_content, read_file
from service.reports.schemas import Accounts, Format, Report, ReportLanguage
from service.reports.withdrawing import read_edition


class Written(StrEnum):
    """Forms that the command writes."""

    JSON = "json"
    HTML = "html"
    PDF = "pdf"
    PPTX = "pptx"
    XLSX = "xlsx"


def report(
    month: Annotated[str, typer.Argument(help="Month, such as 2026-09.")],
    language: Annotated[ReportLanguage, typer.Option(help="en or fr.")] = ReportLanguage.EN,
    form: Annotated[Written, typer.Option("--format", help="json, html, pdf, pptx or xlsx.")] = Written.PDF,
    accounts: Annotated[Accounts, typer.Option(help="shown or hidden.")] = Accounts.SHOWN,
    edition: Annotated[int | None, typer.Option(min=1, help="Edition; the latest if left out.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File; binome-MONTH.FORMAT if left out, - for standard output."),
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make a new edition if anything changed.")] = False,
) -> None:
    """Write a month's theme report to a file; it is built and frozen first if there is none."""
    if not re.match(MONTH, month):
        raise BinomeError(f"{month[:40]!r} is no month: write it like 2026-09.")
    now = datetime.now(UTC)
    if month_period(month).end >= now.date():
        raise BinomeError(f"{month} has not ended yet: a report is frozen once its month is over.")
    with opened("report") as engine:
        row = read_edition(engine, month, edition)
        if edition is None and (row is None or rebuild):
            build(engine, month, now, by="command line")
            row = read_edition(engine, month)
        if row is None:
            raise BinomeError(f"There is no edition {edition} of the report of {month}.")
        if form is Written.JSON:
            whole = Report(edition=edition_output(row), content=read_content(row, accounts))
            data = f"{whole.model_dump_json(indent=2)}\n".encode()
        else:
            data = read_file(engine, row, Format(form), language, accounts).content
    _write(data, output or Path(f"binome-{month}.{form}"))


def _write(data: bytes, output: Path) -> None:
    if str(output) == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise BinomeError(f"{output} can't be written ({error.strerror}).") from None
    console.print(f"{output} written.")
