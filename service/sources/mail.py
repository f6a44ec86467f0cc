"""Mail: raw messages from one's own relay, and the posts of Mailgun, Postmark and SendGrid.

The text is read as in an imported message; whoever writes is the author only where he is a known rep: the address
decides, never the display name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import timedelta
from email.errors import MessageError
from email.message import EmailMessage
from typing import Any

from service.errors import InvalidInput, NotAcceptable, Problem, UnsupportedMedia
from service.imports.mail import MailRefused, message_records, read_message
from service.imports.records import Options
from service.notes.intake import RejectedNote
from service.sources.contract import (
    Aside,
    Change,
    Connection,
    Delivery,
    Event,
    NoteChange,
    NotVerified,
    Parsed,
    Reply,
    Setup,
    Skipped,
    Source,
    acknowledged,
)
from service.sources.generic import as_item
from service.sources.multipart import read_form
from service.sources.proofs import check_basic, check_clock, check_token, hmac_sha256, same
from service.sources.reading import load_object, short, text_of, wrong_shape

NOTE_SOURCE = "mail"
OPTIONS = {"reps": 'addresses of your reps, or @domain: ["ann@firm.com", "@firm.com"]; only they are named authors'}
CLOCK = timedelta(days=1)  # what clocks and zones may differ by
_MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "application/octet-stream", "text/plain", ""})


def message_changes(raw: bytes, connection: Connection, delivery: Delivery) -> list[Change]:
    """Turn a message into notes: one, or one for each account and attached report.

    Raises:
        MailRefused: If it is no message, or passes a bound.
    """
    message = read_message(raw)
    options = Options(source=NOTE_SOURCE, known_account=delivery.known_account)
    rep = message.sender is not None and _is_rep(message.sender, connection, delivery)
    changes: list[Change] = []
    for record in message_records(message, options):
        if isinstance(record.note, RejectedNote):
            fault = record.note.error
            reason = f"{fault.field}: {fault.message}"
            changes.append(
                Skipped(reason) if record.skipped else Aside(fault.code, reason, None, record.note.external_id)
            )
            continue
        item = as_item(record.note)
        if not rep and (item.get("author") or {}).get("id") == message.sender:
            item.pop("author", None)
        if message.sent_at is None or message.sent_at > delivery.received_at + CLOCK:
            item.pop("occurred_at", None)  # nobody wrote it after it came
        changes.append(NoteChange(item, apart=True))
    return changes


def _is_rep(address: str, connection: Connection, delivery: Delivery) -> bool:
    reps = connection.options.get("reps")
    known = {str(one).strip().lower() for one in reps} if isinstance(reps, list) else set()
    return address in known or f"@{address.rpartition('@')[2]}" in known or delivery.known_author(address)


def parse_raw(delivery: Delivery, connection: Connection) -> Parsed:
    """Read a message as it came."""
    if delivery.media_type not in _MESSAGE_TYPES:
        raise UnsupportedMedia("Send the raw message: Content-Type: message/rfc822.")
    return Parsed([Event(message_changes(delivery.body, connection, delivery))])


def verify_mailgun(delivery: Delivery, connection: Connection) -> None:
    """Check timestamp and token, which is all that Mailgun signs."""
    form = read_form(delivery)
    at = check_clock(form.get("timestamp", b"").decode("ascii"), delivery.received_at)
    signed = (at + form["token"].decode("ascii")).encode()
    given = form["signature"].decode("ascii").lower()
    if not form["token"] or not any([same(given, hmac_sha256(key, signed).hex()) for key in connection.secrets]):
        raise NotVerified("its signature is missing or wrong")


def parse_mailgun(delivery: Delivery, connection: Connection) -> Parsed:
    """Read the message of a route that ends in `/mime`; its token counts once."""
    form = read_form(delivery)
    raw = form.get("body-mime")
    digest = hashlib.sha256(raw or b"").hexdigest()
    key = form.get("token", b"").decode("ascii", "replace")[:300]
    try:
        if raw is None:
            raise wrong_shape("body-mime", "is missing: give the route a URL that ends in /mime")
        return Parsed([Event(message_changes(raw, connection, delivery), key, digest)], Reply(200))
    except InvalidInput as problem:  # the token is used up all the same
        return Parsed([Event([], key, digest)], refusal=problem)


def refused_for_good(problem: Problem, _delivery: Delivery) -> Problem:
    """Have Mailgun stop: it repeats everything but 200 and 406 for 8 hours."""
    return NotAcceptable(problem.detail, code=problem.code, errors=problem.errors)


def acknowledged_mail(problem: Problem, delivery: Delivery) -> Problem | Reply:
    """Acknowledge a message that can't be read; a relay that posts something else is set up wrong, and is told so."""
    return problem if isinstance(problem, UnsupportedMedia) else acknowledged(problem, delivery)


