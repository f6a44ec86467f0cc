"""`binome endpoints`: post events to addresses, list them, change their secrets, try them, forget them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from service.cli.database import opened
from service.cli.output import AsJson, print_json, print_table
from service.database import read_session, write_session
from service.deliveries import queries
from service.deliveries.addresses import check_url
from service.deliveries.events import EventType
from service.deliveries.schemas import endpoint_fields
from service.deliveries.signing import new_secret
from service.errors import BinomeError
from service.outgoing_tables import EndpointTable
from service.settings import load_settings

cli = typer.Typer(help="Post events to addresses, signed by Standard Webhooks.", no_args_is_help=True)

EndpointId = Annotated[int, typer.Argument(help="The endpoint's id; see `binome endpoints list`.")]
BY = "command line"


@cli.command()
def add(
    url: Annotated[str, typer.Argument(help="Where to post, https://…")],
    event: Annotated[list[EventType] | None, typer.Option(help="Only these events; all if left out.")] = None,
    quotes: Annotated[bool, typer.Option("--quotes", help="Add customers' words to insights.")] = False,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Have events posted to an address; shows the secret this once."""
    settings = load_settings()
    check_url(url, allow_private=settings.outgoing_private_allowed)
    secret = new_secret()
    values = {"url": url, "description": description[:200], "event_types": [str(e) for e in event or []]}
    with opened("endpoints add", settings) as engine, write_session(engine) as session:
        row = queries.create_endpoint(session, {**values, "quotes": quotes}, secret, BY, datetime.now(UTC))
        shown = endpoint_fields(row)
    if as_json:
        print_json({**shown, "secret": secret})
    else:
        print(f"id: {shown['id']}\nsecret: {secret}")


@cli.command("list")
def list_endpoints(as_json: AsJson = False) -> None:
    """List endpoints, without their secrets."""
    names = ["id", "url", "event_types", "quotes", "created_at", "failing_since", "disabled_reason"]
    with opened("endpoints list") as engine, read_session(engine) as session:
        rows = [endpoint_fields(row) for row in queries.list_endpoints(session)]
    if as_json:
        print_json(rows)
    else:
        print_table(names, [[", ".join(row[n]) if n == "event_types" else row[n] for n in names] for row in rows])


@cli.command()
def rotate(endpoint_id: EndpointId) -> None:
    """Put another secret in force, shown this once; for a day the one before signs too."""
    secret = new_secret()
    with opened("endpoints rotate") as engine, write_session(engine) as session:
        queries.rotate(_endpoint(session, endpoint_id), secret, datetime.now(UTC))
    print(f"secret: {secret}")


@cli.command()
def test(endpoint_id: EndpointId) -> None:
    """Have a test event sent; a running worker posts it."""
    with opened("endpoints test") as engine, write_session(engine) as session:
        row, _ = queries.request_test(session, _endpoint(session, endpoint_id), BY, datetime.now(UTC))
        delivery_id = row.id
    print(f"delivery: {delivery_id}")


@cli.command()
def remove(endpoint_id: EndpointId) -> None:
    """Forget an endpoint, its secret and its deliveries."""
    with opened("endpoints remove") as engine, write_session(engine) as session:
        queries.delete_endpoint(session, _endpoint(session, endpoint_id))
    print(f"The endpoint {endpoint_id} is removed.")


def _endpoint(session: Session, endpoint_id: int) -> EndpointTable:
    row = queries.find_endpoint(session, endpoint_id)
    if row is None:
        raise BinomeError(f"There is no endpoint {endpoint_id}; `binome endpoints list` shows them.")
    return row
