"""Amazon SES: a receipt rule's SNS action posts the message in a notification; behind a secret URL.

A topic asks once to be confirmed, by opening an address; Binôme opens none, so the operator is told it. Source: "Amazon
SNS, Parsing message formats" and "Amazon SES, Contents of notifications for email receiving".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import urlsplit

from service.sources.contract import Aside, Connection, Delivery, Event, Parsed, Reply, Skipped, Source, acknowledged
from service.sources.mail import OPTIONS, mail_setup, message_changes
from service.sources.proofs import check_token
from service.sources.reading import ident, load_object, part, text_of, wrong_shape

NAME = "ses"
_HOST = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")
_HARMFUL = ("spamVerdict", "virusVerdict")


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read a notification, wrapped by SNS or raw, or a topic's wish to be confirmed."""
    document = load_object(delivery.body)
    kind = text_of(document.get("Type"))
    if kind == "SubscriptionConfirmation":
        return Parsed([Event([_confirmation(document)])])
    if kind and kind != "Notification":
        return Parsed([Event([Skipped(f"the type {kind[:40]}")])])
    inner = load_object(text_of(document.get("Message")).encode()) if kind else document
    return Parsed([Event(_changes(inner, connection, delivery), ident(document.get("MessageId")))])


def _confirmation(document: dict[str, Any]) -> Aside:
    address = text_of(document.get("SubscribeURL"))
    parts = urlsplit(address)
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        return Aside("confirmation", "the topic's confirmation names no address of Amazon SNS: ask for it again")
    return Aside("confirmation", "open this address once, so that the topic sends messages", {"SubscribeURL": address})


def _changes(document: dict[str, Any], connection: Connection, delivery: Delivery) -> list[Any]:
    kind = text_of(document.get("notificationType"))
    if kind != "Received":
        return [Skipped(f"the notification {kind[:40]}")]
    receipt = part(document, "receipt")
    for name in _HARMFUL:
        if text_of(part(receipt, name).get("status")).upper() == "FAIL":
            return [Skipped(f"{name} is FAIL")]
    content = text_of(document.get("content"))
    if not content:
        raise wrong_shape("content", "is missing: use the rule's SNS action, which takes mails up to 150 KB")
    if text_of(part(receipt, "action").get("encoding")).upper() != "BASE64":
        return list(message_changes(content.encode("utf-8", "replace"), connection, delivery))
    try:
        raw = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise wrong_shape("content", "is not base64") from None
    return list(message_changes(raw, connection, delivery))


SOURCE = Source(
    name=NAME,
    verify=check_token,
    parse=parse,
    reply=Reply(200),
    busy=503,
    options=OPTIONS,
    refusal=acknowledged,
    setup=mail_setup(
        "1. binome connections add ses shows a secret URL: {url}/SECRET.\n"
        "2. SNS: a standard topic; Create subscription, HTTPS, that URL.\n"
        "3. Binôme opens no address: open the one that appears among the faults once, to confirm.\n"
        "4. SES, Email receiving: a rule for the address, action Publish to Amazon SNS topic, encoding Base64.\n"
        "5. Spam and virus scanning on: what they find is left out.",
        "1. binome connections add ses montre une URL secrète : {url}/SECRET.\n"
        "2. SNS : un sujet standard ; Create subscription, HTTPS, cette URL.\n"
        "3. Binôme n'ouvre aucune adresse : ouvrez une fois celle qui paraît parmi les anomalies, ce qui confirme "
        "l'abonnement.\n"
        "4. SES, Email receiving : une règle pour l'adresse, action Publish to Amazon SNS topic, encodage Base64.\n"
        "5. Activez la détection de spam et de virus : ce qu'elle trouve est écarté.",
    ),
    sample=json.dumps(
        {
            "Type": "Notification",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "TopicArn": "arn:aws:sns:eu-west-1:123456789012:notes",
            "Message": json.dumps(
                {
                    "notificationType": "Received",
                    "receipt": {"action": {"type": "SNS", "encoding": "UTF8"}, "spamVerdict": {"status": "PASS"}},
                    "content": "From: Ann <ann@firm.example>\r\nSubject: Weekly report\r\n"
                    "Date: Mon, 14 Sep 2026 10:20:00 +0000\r\nMessage-ID: <w37@firm.example>\r\n\r\n"
                    "Harrow Foods find it too expensive.\r\n",
                }
            ),
        }
    ),
)
