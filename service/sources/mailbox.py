"""Reading mailboxes by IMAP (RFC 3501): each message once, whatever breaks off when.

The last UID is kept under the folder's UIDVALIDITY, in the transaction that stores the messages up to it. Where the
server gives its folder another UIDVALIDITY, all of it is read again: notes are known by their Message-ID, and a message
is as old as its arrival in the mailbox, so that nothing is doubled and nothing erased comes back.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.errors import InvalidInput
from service.filters import name_key
from service.imports.mail import MAX_MESSAGE_BYTES
from service.imports.records import MIB
from service.settings import Settings
from service.sources import queries
from service.sources.connections import connections_of
from service.sources.contract import Aside, Change, Connection, Delivery, Event, NoteChange
from service.sources.faults.queries import MAX_PAYLOAD_CHARS
from service.sources.imap import SOURCE, check_options, folder_of, port_of
from service.sources.mail import message_changes
from service.sources.mailbox_tokens import TokenRefused, Tokens
from service.sources.reading import clean_text
from service.sources.storing import store_deliveries

POLL = timedelta(seconds=60)
HOLD = queries.LONGEST_HOLD
BATCH_MESSAGES = 50
BATCH_BYTES = 16 * MIB
MOVED_AT_ONCE = 200
TIMEOUT = SocketTimeout(connect=15, read=60)

_log = structlog.get_logger()


class _Unreadable(Exception):
    """Why a mailbox can't be read; the message holds no secret and nothing that the server said."""


class Mailboxes:
    """Takes up the mailboxes that are due, and reads them."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._tokens = Tokens()

    def claim(self, enqueue: Callable[[Session, str], None]) -> None:
        """Hold the mailboxes that were not looked at for a minute, and have them read.

        Args:
            enqueue: Has the mailbox of a connection read, as part of the transaction.
        """
        now = _now()
        with read_session(self._engine) as session:
            found = connections_of(session, self._settings, SOURCE, now)
            boxes = {one.name: folder_of(one.options) for one in found if not one.disabled}
            boxes = {name: boxes[name] for name in queries.due_mailboxes(session, boxes, now, now - POLL)}
        for name, folder in boxes.items():
            with write_session(self._engine) as session:
                if queries.hold_mailbox(session, name, folder, now, now - POLL, now + HOLD):
                    enqueue(session, name)

    def run(self, name: str) -> None:
        """Read what is new in a mailbox; why it can't be is kept for the operator."""
        with read_session(self._engine) as session:
            found = connections_of(session, self._settings, SOURCE, _now())
        connection = next((one for one in found if one.name == name and not one.disabled), None)
        if connection is None:
            return
        failure = None
        try:
            check_options(connection.options)
            self._read(connection)
        except _Unreadable as error:
            failure = str(error)
        except InvalidInput as error:
            failure = error.detail
        except TokenRefused as error:
            failure = str(error)
        except LoginError:
            self._tokens.forget(connection)
            failure = "The server refuses the user or the password."
            if connection.option("token_url"):
                failure = "The server refuses the user or the token: check the rights of the application."
        except ssl.SSLError:
            failure = "The server's certificate or TLS is not accepted."
        except (OSError, IMAPClientError, ValueError, AssertionError) as error:  # and what a broken answer makes of it
            failure = f"The server can't be reached, or the connection broke off ({type(error).__name__})."
        if failure:
            _log.warning("mailbox_not_read", connection=name, failure=failure)
        self.release(name, failure)

    def release(self, name: str, failure: str | None) -> None:
        """Let go of a mailbox until it is due again."""
        with write_session(self._engine) as session:
            queries.release_mailbox(session, name, failure, _now())

    def _read(self, connection: Connection) -> None:
        folder, done = folder_of(connection.options), connection.option("done_folder")
        token = self._tokens.token_of(connection) if connection.option("token_url") else None
        with _opened(connection, token) as client:
            selected = _selected(client, folder, readonly=not done)
            validity = selected.get(b"UIDVALIDITY")
            if not isinstance(validity, int):
                raise _Unreadable("The server gives the folder no UIDVALIDITY.")
            with write_session(self._engine) as session:
                last = queries.mailbox_position(session, connection.name, folder, validity)
            for uids in _parts(_new_uids(client, last), BATCH_MESSAGES):
                self._take(client, connection, validity, uids)
                last = uids[-1]
            if done and last:
                _move(client, last, done)

    def _take(self, client: IMAPClient, connection: Connection, validity: int, uids: Sequence[int]) -> None:
        """Store some messages and the place up to which they were read, a few megabytes in one transaction."""
        about = client.fetch(uids, [b"RFC822.SIZE", b"INTERNALDATE"])
        for group in _groups(uids, about):
            small = [uid for uid in group if _size(about, uid) <= MAX_MESSAGE_BYTES]
            bodies = client.fetch(small, [b"BODY.PEEK[]"]) if small else {}
            with read_session(self._engine) as session:
                messages = [
                    _message(session, connection, bodies.get(uid, {}).get(b"BODY[]"), about[uid])
                    for uid in group
                    if uid in about  # else it was expunged meanwhile
                ]
            with write_session(self._engine) as session:
                store_deliveries(session, connection, messages, _now())
                queries.advance_mailbox(
                    session, connection.name, folder_of(connection.options), validity, group[-1], _now() + HOLD
                )


