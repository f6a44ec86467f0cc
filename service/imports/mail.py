"""Mail: one message to what its author wrote, with the reports attached to it; EML and MBOX files.

What is read of a message is bounded: parts, nesting, sizes. A message from a machine (an automatic reply, a bounce) is
skipped with a reason. Standards: RFC 5322 (messages), RFC 2045 (MIME), RFC 3834 (automatic replies), RFC 3464
(bounces).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from enum import StrEnum
from typing import Any, BinaryIO

from service.errors import InvalidInput
from service.imports.accounts import split_by_account
from service.imports.mail_text import is_forward, is_reply, own_text
from service.imports.records import MIB, FileRefused, Format, Options, Reading, Record, make_note, rejected
from service.notes.text import html_text

SOURCE = "mail"
MAX_MESSAGE_BYTES = 40 * MIB
MAX_HEADER_BYTES = 256 * 1024
MAX_PARTS = 200
MAX_NESTING = 20
MAX_TEXT_BYTES = 4 * MIB
MAX_ATTACHMENTS = 20
MAX_ATTACHMENT_BYTES = 25 * MIB

_MESSAGE_ID = re.compile(r"<?\s*([^<>\s]{3,400})\s*>?")
_ADDRESS = re.compile(r"(?=.{3,320}$)[^\s@]*@[^\s]*")
_BRACKETED = re.compile(r"<\s*([^<>\s]+@[^<>\s]*)\s*>")
_LABELS = re.compile(r'"(?:[^"\\]|\\.)*"')
_BOUNDARY = re.compile(rb"^--[ -~]{1,70}", re.MULTILINE)
_AWAY = re.compile(
    r"(?:automatic reply|auto(?:matic)?[ -]?reply|out of (?:the )?office|réponse automatique|"
    r"absence du bureau|message d['’]absence)\s*:",
    re.IGNORECASE,
)
_NO_REPORTS = ("image/", "audio/", "video/", "text/calendar", "application/pgp", "application/pkcs7", "text/x-vcard")


class Skipped(StrEnum):
    """Why a message is left out."""

    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    EMPTY = "empty_message"


_REASONS = {
    Skipped.AUTO_REPLY: "is an automatic reply or notice",
    Skipped.BOUNCE: "is a report on a delivery",
    Skipped.EMPTY: "holds no words of its own and no report that can be read",
}


class MailRefused(InvalidInput):
    """A message that can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message; the name is only a label."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MailMessage:
    """What is read of a message.

    Attributes:
        external_id: The Message-ID without brackets, else `sha256-` and a hash of the bytes.
        sender: Address of `From` in lower case; None where there is none.
        sender_name: Its display name; a label, proof of nothing.
        subject: Decoded; may be empty.
        sent_at: `Date`; None where it is missing or wrong.
        text: The author's own words, and what he forwards, as plain text; may be empty.
        attachments: Files that may be reports; pictures and invitations are left out.
        skipped: Why the message is to be left out, if it is.
    """

    external_id: str
    sender: str | None
    sender_name: str | None
    subject: str
    sent_at: datetime | None
    text: str
    attachments: tuple[Attachment, ...] = ()
    skipped: Skipped | None = None


def read_message(raw: bytes) -> MailMessage:
    """Read a message as it came (RFC 5322).

    Raises:
        MailRefused: If it is no message, or passes a bound; nothing else is raised, whatever the bytes.
    """
    if len(raw) > MAX_MESSAGE_BYTES:
        raise _refused("too_large", f"The message is over {MAX_MESSAGE_BYTES // MIB} MB.")
    head = re.split(rb"\r?\n\r?\n", raw[: MAX_HEADER_BYTES + 4], maxsplit=1)[0]
    if len(head) > MAX_HEADER_BYTES:
        raise _refused("header_too_large", "The message's header is over 256 KB.")
    if len(_BOUNDARY.findall(raw)) > 50 * MAX_PARTS:
        raise _refused("too_many_parts", f"The message has over {MAX_PARTS} parts.")
    try:
        # the old policy: the new one parses headers when they are read, and raises on some that mail is full of
        return _read(BytesParser(policy=compat32).parsebytes(raw), raw)
    except InvalidInput:
        raise
    except Exception:  # the parser is no match for every byte string: RecursionError, IndexError, LookupError ...
        raise _refused("damaged", "The message can't be read: its MIME structure is broken.") from None


