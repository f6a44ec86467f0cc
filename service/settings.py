"""Settings, read from `BINOME_*` environment variables or the same lines in an env file, and refused when wrong."""

from __future__ import annotations

import difflib
import json
import os
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service.auth.roles import Grant, read_grants
from service.auth.scopes import Role
from service.errors import SettingsRefused
from service.insights.weights import Weights, read_weights
from service.sealing.keyring import KEY_FILE, Keyring, read_keys
from service.thresholds import Thresholds

PREFIX = "BINOME_"
ENV_FILE = "binome.env"
INSIDE_HOST = "binome.invalid"  # assistants' tools ask the application itself by this name, without a network
FILE_SUFFIX = "_FILE"
"""`BINOME_DATABASE_URL_FILE` names a file that holds the setting: secrets of containers and of systemd come so."""
# the database's URL may hold a password
_SECRETS = frozenset(
    {"admin_key", "connections", "database_url", "metrics_token", "oidc_client_secret", "secrets_key", "smtp_url"}
)


class Sample(StrEnum):
    """Whether an empty database starts with the sample workspace."""

    ON = "on"
    OFF = "off"


class Switch(StrEnum):
    """Whether something is allowed."""

    ON = "on"
    OFF = "off"


class SecondFactor(StrEnum):
    """Of whom a second factor is asked who signs in with a password; who has one is always asked for it."""

    OPTIONAL = "optional"
    ADMINS = "admins"
    REQUIRED = "required"


class LogFormat(StrEnum):
    """How log lines look."""

    HUMAN = "human"
    JSON = "json"


