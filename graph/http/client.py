"""Who is at the other end of a connection, by its headers and those of the proxies that are trusted."""

import re
import uuid
from ipaddress import ip_address
from typing import Final

from starlette.requests import HTTPConnection

from graph.settings import Settings

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


def bearer(connection: HTTPConnection) -> str | None:
    """The token in `Authorization`; None without the header."""
    given = connection.headers.get("authorization")
    return None if given is None else token_in(given)


def token_in(authorization: str) -> str:
    """The token in what `Authorization` says."""
    scheme, _, credentials = authorization.partition(" ")
    # Of another scheme it is a token still, and no good one: silence would pass for not being signed in.
    return credentials.strip() if scheme.lower() == "bearer" else ""


def client_address(connection: HTTPConnection, settings: Settings) -> str | None:
    """The client's address: the last hop that is not one of `M3_TRUSTED_PROXIES`."""
    address = connection.client.host if connection.client else None
    for hop in reversed(",".join(connection.headers.getlist("x-forwarded-for")).split(",")):
        if address is None or not _trusted(address, settings):
            break
        address = hop.strip() or address
    return address


def request_id(connection: HTTPConnection, settings: Settings) -> str:
    """What the log and the answer call this request: the name a trusted proxy has given it, or a new one."""
    given = connection.headers.get("x-request-id", "")
    if connection.client and _REQUEST_ID.fullmatch(given) and _trusted(connection.client.host, settings):
        return given
    return uuid.uuid4().hex


def trace_headers(connection: HTTPConnection) -> dict[str, str]:
    """The headers by which a trace goes on here, W3C Trace Context."""
    given = connection.headers
    return {name: given[name] for name in ("traceparent", "tracestate") if name in given}


def _trusted(address: str, settings: Settings) -> bool:
    try:
        return any(ip_address(address) in network for network in settings.trusted_proxies)
    except ValueError:
        return False