def _refused(code: str, detail: str) -> MailRefused:
    return MailRefused(detail, code=code, errors=[{"field": "message", "code": code, "message": detail}])


def _read(message: Message, raw: bytes) -> MailMessage:
    if not message.keys() or not any(
        message.get(name) for name in ("From", "Date", "Message-ID", "Subject", "Received")
    ):
        raise _refused("no_message", "This is no e-mail message: it has no From, Date or Subject.")
    address, name = _sender(message)
    bodies, attachments = _parts(message)
    subject = header(message, "Subject")
    text = own_text(bodies, forwarded=is_forward(subject))
    if not text.strip() and not is_reply(subject):  # forwarded under a subject of its own: the thread is the note
        text = own_text(bodies, forwarded=True)
    skipped = _machine(message, address) or (None if text.strip() or attachments else Skipped.EMPTY)
    return MailMessage(
        external_id=_external_id(message, raw),
        sender=address,
        sender_name=name,
        subject=subject[:500],
        sent_at=_sent_at(message),
        text=text,
        attachments=tuple(attachments),
        skipped=skipped,
    )


def header(message: Message, name: str) -> str:
    """Return a header decoded, with replacement where its charset is unknown; empty where it is missing."""
    values = _raw_headers(message, name)
    return _header_text(values[0]) if values else ""


def _raw_headers(message: Message, name: str) -> list[str]:
    """Return the values of a header; bytes that are not ASCII, which programs write against the rules, are kept."""
    values = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    return [_decoded(value.encode("utf-8", "surrogateescape"), None) for value in values]


def _header_text(value: str) -> str:
    try:
        text = "".join(_decoded(p, c) if isinstance(p, bytes) else p for p, c in decode_header(value))
    except Exception:  # broken encoded words
        text = value
    return " ".join(_storable(text).split())


def _storable(text: str) -> str:
    return text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")


def _decoded(body: bytes, charset: str | None) -> str:
    """Decode with replacement; an unknown charset is UTF-8 where it can be, else Windows' own."""
    for name in (charset, "utf-8"):
        try:
            return body.decode(name or "utf-8")
        except (LookupError, ValueError):
            continue
    try:
        return body.decode(charset or "cp1252", "replace")
    except (LookupError, ValueError):
        return body.decode("cp1252", "replace")


def _external_id(message: Message, raw: bytes) -> str:
    match = _MESSAGE_ID.fullmatch(header(message, "Message-ID").strip())
    return match[1] if match else f"sha256-{hashlib.sha256(raw).hexdigest()[:32]}"


def _sender(message: Message) -> tuple[str | None, str | None]:
    """Return the address and the display name of `From`; none where it names several, of whom only one is proved.

    An address in angle brackets counts alone: what stands before it is a label, though it look like an address.
    """
    headers = _raw_headers(message, "From")[:5]
    bracketed = {address for value in headers for address in _BRACKETED.findall(_LABELS.sub(" ", value))}
    found = {
        address.lower(): name
        for name, address in getaddresses(headers)
        if _ADDRESS.fullmatch(address) and (not bracketed or address in bracketed)
    }
    if len(found) != 1:
        return None, None
    ((address, name),) = found.items()
    return _storable(address), _header_text(name)[:500] or None


def _sent_at(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(message.get("Date", "")))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment if 1980 <= moment.astimezone(UTC).year <= 2200 else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _machine(message: Message, address: str | None) -> Skipped | None:
    """Tell messages that no person wrote."""
    kind = message.get_content_type()
    report = str(message.get_param("report-type") or "").lower()
    local = (address or "").split("@")[0]
    returns = str(message.get("Return-Path", "")).strip()
    if (kind == "multipart/report" and report in {"delivery-status", "disposition-notification", ""}) or local in {
        "mailer-daemon",
        "postmaster",
    }:
        return Skipped.BOUNCE
    automatic = str(message.get("Auto-Submitted", "no")).strip().lower().split(";")[0]
    suppressed = str(message.get("Precedence", "")).strip().lower() == "auto_reply"
    told = message.get("X-Autoreply") or message.get("X-Autorespond") or _AWAY.match(header(message, "Subject"))
    if automatic not in {"no", ""} or suppressed or told:
        return Skipped.AUTO_REPLY
    return Skipped.BOUNCE if returns == "<>" and "X-Failed-Recipients" in message else None


