"""Who is at the other end of a connection, by its headers and those of the proxies that are trusted."""

import re
from functools import lru_cache
from ipaddress import ip_address
from random import getrandbits
from typing import Final

from graph.http.head import Head
from graph.settings import Settings

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_WITH_PORT: Final = re.compile(r"\[(?P<six>[^]]*)\](?::\d*)?|(?P<four>[\d.]+):\d*")


def bearer(head: Head) -> str | None:
    """The token in `Authorization`; None without the header."""
    given = head.headers.get("authorization")
    return None if given is None else token_in(given)


def token_in(authorization: str) -> str:
    """The token in what `Authorization` says."""
    scheme, _, credentials = authorization.partition(" ")
    # Of another scheme it is a token still, and no good one: silence would pass for not being signed in.
    return credentials.strip() if scheme.lower() == "bearer" else ""


def peer_address(head: Head) -> str | None:
    """The address of the other end of the connection itself; None if it has none."""
    client = head.scope.get("client")
    return _address(client[0]) if client else None


def client_address(head: Head, settings: Settings) -> str | None:
    """The client's address: the last hop that is not one of `M3_TRUSTED_PROXIES`; None if that says none."""
    address = peer_address(head)
    forwarded = head.headers.get("x-forwarded-for")
    if forwarded is None:
        return address
    for hop in reversed(forwarded.split(",")):
        if not _trusted(address, settings):
            break
        if hop.strip():
            address = _address(hop.strip())
    return address


def request_id(head: Head, settings: Settings) -> str:
    """What the log and the answer call this request: the name a trusted proxy has given it, or a new one."""
    given = head.headers.get("x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given) and _trusted(peer_address(head), settings):
        return given
    return f"{getrandbits(128):032x}"  # a name and no secret


def trace_headers(head: Head) -> dict[str, str]:
    """The headers by which a trace goes on here, W3C Trace Context."""
    given = head.headers
    return {name: given[name] for name in ("traceparent", "tracestate") if name in given}


@lru_cache(256)  # a client chooses how long what a proxy passes on is
def _address(text: str) -> str | None:
    """The address in what a socket or a proxy writes: without port and zone, of IPv4 as such."""
    ported = _WITH_PORT.fullmatch(text)
    bare = (ported["six"] or ported["four"] or "") if ported else text
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    # A socket that listens for both writes all of IPv4 as one network of IPv6
    return str(getattr(found, "ipv4_mapped", None) or found)


def _trusted(address: str | None, settings: Settings) -> bool:
    if address is None or not settings.trusted_proxies:
        return False
    found = ip_address(address)
    return any(found in known for known in settings.trusted_proxies)
