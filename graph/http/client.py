"""Who is at the other end of a connection, by its headers and those of the proxies that are trusted."""

from ipaddress import ip_address

from starlette.requests import HTTPConnection

from graph.settings import Settings


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


def _trusted(address: str, settings: Settings) -> bool:
    try:
        return any(ip_address(address) in network for network in settings.trusted_proxies)
    except ValueError:
        return False
