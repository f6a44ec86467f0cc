"""Gong automation rules: a JWT over the body's hash, or a secret URL; the transcript is asked for by API."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from service.sources.contract import (
    API_OPTIONS,
    Aside,
    Change,
    Connection,
    Delivery,
    Event,
    FetchWanted,
    NotVerified,
    Parsed,
    Reply,
    Setup,
    Skipped,
    Source,
    acknowledged,
)
from service.sources.proofs import bearer, check_url_token, same
from service.sources.reading import ident, load_object, moment, part, wrong_shape

NAME = "gong"


def verify(delivery: Delivery, connection: Connection) -> None:
    """Check the JWT with the rule's public key; a secret that is no key is one of the URL."""
    keys = [key for key in map(public_key, connection.secrets) if key]
    if not keys:
        check_url_token(delivery, connection)
        return
    token = bearer(delivery) or delivery.headers.get("authorization", "").strip()
    if not any([_is_signed(token, key, delivery) for key in keys]):
        raise NotVerified("its JWT is missing, expired, signed by another, or of another body or URL")


def public_key(text: str) -> RSAPublicKey | None:
    """Return an RSA key from PEM or from Gong's bare base64; None where it is none."""
    try:
        if "BEGIN" in text:
            key = load_pem_public_key(text.replace("\\n", "\n").encode())
        else:
            key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, binascii.Error, TypeError):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _is_signed(token: str, key: RSAPublicKey, delivery: Delivery) -> bool:
    import jwt  # here: only who receives from Gong has use for it

    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            options={"require": ["exp", "webhook_url", "body_sha256"], "verify_aud": False, "verify_iss": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    digest = hashlib.sha256(delivery.body).hexdigest()
    return same(str(claims["webhook_url"]), delivery.url) and same(str(claims["body_sha256"]).lower(), digest)


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read one call: a test is acknowledged, a call's transcript is wanted."""
    document = load_object(delivery.body)
    if not isinstance(document.get("callData"), dict) and document.get("isTest") is not True:
        raise wrong_shape("callData", "is missing")
    return Parsed([Event([_change(document)])], Reply(200))


def _change(document: dict[str, object]) -> Change:
    if document.get("isTest") is True:
        return Skipped("a test")
    about = part(document, "callData", "metaData")
    key = ident(about.get("id"))
    if key is None:
        return Aside("no_id", "callData.metaData.id is missing", document)
    return FetchWanted("call", key, "transcript", moment(about.get("started")))


SOURCE = Source(
    name=NAME,
    verify=verify,
    parse=parse,
    refusal=acknowledged,
    options={
        "access_key": "an access key of Gong's API, for fetching transcripts",
        "access_key_secret": "the secret of that key",
        **API_OPTIONS,
    },
    secret_options=frozenset({"access_key_secret"}),
    setup=Setup(
        en="1. In Gong: Company settings, Automation rules, Add rule, action Fire webhook.\n"
        "2. Destination URL {url}; authentication: signed JWT header; copy the public key.\n"
        "3. binome connections add gong --secret PUBLIC_KEY.\n"
        "4. BINOME_PUBLIC_URL is the address as Gong calls it: it is part of the JWT.\n"
        "5. Transcripts come by API: Company settings, Ecosystem, API, Create access key (scopes "
        "api:calls:read:extensive and api:calls:read:transcript); give the connection the options access_key, "
        "access_key_secret and base_url as shown there.",
        fr="1. Dans Gong : paramètres, règles d'automatisation, nouvelle règle, action webhook.\n"
        "2. URL {url} ; authentification : en-tête JWT signé ; copiez la clé publique.\n"
        "3. binome connections add gong --secret CLÉ_PUBLIQUE.\n"
        "4. BINOME_PUBLIC_URL est l'adresse que Gong appelle : elle fait partie du JWT.\n"
        "5. Les transcriptions viennent par l'API : paramètres, Ecosystem, API, créez une clé (droits "
        "api:calls:read:extensive et api:calls:read:transcript) ; donnez à la connexion les options access_key, "
        "access_key_secret et base_url affichées.",
    ),
    sample=json.dumps(
        {
            "callData": {
                "metaData": {"id": "7782342274025937895", "title": "Demo", "started": "2026-09-14T10:20:00Z"},
                "parties": [{"speakerId": "1", "name": "R. Marchetti", "affiliation": "Internal"}],
            },
            "isTest": False,
        }
    ),
)
