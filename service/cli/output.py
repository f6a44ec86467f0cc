"""How commands speak: data on standard output, progress and remarks on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.exports.writing import plain

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

_WHOLE = 10_000  # columns
console = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=plain))


def print_table(columns: list[str], rows: list[list[object]]) -> None:
    """Print rows under their columns."""
    shown = [[_cell(value) for value in row] for row in rows]
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=any(isinstance(row[place], datetime) for row in rows))
    for cells in shown:
        table.add_row(*cells)
    # Lines that another program reads are not cut to the width of a terminal.
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WHOLE).print(table)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes").replace("+00:00", "Z")
    if isinstance(value, dict):
        return ", ".join(f"{name}={part}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(plain(value))


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show progress on standard error; nothing where that is no terminal."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        yield progress
