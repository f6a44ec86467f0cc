"""`binome audit`: check and write out the log of who saw and changed what."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from service.audit.chain import verify as verify_chain
from service.audit.queries import Wanted
from service.audit.writing import LogFormat, lines
from service.cli.database import opened
from service.database import read_session
from service.errors import BinomeError

cli = typer.Typer(help="Check and write out the log of who saw and changed what.", no_args_is_help=True)


@cli.command()
def verify(
    seal: Annotated[str | None, typer.Option(help="A last seal that an earlier run printed and you kept.")] = None,
) -> None:
    """Check every seal; exit code 1 if a row was changed, added or taken out."""
    with opened("audit verify") as engine, read_session(engine) as session:
        verdict = verify_chain(session, seal)
    if verdict.broken_at is not None:
        raise BinomeError(f"The audit log was tampered with: position {verdict.broken_at} does not fit.")
    if verdict.known is False:
        raise BinomeError("The audit log holds no such seal: it was written anew, or rows of that time were removed.")
    waiting = f", {verdict.unsealed} not sealed yet" if verdict.unsealed else ""
    print(f"{verdict.rows} rows fit{waiting}; last seal {verdict.last_seal or 'none'}")


@cli.command()
def export(
    form: Annotated[LogFormat, typer.Option("--format", help="jsonl or csv.")] = LogFormat.JSONL,
) -> None:
    """Write the log to standard output, the latest first."""
    with opened("audit export") as engine:
        for line in lines(engine, Wanted(), form):
            sys.stdout.write(line)
