"""GraphQL over Server-Sent Events, distinct connections mode: one request, one stream, one operation.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md

What ends an operation is told by `complete`. A stream that breaks off without it (the server goes, the
token expires, the client does not keep up) is to be opened again: browsers do so by themselves, and say in
`Last-Event-ID` how far they had come.
"""

import asyncio
import contextlib
from typing import Any, Final

import structlog
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from graph.admission.charge import trusted
from graph.auth.tokens import InvalidToken
from graph.context import Context, Services
from graph.encoding import encode
from graph.errors import GatewayError, Unauthenticated
from graph.events import SlowConsumer
from graph.execution import answer, refused
from graph.http.accept import EVENTS
from graph.http.body import GraphQLRequest
from graph.http.body import Refused as Malformed
from graph.http.client import request_id
from graph.http.head import Head
from graph.http.incoming import asked_by, context_for, malformed, ticket_of
from graph.http.lease import Lease
from graph.http.respond import internal
from graph.limits import KEEP_ALIVE_SECONDS, SEND_SECONDS
from graph.subscriptions.operation import Refused, deliveries, kind

_KEEP_ALIVE: Final = b":\n\n"
_COMPLETE: Final = b"event: complete\ndata:\n\n"

log = structlog.get_logger(__name__)


async def stream(head: Head, receive: Receive, services: Services) -> Response:
    """The response to an operation, as a stream; a plain refusal to what is no request of GraphQL."""
    named = request_id(head, services.settings)
    try:
        asked = await asked_by(head, receive, services)
        context = context_for(head, services, asked, named)
        ticket = ticket_of(head, services)
        if isinstance(ticket, InvalidToken):
            context.token = ""  # a bad one, not none
        else:
            context.verified = ticket
        asked = await trusted(asked, context)
        what = None if asked.explain else await kind(asked, context)
        if head.method == "GET" and what == "mutation":
            raise Malformed(405, "Send mutations by POST.")
        if ticket is not None and what != "subscription":
            raise Malformed(400, "A ticket opens a subscription, and this is none.")
        return EventStream(asked, what, context)
    except Malformed as error:
        found = malformed(error)
    except GatewayError as error:
        found = refused(error)
    return JSONResponse(found.body, found.status, found.headers)


class EventStream(Response):
    """The stream of one operation."""

    media_type = EVENTS

    def __init__(self, asked: GraphQLRequest, what: str | None, context: Context) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._asked, self._what, self._context = asked, what, context
        self._serving: asyncio.Task[Any] | None = None
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until the operation, the client or the server comes to its end."""
        self._send_message = send
        self._serving = asyncio.current_task()
        assert self._serving is not None
        live = self._context.services.live
        attending = live.start(self._attend(receive), lasting=False)
        try:
            with live.held(self):
                await self._serve()
        except asyncio.CancelledError:
            if not self._ended:
                raise
            # Woken up to end, not cancelled for good
            self._serving.uncancel()
        except ConnectionError:
            return
        finally:
            self._serving = None
            attending.cancel()
        with contextlib.suppress(ConnectionError):
            await self._send(b"", more=False)

    def drain(self) -> None:
        """End if it could go on for ever; the client comes back for what follows."""
        if self._what == "subscription":
            self.abandon()

    def abandon(self) -> None:
        """End now."""
        if not self._ended:
            self._ended = True
            if self._serving is not None and self._serving is not asyncio.current_task():
                self._serving.cancel()

    async def _serve(self) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await self._send_message(start)
        await self._send(_KEEP_ALIVE)  # so that whatever stands in between passes on the headers
        if self._ended:
            return  # it came while the server drains: nobody would end it any more
        try:
            await (self._follow() if self._what == "subscription" else self._answer())
        except Refused as refusing:
            await self._last({"errors": refusing.errors})
        except (Unauthenticated, SlowConsumer):
            pass
        except ConnectionError:
            raise
        except Exception:
            log.exception("stream.failed", request_id=self._context.request_id)
            await self._last(internal(self._context.request_id))

    async def _answer(self) -> None:
        work = self._find()
        found = self._context.services.live.start(work, lasting=self._what == "mutation")
        try:
            await asyncio.shield(found)
        finally:
            if self._what != "mutation":
                found.cancel()

    async def _find(self) -> None:
        await self._last((await answer(self._asked, self._context)).body)

    async def _follow(self) -> None:
        lease = None
        with contextlib.suppress(Unauthenticated):  # which the operation itself is told
            lease = Lease(self._context.services, self._context.claims(), self.abandon)
        try:
            async with contextlib.aclosing(deliveries(self._asked, self._context)) as stream:
                async for cursor, body in stream:
                    # Without data it is no event, but a browser takes the id down all the same
                    event = b"\n" if body is None else _next(body)
                    await self._send(b"id: %b\n%b" % (cursor.encode(), event))
        finally:
            if lease is not None:
                lease.stop()

    async def _last(self, body: dict[str, Any] | bytes) -> None:
        await self._send(_next(body) + _COMPLETE)

    async def _attend(self, receive: Receive) -> None:
        """Keep the connection open while nothing happens; end the stream when the client is gone."""
        with contextlib.suppress(ConnectionError):
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        if (await receive())["type"] == "http.disconnect":
                            break
                except TimeoutError:
                    await self._send(_KEEP_ALIVE)
        self.abandon()

    async def _send(self, content: bytes, *, more: bool = True) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._send_message({"type": "http.response.body", "body": content, "more_body": more})
        except TimeoutError:
            raise ConnectionAbortedError("the client does not read") from None


def _next(body: dict[str, Any] | bytes) -> bytes:
    data = body if isinstance(body, bytes) else encode(body)
    return b"event: next\ndata: " + data + b"\n\n"
