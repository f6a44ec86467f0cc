"""Which addresses may be called: none inside the firm's network unless a setting allows it."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from service.errors import InvalidInput

MAX_URL = 2000
_HTTP_INSIDE = ": BINOME_OUTGOING_PRIVATE=on allows http:// inside a network"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TEREDO = ipaddress.ip_network("2001::/32")
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_url(url: str, *, allow_private: bool, field: str = "url") -> str:
    """Check an address that a person gives, as far as can be told without asking DNS.

    What its name resolves to is checked at each sending.

    Args:
        url: The address.
        allow_private: Whether loopback, private networks and plain http are allowed.
        field: The field to name.

    Raises:
        InvalidInput: Naming the field.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong(field, "is not a URL") from None
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _wrong(field, f"must be a URL of printable ASCII, at most {MAX_URL} characters")
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        allowed_too = " or http://" if allow_private else _HTTP_INSIDE if parts.scheme == "http" else ""
        raise _wrong(field, f"must start with https://{allowed_too}")
    if not host or "@" in parts.netloc or parts.fragment:
        raise _wrong(field, "must have a host, and neither user name, password nor fragment")
    literal = _literal(host)
    inside = host == "localhost" or host.endswith((".localhost", ".internal", ".local"))
    if literal is not None and not allowed(literal, allow_private=allow_private):
        raise _wrong(field, "is an address inside a network: BINOME_OUTGOING_PRIVATE=on allows it")
    if inside and not allow_private:
        raise _wrong(field, "is a name inside a network: BINOME_OUTGOING_PRIVATE=on allows it")
    return url


def _literal(host: str) -> IpAddress | None:
    """Return the address that a host is; `127.1` and `0x7f000001` are addresses too, to the system's resolver."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def allowed(address: IpAddress, *, allow_private: bool) -> bool:
    """Tell whether an address may be called.

    Link-local addresses, where clouds keep their machines' credentials, never may.
    """
    inner = _embedded(address)
    if inner is not None:
        return allowed(inner, allow_private=allow_private)
    if address.is_multicast or address.is_unspecified or address.is_link_local or address in _TEREDO:
        return False
    if address.is_global:
        return True
    return allow_private and (address.is_private or address.is_loopback)


def _embedded(address: IpAddress) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _wrong(field: str, fault: str) -> InvalidInput:
    return InvalidInput(f"{field} {fault}.", errors=[{"field": field, "code": "invalid_address", "message": fault}])