def parse_postmark(delivery: Delivery, connection: Connection) -> Parsed:
    """Read Postmark's JSON: the raw message where it is included, else its parts."""
    document = load_object(delivery.body)
    raw = text_of(document.get("RawEmail"))
    content = raw.encode("utf-8", "replace") if raw.strip() else _from_parts(document)
    return Parsed([Event(message_changes(content, connection, delivery))], Reply(200))


def _from_parts(document: dict[str, Any]) -> bytes:
    """Build a message from its parts, so that there is one way of reading mail."""
    message = EmailMessage()
    sender = document.get("FromFull")
    address = text_of(sender.get("Email")) if isinstance(sender, dict) else ""
    headers = {"From": address or text_of(document.get("From")), "Subject": text_of(document.get("Subject"))}
    given = document.get("Headers")
    for one in given if isinstance(given, list) else []:
        if isinstance(one, dict) and text_of(one.get("Name")).lower() in {"auto-submitted", "message-id", "precedence"}:
            headers[text_of(one["Name"]).title()] = text_of(one.get("Value"))
    identity = text_of(document.get("MessageID")).strip()
    headers.setdefault("Message-Id", f"<{identity}@postmark>" if identity else "")
    headers["Date"] = text_of(document.get("Date"))
    if not headers["From"].strip():
        raise MailRefused("From is missing.", code="no_message")
    for name, value in headers.items():
        if line := " ".join(value.split())[:900]:
            _put(message, name, line)
    text = text_of(document.get("StrippedTextReply")) or text_of(document.get("TextBody"))
    if text.strip():
        message.set_content(text)
    elif text_of(document.get("HtmlBody")).strip():
        message.set_content(text_of(document["HtmlBody"]), subtype="html")
    _attach(message, document.get("Attachments"))
    return message.as_bytes()


def _put(message: EmailMessage, name: str, value: str) -> None:
    """Set a header; one that the standard library can't parse, or not write again, is left out."""
    try:
        message[name] = value
        message.policy.fold_binary(name, message[name])
    except (ValueError, IndexError, AttributeError, TypeError, MessageError):
        del message[name]


def _attach(message: EmailMessage, attachments: Any) -> None:
    for one in (attachments if isinstance(attachments, list) else [])[:20]:
        if not isinstance(one, dict) or text_of(one.get("ContentType")).startswith("image/"):
            continue
        try:
            content = base64.b64decode(text_of(one.get("Content")))
        except (binascii.Error, ValueError):
            continue
        name = (short(one.get("Name")) or "attachment").encode("ascii", "replace").decode()
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)


def parse_sendgrid(delivery: Delivery, connection: Connection) -> Parsed:
    """Read SendGrid's form: `email` is the raw message ("Send raw" is ticked)."""
    raw = read_form(delivery).get("email")
    if raw is None:
        raise wrong_shape("email", 'is missing: tick "POST the raw, full MIME message"')
    return Parsed([Event(message_changes(raw, connection, delivery))], Reply(200))


_RAW = (
    "From: Ann <ann@firm.example>\r\nTo: notes@binome.example\r\nSubject: Weekly report\r\n"
    "Date: Mon, 14 Sep 2026 10:20:00 +0000\r\nMessage-ID: <w37@firm.example>\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nHarrow Foods find it too expensive.\r\n"
)


