"""`binome connections`: let senders in, list them, change their secrets, forget them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from service.cli.database import opened
from service.cli.output import AsJson, console, print_json, print_table
from service.database import read_session, write_session
from service.errors import BinomeError
from service.settings import load_settings
from service.sources import queries
from service.sources.connections import check_connection, check_secret, new_secret, parse_option, shown_options, taken
from service.sources.fetching.progress import api_outputs
from service.sources.fetching.syncing import request_sync
from service.sources.fetching.working import find_api
from service.sources.intake import public_url

cli = typer.Typer(help="Let senders in: HubSpot, Salesforce, mail relays and others.", no_args_is_help=True)

Named = Annotated[str, typer.Option("--name", help="Name of the connection.")]
Secret = Annotated[str | None, typer.Option(help="The sender's secret; made and shown if left out.")]


@cli.command()
def add(
    source: Annotated[str, typer.Argument(help="Such as hubspot; GET /v1/sources lists all.")],
    name: Named = "main",
    secret: Secret = None,
    option: Annotated[list[str] | None, typer.Option(help="name=value, such as portal_id=62515.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let a sender in; shows its URL, the secret if it was made, and how to set the sender up."""
    settings = load_settings()
    options = dict(parse_option(one) for one in option or [])
    given = secret or new_secret(source)
    kind = check_connection(source, given, options)
    with opened("connections add", settings) as engine, write_session(engine) as session:
        if queries.named_connection(session, source, name) or taken(session, source, given):
            raise BinomeError(f"{source} has a connection {name!r}, or this secret: `binome connections list`.")
        queries.create_connection(session, source, name, given, options, datetime.now(UTC))
    url = None if kind.polled else f"{public_url(settings)}/v1/webhooks/{source}"
    if as_json:
        print_json({"source": source, "name": name, "url": url, "secret": None if secret else given})
        return
    console.print(kind.setup.en.replace("{url}", url or "").replace("{{", "{").replace("}}", "}"), markup=False)
    if url:
        print(f"url: {url}")
    if not secret:
        print(f"secret: {given}")


@cli.command("list")
def list_connections(as_json: AsJson = False) -> None:
    """List connections, without their secrets."""
    names = ["id", "source", "name", "options", "created_at", "disabled_at"]
    settings = load_settings()
    with opened("connections list", settings) as engine, read_session(engine) as session:
        apis = api_outputs(session, settings, queries.list_connections(session), datetime.now(UTC))
        rows = [
            {name: getattr(row, name) for name in names}
            | {"options": shown_options(row.source, row.options), "attention": None, "waiting": 0}
            | {
                name: getattr(api, name)
                for api in apis.get(row.source, [])
                for name in ("attention", "waiting")
                if api.connection == row.name
            }
            for row in queries.list_connections(session)
        ]
    names += ["attention", "waiting"]
    if as_json:
        print_json([{**row, "id": str(row["id"])} for row in rows])
    else:
        print_table(names, [list(row.values()) for row in rows])


@cli.command()
def rotate(
    source: Annotated[str, typer.Argument(help="The source.")],
    name: Named = "main",
    secret: Secret = None,
) -> None:
    """Put another secret in force; the one before counts for a day more."""
    given = secret or new_secret(source)
    check_secret(source, given)
    with opened("connections rotate") as engine, write_session(engine) as session:
        row = queries.named_connection(session, source, name)
        if row is None:
            raise BinomeError(f"{source} has no connection {name!r}; `binome connections list` shows them.")
        queries.rotate(session, row, given, datetime.now(UTC))
    print("The secret is changed." if secret else f"secret: {given}")


@cli.command()
def sync(
    source: Annotated[str, typer.Argument(help="The source, such as hubspot.")],
    name: Named = "main",
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what changed since.")] = None,
) -> None:
    """Have all records of a connection fetched by a worker, or those that changed since a day."""
    settings, now = load_settings(), datetime.now(UTC)
    with opened("connections sync", settings) as engine, write_session(engine) as session:
        found = find_api(session, settings, source, name, now)
        if found is None:
            raise BinomeError(f"{source} has no connection {name!r} with an API: `binome connections list`.")
        row = request_sync(session, *found, since.replace(tzinfo=UTC) if since else None, by="command line", now=now)
        job_id = row.job_id
    print(f"job {job_id}: GET /v1/jobs/{job_id} and GET /v1/sources tell how far it is.")


@cli.command()
def remove(source: Annotated[str, typer.Argument(help="The source.")], name: Named = "main") -> None:
    """Forget a connection and its secret; its notes stay."""
    with opened("connections remove") as engine, write_session(engine) as session:
        row = queries.named_connection(session, source, name)
        if row is None:
            raise BinomeError(f"{source} has no connection {name!r}; `binome connections list` shows them.")
        queries.delete_connection(session, row)
    print(f"The connection {name} of {source} is removed.")
