"""What fetching from a source is: how to call its API, read records by id, and page through all of them.

A fetcher is one module with a `FETCHER`. It knows neither the database nor the clock; rate limits, tokens, repeats and
faults are the caller's. What it reads it gives as the same changes that deliveries bring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from service.sources.contract import Change, Connection


class CallFailed(Exception):
    """A call brought nothing; the message says why, in words of ours."""


class TryLater(CallFailed):
    """The API can't answer now.

    Attributes:
        seconds: How long it asks to wait; None where it does not say.
        everything: Whether that holds for all calls of the connection.
    """

    def __init__(self, reason: str, seconds: float | None = None, *, everything: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.everything = everything


class NotThere(CallFailed):
    """The API knows no such record (404, 410)."""


class NotAllowed(CallFailed):
    """The token is valid, but may not read this (403)."""


class NotAuthorised(CallFailed):
    """The credentials are refused: somebody has to give others."""


class Refused(CallFailed):
    """The API refuses the call for good."""


Params = Mapping[str, str | int]


class Api(Protocol):
    """Calls of one connection. Every method raises `CallFailed`."""

    memory: MutableMapping[str, Any]
    """What a fetcher may remember for a while, such as names of users."""

    def get(self, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of an answer; None where it is empty."""

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON of an answer to a JSON body."""


@dataclass(slots=True)
class Records:
    """What calls brought.

    Attributes:
        changes: By the record's id; those under an empty id belong to several records.
        gone: Ids that the API does not know, or no longer.
        unready: Ids of records that are not complete yet.
    """

    changes: dict[str, list[Change]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    unready: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a stream; `cursor` leads to the next, None where it is the last."""

    records: Records
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """How a refresh token is changed for an access token (RFC 6749, section 6)."""

    url: str
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How to fetch from a source.

    Attributes:
        base_url: Where its API stands, unless the option `base_url` says otherwise.
        credentials: Sets of options of which a connection needs one whole.
        headers: The headers that prove a call, with the access token where there is one.
        token_request: How to get an access token; None where the credentials are used as they are.
        batch: How many records one call of `read` may name.
        calls: How many calls the API takes in how many seconds.
        streams: Kinds of records with texts, and of deals, in the order of a first synchronisation.
        read: Reads records of a kind by their ids.
        page: Reads a page of a kind: those changed since a time, or all.
        valid_id: Tells whether an id may stand in a URL.
    """

    source: str
    base_url: str
    credentials: Sequence[frozenset[str]]
    headers: Callable[[Connection, str], Mapping[str, str]]
    token_request: Callable[[Connection, str, str], TokenRequest] | None
    batch: int
    calls: tuple[int, float]
    streams: Sequence[str]
    read: Callable[[Api, Connection, str, Sequence[str]], Records]
    page: Callable[[Api, Connection, str, datetime | None, str | None], Page]
    valid_id: Callable[[str], bool] = lambda key: key.isascii() and key.isdigit() and len(key) <= 40

    def connected(self, connection: Connection) -> bool:
        """Tell whether a connection has what its API asks for."""
        return any(all(connection.option(name) for name in needed) for needed in self.credentials)
