"""What a source is: how a delivery is proved, what it says, and how its sender wants to be answered.

A source is one module with a `SOURCE`. Its `verify` raises for a delivery that is not proved (any exception counts as
that); its `parse` gives events, each with the changes that it brings, and raises a `Problem` where the whole body
can't be read. Neither touches the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.errors import Problem

API_OPTIONS = {
    "base_url": "another address of the API (https, or http on this machine)",
    "reconcile_hours": "how often to ask the API for what events lost: 6 if left out, 0 for never",
}
"""Options of every connection whose source has an API to fetch from."""


class NotVerified(Exception):
    """A delivery is not proved to be its sender's; the message says which proof failed, never a secret."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A sender as it is set up.

    Attributes:
        secrets: The secret in force and, while it is being changed, the one before.
        options: The source's own settings.
        disabled: Switched off by the operator.
    """

    source: str
    name: str
    secrets: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    disabled: bool = False

    def option(self, name: str) -> str:
        """Return an option as text; empty where it is not set."""
        value = self.options.get(name)
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it came.

    Attributes:
        url: The public address that the sender called, from the settings, with path and query.
        headers: Names in lower case; the first of each.
        query: Decoded pairs.
        token: The last part of a secret URL; empty without one.
        body: The bytes that were signed.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    token: str
    body: bytes
    received_at: datetime
    known_author: Callable[[str], bool] = lambda _author: False
    known_account: Callable[[str], bool] = lambda _account: False

    @property
    def media_type(self) -> str:
        """The type of the body without parameters, in lower case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class NoteChange:
    """A note that is new or edited.

    Attributes:
        item: In the note format; checked where it is stored.
        partial: The sender tells only some fields: the others stay as they are.
        contacts: Contacts that the note is about, by the sender's ids.
        apart: Other content under a known id is another note, not an edit (mail).
    """

    item: dict[str, Any]
    partial: bool = False
    contacts: tuple[str, ...] = ()
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """A note that is gone at the sender's; `at` orders it among the edits, without it the arrival does.

    `final`: nothing revives it. `emptied`: only its words were taken out, an edit like any other.
    """

    external_id: str
    at: datetime | None
    final: bool = False
    emptied: bool = False


@dataclass(frozen=True, slots=True)
class ContactErased:
    """A contact's notes are to be erased."""

    contact: str


@dataclass(frozen=True, slots=True)
class ContactsMerged:
    """Contacts that became another one."""

    merged: tuple[str, ...]
    into: str


@dataclass(frozen=True, slots=True)
class DealChange:
    """What a deal is now; None leaves a value as it is.

    `account` is whose deal it is (id and name): its notes that have no account, now or later, get this one.
    """

    deal: str
    at: datetime | None
    amount: float | None = None
    currency: str | None = None
    stage: str | None = None
    outcome: str | None = None
    account: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What an account is called now."""

    account: str
    at: datetime | None
    name: str


@dataclass(frozen=True, slots=True)
class FetchWanted:
    """A record to ask the source's API for."""

    object_type: str
    object_id: str
    reason: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Aside:
    """An item that can't be taken: kept for the operator. `payload` is what was sent."""

    code: str
    reason: str
    payload: Any = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that is none of our business, and why."""

    reason: str


Change = (
    NoteChange | Deleted | ContactErased | ContactsMerged | DealChange | AccountChange | FetchWanted | Aside | Skipped
)


@dataclass(frozen=True, slots=True)
class Event:
    """Changes that belong together; `key` is the sender's identity of the event, by which a repeat is known."""

    changes: Sequence[Change]
    key: str | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender wants to hear; without content the counts are told."""

    status: int = 202
    content: str | None = None
    media_type: str = "application/json"


def acknowledged(problem: Problem, _delivery: Delivery) -> Problem | Reply:
    """Acknowledge content that is refused, and was kept, for a sender that would otherwise repeat it."""
    return Reply(200, json.dumps({"result": "set_aside", "code": problem.code}))


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that a delivery says.

    Attributes:
        refusal: Why its content is refused, where its events have to be remembered all the same.
    """

    events: Sequence[Event]
    reply: Reply | None = None
    refusal: Problem | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """How to set a sender up at its vendor's, in a few lines."""

    en: str
    fr: str


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of sender.

    Attributes:
        verify: Raises where the delivery is not proved; any exception counts.
        parse: Gives the events of a proved delivery.
        reply: The answer to a success.
        keys: An API key with the scope `ingest` is a proof too.
        signed_by: How headers start that claim a signature: with one, a key is no proof.
        required: Options without which a connection stays closed.
        options: Options that a connection may have, each with what it is.
        secret_options: Those of them that are never shown.
        refusal: How the sender wants to hear that its content is refused; without it, by the problem itself. Those who
            would repeat it for hours or days have it acknowledged: the operator finds it set aside.
        media_type: Of `sample`.
        polled: Nothing is posted: a worker asks for what is new.
        check: Raises `InvalidInput` for options that a connection can't have.
        busy: What makes the sender come again later: 429, or 503 for those that take that alone for a reason to.
    """

    name: str
    verify: Callable[[Delivery, Connection], None]
    parse: Callable[[Delivery, Connection], Parsed]
    setup: Setup
    sample: str
    reply: Reply = Reply()
    keys: bool = False
    signed_by: str | None = None
    required: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    secret_options: frozenset[str] = frozenset()
    refusal: Callable[[Problem, Delivery], Problem | Reply] | None = None
    media_type: str = "application/json"
    polled: bool = False
    check: Callable[[Mapping[str, Any]], None] | None = None
    busy: int = 429
