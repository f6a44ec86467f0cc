"""`binome users`: let people in, list them, close accounts, set passwords."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.orm import Session

from service.auth.scopes import Role
from service.auth.tables import UserTable
from service.cli.database import opened
from service.cli.output import AsJson, print_json, print_table
from service.database import read_session, write_session
from service.errors import BinomeError
from service.settings import load_settings
from service.users import queries
from service.users.passwords import check_password, hash_password
from service.users.routes import invitation_url
from service.users.schemas import NewUser

cli = typer.Typer(help="Let people in, list them, close accounts.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]


@cli.command()
def add(
    email: Email,
    name: Annotated[str | None, typer.Option(help="How the pages call them; the address if left out.")] = None,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.READER,
    personal: Annotated[bool, typer.Option("--personal", help="They may see what names persons.")] = False,
) -> None:
    """Let a person in; prints a link by which they choose a password, once and within three days."""
    try:
        wanted = NewUser(email=email, name=name or email.partition("@")[0], role=role, personal=personal)
    except ValidationError:
        raise BinomeError("The e-mail address or the name can't be used.") from None
    now, settings = datetime.now(UTC), load_settings()
    with opened("users add", settings) as engine, write_session(engine) as session:
        user = queries.add_user(
            session, email=wanted.email, name=wanted.name, role=role, sees_personal=personal, now=now
        )
        if user is None:
            raise BinomeError(f"There is a person {wanted.email}; `binome users list` shows all.")
        url = invitation_url(session, user, settings, now)
    print(url)


@cli.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List people."""
    names = ["id", "email", "name", "role", "sees_personal", "factor_since", "created_at"]
    names += ["signed_in_at", "disabled_at"]
    with opened("users list") as engine, read_session(engine) as session:
        rows = [{name: getattr(user, name) for name in names} for user in queries.list_users(session)]
    if as_json:
        print_json([{**row, "id": str(row["id"])} for row in rows])
    else:
        print_table(names, [list(row.values()) for row in rows])


@cli.command()
def disable(
    email: Email, undo: Annotated[bool, typer.Option("--undo", help="Open the account again.")] = False
) -> None:
    """Close an account; its sessions end at once."""
    with opened("users disable") as engine, write_session(engine) as session:
        queries.switch_user(session, _found(session, email), None if undo else datetime.now(UTC))
    print(f"The account {email} is {'open' if undo else 'closed'}.")


@cli.command()
def password(
    email: Email, stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from standard input.")] = False
) -> None:
    """Print a link to choose a new password, or set the one on standard input; sessions end when it is set."""
    settings = load_settings()
    given = sys.stdin.readline().rstrip("\n") if stdin else None
    with opened("users password", settings) as engine, write_session(engine) as session:
        user = _found(session, email)
        if given is None:
            print(invitation_url(session, user, settings, datetime.now(UTC)))
            return
        check_password(given, user.email, user.name)
        queries.set_password(session, user, hash_password(given))
    print(f"The password of {email} is set.")


@cli.command("reset-factor")
def reset_factor(email: Email) -> None:
    """Take away a second factor that its person lost; sessions end, and the password alone signs in."""
    with opened("users reset-factor") as engine, write_session(engine) as session:
        queries.remove_factor(session, _found(session, email))
    print(f"{email} has no second factor any more.")


def _found(session: Session, email: str) -> UserTable:
    user = queries.find_user(session, email)
    if user is None:
        raise BinomeError(f"There is no person {email}; `binome users list` shows all.")
    return user
