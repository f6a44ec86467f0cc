"""A provider of OpenID Connect: where it sends browsers, and what its ID tokens say.

Source: OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3, and Discovery 1.0; PKCE is RFC 7636. Authlib does the
protocol, joserfc the signatures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from service.errors import Unauthorized, Unavailable
from service.settings import Settings
from service.users.tries import Try

CALLBACK = "/sign-in/provider/callback"
TIMEOUT_SECONDS = 10
KEPT_SECONDS = 3600
LEEWAY_SECONDS = 60
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_KINDS = {"RSA", "EC", "OKP"}  # a shared secret is no key of a provider
TOO_WEAK = "too_weak"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Strength:
    """How, by what and how lately the provider has to have checked who signs in; what is empty does not matter."""

    acr: tuple[str, ...]
    amr: frozenset[str]
    max_age: int

    @classmethod
    def of(cls, settings: Settings) -> Strength:
        """Return what the settings ask for."""
        amr = frozenset(settings.oidc_amr_values.split())
        return cls(tuple(settings.oidc_acr_values.split()), amr, settings.oidc_max_age_minutes * 60)

    def asked(self) -> dict[str, Any]:
        """Return the parameters that ask the provider for it."""
        acr = {"acr_values": " ".join(self.acr)} if self.acr else {}
        return {**acr, "max_age": self.max_age} if self.max_age else acr

    def fault_of(self, claims: Mapping[str, Any], now: float) -> str | None:
        """Return the claim of an ID token that is missing or not enough: the provider need not do as it was asked."""
        if self.acr and claims.get("acr") not in self.acr:
            return "acr"
        methods = claims.get("amr")
        named = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
        if self.amr and not self.amr & named:
            return "amr"
        at = claims.get("auth_time")
        in_time = isinstance(at, int | float) and now - at <= self.max_age + LEEWAY_SECONDS
        return "auth_time" if self.max_age and not in_time else None


class Provider:
    """The provider that the settings name.

    Args:
        home: Address of this service, as browsers and the provider know it.
    """

    def __init__(self, settings: Settings, home: str) -> None:
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._session = partial(  # one for each use: it remembers the last token
            OAuth2Session,
            settings.oidc_client_id,
            settings.oidc_client_secret or None,
            scope=settings.oidc_scopes,
            redirect_uri=f"{home}{CALLBACK}",
            code_challenge_method="S256",
            default_timeout=TIMEOUT_SECONDS,
        )
        self._client_id = settings.oidc_client_id
        self._strength = Strength.of(settings)
        self._held: dict[str, tuple[float, dict[str, Any]]] = {}

    def address(self, one: Try) -> str:
        """Return where the browser signs in.

        Raises:
            Unavailable: If the provider does not answer as one.
        """
        url = self._metadata()["authorization_endpoint"]
        with self._session() as session:
            made, _ = session.create_authorization_url(
                url, state=one.state, nonce=one.nonce, code_verifier=one.verifier, **self._strength.asked()
            )
        return str(made)

    def claims(self, one: Try, code: str) -> dict[str, Any]:
        """Exchange a code for its ID token, and return what that says once it is checked.

        Raises:
            Unauthorized: If the provider takes the code for none of its own, the token does not hold, or the sign-in
                there is too weak or too long ago (`code` is `too_weak`).
            Unavailable: If the provider does not answer as one.
        """
        try:
            url = self._metadata()["token_endpoint"]
            with self._session() as session:
                token = session.fetch_token(url, code=code, code_verifier=one.verifier, allow_redirects=False)
        except (AuthlibBaseError, JoseError) as error:
            raise self._refused(error) from None
        except (RequestException, ValueError) as error:
            raise self._away(error) from None
        params = {"nonce": one.nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        return self._checked(str(token.get("id_token") or ""), params)

    def is_issuer(self, name: str) -> bool:
        """Tell whether an answer that names its issuer (RFC 9207) is of this provider."""
        return name.rstrip("/") == self._issuer

    def _checked(self, id_token: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            try:
                found = jwt.decode(id_token, self._keys(), algorithms=_ALGORITHMS)
            except (JoseError, ValueError):  # the provider may have other keys by now
                self._held.pop(self._metadata()["jwks_uri"], None)
                found = jwt.decode(id_token, self._keys(), algorithms=_ALGORITHMS)
            options = {
                "iss": {"essential": True, "value": self._metadata()["issuer"]},
                "aud": {"essential": True, "value": self._client_id},
                "exp": {"essential": True},
                "nonce": {"essential": True},
            }
            claims = CodeIDToken(found.claims, found.header, options, params)
            claims.validate(leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise self._refused(error) from None
        fault = self._strength.fault_of(claims, time.time())
        if fault:
            _log.warning("provider_too_weak", claim=fault)
            raise Unauthorized(f"The provider's `{fault}` is not what is asked for here.", code=TOO_WEAK)
        return dict(claims)

    def _keys(self) -> KeySet:
        keys = self._document(self._metadata()["jwks_uri"]).get("keys") or []
        usable = [key for key in keys if isinstance(key, dict) and key.get("kty") in _KINDS and key.get("use") != "enc"]
        return KeySet.import_key_set({"keys": usable})

    def _metadata(self) -> dict[str, Any]:
        document = self._document(f"{self._issuer}/.well-known/openid-configuration")
        addresses = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        start = "https://" if self._issuer.startswith("https://") else "http"
        right = all(isinstance(one, str) and one.startswith(start) for one in addresses)
        if not right or str(document.get("issuer")).rstrip("/") != self._issuer:
            raise self._away(ValueError("not the metadata of this issuer"))
        return document

    def _document(self, url: str) -> dict[str, Any]:
        """Return a JSON object of the provider, asked for once an hour at most."""
        until, document = self._held.get(url, (0.0, {}))
        if time.monotonic() < until:
            return document
        try:
            with self._session() as session:
                answer = session.get(url, withhold_token=True, allow_redirects=False)
            answer.raise_for_status()
            document = answer.json()
        except (RequestException, ValueError) as error:
            raise self._away(error) from None
        if not isinstance(document, dict):
            raise self._away(ValueError("no JSON object"))
        self._held[url] = (time.monotonic() + KEPT_SECONDS, document)
        return document

    def _away(self, error: Exception) -> Unavailable:
        _log.warning("provider_away", error=type(error).__name__)
        return Unavailable("The provider of accounts does not answer as it should.")

    def _refused(self, error: Exception) -> Unauthorized:
        _log.warning("provider_refused", error=type(error).__name__)
        return Unauthorized("The provider's answer does not hold.")
