"""Proofs that are right in form and wrong in one part, or odd and right."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.sources.asked.cases import AT, DAY, OK, Asked, asked, by, keys, to
from tests.sources.payloads import SENDERS, Step, a_hubspot, iso
from tests.sources.senders import CONNECTIONS, GONG_KEY, OTHER_KEY, PUBLIC_URL, STANDARD_SECRET

BEFORE = {
    "salesforce": "salesforce-before", "pipedrive": "binôme:avant", "zoho": "zoho-before", "postmark": "postmark:avant",
    "dynamics": "dynamics-before", "slack": "slack-before-secret", "zapier": "zapier-before", "make": "make-before",
    "mailgun": "mailgun-before", "sendgrid": "sendgrid-before", "ses": "ses-before-1", "hubspot v2": "hubspot-before",
    "standard": "whsec_" + base64.b64encode(b"before-before-before-before-before").decode(),
}  # fmt: skip
THIRD_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HUBSPOT, GONG = "/v1/webhooks/hubspot", "/v1/webhooks/gong"


def connections() -> dict[str, Any]:
    """Return the connections, each with the secret that it had before."""
    before = OTHER_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    old = {**BEFORE, "gong": base64.b64encode(before).decode(), "hubspot": BEFORE["hubspot v2"]}
    return {name: {**one, "previous_secret": old[name]} for name, one in CONNECTIONS.items()}


def cases() -> Iterator[Asked]:
    """Give all cases."""
    for make in (_rotation, _addresses, _clocks, _versions, _gong, _standard, _wrappings):
        yield from make()


def _mac(secret: bytes, said: bytes) -> bytes:
    return hmac.new(secret, said, hashlib.sha256).digest()


def _rotation() -> Iterator[Asked]:
    for name, secret in BEFORE.items():
        k = next(keys)
        yield asked(f"{name}: the secret before", by(name, SENDERS[name].note(k, "Before.", AT), secret=secret))
        if name != "standard":  # decoding stops at its padding
            more = by(name, SENDERS[name].note(k, "Never.", AT), 401, secret=f"{secret}more")
            yield asked(f"{name}: the secret before and more", more)
    call = {"callData": {"metaData": {"id": "1"}}, "isTest": False}
    yield asked("gong: the key before", by("gong", call, secret="other"))


def _v3(k: int, uri: str, path: str, at: str, right: Any, **headers: str) -> Step:
    """Sign by the reference's words, so that each part can be odd."""
    body = json.dumps([a_hubspot(k, "Signed.", AT)]).encode()
    signature = base64.b64encode(_mac(b"hubspot-secret", b"POST" + uri.encode() + body + at.encode())).decode()
    given = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": at}
    return to(path, body, right, given | {name.replace("_", "-"): value for name, value in headers.items()})


def _ms(shift: float = 0) -> str:
    return str(int((time.time() + shift) * 1000))


def _addresses() -> Iterator[Asked]:
    right = {
        "?a=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B": "?a=:/?@!$'()*,;", "?a=%3a%2f%2c": "?a=:/,", "?a=%252F": "?a=%252F",
        "?a=%20%26%3D%25%2B%C3%A9": "?a=%20%26%3D%25%2B%C3%A9", "?a=&b": "?a=&b",
    }  # fmt: skip
    for query, signed in right.items():
        k = next(keys)
        step = _v3(k, PUBLIC_URL + HUBSPOT + signed, HUBSPOT + query, _ms(), 202)
        yield asked(f"hubspot at {query}", step, **{f"0-46:{k}": {"text": "Signed."}})
    evil = {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "http", "Forwarded": "host=evil.example"}
    for host, answer in {PUBLIC_URL: 202, "https://evil.example": 401, "http://binome.example": 401, "": 401}.items():
        k = next(keys)
        step = _v3(k, host + HUBSPOT, HUBSPOT, _ms(), answer, **evil)
        yield asked(f"hubspot of {host!r}", step, **{f"0-46:{k}": {} if answer == 202 else None})