class Settings(BaseSettings):
    """Every setting, its range and its default; the README lists the same ones."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, env_file_encoding="utf-8", extra="forbid")

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on, 1 to 65535")
    data_dir: Path = Field(Path("var"), description="folder for everything that is written")
    database_url: str = Field("", description="empty for SQLite in the data folder, or postgresql+psycopg://…")
    admin_key: str = Field(
        "", description="a key with every scope, at least 16 characters; made at first start if empty"
    )
    secrets_key: str = Field(
        "", description="keys that seal the secrets in the database, with commas: each 32 bytes in URL-safe base64"
    )
    sample: Sample = Field(Sample.ON, description="on or off: load the sample workspace into an empty database")
    workers: int = Field(1, ge=0, le=64, description="worker processes started by `binome serve`, 0 to 64")
    max_body_bytes: int = Field(
        32 * 1024 * 1024, ge=1024, le=1024**3, description="largest request body in bytes, 1024 to 1073741824"
    )

    max_backlog: int = Field(
        100_000, ge=1, le=10**9, description="notes waiting to be read at which new ones are refused (429), 1 to 10^9"
    )
    max_writing: int = Field(
        24, ge=1, le=36, description="requests that store at the same time, more are refused (429), 1 to 36"
    )
    min_free_mib: int = Field(
        200, ge=0, le=10**6, description="free disk in MiB under which new notes are refused (507), 0 to 1000000"
    )
    keep_jobs_days: int = Field(
        90, ge=1, le=3650, description="days that the history of finished long work is kept, 1 to 3650"
    )

    log_format: LogFormat = Field(LogFormat.HUMAN, description="human or json: one line for each event")
    metrics_token: str = Field(
        "",
        pattern=r"^(\S{16,})?$",
        description="token that may read /metrics, at least 16 characters",
    )
    otlp_endpoint: str = Field(
        "", pattern=r"^(https?://[^\s?#]+)?$", description="where traces are sent, such as http://127.0.0.1:4318"
    )

    public_url: str = Field(
        "", pattern=r"^(https?://[^\s?#]+)?$", description="address that senders call, such as https://binome.firm.com"
    )
    connections: str = Field("", description="connections of sources: JSON, or the path of a JSON file")

    smtp_url: str = Field(
        "",
        pattern=r"^(smtps?://([^\s/@]+@)?[^\s/@]+/?)?$",
        description="mail server for digests and alerts, such as smtp://user:password@mail.firm.com:587, or smtps://…",
    )
    smtp_from: str = Field(
        "",
        pattern=r"^([^<>\r\n@]*<[^<>\s@]+@[^<>\s@]+>|[^<>\s@]+@[^<>\s@]+)?$",
        description="sender of mails, such as Binôme <binome@firm.com>",
    )
    outgoing_private: Switch = Field(
        Switch.OFF,
        description="on or off: webhooks and chat messages may go to loopback and private networks, by http too",
    )

    allowed_hosts: str = Field(
        "", description="host names under which Binôme may be asked, with commas: binome.firm.com, localhost"
    )
    trusted_proxies: str = Field(
        "", description="addresses or networks of proxies whose X-Forwarded-For and -Proto count: 10.0.0.0/8, ::1"
    )
    rate_limit: int = Field(
        30_000, ge=0, le=10**7, description="requests a minute of one key or browser, 0 to 10000000; 0 for no limit"
    )
    rate_limit_address: int = Field(
        120_000, ge=0, le=10**7, description="requests a minute of one address, 0 to 10000000; 0 for no limit"
    )
    rate_limit_ingest: int = Field(
        60_000, ge=0, le=10**7, description="requests a minute that send notes in, for one key; 0 for no limit"
    )

    receive_seconds: float = Field(
        30,
        ge=1,
        le=3600,
        description="seconds for a request's head, and for its body beside one for each 16 KiB, 1 to 3600",
    )
    max_connections: int = Field(
        500, ge=0, le=10**6, description="connections of one address at a time, 0 to 1000000; 0 for no limit"
    )

    audit_days: int = Field(
        400, ge=0, le=36_500, description="days that the log of who saw what is kept, 0 to 36500; 0 for ever"
    )
    session_hours: int = Field(
        168, ge=1, le=8760, description="hours until a browser signs in anew, however busy it is, 1 to 8760"
    )
    session_idle_hours: int = Field(
        12, ge=1, le=8760, description="hours without use after which a browser signs in anew, 1 to 8760"
    )

    second_factor: SecondFactor = Field(
        SecondFactor.OPTIONAL,
        description="optional, admins or required: who has to have a second factor beside a password",
    )

    oidc_issuer: str = Field(
        "",
        pattern=r"^(https://[^\s?#]+|http://(localhost|127\.0\.0\.1)(:\d+)?(/[^\s?#]*)?)?$",
        description="issuer of the OpenID Connect provider, such as https://accounts.google.com; empty for none",
    )
    oidc_client_id: str = Field("", description="id under which the provider knows Binôme")
    oidc_client_secret: str = Field("", description="secret that the provider gave Binôme")
    oidc_scopes: str = Field(
        "openid email profile", pattern=r"^(.* )?openid( .*)?$", description="scopes to ask for, openid among them"
    )
    oidc_roles: str = Field(
        "", description="who has which role: groups/marketing=curator, groups/heads=admin+personal, *=reader"
    )
    oidc_trust_email: Switch = Field(
        Switch.OFF,
        description="on or off: all e-mail addresses of the provider are verified, though it does not say so",
    )
    oidc_acr_values: str = Field(
        "", description="how the provider has to have checked who signs in: any of these `acr` values, with spaces"
    )
    oidc_amr_values: str = Field(
        "", description="by what the provider has to have checked: any of these `amr` values, such as mfa otp hwk"
    )
    oidc_max_age_minutes: int = Field(
        0, ge=0, le=525_600, description="minutes since the provider checked, 0 to 525600; 0 for however long ago"
    )
    oidc_name: str = Field(
        "OpenID Connect", min_length=1, max_length=50, description="what the sign-in page calls the provider"
    )

    weights: str = Field(
        "",
        description="points of a score's parts, such as reach=40, growth=30: each 0 to 100, scaled to 100 together",
    )

    min_accounts: int = Field(
        0, ge=0, le=1000, description="accounts under which nothing is shown, 0 to 1000; 0 for no threshold"
    )
    min_authors: int = Field(
        0, ge=0, le=1000, description="authors under which nothing is shown, 0 to 1000; 0 for no threshold"
    )

    @field_validator("admin_key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < 16:
            raise ValueError("a key has at least 16 characters")
        return value

    @field_validator("secrets_key")
    @classmethod
    def _keys(cls, value: str) -> str:
        read_keys(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _supported(cls, value: str) -> str:
        if not value:
            return value
        try:
            driver = make_url(value).drivername
        except ArgumentError:
            raise ValueError("not a database URL") from None
        if driver not in {"sqlite", "postgresql+psycopg"}:
            raise ValueError("the URL starts with postgresql+psycopg:// or sqlite:///")
        return value

    @field_validator("connections")
    @classmethod
    def _readable(cls, value: str) -> str:
        read_connections(value)
        return value

    @field_validator("oidc_roles")
    @classmethod
    def _grants(cls, value: str) -> str:
        read_grants(value)
        return value

    @model_validator(mode="after")
    def _known_to_provider(self) -> Settings:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("BINOME_OIDC_ISSUER needs BINOME_OIDC_CLIENT_ID: the id that the provider gave Binôme.")
        return self

    @field_validator("weights")
    @classmethod
    def _weights(cls, value: str) -> str:
        read_weights(value)
        return value

    @cached_property
    def grants(self) -> list[Grant]:
        """Which claims of the provider give which role."""
        return read_grants(self.oidc_roles)

    def needs_factor(self, role: str) -> bool:
        """Tell whether people of a role have to have a second factor beside their password."""
        return self.second_factor is SecondFactor.REQUIRED or (
            self.second_factor is SecondFactor.ADMINS and role == Role.ADMIN
        )

    @property
    def oidc_email_trusted(self) -> bool:
        """Whether all e-mail addresses of the provider are verified."""
        return self.oidc_trust_email is Switch.ON

    @cached_property
    def ranking_weights(self) -> Weights:
        """The points of the parts of a score."""
        return read_weights(self.weights)

    @cached_property
    def thresholds(self) -> Thresholds:
        """The least accounts and authors behind what is shown."""
        return Thresholds(self.min_accounts, self.min_authors)

    @cached_property
    def configured_connections(self) -> dict[str, Any]:
        """The connections that the setting names, by source: an object or a list of objects each."""
        return read_connections(self.connections)

    @cached_property
    def host_names(self) -> frozenset[str]:
        """Host names that requests may name, in small letters; none for any."""
        names = {name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip()}
        return frozenset(names | {INSIDE_HOST}) if names else frozenset()

    @cached_property
    def proxies(self) -> list[str]:
        """Addresses and networks of trusted proxies."""
        return [name.strip() for name in self.trusted_proxies.split(",") if name.strip()]

    @cached_property
    def keyring(self) -> Keyring:
        """The keys that seal the secrets in the database: those of the setting, then those of the data folder."""
        return Keyring(self.data_dir / KEY_FILE, self.secrets_key)

    @property
    def mail_sender(self) -> str:
        """The `From` of mails."""
        return self.smtp_from or f"binome@{urlsplit(self.public_url).hostname or 'localhost'}"

    @property
    def outgoing_private_allowed(self) -> bool:
        """Whether what goes out may go to loopback and private networks."""
        return self.outgoing_private is Switch.ON

    def not_as_they_come(self) -> dict[str, str]:
        """Return the settings that differ from their defaults as text; secrets as `set`."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name != "data_dir"}
        chosen = {name: value for name, value in given.items() if value != type(self).model_fields[name].default}
        return {name: "set" if name in _SECRETS else str(value) for name, value in chosen.items()}

    @cached_property
    def sqlalchemy_url(self) -> str:
        """The database to use: the given URL, else SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'binome.sqlite3'}"


def read_connections(value: str) -> dict[str, Any]:
    """Read the setting of connections.

    Raises:
        ValueError: If it is not a JSON object of objects, or lists of them, each with a secret.
    """
    if not value.strip():
        return {}
    try:
        text = value if value.lstrip().startswith("{") else Path(value.strip()).read_text(encoding="utf-8")
        document = json.loads(text)
    except (OSError, ValueError, RecursionError):
        raise ValueError("not JSON, and not the path of a JSON file") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    for entry in document.values():
        for one in entry if isinstance(entry, list) else [entry]:
            if not isinstance(one, dict) or not isinstance(one.get("secret"), str) or len(one["secret"]) < 8:
                raise ValueError("every connection is an object with a secret of at least 8 characters")
    return document


def load_settings() -> Settings:
    """Read and check all settings.

    Raises:
        SettingsRefused: Naming the variable, what it expects and, for a misspelt one, the closest that exists.
    """
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    in_files = {f"{PREFIX}{name.upper()}{FILE_SUFFIX}": name for name in _SECRETS}
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable not in known and variable not in in_files:
            raise SettingsRefused(_unknown(variable, known))
    secrets = {name: _read_secret(variable) for variable, name in in_files.items() if os.environ.get(variable)}
    try:
        return Settings(**secrets)
    except ValidationError as error:
        raise SettingsRefused("\n".join(_explain(dict(e), known) for e in error.errors())) from None


def _read_secret(variable: str) -> Any:
    """Return what the file holds that a variable names, without the line end."""
    plain, path = variable.removesuffix(FILE_SUFFIX), Path(os.environ[variable])
    if os.environ.get(plain):
        raise SettingsRefused(f"{plain} and {variable} are both set: keep one.")
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsRefused(f"{variable}={path} can't be read: {error}.") from None
    if not value:
        raise SettingsRefused(f"{variable}={path} is an empty file.")
    return value


def _unknown(variable: str, known: set[str]) -> str:
    close = difflib.get_close_matches(variable, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the settings are {', '.join(sorted(known))}."
    return f"{variable} is not a setting: {hint}"


def _explain(error: dict[str, object], known: set[str]) -> str:
    location = error["loc"]
    if not location:
        return str(error["msg"]).removeprefix("Value error, ")
    name = str(location[0]) if isinstance(location, tuple) and location else ""
    variable = name.upper() if name.upper().startswith(PREFIX) else f"{PREFIX}{name.upper()}"
    if variable not in known:
        return _unknown(variable, known)
    field = Settings.model_fields[name]
    given = "" if name in _SECRETS else f"={error['input']}"
    return f"{variable}{given} is refused: expected {field.description} (default {field.default or 'empty'})."
