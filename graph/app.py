"""The ASGI application: routes, and what lives as long as the process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from db.session import Database
from graph.auth.keys import KeyFile
from graph.auth.passwords import Passwords
from graph.auth.tokens import AccessTokens
from graph.context import Services
from graph.events.hub import Hub
from graph.events.sequencer import Sequencer
from graph.http import graphiql, probes
from graph.http.endpoint import GraphQL
from graph.http.incoming import PREFLIGHTED
from graph.http.websocket import websocket
from graph.observability import tracing
from graph.serving.bounds import CLOSE_SECONDS
from graph.settings import Settings, load

_GRAPHQL: Final = "/graphql"


class Gateway(Starlette):
    """Starlette, but for requests to `/graphql`: its stack and router take longer than all else of HTTP."""

    def __init__(self, graphql: ASGIApp, *, middleware: Sequence[Middleware], **named: Any) -> None:
        super().__init__(middleware=middleware, **named)
        for made, positional, keywords in reversed(middleware):
            graphql = made(graphql, *positional, **keywords)
        self._graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] == "http" and scope["path"] == _GRAPHQL:
            scope["app"] = self
            await self._graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None) -> Starlette:
    """The gateway, by the settings given or the environment's."""
    settings = settings or load()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        keys = KeyFile(settings.keys_file)
        passwords = Passwords(settings.password_threads)
        database = Database(
            settings.gateway_url, pool_size=settings.pool_size, statement_cache=settings.statement_cache
        )
        tokens = AccessTokens(keys, settings)
        spans = tracing.configured(settings.otlp_endpoint)
        hub = Hub(settings.listen_url, database)
        sequencer = Sequencer(settings.listen_url, timedelta(hours=settings.event_retention_hours))
        services = Services(database, keys, tokens, passwords, settings, hub, tracing=spans)
        services.metrics.show(database, hub, services.live)
        buckets = services.buckets
        app.state.services = services
        app.state.live = services.live
        await services.exposition.start()
        await hub.start()
        await sequencer.start()
        try:
            yield
        finally:
            await sequencer.stop()
            await hub.stop()
            await services.exposition.stop()
            await buckets.close()
            if spans is not None:
                await spans.close()
            passwords.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await database.close()

    graphql = GraphQL()
    return Gateway(
        graphql,
        routes=[
            Route(_GRAPHQL, graphql),  # for `/graphql/`, which is sent on to it, and below a `root_path`
            WebSocketRoute(_GRAPHQL, websocket),
            *(graphiql.assets() if settings.graphiql else []),
            *probes.ROUTES,
            Route("/.well-known/jwks.json", _jwks),
        ],
        middleware=[_cors(settings.cors_origins)] if settings.cors_origins else [],
        lifespan=lifespan,
    )


def _cors(origins: Sequence[str]) -> Middleware:
    """Lets pages of `origins` call the gateway. No credentials: there are no cookies to send along."""
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=[
            "Authorization",
            "Explain-Cost",
            "Idempotency-Key",
            "If-None-Match",
            "Last-Event-ID",
            *PREFLIGHTED,
        ],
        expose_headers=["ETag", "Retry-After", "X-Request-ID"],
    )


async def _jwks(request: Request) -> Response:
    """The public keys that verify access tokens, RFC 7517."""
    services: Services = request.app.state.services
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(
        orjson.dumps(services.keys.current.jwks), headers=headers, media_type="application/jwk-set+json"
    )
