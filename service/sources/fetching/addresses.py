"""Where an API may stand: an operator names its address, nothing that a sender sends does."""

from __future__ import annotations

from urllib.parse import urlsplit

from service.errors import InvalidInput

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
ADDRESS_OPTIONS = ("base_url", "accounts_url")
MAX_URL = 500


def check_address(url: str, option: str) -> str:
    """Check the address of an API and return it without the slash at its end.

    Raises:
        InvalidInput: Naming the option.
    """
    try:
        parts = urlsplit(url)
        host, _port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise _wrong(option, "is not a URL") from None
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _wrong(option, f"is a URL of printable ASCII, at most {MAX_URL} characters")
    if not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise _wrong(option, "has a host, and neither user name, password, query nor fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise _wrong(option, "starts with https://, or with http:// on this machine")
    return url.rstrip("/")


def _wrong(option: str, fault: str) -> InvalidInput:
    field = f"options.{option}"
    return InvalidInput(f"{field} {fault}.", errors=[{"field": field, "code": "invalid_address", "message": fault}])
