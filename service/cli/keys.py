"""`binome keys`: create, list, revoke, and sign-in links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from service import start
from service.auth import queries
from service.auth.scopes import Scope
from service.auth.sessions import SessionKind, open_session
from service.cli.database import opened
from service.cli.output import AsJson, print_json, print_table
from service.database import read_session, write_session
from service.errors import BinomeError
from service.settings import load_settings
from service.sources.intake import public_url
from service.start import ensure_first_key

cli = typer.Typer(help="Make, list and revoke keys of the API, and links to sign in.", no_args_is_help=True)


@cli.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as hubspot.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be given several times.")],
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days until it expires; never if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key; it is shown this once."""
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=days) if days else None
    with opened("keys create") as engine, write_session(engine) as session:
        key, secret = queries.create_key(session, name=name, scopes=scope, now=now, expires_at=expires_at)
        row = {"id": str(key.id), "name": name, "scopes": key.scopes, "expires_at": expires_at, "key": secret}
    if as_json:
        print_json(row)
    else:
        print(secret)


@cli.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List keys, without their secrets."""
    names = ["id", "name", "scopes", "created_at", "last_used_at", "previous_until", "expires_at", "revoked_at"]
    with opened("keys list") as engine, read_session(engine) as session:
        rows = [{name: getattr(key, name) for name in names} for key in queries.list_keys(session)]
    if as_json:
        print_json([{**row, "id": str(row["id"])} for row in rows])
    else:
        print_table(names, [[", ".join(v) if isinstance(v, list) else v for v in row.values()] for row in rows])


@cli.command()
def rotate(
    key_id: Annotated[int, typer.Argument(help="The key's id; see `binome keys list`.")],
    grace_hours: Annotated[
        float, typer.Option(min=0, max=720, help="Hours that the present secret is valid still; 0 ends it at once.")
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Give a key another secret; it is shown this once."""
    settings = load_settings()
    with opened("keys rotate", settings) as engine, write_session(engine) as session:
        rotated = start.rotate(session, settings, key_id, datetime.now(UTC), timedelta(hours=grace_hours))
        if rotated is None:
            raise BinomeError(f"There is no key {key_id} in force; `binome keys list` shows them.")
        row = {"id": str(key_id), "previous_until": rotated[0].previous_until, "key": rotated[1]}
    if as_json:
        print_json(row)
    else:
        print(row["key"])


@cli.command()
def revoke(key_id: Annotated[int, typer.Argument(help="The key's id; see `binome keys list`.")]) -> None:
    """Revoke a key; its sessions end at once."""
    with opened("keys revoke") as engine, write_session(engine) as session:
        if not queries.revoke_key(session, key_id, datetime.now(UTC)):
            raise BinomeError(f"There is no key {key_id} in force; `binome keys list` shows them.")
    print(f"Key {key_id} is revoked.")


@cli.command()
def link() -> None:
    """Print a link that signs a browser in once, within 12 hours, with the administrator's rights."""
    settings = load_settings()
    now = datetime.now(UTC)
    with opened("keys link", settings) as engine, write_session(engine) as session:
        key = ensure_first_key(session, settings, now)
        token = open_session(session, key.row, SessionKind.LINK, now)
    print(f"{public_url(settings)}/sign-in?token={token}")
