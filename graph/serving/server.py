"""uvicorn, set up for the gateway, and how it ends.

Told to stop, it closes its sockets, ends idle connections and WebSockets (1012), answers what is running, and
after `drain_seconds` cancels what is left. Nothing that a client does, nor a database that hangs, keeps the
process longer than `exit_seconds`: then a thread ends it.
"""

import os
import socket
import threading
from time import monotonic
from types import FrameType
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette

from graph.http.live import Live
from graph.limits import MAX_BODY_BYTES
from graph.serving.bounds import Bounds
from graph.serving.memory import Memory
from graph.serving.protocol import BoundedHttp
from graph.serving.websocket import WebSocketProtocol

OVERDUE: Final = 70
"""The exit status when the process did not end by itself: EX_SOFTWARE."""

log = structlog.get_logger(__name__)


class Config(uvicorn.Config):
    """uvicorn's configuration for `app`, each connection within `bounds`."""

    def __init__(self, app: Starlette, bounds: Bounds) -> None:
        self.bounds = bounds
        super().__init__(
            app,
            http=BoundedHttp,
            log_config=None,
            access_log=False,
            server_header=False,
            # The endpoint reads X-Forwarded-For by M3_TRUSTED_PROXIES; uvicorn would believe any local proxy.
            proxy_headers=False,
            timeout_keep_alive=bounds.idle_seconds,
            timeout_graceful_shutdown=bounds.drain_seconds,
            ws=WebSocketProtocol,
            ws_max_size=MAX_BODY_BYTES,
            ws_per_message_deflate=False,  # it takes as much memory as all the rest of an idle socket
        )


class Server(uvicorn.Server):
    """Serves `app` and drains its `state.live` first when it is told to stop."""

    def __init__(self, app: Starlette, bounds: Bounds) -> None:
        super().__init__(Config(app, bounds))
        self.config.callback_notify = Memory(self.server_state.connections).look
        self.config.timeout_notify = 1
        self.app, self._drain_seconds = app, bounds.drain_seconds
        self._overdue = threading.Timer(bounds.exit_seconds, _end)
        self._overdue.daemon = True

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal says to stop."""
        try:
            super().run(sockets)
        finally:
            self._overdue.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        if not self.should_exit:
            self._overdue.start()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is running and end."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedHttp):
                connection.shutdown()
        began = monotonic()
        live: Live = self.app.state.live
        await live.drain(self._drain_seconds)
        self.config.timeout_graceful_shutdown = max(1, self._drain_seconds - round(monotonic() - began))
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # the loop would not close over what a client has not read


def _end() -> None:
    log.error("drain.overdue")
    os._exit(OVERDUE)
