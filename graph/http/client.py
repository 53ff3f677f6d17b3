"""Who is at the other end of a request, by its headers and those of the proxies that are trusted."""

import re
import uuid
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

from graph.settings import Settings

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


def bearer(request: Request) -> str | None:
    """The token in `Authorization`; None without the header."""
    given = request.headers.get("authorization")
    if given is None:
        return None
    scheme, _, credentials = given.partition(" ")
    # Of another scheme it is a token still, and no good one: silence would pass for not being signed in.
    return credentials.strip() if scheme.lower() == "bearer" else ""


def client_address(request: Request, settings: Settings) -> str | None:
    """The client's address: the last hop that is not one of `M3_TRUSTED_PROXIES`."""
    address = request.client.host if request.client else None
    for hop in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
        if address is None or not _trusted(address, settings):
            break
        address = hop.strip() or address
    return address


def request_id(request: Request, settings: Settings) -> str:
    """What the log and the answer call this request: the name a trusted proxy has given it, or a new one."""
    given = request.headers.get("x-request-id", "")
    if request.client and _REQUEST_ID.fullmatch(given) and _trusted(request.client.host, settings):
        return given
    return uuid.uuid4().hex


def trace_headers(request: Request) -> dict[str, str]:
    """The headers by which a trace goes on here, W3C Trace Context."""
    return {name: request.headers[name] for name in ("traceparent", "tracestate") if name in request.headers}


def _trusted(address: str, settings: Settings) -> bool:
    try:
        return any(ip_address(address) in network for network in settings.trusted_proxies)
    except ValueError:
        return False