@contextmanager
def _opened(connection: Connection, token: str | None) -> Iterator[IMAPClient]:
    """Give a client that is signed in, by a token or by the password; it is let go of whatever happens."""
    tls = connection.option("tls") or "on"
    context = ssl.create_default_context()
    client = IMAPClient(
        connection.option("host"),
        port_of(connection),
        ssl=tls == "on",
        ssl_context=context if tls == "on" else None,
        timeout=TIMEOUT,
    )
    try:
        client.normalise_times = False
        if tls == "starttls":
            client.starttls(context)
        if token is None:
            client.login(connection.option("user"), connection.secrets[0])
        else:
            client.oauth2_login(connection.option("user"), token)
        yield client
        client.logout()
    finally:
        with suppress(Exception):
            client.shutdown()


def _selected(client: IMAPClient, folder: str, *, readonly: bool) -> Any:
    try:
        return client.select_folder(folder, readonly=readonly)
    except IMAPClientAbortError:
        raise
    except IMAPClientError:
        raise _Unreadable(f"The server has no folder {folder!r}, or does not open it.") from None


def _new_uids(client: IMAPClient, last: int) -> list[int]:
    # "7:*" holds the last message even where its UID is less than 7
    return sorted({uid for uid in client.search([b"UID", f"{last + 1}:*".encode()]) if uid > last})


def _parts(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for begin in range(0, len(uids), size):
        yield uids[begin : begin + size]


def _size(about: Any, uid: int) -> int:
    size = about.get(uid, {}).get(b"RFC822.SIZE", 0)
    return size if isinstance(size, int) else 0


def _groups(uids: Sequence[int], about: Any) -> Iterator[list[int]]:
    """Part messages so that few megabytes are held at a time."""
    group: list[int] = []
    held = 0
    for uid in uids:
        if group and held + _size(about, uid) > BATCH_BYTES:
            yield group
            group, held = [], 0
        group.append(uid)
        held += _size(about, uid)
    if group:
        yield group


def _message(session: Session, connection: Connection, raw: Any, about: Any) -> tuple[Delivery, list[Event]]:
    """Return a message as a delivery that came when it arrived in the mailbox, and what it says."""
    arrived = about.get(b"INTERNALDATE")
    known = isinstance(arrived, datetime) and 1980 <= arrived.year <= 2199
    at = (arrived if arrived.tzinfo else arrived.replace(tzinfo=UTC)) if known else None
    delivery = Delivery(
        method="",
        url="",
        headers={},
        query=(),
        token="",
        body=raw if isinstance(raw, bytes) else b"",
        received_at=at or _now(),
        known_author=lambda address: queries.knows_author(session, address),
        known_account=lambda name: queries.knows_account(session, name_key(name)),
    )
    if not isinstance(raw, bytes):
        reason = f"The message is over {MAX_MESSAGE_BYTES // MIB} MB, or the server does not give it."
        return delivery, [Event([Aside("too_large", reason)])]
    changes = _changes(delivery, connection)
    if at:
        changes = [
            replace(one, item={**one.item, "updated_at": at.isoformat()}) if isinstance(one, NoteChange) else one
            for one in changes
        ]
    return delivery, [Event(changes)]


def _changes(delivery: Delivery, connection: Connection) -> list[Change]:
    """Turn a message into changes; one that can't be read is set aside and stops nothing."""
    try:
        return message_changes(delivery.body, connection, delivery)
    except InvalidInput as error:
        return [Aside(error.code, error.detail, _shown(delivery.body))]
    except Exception as error:  # whatever a message makes the reader raise, the others are read
        _log.error("message_unreadable", connection=connection.name, error=type(error).__name__)
        return [Aside("unreadable", "The message can't be read.", _shown(delivery.body))]


def _shown(raw: bytes) -> str:
    return clean_text(raw[:MAX_PAYLOAD_CHARS].decode("utf-8", "replace"))


def _move(client: IMAPClient, last: int, folder: str) -> None:
    """Move what was read, also in an earlier turn that broke off before."""
    read = client.search([b"UID", f"1:{last}".encode(), b"UNDELETED"])
    if read and not client.folder_exists(folder):
        client.create_folder(folder)
    for uids in _parts(read, MOVED_AT_ONCE):
        if client.has_capability("MOVE"):
            client.move(uids, folder)
            continue
        client.copy(uids, folder)
        client.delete_messages(uids, silent=True)
        if client.has_capability("UIDPLUS"):  # else they stay marked: to expunge all would take others' along
            client.uid_expunge(uids)


def _now() -> datetime:
    return datetime.now(UTC)