def mail_setup(en: str, fr: str) -> Setup:
    """Return how to set a relay up, and how to name the reps."""
    return Setup(
        en=f"{en}\nName your reps: --option 'reps=[\"@firm.com\"]'. Others' messages are kept without author.",
        fr=f"{fr}\nNommez vos commerciaux : --option 'reps=[\"@firm.com\"]'. Les autres messages restent sans auteur.",
    )


RAW = Source(
    name="mail",
    verify=check_token,
    parse=parse_raw,
    keys=True,
    options=OPTIONS,
    refusal=acknowledged_mail,
    media_type="message/rfc822",
    setup=mail_setup(
        "1. Make a key: binome keys create mail --scope ingest.\n"
        "2. Have your relay pipe each message to: curl --data-binary @- -H 'Content-Type: message/rfc822' "
        "-H 'Authorization: Bearer KEY' {url}\n3. Only after its own checks of SPF, DKIM and DMARC.",
        "1. Créez une clé : binome keys create mail --scope ingest.\n"
        "2. Votre relais transmet chaque message : curl --data-binary @- -H 'Content-Type: message/rfc822' "
        "-H 'Authorization: Bearer CLÉ' {url}\n3. Seulement après ses contrôles SPF, DKIM et DMARC.",
    ),
    sample=_RAW,
)
MAILGUN = Source(
    name="mailgun",
    verify=verify_mailgun,
    parse=parse_mailgun,
    options=OPTIONS,
    refusal=refused_for_good,
    media_type="application/x-www-form-urlencoded",
    setup=mail_setup(
        "1. binome connections add mailgun --secret WEBHOOK_SIGNING_KEY.\n"
        '2. Receiving, Create route: match_recipient("notes@…"), action forward("{url}/mime").\n'
        "3. The /mime at the end makes Mailgun send the whole message.",
        "1. binome connections add mailgun --secret CLÉ_DE_SIGNATURE.\n"
        '2. Receiving, Create route : match_recipient("notes@…"), action forward("{url}/mime").\n'
        "3. Le /mime final fait envoyer le message entier.",
    ),
    sample="timestamp=1757844000&token=TOKEN&signature=SIGNATURE&body-mime=From%3A+ann%40firm.example...",
)
POSTMARK = Source(
    name="postmark",
    verify=check_basic,
    parse=parse_postmark,
    options=OPTIONS,
    refusal=acknowledged,
    setup=mail_setup(
        "1. binome connections add postmark --secret 'user:password'.\n"
        "2. Inbound stream, Settings, Webhook: {url} with user:password@ before the host.\n"
        '3. Tick "Include raw email content".',
        "1. binome connections add postmark --secret 'utilisateur:motdepasse'.\n"
        "2. Inbound stream, Settings, Webhook : {url} avec utilisateur:motdepasse@ devant l'hôte.\n"
        "3. Cochez « Include raw email content ».",
    ),
    sample=json.dumps(
        {
            "FromFull": {"Email": "ann@firm.example", "Name": "Ann"},
            "Subject": "Weekly report",
            "MessageID": "22c74902-a0c1-4511-804f-341342852c90",
            "Date": "Mon, 14 Sep 2026 10:20:00 +0000",
            "TextBody": "Harrow Foods find it too expensive.",
            "StrippedTextReply": "",
            "Attachments": [],
        }
    ),
)
SENDGRID = Source(
    name="sendgrid",
    busy=503,
    verify=check_token,
    parse=parse_sendgrid,
    keys=True,
    options=OPTIONS,
    refusal=acknowledged,
    media_type="multipart/form-data",
    setup=mail_setup(
        "1. binome connections add sendgrid shows a secret URL: {url}/SECRET.\n"
        "2. Settings, Inbound Parse, Add host & URL: that URL.\n"
        '3. Tick "POST the raw, full MIME message".',
        "1. binome connections add sendgrid montre une URL secrète : {url}/SECRET.\n"
        "2. Settings, Inbound Parse, Add host & URL : cette URL.\n"
        "3. Cochez « POST the raw, full MIME message ».",
    ),
    sample='--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + _RAW + "\r\n--b--\r\n",
)