def _clocks() -> Iterator[Asked]:
    """Times that are signed as they stand, and are none."""
    ms, s = _ms(), str(int(time.time()))
    odd = ["NaN", "Infinity", "1e309", "", "0x18f", "9" * 400, "now"]
    for at in [*odd, ms[:-3], f"{ms}.0", f"+{ms}", f"{ms[:4]}_{ms[4:]}", f"{ms[:-1]}e1"]:
        k = next(keys)
        yield asked(f"hubspot at {at[:20]}", _v3(k, PUBLIC_URL + HUBSPOT, HUBSPOT, at, 401), **{f"0-46:{k}": None})
    key = base64.b64decode(STANDARD_SECRET.removeprefix("whsec_"))
    eastern = s.translate({48 + n: 0x660 + n for n in range(10)})
    for at in [*odd, f"{s}000", f"{s}.0", f"+{s}", f"{s[:4]}_{s[4:]}", eastern]:
        body = json.dumps({"type": "note.created", "data": {"id": "never", "text": "Never."}}).encode()
        headers = {"webhook-id": "m", "webhook-timestamp": at}
        signed = base64.b64encode(_mac(key, f"m.{at}.".encode() + body)).decode()
        yield asked(
            f"standard at {at[:20]}",
            to("/v1/webhooks/standard", body, 401, {**headers, "webhook-signature": f"v1,{signed}"}),
            never=None,
        )
        said = {
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": f"v0={_mac(b'slack-signing-secret', b'v0:' + at.encode() + b':{}').hex()}",
        }
        yield asked(f"slack at {at[:20]}", to("/v1/webhooks/slack", b"{}", 401, said))
        form = {"timestamp": at, "token": "t", "signature": _mac(b"mailgun-key", f"{at}t".encode()).hex()}
        form["body-mime"] = "From: a@b.c\n\nNever."
        sent = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in form.items()).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        yield asked(f"mailgun at {at[:20]}", to("/v1/webhooks/mailgun/mime", sent, 401, kind))


def _versions() -> Iterator[Asked]:
    body = json.dumps([a_hubspot(1, "Never.", AT)]).encode()
    v1 = hashlib.sha256(b"hubspot-secret" + body).hexdigest()
    v2 = hashlib.sha256(b"hubspot-secretPOST" + f"{PUBLIC_URL}{HUBSPOT}".encode() + body).hexdigest()
    wrong = {"X-HubSpot-Signature-v3": "A" * 43 + "=", "X-HubSpot-Request-Timestamp": _ms()}
    for label, headers in {
        "v1 alone": {"X-HubSpot-Signature": v1},
        "v1 beside a wrong v3": {"X-HubSpot-Signature": v1, **wrong},
        "v2 beside a wrong v3": {"X-HubSpot-Signature": v2, "X-HubSpot-Signature-Version": "v2", **wrong},
        "v2 said to be v1": {"X-HubSpot-Signature": v2, "X-HubSpot-Signature-Version": "v1"},
        "the secret as a key": {"X-Api-Key": "hubspot-secret"},
    }.items():
        yield asked(f"hubspot: {label}", to(HUBSPOT, body, 401, headers), **{"0-46:1": None})
    stale = {"type": "url_verification", "challenge": "never-said"}
    yield asked("slack: a stale challenge", by("slack", stale, 401, shift=-400))


