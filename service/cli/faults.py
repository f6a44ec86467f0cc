"""`binome faults`: what senders sent and nobody could take; play it again, or dismiss it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from service.cli.database import opened
from service.cli.output import AsJson, print_json, print_table
from service.database import read_session, write_session
from service.errors import BinomeError
from service.settings import load_settings
from service.sources.faults import queries
from service.sources.faults.replaying import dismiss, replay, replay_all
from service.sources.faults.schemas import fault_output

cli = typer.Typer(help="What senders sent and nobody could take.", no_args_is_help=True)

BY = "command line"
Ids = Annotated[list[int] | None, typer.Argument(help="Ids of faults; see `binome faults list`.")]
OfSource = Annotated[str | None, typer.Option("--source", help="Those of a source, such as hubspot.")]
OfCode = Annotated[str | None, typer.Option("--code", help="Those of a code, such as foreign_portal.")]
All = Annotated[bool, typer.Option("--all", help="All that are open.")]


@cli.command("list")
def list_faults(
    source: OfSource = None,
    settled: Annotated[bool, typer.Option("--settled", help="Those that are settled too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List faults, latest first."""
    state = None if settled else queries.FaultState.OPEN
    with opened("faults list") as engine, read_session(engine) as session:
        rows = [fault_output(row) for row in queries.list_faults(session, source, state, limit=limit)]
    names = ["id", "source", "connection", "code", "reason", "received_at", "replayable", "state"]
    if as_json:
        print_json([row.model_dump(mode="json") for row in rows])
    else:
        print_table(names, [[getattr(row, name) for name in names] for row in rows])


@cli.command("replay")
def replay_faults(ids: Ids = None, source: OfSource = None, code: OfCode = None, everything: All = False) -> None:
    """Play faults again, with their connections as they are now."""
    settings, now = load_settings(), datetime.now(UTC)
    with opened("faults replay", settings) as engine:
        if ids and len(ids) == 1:
            print(_told(dict(replay(engine, settings, ids[0], by=BY, now=now))))
            return
        with read_session(engine) as session:
            chosen = ids or queries.open_ids(session, *_chosen(source, code, everything))
        played, refused, results = replay_all(engine, settings, chosen, by=BY, now=now)
    print(f"{played} played again ({_told(dict(results))}), {refused} can't be taken still.")
    if refused:
        raise typer.Exit(1)


@cli.command("dismiss")
def dismiss_faults(ids: Ids = None, source: OfSource = None, code: OfCode = None, everything: All = False) -> None:
    """Dismiss faults: what was sent is forgotten."""
    with opened("faults dismiss") as engine, write_session(engine) as session:
        chosen = ids or queries.open_ids(session, *_chosen(source, code, everything))
        count = dismiss(session, chosen, by=BY, now=datetime.now(UTC))
    print(f"{count} dismissed.")


def _chosen(source: str | None, code: str | None, everything: bool) -> tuple[str | None, str | None]:
    if not (source or code or everything):
        raise BinomeError("Say which: ids, --source, --code or --all.")
    return source, code


def _told(results: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(results.items())) or "nothing"