def _parts(message: Message) -> tuple[list[str], list[Attachment]]:
    """Return the bodies in order, plain text before HTML, and what is attached."""
    bodies: list[str] = []
    attachments: list[Attachment] = []
    todo: list[tuple[Message, int]] = [(message, 0)]
    seen = size = 0
    while todo:
        part, depth = todo.pop()
        seen += 1
        if seen > MAX_PARTS:
            raise _refused("too_many_parts", f"The message has over {MAX_PARTS} parts.")
        if depth > MAX_NESTING:
            raise _refused("too_deep", f"The message's parts are nested over {MAX_NESTING} deep.")
        kind, content = part.get_content_type(), part.get_payload()
        if isinstance(content, list):
            inner = [one for one in content if isinstance(one, Message)]
            if kind == "message/rfc822" and inner:
                bodies.append(_forwarded_head(inner[0]))
            if kind == "multipart/alternative":
                inner = _alternative(inner)
            todo.extend((one, depth + 1) for one in reversed(inner))
        elif _is_attachment(part, kind):
            attachments.extend(_attachment(part, kind, len(attachments)))
        elif kind in {"text/plain", "text/html"}:
            body = part.get_payload(decode=True)
            body = body if isinstance(body, bytes) else b""
            size += len(body)
            if size > MAX_TEXT_BYTES:
                raise _refused("too_large", f"The message's text is over {MAX_TEXT_BYTES // MIB} MB.")
            bodies.append(_body(body, part, kind))
    return bodies, attachments


def _alternative(parts: list[Message]) -> list[Message]:
    """Choose among versions of one content: the plain one with words, else what comes last."""
    for part in parts:
        if part.get_content_type() == "text/plain" and str(part.get_payload()).strip():
            return [part]
    return parts[-1:]


def _forwarded_head(message: Message) -> str:
    """Return the lines that mail programs put above a message that is forwarded as an attachment."""
    names = ("From", "Date", "Subject")
    lines = [f"{name}: {value}" for name in names if (value := header(message, name))]
    return "\n".join(["---------- Forwarded message ----------", *lines, ""])


def _is_attachment(part: Message, kind: str) -> bool:
    named = bool(part.get_filename())
    disposition = str(part.get("Content-Disposition", "")).strip().lower()
    if kind in {"text/plain", "text/html"}:
        return disposition.startswith("attachment") or (named and not disposition.startswith("inline"))
    return True


def _attachment(part: Message, kind: str, count: int) -> Iterator[Attachment]:
    if kind.startswith(_NO_REPORTS) or (
        str(part.get("Content-Disposition", "")).lower().startswith("inline;") and (part.get("Content-ID"))
    ):
        return
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes) or not content:
        return
    if count >= MAX_ATTACHMENTS or len(content) > MAX_ATTACHMENT_BYTES:
        raise _refused(
            "attachments_too_large",
            f"The message has over {MAX_ATTACHMENTS} attachments, or one over {MAX_ATTACHMENT_BYTES // MIB} MB.",
        )
    name = re.split(r"[/\\]", _header_text(str(part.get_filename() or "attachment")))[-1]
    yield Attachment(name[:200], content)


def _body(body: bytes, part: Message, kind: str) -> str:
    charset = part.get_content_charset()
    text = _storable(_decoded(body, charset)).replace("\r\n", "\n").replace("\r", "\n")
    if kind == "text/html":
        return html_text(text, titles=True)
    if str(part.get_param("format") or "").lower() == "flowed":  # RFC 3676
        text = re.sub(r"(?m)(?<!^--) \n(?!>)", " ", text)
    return text


