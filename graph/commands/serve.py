"""`m3 serve`: the gateway, on a database and with a login that are fit for it."""

import asyncio
import contextlib
import gc
import socket
import tempfile

import structlog
import uvicorn

from db import migrate, roles
from graph.auth import keys
from graph.commands.report import CommandFailed
from graph.commands.workers import inherit, supervise
from graph.events.link import is_direct
from graph.observability import logging
from graph.serving.bounds import Bounds, within_descriptors
from graph.serving.server import Server
from graph.settings import Settings, variable

log = structlog.get_logger(__name__)


def serve(settings: Settings, *, workers: int = 1, handle: int | None = None) -> None:
    """Serves until it is told to stop; `CommandFailed` says why it would rather not.

    `handle` is that of the listening socket, in a process that is one of several workers.
    """
    asyncio.run(check(settings))
    logging.configure(settings)
    with listen(settings) if handle is None else inherit(handle) as listener:
        if workers > 1:
            with tempfile.TemporaryDirectory(prefix="m3-") as folder:
                shared = {variable("metrics_dir"): str(settings.metrics_dir or folder)}
                asyncio.run(supervise(listener, workers, Bounds().exit_seconds + 1, shared))
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


def build(settings: Settings) -> Server:
    """The gateway, ready to run."""
    from graph.app import create_app

    return Server(create_app(settings), within_descriptors(Bounds()))


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
    """Refuses a login that row security would not hold, a database behind the migrations, missing keys.

    Also a pooler where there must be none.
    """
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
    if not await is_direct(settings.listen_url):
        raise CommandFailed(
            "there is a pooler between here and PostgreSQL, through which no events come: name PostgreSQL "
            "itself in M3_LISTEN_DATABASE_URL, for the same login"
        )
