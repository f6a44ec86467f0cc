"""How commands speak: data on standard output, progress and remarks on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.exports.writing import plain

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

console = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=plain))


def print_table(columns: list[str], rows: list[list[object]]) -> None:
    """Print rows under their columns."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(plain(value)) for value in row))
    Console(highlight=False, markup=False).print(table)


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