def message_records(message: MailMessage, options: Options, number: int = 1) -> Iterator[Record]:
    """Give the notes of a message: its text, or one for each account that it covers, and its attached reports."""
    if message.skipped:
        reason = rejected("message", message.skipped, _REASONS[message.skipped], message.external_id)
        yield Record(number, reason, skipped=True)
        return
    about = _about(message)
    parts = split_by_account(message.text, options.known_account) if message.text.strip() else []
    for index, part in enumerate(parts):
        item: dict[str, Any] = {**about, "text": _with_subject(message.subject, part.text) if index == 0 else part.text}
        item["external_id"] = message.external_id + (f"#{part.account}" if part.account and len(parts) > 1 else "")
        if part.account:
            item["account"] = {"name": part.account}
        yield Record(number, make_note(_without(item, options), options, SOURCE))
    for attachment in message.attachments:
        yield from _attached(attachment, about, message, options, number)


def _without(item: dict[str, Any], options: Options) -> dict[str, Any]:
    """Let the sender's word on the kind stand over our guess."""
    return {**item, **{key: options.defaults[key] for key in ("kind",) if key in options.defaults}}


def _about(message: MailMessage) -> dict[str, Any]:
    weekly = re.search(r"weekly|hebdo|semaine|week \d|wk \d", message.subject, re.IGNORECASE)
    about: dict[str, Any] = {"kind": "weekly_report" if weekly else "email"}
    if message.sender:
        about["author"] = {"id": message.sender, "name": message.sender_name}
    if message.sent_at:
        about["occurred_at"] = message.sent_at.isoformat()
    return about


def _with_subject(subject: str, text: str) -> str:
    subject = re.sub(r"^(?:(?:re|fw|fwd|tr|rv|aw)\s*:\s*)+", "", subject, flags=re.IGNORECASE).strip()
    return f"{subject}\n\n{text}" if subject and not text.lstrip().casefold().startswith(subject.casefold()) else text


def _attached(
    attachment: Attachment, about: dict[str, Any], message: MailMessage, options: Options, number: int
) -> Iterator[Record]:
    """Read an attached report as further notes, told by their own content."""
    from service.imports.attached import attached_records

    yield from attached_records(attachment, about, message.external_id, options, number)


def read_eml(file: BinaryIO, options: Options) -> Reading:
    """Read one message.

    Raises:
        FileRefused: If it can't be read.
    """
    file.seek(0)
    try:
        message = read_message(file.read(MAX_MESSAGE_BYTES + 1))
    except MailRefused as error:
        raise FileRefused(error.code, error.detail) from None
    return Reading(Format.EML, {}, message_records(message, options))


def read_mbox(file: BinaryIO, options: Options) -> Reading:
    """Read a mailbox, message by message; one that can't be read is refused alone."""
    return Reading(Format.MBOX, {}, _mbox_records(file, options))


def _mbox_records(file: BinaryIO, options: Options) -> Iterator[Record]:
    for number, raw in enumerate(_messages(file), start=1):
        try:
            message = read_message(raw)
        except MailRefused as error:
            yield Record(number, rejected("message", error.code, error.detail))
            continue
        yield from message_records(message, options, number)


# what parts messages has a clock; "From March on, all of 2026" in a body has none
_FROM_LINE = re.compile(rb"^From \S+.*\s\d{1,2}:\d{2}(?::\d{2})?\s(?:.*\s)?\d{4}(?:\s+[+-]\d{4})?\s*$")
_QUOTED_FROM = re.compile(rb"^>+From ")


def _messages(file: BinaryIO) -> Iterator[bytes]:
    """Split a mailbox at its `From ` lines (mboxrd: one `>` less before a quoted one); too long a message is cut."""
    file.seek(0)
    lines: list[bytes] = []
    size, after_blank, inside = 0, True, False
    while line := file.readline(MIB):
        if after_blank and _FROM_LINE.match(line):
            if inside:
                yield b"".join(lines)
            lines, size, inside = [], 0, True
        elif inside and size <= MAX_MESSAGE_BYTES:
            lines.append(line[1:] if _QUOTED_FROM.match(line) else line)
            size += len(line)
        after_blank = not line.strip()
    if inside:
        yield b"".join(lines)
