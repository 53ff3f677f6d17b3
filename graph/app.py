"""The ASGI application: routes, and what lives as long as the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from db.session import Database
from graph.auth.keys import KeyFile
from graph.auth.passwords import Passwords
from graph.auth.tokens import AccessTokens
from graph.context import Services
from graph.events.hub import Hub
from graph.events.sequencer import Sequencer
from graph.http.endpoint import graphql
from graph.http.live import Live
from graph.http.websocket import websocket
from graph.settings import Settings, load


def create_app(settings: Settings | None = None) -> Starlette:
    """The gateway, by the settings given or the environment's."""
    settings = settings or load()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        keys = KeyFile(settings.keys_file)
        passwords = Passwords(settings.password_threads)
        database = Database(settings.gateway_url, pool_size=settings.pool_size)
        tokens = AccessTokens(keys, settings)
        hub = Hub(settings.listen_url, database)
        sequencer = Sequencer(settings.listen_url, timedelta(hours=settings.event_retention_hours))
        app.state.services = Services(
            database, keys, tokens, passwords, settings, hub, Live(max(1, settings.pool_size // 2))
        )
        await hub.start()
        await sequencer.start()
        try:
            yield
        finally:
            await sequencer.stop()
            await hub.stop()
            passwords.close()
            await database.close()

    return Starlette(
        routes=[
            Route("/graphql", graphql, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", websocket),
            Route("/healthz", _healthz),
            Route("/.well-known/jwks.json", _jwks),
        ],
        lifespan=lifespan,
    )


async def _healthz(request: Request) -> Response:
    """The process answers; whether the database does is not asked here."""
    return Response(b"ok\n", media_type="text/plain")


async def _jwks(request: Request) -> Response:
    """The public keys that verify access tokens, RFC 7517."""
    services: Services = request.app.state.services
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(
        orjson.dumps(services.keys.current.jwks), headers=headers, media_type="application/jwk-set+json"
    )
