"""The `binome` command. Exit codes: 0 all right, 1 something failed, 2 wrong use."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from service import __version__
from service.cli import (
    analysis,
    assistant,
    audit,
    backup,
    connections,
    doctor,
    endpoints,
    erase,
    export,
    faults,
    imports,
    keys,
    report,
    retention,
    secrets,
    serve,
    users,
)
from service.errors import BinomeError

cli = typer.Typer(
    name="binome",
    help="Reads sales notes in English and French and ranks what customers say into insights for marketing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command("serve")(serve.serve)
cli.command("worker")(serve.worker)
cli.command("import")(imports.import_file)
cli.command("analyse")(analysis.analyse)
cli.command("fit-themes")(analysis.fit_themes)
cli.add_typer(keys.cli, name="keys")
cli.add_typer(audit.cli, name="audit")
cli.add_typer(users.cli, name="users")
cli.add_typer(connections.cli, name="connections")
cli.add_typer(endpoints.cli, name="endpoints")
cli.add_typer(secrets.cli, name="secrets")
cli.add_typer(faults.cli, name="faults")
cli.command("report")(report.report)
cli.command("export")(export.export)
cli.command("erase")(erase.erase)
cli.command("retention")(retention.retention)
cli.command("mcp")(assistant.mcp)
cli.command("backup")(backup.backup)
cli.command("restore")(backup.restore)
cli.command("doctor")(doctor.doctor)


def _version(value: bool) -> None:
    if value:
        print(f"binome {__version__}")
        raise typer.Exit()


@cli.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Settings are read from BINOME_* variables or from binome.env; see the README."""


def main() -> None:
    """Run the command; an error that a user can meet is one plain sentence, without traceback."""
    try:
        cli()
    except BinomeError as error:
        print(f"binome: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
