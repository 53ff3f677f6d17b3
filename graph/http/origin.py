"""Which pages may open a WebSocket: the gateway's own, and those that `M3_CORS_ORIGINS` names."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from graph.settings import Settings

_PORTS: Final = {"http": 80, "https": 443}


def welcome(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether the page that connects may; a client that is no browser names no page, and may.

    The same-origin policy does not cover WebSockets (RFC 6455, section 10.2). Schemes are not compared:
    behind a proxy that ends TLS only the browser knows its own.
    """
    origin = connection.headers.get("origin")
    if origin is None or "*" in settings.cors_origins or origin in settings.cors_origins:
        return True
    try:
        page, here = urlsplit(origin), urlsplit(f"//{connection.headers.get('host', '')}")
        usual = _PORTS.get(page.scheme)
        return (
            usual is not None
            and page.hostname is not None
            and (page.hostname, page.port or usual) == (here.hostname, here.port or usual)
        )
    except ValueError:
        return False
