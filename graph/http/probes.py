"""What operators and their machines read: `/healthz`, `/readyz` and `/metrics`."""

import hmac
from ipaddress import ip_address
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graph.context import Services
from graph.http.client import bearer, client_address, peer_address
from graph.http.head import Head
from graph.settings import Settings

_FORWARDED: Final = ("x-forwarded-for", "forwarded")


async def healthz(request: Request) -> Response:
    """The process answers; whether the database does is not asked here."""
    return Response(b"ok\n", media_type="text/plain")


async def readyz(request: Request) -> Response:
    """Whether requests should be sent here, else 503 and why not."""
    services: Services = request.app.state.services
    reasons = ["draining"] if services.live.draining else await services.readiness.reasons()
    body = orjson.dumps({"ready": not reasons, "reasons": reasons})
    return Response(
        body, 503 if reasons else 200, {"Cache-Control": "no-store"}, media_type="application/json"
    )


async def metrics(request: Request) -> Response:
    """The metrics in Prometheus's text format, for those who may read them."""
    services: Services = request.app.state.services
    if not may_read(Head(request.scope), services.settings):
        asks = {"WWW-Authenticate": "Bearer"} if services.settings.metrics_token else {}
        return Response(b"", 401 if asks else 403, asks)
    text, kind = await services.exposition.text()
    return Response(text, headers={"Content-Type": kind, "Cache-Control": "no-store"})


def may_read(head: Head, settings: Settings) -> bool:
    """Whether the metrics are for whoever asks: by token from anywhere, without one by address.

    What a proxy hands on that is not trusted comes from nobody knows where: its own address, which may be
    this machine's, says nothing.
    """
    token = bearer(head)
    if settings.metrics_token is not None and token is not None:
        return hmac.compare_digest(token.encode(), settings.metrics_token.get_secret_value().encode())
    address = client_address(head, settings)
    passed_on = address == peer_address(head) and any(name in head.headers for name in _FORWARDED)
    if address is None or passed_on:
        return False
    return any(ip_address(address) in network for network in settings.metrics_networks)


ROUTES: Final = (Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics))
