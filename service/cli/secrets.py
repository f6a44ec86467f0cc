"""`binome secrets`: the key that seals the secrets in the database."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from service.cli.database import opened
from service.database import read_session, write_session
from service.sealing.keyring import new_key, write_keys
from service.sealing.queries import give_up, reseal_all, sealed_values, unreadable_values
from service.settings import load_settings

cli = typer.Typer(help="Exchange the key that seals the secrets in the database.", no_args_is_help=True)


@cli.command()
def rotate() -> None:
    """Seal all secrets anew by a new key, while the service runs; the old one stays until `binome secrets retire`.

    Where the keys stand in BINOME_SECRETS_KEY, put the new one before the old one and start all processes again first:
    then this seals by the first.
    """
    settings = load_settings()
    keyring = settings.keyring
    with opened("secrets rotate", settings) as engine:
        if not keyring.given:
            write_keys(keyring.path, [new_key(), *keyring.keys()])
        with write_session(engine) as session:
            count = reseal_all(session, keyring)
    where = "BINOME_SECRETS_KEY" if keyring.given else str(keyring.path)
    print(f"{count} secrets are sealed by the first key of {where}. Keep a copy of it apart from the back-ups.")


@cli.command()
def retire() -> None:
    """Forget all keys but the first, after sealing all secrets by it. Back-ups of before need the older keys."""
    settings = load_settings()
    keyring = settings.keyring
    with opened("secrets retire", settings) as engine:
        with write_session(engine) as session:
            count = reseal_all(session, keyring)
        if keyring.given:
            keyring.path.unlink(missing_ok=True)
            print(f"{count} secrets are sealed by the first key of BINOME_SECRETS_KEY: take the others out of it.")
            return
        write_keys(keyring.path, keyring.keys()[:1])
    print(f"{count} secrets are sealed by the only key of {keyring.path}.")


@cli.command()
def forget() -> None:
    """Give up the secrets whose key is lost: what they were for is closed until it gets new ones; all else stays."""
    settings = load_settings()
    with opened("secrets forget", settings, opening_secrets=False) as engine:
        with read_session(engine) as session:
            closed = unreadable_values(session, settings.keyring)
            count = sum(1 for _ in sealed_values(session))
        settings.keyring.ensure()
        with write_session(engine) as session:
            give_up(session, closed, settings.keyring, datetime.now(UTC))
    print(f"{len(closed)} of {count} secrets are forgotten. Connections and webhooks without theirs are switched off:")
    print("`binome connections rotate`, `binome endpoints rotate`, and the pages of both, give them new ones.")
