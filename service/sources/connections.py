"""Connections: those of the database, and those that the settings name."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.errors import InvalidInput
from service.settings import Settings
from service.source_tables import ConnectionTable
from service.sources import queries
from service.sources.contract import API_OPTIONS, Connection, Source
from service.sources.fetching.addresses import ADDRESS_OPTIONS, check_address
from service.sources.gong import public_key
from service.sources.proofs import same
from service.sources.record_links import link_options, template_fault
from service.sources.registry import SOURCES
from service.sources.standard import key_of

SETTING_NAME = "settings"
MIN_SECRET = 8
HIDDEN = "***"
MAX_RECONCILE_HOURS = 168
_SECRET_FIELDS = ("secret", "previous_secret", "name")


def connections_of(session: Session, settings: Settings, source: Source, now: datetime) -> list[Connection]:
    """Return the connections of a source; those that lack a required option are left out: closed."""
    return connections_among(queries.list_connections(session, source.name), settings, source, now)


def connections_among(
    rows: Iterable[ConnectionTable], settings: Settings, source: Source, now: datetime
) -> list[Connection]:
    """Return a source's connections of rows that were read already, and of the settings."""
    found = [_of_row(row, now) for row in rows if row.source == source.name]
    found += configured(settings, source)
    return [one for one in found if all(one.option(name) for name in source.required)]


def _of_row(row: ConnectionTable, now: datetime) -> Connection:
    current: tuple[str, ...] = (row.secret,)
    if row.previous_secret and row.previous_until and now < row.previous_until:
        current += (row.previous_secret,)
    return Connection(row.source, row.name, current, row.options, row.disabled_at is not None)


def configured(settings: Settings, source: Source) -> list[Connection]:
    """Return the connections that `BINOME_CONNECTIONS` names for a source: one, or a list."""
    entry = settings.configured_connections.get(source.name)
    entries = entry if isinstance(entry, list) else [entry] if entry else []
    return [
        Connection(
            source.name,
            str(one.get("name") or (SETTING_NAME if index == 0 else f"{SETTING_NAME}-{index + 1}")),
            tuple(str(one[name]) for name in ("secret", "previous_secret") if one.get(name)),
            {name: value for name, value in one.items() if name not in _SECRET_FIELDS},
        )
        for index, one in enumerate(entries)
    ]


def new_secret(source: str) -> str:
    """Make a secret in the form that a source's senders expect.

    Raises:
        InvalidInput: If the secret is not ours to make: a mailbox has its password.
    """
    if source in SOURCES and SOURCES[source].polled:
        raise _wrong("secret", "is needed: the mailbox's password")
    if source == "standard":
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    if source in {"pipedrive", "postmark"}:
        return f"binome:{secrets.token_urlsafe(32)}"
    return secrets.token_urlsafe(32)


def shown_options(source: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as they may be shown: of those that are secret, only that they are set."""
    hidden = SOURCES[source].secret_options if source in SOURCES else frozenset()
    return {name: HIDDEN if name in hidden and value else value for name, value in options.items()}


def merged_options(source: str, before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with those that were sent back as they were shown."""
    hidden = SOURCES[source].secret_options if source in SOURCES else frozenset()
    return {
        name: before[name] if name in hidden and value == HIDDEN and name in before else value
        for name, value in given.items()
    }


def check_connection(name: str, secret: str, options: Mapping[str, Any]) -> Source:
    """Check what a person gives for a connection.

    Raises:
        InvalidInput: Naming the field.
    """
    source = SOURCES.get(name)
    if source is None:
        raise _wrong("source", f"is none of {', '.join(sorted(SOURCES))}")
    check_secret(source.name, secret)
    known_options = {**source.options, **link_options(source.name)}
    for option in options:
        if option not in known_options:
            known = ", ".join(sorted(known_options))
            raise _wrong(f"options.{option[:60]}", f"is not an option of {name}: those are {known}")
    for option in source.required:
        if not options.get(option):
            raise _wrong(f"options.{option}", f"is needed: {source.options[option]}")
    if source.check:
        source.check(options)
    fault = template_fault(options["record_url"]) if "record_url" in options else None
    if fault:
        raise _wrong("options.record_url", fault)
    _check_api_options(source, options)
    return source


def _check_api_options(source: Source, options: Mapping[str, Any]) -> None:
    for option in source.secret_options:
        value = options.get(option, "")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or value == HIDDEN:
            raise _wrong(f"options.{option}", "is a text of printable ASCII")
    for option in ADDRESS_OPTIONS:
        if option in options:
            check_address(str(options[option]), option)
    if "reconcile_hours" in API_OPTIONS.keys() & options.keys():
        reconcile_hours(options["reconcile_hours"])


def reconcile_hours(value: Any) -> float:
    """Return how many hours lie between two reconciliations; 0 stands for none.

    Raises:
        InvalidInput: If it is no number of 0 to 168.
    """
    try:
        hours = float(str(value))
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= MAX_RECONCILE_HOURS:
        raise _wrong("options.reconcile_hours", f"is a number of 0 to {MAX_RECONCILE_HOURS}")
    return hours


def check_secret(source: str, secret: str) -> None:
    """Check a secret's form.

    Raises:
        InvalidInput: Without repeating it.
    """
    if len(secret) < MIN_SECRET or (not secret.isprintable() and "BEGIN" not in secret):
        raise _wrong("secret", f"has at least {MIN_SECRET} characters, all of them printable")
    if source in {"pipedrive", "postmark"} and ":" not in secret:
        raise _wrong("secret", "is user:password")
    if source == "standard":
        try:
            key_of(secret)
        except ValueError:
            raise _wrong("secret", "is base64, after whsec_") from None
    if source == "gong" and len(secret) > 200 and public_key(secret) is None:
        raise _wrong("secret", "is neither an RSA public key (base64 or PEM) nor a token of the URL")


def taken(session: Session, source: str, secret: str) -> bool:
    """Tell whether a connection of the source has this secret already."""
    return any(same(secret, row.secret) for row in queries.list_connections(session, source))


def parse_option(text: str) -> tuple[str, Any]:
    """Read `name=value` of the command line; a value that is a JSON object or list counts as one.

    Raises:
        InvalidInput: If it is not of that form.
    """
    name, mark, value = text.partition("=")
    if not mark or not name.strip():
        raise _wrong("option", "is name=value")
    if value[:1] in {"{", "["}:
        try:
            return name.strip(), json.loads(value)
        except ValueError:
            raise _wrong(f"options.{name.strip()[:60]}", "is not valid JSON") from None
    return name.strip(), value


def _wrong(field: str, fault: str) -> InvalidInput:
    return InvalidInput(f"{field} {fault}.", errors=[{"field": field, "code": "invalid", "message": fault}])
