"""`m3 serve`: the gateway, on a database and with a login that are fit for it."""

import asyncio
import contextlib
import gc
import socket
from typing import Final

import structlog
import uvicorn

from db import migrate, roles
from graph import logging
from graph.auth import keys
from graph.commands.report import CommandFailed
from graph.commands.workers import inherit, supervise
from graph.limits import MAX_BODY_BYTES
from graph.serving.draining import DrainingServer
from graph.serving.websocket import WebSocketProtocol
from graph.settings import Settings

log = structlog.get_logger(__name__)

GRACE_SECONDS: Final = 10
"""How long what is running may take to end when the server is told to stop."""


def serve(settings: Settings, *, workers: int = 1, handle: int | None = None) -> None:
    """Serves until it is told to stop; `CommandFailed` says why it would rather not.

    `handle` is that of the listening socket, in a process that is one of several workers.
    """
    asyncio.run(check(settings))
    logging.configure(settings)
    with listen(settings) if handle is None else inherit(handle) as listener:
        if workers > 1:
            asyncio.run(supervise(listener, workers, 2 * GRACE_SECONDS + 5))
        else:
            run(build(settings), listener)


def listen(settings: Settings) -> socket.socket:
    """The socket that `settings` name, bound, so that a port in use is told before anything is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise CommandFailed(
            f"cannot listen on {settings.host}, port {settings.port} (M3_HOST, M3_PORT): {error.strerror}"
        ) from None


def build(settings: Settings) -> DrainingServer:
    """The gateway, ready to run."""
    from graph.app import create_app

    app = create_app(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        # The endpoint reads X-Forwarded-For by M3_TRUSTED_PROXIES; uvicorn would believe any local proxy.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws=WebSocketProtocol,
        ws_max_size=MAX_BODY_BYTES,
        ws_per_message_deflate=False,  # it takes as much memory as all the rest of an idle socket
    )
    return DrainingServer(app, config, GRACE_SECONDS)


def run(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serves on `listener` until SIGINT or SIGTERM."""
    # Schema and models stay: walking them at each full collection stops all requests for a quarter second.
    gc.collect()
    gc.freeze()
    host, port = listener.getsockname()[:2]
    log.info("serving", host=host, port=port)
    with contextlib.suppress(KeyboardInterrupt):  # which uvicorn raises once more when it has stopped
        server.run(sockets=[listener])


async def check(settings: Settings) -> None:
    """Refuses a login that row security would not hold, a database behind the migrations, missing keys."""
    url = settings.gateway_url
    keys.load(settings.keys_file)
    problems = await roles.unsafe_rights(url)
    if problems:
        raise CommandFailed(
            f"the login of M3_DATABASE_URL is not confined to its tenants: {'; '.join(problems)}. Name the "
            f"role {settings.gateway_role} there, or a login that has its rights and no others"
        )
    current, head = await migrate.current(url), migrate.head()
    # Revisions are numbered. A database that is ahead is one whose upgrade is being rolled out.
    if current is None or current < head:
        raise CommandFailed(
            f"the database is at migration {current or 'none'} and this release needs {head}: "
            "run `m3 db upgrade`"
        )
