"""A mailbox that reps send to: it is not posted to us but read by a worker (`mailbox.py`); a connection says where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.errors import InvalidInput
from service.sources.contract import Connection, Delivery, Event, NotVerified, Parsed, Setup, Source
from service.sources.fetching.addresses import check_address
from service.sources.mail import OPTIONS as MAIL_OPTIONS
from service.sources.mail import message_changes

NAME = "imap"
TLS = ("on", "starttls", "off")
_PORTS = {"on": 993, "starttls": 143, "off": 143}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def verify(_delivery: Delivery, _connection: Connection) -> None:
    """Refuse whatever is posted: mail is fetched."""
    raise NotVerified("a mailbox is read, not posted to")


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read a message that was kept."""
    return Parsed([Event(message_changes(delivery.body, connection, delivery))])


def check_options(options: Mapping[str, Any]) -> None:
    """Check what a connection says of its mailbox.

    Raises:
        InvalidInput: Naming the option.
    """
    for name in ("host", "user", "folder", "done_folder"):
        value = options.get(name, "")
        if not isinstance(value, str) or not value.isprintable() or len(value) > 255:
            raise _wrong(name, "is a text of at most 255 printable characters")
    if any(character.isspace() or character in "/@" for character in str(options["host"])):
        raise _wrong("host", "is a name or an address, such as imap.firm.com")
    tls = str(options.get("tls") or TLS[0])
    if tls not in TLS:
        raise _wrong("tls", f"is {', '.join(TLS[:-1])} or {TLS[-1]}")
    if tls == "off" and options["host"] not in _THIS_MACHINE:
        raise _wrong("tls", "may be off on this machine alone: the password would go over the network as it is")
    if "port" in options and not (str(options["port"]).isdecimal() and 1 <= int(options["port"]) <= 65535):
        raise _wrong("port", "is a number, 1 to 65535")
    if options.get("token_url"):
        check_address(str(options["token_url"]), "token_url")
        if not options.get("client_id"):
            raise _wrong("client_id", "is needed with token_url: the application's id")
    if options.get("done_folder") and options["done_folder"] == (options.get("folder") or "INBOX"):
        raise _wrong("done_folder", "is another folder than the one that is read")


def _wrong(option: str, fault: str) -> InvalidInput:
    field = f"options.{option}"
    return InvalidInput(f"{field} {fault}.", errors=[{"field": field, "code": "invalid", "message": fault}])


def port_of(connection: Connection) -> int:
    """Return the port: the one that is given, else the usual one."""
    return int(connection.option("port") or _PORTS[connection.option("tls") or TLS[0]])


def folder_of(options: Mapping[str, Any]) -> str:
    """Return the folder that is read."""
    return str(options.get("folder") or "INBOX")


SOURCE = Source(
    name=NAME,
    verify=verify,
    parse=parse,
    required=("host", "user"),
    options={
        "host": "the server, such as imap.firm.com",
        "user": "the mailbox's user",
        "port": "993, or 143 where tls is not on",
        "tls": "on (default), starttls, or off on this machine alone",
        "folder": "the folder to read; INBOX if left out",
        "done_folder": "the folder to move messages to that were read; they stay where they are if left out",
        "token_url": "where tokens are given, for OAuth 2 in place of a password; the secret is the application's",
        "client_id": "the application's id, with token_url",
        "scope": "what the token is for, such as https://outlook.office365.com/.default",
        "refresh_token": "a refresh token, where the mailbox's owner has consented; else the application's own right",
        **MAIL_OPTIONS,
    },
    secret_options=frozenset({"refresh_token"}),
    polled=True,
    check=check_options,
    media_type="message/rfc822",
    setup=Setup(
        en="1. Give Binôme a mailbox of its own, such as notes@firm.com.\n"
        "2. binome connections add imap --secret PASSWORD --option host=imap.firm.com --option user=notes@firm.com.\n"
        "   Microsoft 365 takes no passwords: --secret CLIENT_SECRET --option client_id=ID --option "
        "token_url=https://login.microsoftonline.com/TENANT/oauth2/v2.0/token --option "
        "scope=https://outlook.office365.com/.default.\n"
        "3. Name your reps: --option 'reps=[\"@firm.com\"]'. Others' messages are kept without author.\n"
        "4. A worker reads it every minute; nothing is changed in it, unless --option done_folder=Read is given.\n"
        "5. GET /v1/sources tells when it was read last, and what is wrong if it can't be.",
        fr="1. Donnez à Binôme une boîte à lui, par exemple notes@entreprise.fr.\n"
        "2. binome connections add imap --secret MOT_DE_PASSE --option host=imap.entreprise.fr "
        "--option user=notes@entreprise.fr.\n"
        "   Microsoft 365 n'accepte pas de mot de passe : --secret SECRET_CLIENT --option client_id=ID --option "
        "token_url=https://login.microsoftonline.com/LOCATAIRE/oauth2/v2.0/token --option "
        "scope=https://outlook.office365.com/.default.\n"
        "3. Nommez vos commerciaux : --option 'reps=[\"@entreprise.fr\"]'. Les autres messages restent sans auteur.\n"
        "4. Elle est lue chaque minute ; rien n'y change, sauf avec --option done_folder=Lus.\n"
        "5. GET /v1/sources dit quand elle a été lue, et ce qui ne va pas le cas échéant.",
    ),
    sample="",
)