def _gong() -> Iterator[Asked]:
    body = json.dumps({"callData": {"metaData": {"id": "41"}}, "isTest": False}).encode()
    claims = {"exp": int(time.time()) + 60, "webhook_url": PUBLIC_URL + GONG}
    claims["body_sha256"] = hashlib.sha256(body).hexdigest()
    pem = GONG_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def signed(algorithm: str = "RS256", key: Any = GONG_KEY, **change: Any) -> str:
        said = {name: value for name, value in {**claims, **change}.items() if value is not None}
        return jwt.encode(said, key, algorithm=algorithm)

    def forged(head: dict[str, str]) -> str:
        """HS256 with the public key as its secret, which libraries refuse to make."""
        parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (head, claims)]
        mac = base64.urlsafe_b64encode(_mac(pem, b".".join(parts))).rstrip(b"=")
        return b".".join([*parts, mac]).decode()

    yield asked("gong: a call", to(GONG, body, 200, {"Authorization": f"bearer {signed()}"}))
    yield asked("gong: another body", to(GONG, body + b" ", 401, {"Authorization": f"Bearer {signed()}"}))
    for label, token in {
        "RS384": signed("RS384"), "PS256": signed("PS256"), "HS256": forged({"alg": "HS256"}),
        "none": forged({"alg": "none"}), "ES256": signed("ES256", ec.generate_private_key(ec.SECP256R1())),
        "a third key": signed(key=THIRD_KEY), "not yet": signed(nbf=claims["exp"] + 4000), "no exp": signed(exp=None),
        "a hash in a list": signed(body_sha256=[claims["body_sha256"]]), "http": signed(webhook_url=f"http://a{GONG}"),
    }.items():  # fmt: skip
        yield asked(f"gong: {label}", to(GONG, body, 401, {"Authorization": f"Bearer {token}"}))


def _standard() -> Iterator[Asked]:
    key, at = base64.b64decode(STANDARD_SECRET.removeprefix("whsec_")), str(int(time.time()))
    for form, right in {
        "v2,{0} v1,{0}": 202, "v1a,{0} v1,{0}": 202, "v1,AAAA  v1,{0}": 202, "{0}": 401, "v2,{0}": 401, "V1,{0}": 401,
        "v10,{0}": 401, "v1{0}": 401, "v1,é☃": 401, ",,,": 401,
    }.items():  # fmt: skip
        k = f"st{next(keys)}"
        body = json.dumps({"type": "note.created", "timestamp": iso(AT), "data": {"id": k, "text": "T."}}).encode()
        signed = base64.b64encode(_mac(key, f"m{k}.{at}.".encode() + body)).decode()
        headers = {"webhook-id": f"m{k}", "webhook-timestamp": at, "webhook-signature": form.format(signed)}
        note = {"text": "T.", "occurred_at": DAY} if right == 202 else None
        yield asked(f"standard: {form}", to("/v1/webhooks/standard", body, right, headers), **{k: note})


def _wrappings() -> Iterator[Asked]:
    """Types that say nothing, and encodings that few write: read or refused, and never a fault of ours."""
    for kind in ("text/plain", "multipart/form-data", "application/json; charset=utf-16", "", "odd", 'a/b;charset="c'):
        k = next(keys)
        step = by("hubspot", [a_hubspot(k, "Typed.", AT)], 202, headers={"Content-Type": kind})
        yield asked(f"hubspot as {kind!r}", step, **{f"0-46:{k}": {"text": "Typed."}})
    for name, sender in SENDERS.items():
        if not sender.json:
            continue
        note = sender.note(next(keys), "Coded.", AT)
        raw = json.dumps({"token": "zoho-token-1", "channel_id": "1000001", **note} if name == "zoho" else note)
        codings = ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"]
        if name.startswith(("hubspot", "standard", "slack")):  # the vendor's own client signs UTF-8 alone
            codings = ["utf-16-le", "utf-8-sig"]
        for coding in codings:
            step = by(name, raw.encode(coding), (*OK, 400, 401, 415, 422))
            yield asked(f"{name} in {coding}", step)
        deflated = by(name, raw.encode(), (*OK, 400, 415), headers={"Content-Encoding": "deflate"})
        deflated.request.body = zlib.compress(raw.encode())
        yield asked(f"{name} by deflate", deflated)
