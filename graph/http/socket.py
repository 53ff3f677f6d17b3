"""One WebSocket of graphql-transport-ws: what it receives, who has opened it, how it ends.

The task that serves it receives; operations are tasks of their own. What ends the socket from within is
raised as Closing; what ends it from elsewhere calls `close`, which interrupts the receiving. Either way it
ends in `run`, once.
"""

import asyncio
import contextlib
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from graph.context import Context, Services
from graph.errors import Timeout, Unauthenticated, Unavailable
from graph.http import messages
from graph.http.client import bearer, client_address, token_in
from graph.http.head import Head
from graph.http.lease import Lease
from graph.http.messages import CloseCode, Closing, written
from graph.http.operations import Caller, Operations
from graph.limits import INIT_SECONDS, SEND_SECONDS

log = structlog.get_logger(__name__)


class Socket:
    """Serves one accepted WebSocket until it ends."""

    __slots__ = (
        "_acknowledged",
        "_caller",
        "_end",
        "_initialised",
        "_lease",
        "_operations",
        "_services",
        "_serving",
        "_websocket",
    )

    def __init__(self, websocket: WebSocket, services: Services) -> None:
        self._websocket, self._services = websocket, services
        head = Head(websocket.scope)
        address = client_address(head, services.settings)
        self._caller = Caller(services, address, head.headers.get("user-agent"))
        self._operations = Operations(self._caller, self._send, self.close)
        self._initialised = self._acknowledged = False
        self._lease: Lease | None = None
        self._serving: asyncio.Task[Any] | None = None
        self._end: Closing | None = None

    async def run(self) -> None:
        """Serve it; of what was running then, only mutations go on to their end."""
        try:
            with self._services.live.held(self):
                await self._serve()
        except WebSocketDisconnect:
            pass
        except Closing as closing:
            self._end = self._end or closing
        except Exception:
            log.exception("socket.failed")
            self._end = Closing(CloseCode.INTERNAL, "Internal server error")
        finally:
            if self._lease is not None:
                self._lease.stop()
            await self._finish()

    def close(self, code: CloseCode, reason: str) -> None:
        """End the socket, whichever task asks for it; the first reason counts."""
        if self._end is None:
            self._end = Closing(code, reason)
            if self._serving is not None and self._serving is not asyncio.current_task():
                self._serving.cancel()

    def drain(self) -> None:
        """Answer what is running, then end."""
        self._operations.drain()

    def abandon(self) -> None:
        """End now."""
        self.close(CloseCode.RESTART, "Service restart")

    async def _serve(self) -> None:
        self._serving = asyncio.current_task()
        assert self._serving is not None
        try:
            async with asyncio.timeout(INIT_SECONDS) as init:
                while self._end is None:
                    received = await self._websocket.receive()
                    if received["type"] == "websocket.disconnect":
                        return
                    message = messages.read(received.get("text"))
                    if isinstance(message, messages.Init):
                        # From here on it is we who take the time
                        init.reschedule(None)
                    await self._handle(message)
        except TimeoutError:
            if not init.expired():
                raise
            raise Closing(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout") from None
        except asyncio.CancelledError:
            if self._end is None:
                raise
            # Woken up to end, not cancelled for good
            self._serving.uncancel()
        finally:
            self._serving = None

    async def _finish(self) -> None:
        if self._end is not None:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(1):
                    await self._websocket.close(self._end.code, str(self._end))
        await self._operations.end()

    async def _handle(self, message: messages.Message) -> None:
        match message:
            case messages.Init(payload):
                await self._init(payload)
            case messages.Subscribe(identifier, asked):
                if not self._acknowledged:
                    raise Closing(CloseCode.UNAUTHORIZED, "Unauthorized")
                await self._operations.start(identifier, asked)
            case messages.Complete(identifier):
                self._operations.stop(identifier)
            case messages.Ping(payload):
                await self._send(written("pong") if payload is None else written("pong", payload=payload))

    async def _init(self, payload: dict[str, Any]) -> None:
        if self._initialised:
            raise Closing(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
        self._initialised = True
        given = _token(payload)
        token = bearer(Head(self._websocket.scope)) if given is None else given
        if token is not None:
            await self._identify(token)
        await self._send(written("connection_ack"))
        self._acknowledged = True

    async def _identify(self, token: str) -> None:
        """Find out who it is; Closing if their token, or its session, is not good any more."""
        context = Context(self._services, token)
        try:
            claims = context.claims()
            # Before the session is read, so that its end is not missed
            self._lease = Lease(self._services, claims, self._expired)
            # In turn: after a restart all come back at once
            async with self._services.live.turn:
                context.start_clock()
                self._caller.claims, self._caller.viewer = claims, await context.identify()
        except Unauthenticated as error:
            raise Closing(CloseCode.FORBIDDEN, str(error)) from None
        except (Unavailable, Timeout) as error:
            raise Closing(CloseCode.TRY_AGAIN, str(error)) from None

    def _expired(self) -> None:
        self.close(CloseCode.FORBIDDEN, "The token or its session has ended. Sign in again.")

    async def _send(self, message: str) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(message)
        except TimeoutError:
            self.close(CloseCode.TRY_AGAIN, "The client does not read")
            raise WebSocketDisconnect from None
        except RuntimeError:  # it has been closed meanwhile
            raise WebSocketDisconnect from None


def _token(payload: dict[str, Any]) -> str | None:
    """The token in the payload of `connection_init`, a flat object of what else would be headers."""
    for name, value in payload.items():
        if name.lower() == "authorization" and value is not None:
            return token_in(value) if isinstance(value, str) else ""
    return None
