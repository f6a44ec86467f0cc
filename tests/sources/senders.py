"""How each vendor signs: with the vendor's own library where there is one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from hubspot.utils.signature import Signature
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook

from tests.conftest import ADMIN_KEY

PUBLIC_URL = "https://binome.example"
NOW = datetime.now(UTC)
INGEST_KEY = "ingest-key-of-a-relay"
ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}
GONG_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STANDARD_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
ORG = "00D000000000062EAA"

CONNECTIONS: dict[str, Any] = {
    "hubspot": {"secret": "hubspot-secret", "previous_secret": "hubspot-before", "portal_id": "62515"},
    "salesforce": {"secret": "salesforce-token", "org_id": ORG},
    "pipedrive": {"secret": "binôme:pässword"},
    "zoho": {"secret": "zoho-token-1", "channel_id": "1000001"},
    "dynamics": {"secret": "dynamics-key"},
    "gong": {
        "secret": base64.b64encode(
            GONG_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).decode()
    },
    "standard": {"secret": STANDARD_SECRET},
    "slack": {"secret": "slack-signing-secret", "users": {"U061F7AUR": "Ann"}},
    "zapier": {"secret": "zapier-token"},
    "make": {"secret": "make-token-1", "fields": {"Corps": "text"}},
    "mailgun": {"secret": "mailgun-key", "reps": ["@firm.example"]},
    "postmark": {"secret": "postmark:password", "reps": ["ann@firm.example"]},
    "sendgrid": {"secret": "sendgrid-token"},
    "ses": {"secret": "ses-token-123", "reps": ["@firm.example"]},
}


@dataclass
class Request:
    """A request to be sent, possibly spoilt before."""

    path: str
    headers: dict[str, str]
    body: bytes


Signer = Callable[..., Request]


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def hubspot(body: Any, *, secret: str = "hubspot-secret", shift: float = 0) -> Request:
    raw, path = _bytes(body), "/v1/webhooks/hubspot?team=nord%2Fest"
    at = str(int((time.time() + shift) * 1000))
    uri = PUBLIC_URL + path.replace("%2F", "/")
    signature = Signature.get_signature(secret, raw.decode(), "v3", uri, "POST", at)
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": at}
    return Request(path, headers | {"Content-Type": "application/json"}, raw)


def hubspot_v2(body: Any, *, secret: str = "hubspot-secret", shift: float = 0) -> Request:
    raw, path = _bytes(body), "/v1/webhooks/hubspot"
    signature = Signature.get_signature(secret, raw.decode(), "v2", PUBLIC_URL + path, "POST")
    return Request(path, {"X-HubSpot-Signature": signature, "X-HubSpot-Signature-Version": "v2"}, raw)


def salesforce(body: Any, *, secret: str = "salesforce-token", shift: float = 0) -> Request:
    raw = body if isinstance(body, bytes) else str(body).encode()
    return Request(f"/v1/webhooks/salesforce/{secret}", {"Content-Type": "text/xml", "SOAPAction": '""'}, raw)


def _basic(source: str, login: str) -> Signer:
    def sign(body: Any, *, secret: str = login, shift: float = 0) -> Request:
        header = f"bAsIc {base64.b64encode(secret.encode()).decode()}"
        return Request(f"/v1/webhooks/{source}", {"Authorization": header}, _bytes(body))

    return sign


def zoho(body: Any, *, secret: str = "zoho-token-1", shift: float = 0) -> Request:
    if isinstance(body, dict):
        body = {"token": secret, "channel_id": "1000001", **body}
    return Request("/v1/webhooks/zoho", {}, _bytes(body))


def dynamics(body: Any, *, secret: str = "dynamics-key", shift: float = 0) -> Request:
    return Request(f"/v1/webhooks/dynamics?code={secret}", {"x-ms-dynamics-request-name": "Create"}, _bytes(body))


def gong(body: Any, *, secret: str = "", shift: float = 0, **claims: Any) -> Request:
    raw, path = _bytes(body), "/v1/webhooks/gong"
    said = {
        "exp": int(time.time() + 60 + shift),
        "webhook_url": PUBLIC_URL + path,
        "body_sha256": hashlib.sha256(raw).hexdigest(),
        **claims,
    }
    token = jwt.encode(said, OTHER_KEY if secret else GONG_KEY, algorithm="RS256")
    return Request(path, {"Authorization": f"Bearer {token}"}, raw)


def standard(body: Any, *, secret: str = STANDARD_SECRET, shift: float = 0, key: str = "msg_1") -> Request:
    raw = _bytes(body)
    at = datetime.fromtimestamp(int(time.time() + shift), UTC)
    signature = Webhook(secret).sign(key, at, raw.decode("utf-8"))
    headers = {
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": f"v2,AAAA v1,AAAA {signature}",
    }
    return Request("/v1/webhooks/standard", headers, raw)


def slack(body: Any, *, secret: str = "slack-signing-secret", shift: float = 0) -> Request:
    raw, at = _bytes(body), str(int(time.time() + shift))
    signature = SignatureVerifier(secret).generate_signature(timestamp=at, body=raw)
    return Request("/v1/webhooks/slack", {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": str(signature)}, raw)


def _bearer(source: str, token: str, kind: str) -> Signer:
    def sign(body: Any, *, secret: str = token, shift: float = 0) -> Request:
        headers = {"authorization": f"bearer {secret}", "Content-Type": kind}
        return Request(f"/v1/webhooks/{source}", headers, _bytes(body))

    return sign


def mailgun(body: Any, *, secret: str = "mailgun-key", shift: float = 0, token: str = "a1b2") -> Request:
    at = str(int(time.time() + shift))
    signature = hmac.new(secret.encode(), (at + token).encode(), hashlib.sha256).hexdigest()
    form = {"timestamp": at, "token": token, "signature": signature, "body-mime": _text(body)}
    return Request("/v1/webhooks/mailgun/mime", *multipart({name: value.encode() for name, value in form.items()}))


def sendgrid(body: Any, *, secret: str = "sendgrid-token", shift: float = 0) -> Request:
    return Request(f"/v1/webhooks/sendgrid?token={secret}", *multipart({"to": b"x", "email": _text(body).encode()}))


def ses(body: Any, *, secret: str = "ses-token-123", shift: float = 0) -> Request:
    """A notification of SNS around a message; what is JSON already is sent as it is."""
    if (isinstance(body, bytes) and body[:1] not in b"{[") or not isinstance(body, bytes | dict):
        receipt = {"action": {"type": "SNS", "encoding": "BASE64"}, "spamVerdict": {"status": "PASS"}}
        content = base64.b64encode(_text(body).encode()).decode()
        inner = {"notificationType": "Received", "receipt": receipt, "content": content}
        body = {"Type": "Notification", "MessageId": hashlib.sha256(content.encode()).hexdigest()} | {
            "Message": json.dumps(inner)
        }
    headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
    return Request(f"/v1/webhooks/ses/{secret}", headers, _bytes(body))


def _text(body: Any) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)


def multipart(fields: dict[str, bytes]) -> tuple[dict[str, str], bytes]:
    parts = [
        b'--xYz\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    return {"Content-Type": "multipart/form-data; boundary=xYz"}, b"".join(parts) + b"--xYz--\r\n"


SIGNERS: dict[str, Signer] = {
    "hubspot": hubspot,
    "hubspot v2": hubspot_v2,
    "salesforce": salesforce,
    "pipedrive": _basic("pipedrive", "binôme:pässword"),
    "zoho": zoho,
    "dynamics": dynamics,
    "gong": gong,
    "standard": standard,
    "cloudevents": _bearer("cloudevents", INGEST_KEY, "application/cloudevents+json"),
    "slack": slack,
    "zapier": _bearer("zapier", "zapier-token", "application/json"),
    "make": _bearer("make", "make-token-1", "application/json"),
    "generic": _bearer("generic", INGEST_KEY, "application/json"),
    "mail": _bearer("mail", INGEST_KEY, "message/rfc822"),
    "mailgun": mailgun,
    "postmark": _basic("postmark", "postmark:password"),
    "sendgrid": sendgrid,
    "ses": ses,
}
CLOCKED = ("hubspot", "standard", "slack", "mailgun")


def send(client: TestClient, request: Request) -> Any:
    return client.post(request.path, content=request.body, headers=request.headers)


def notes(client: TestClient) -> list[dict[str, Any]]:
    """Return all notes with their texts, oldest first."""
    listed = client.get("/v1/notes", headers=ADMIN).json()["items"]
    found = [client.get(f"/v1/notes/{one['id']}", headers=ADMIN).json() for one in listed]
    return sorted(found, key=lambda one: int(one["id"]))
