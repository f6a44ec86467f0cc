"""A provider of OpenID Connect for the tests, over real HTTP, which can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, SECRET = "binome", "a secret of the tests"
PERSON = {"sub": "s-1", "email": "ana@firm.example", "email_verified": True, "name": "Ana"}


class FakeProvider:
    """Signs in whoever comes.

    Attributes:
        claims: What its ID tokens say beside what they must.
        sign: How they are signed: `RS256`, `HS256` (with the public key as the secret), or `none`.
        down: Whether it answers 500.
        issuer_said: The issuer of its metadata, where it is another.
    """

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}/realms/firm"
        self.key = RSAKey.generate_key(2048, {"kid": "1"}, private=True)
        self.claims: dict[str, Any] = dict(PERSON)
        self.sign, self.down, self.issuer_said = "RS256", False, ""
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def rotate(self) -> None:
        """Sign with another key."""
        self.key = RSAKey.generate_key(2048, {"kid": "2"}, private=True)

    def authorize(self, address: str) -> dict[str, str]:
        """Do what the browser would: sign in at an address; return the parameters that lead back."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def get(self, path: str) -> Any:
        if path.endswith("/openid-configuration"):
            return {
                "issuer": self.issuer_said or self.issuer,
                "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        return {"keys": [self.key.as_dict(private=False) | {"use": "sig"}]}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        asked = self._codes.pop(form.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        if asked is None or authorization != expected or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if _encoded(digest) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])}

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, **self.claims}
        if self.sign == "RS256":
            return jwt.encode({"alg": "RS256", "kid": self.key.kid}, said, self.key)
        head = {"alg": self.sign, "kid": self.key.kid}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, said))
        seal = hmac.digest(self.key.as_pem(private=False), text.encode(), "sha256") if self.sign == "HS256" else b""
        return f"{text}.{_encoded(seal)}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@contextmanager
def running() -> Iterator[FakeProvider]:
    """Serve a provider."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            self._answer(500, {}) if provider.down else self._answer(200, provider.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            answer = (500, {}) if provider.down else provider.token(form, self.headers["Authorization"] or "")
            self._answer(*answer)

        def _answer(self, status: int, document: Any) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider = FakeProvider(server.server_port)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield provider
        server.shutdown()
        thread.join()
