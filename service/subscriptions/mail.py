"""Mails a message by the mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from service.deliveries.sending import Answer
from service.settings import Settings
from service.subscriptions.content import Message
from service.subscriptions.rendering import as_html, as_text

TIMEOUT_SECONDS = 20.0


def as_mail(
    message: Message, name: str, *, sender: str, address: str, key: str, now: datetime, one_click: bool
) -> EmailMessage:
    """Return a message as mail: text and HTML, with the headers that end the subscription by one click (RFC 8058).

    Args:
        message: What it says.
        name: The subscription's name.
        sender: The `From` address, with a name or without.
        address: Where it goes.
        key: Names the mail: the same at each try, so that a second copy is known as such.
        now: The date of the mail.
        one_click: Whether mail clients may post to the link by themselves: they do so by https alone.
    """
    domain = parseaddr(sender)[1].rpartition("@")[2] or "binome"
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"] = sender
    mail["To"] = address
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{key}@{domain}>"
    mail["List-Id"] = f"Binome <{message.kind}.binome.{domain}>"
    mail["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
    if one_click:
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(as_text(message, name), cte="quoted-printable")
    mail.add_alternative(as_html(message, name), subtype="html", cte="quoted-printable")
    return mail


def send_mail(settings: Settings, mail: EmailMessage) -> Answer:
    """Hand a mail to the mail server; every fault is an answer, none raises."""
    url = urlsplit(settings.smtp_url)
    secure = ssl.create_default_context()
    try:
        with _server(url.scheme, url.hostname or "", url.port, secure) as server:
            server.ehlo()
            if url.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=secure)
                server.ehlo()
            elif url.scheme == "smtp" and url.username:
                return Answer(None, "the mail server offers no STARTTLS: the password is not sent in the clear")
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(mail)
            return Answer(250)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Answer(codes[0], "the mail server refuses the address", for_good=min(codes) >= 500)
    except smtplib.SMTPResponseException as error:
        return Answer(error.smtp_code, f"the mail server answered {error.smtp_code}", for_good=_for_good(error))
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Answer(None, f"the mail server can't be used ({type(error).__name__})")


def _for_good(error: smtplib.SMTPResponseException) -> bool:
    """Tell whether trying again is pointless: the mail is refused; a wrong password may be put right."""
    return error.smtp_code >= 500 and isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)


def _server(scheme: str, host: str, port: int | None, secure: ssl.SSLContext) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_SECONDS, context=secure)
    return smtplib.SMTP(host, port or 587, timeout=TIMEOUT_SECONDS)
