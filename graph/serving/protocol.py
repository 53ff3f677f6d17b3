"""HTTP/1.1 within bounds: uvicorn's protocol, with an end to clients that have stopped sending or reading.

    connected ──► head ──► body ──► answer ──► idle ──► head …
       head_seconds   body_seconds       idle_seconds

uvicorn waits for ever in each of these but the last. Here a connection has a timer while it waits for its
client and none while the client waits for us; a request that comes in one piece costs no timer at all. What
is refused before there is a request is refused as GraphQL would: in JSON, with a code.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, Literal

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from graph.http.respond import refusal
from graph.serving.bounds import Bounds

Refusal = tuple[HTTPStatus, str, str]

BAD_REQUEST: Final = (HTTPStatus.BAD_REQUEST, "BAD_INPUT", "This is not HTTP/1.1.")
TOO_SLOW: Final = (HTTPStatus.REQUEST_TIMEOUT, "TIMEOUT", "The request took too long to arrive.")
URL_TOO_LONG: Final = (HTTPStatus.REQUEST_URI_TOO_LONG, "BAD_INPUT", "The URL is too long.")
TOO_MUCH: Final = (
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "BAD_INPUT",
    "The headers are too large.",
)
TOO_MANY: Final = (HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", "There are too many connections.")


Phase = Literal["idle", "head", "body", "refused"]
"""What the client's next bytes belong to."""
IDLE: Final = "idle"
HEAD: Final = "head"
BODY: Final = "body"
REFUSED: Final = "refused"


class _Stop(Exception):
    """Raised in a callback: httptools stops parsing."""


class BoundedHttp(HttpToolsProtocol):
    """A connection within the `bounds` of the `graph.serving.server.Config` that it is made with."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.bounds: Bounds = self.config.bounds  # type: ignore[attr-defined]  # of our own Config
        self._phase: Phase = IDLE
        self._requests = 0
        self._running: RequestResponseCycle | None = None
        """The request that is being answered; `cycle` is the one that came last."""
        self._head = 0
        """Bytes of the head that httptools has told of."""
        self._unfinished = 0
        """Bytes that came while the head had not ended: of half a header httptools tells nothing."""
        self._refusal: Refusal = BAD_REQUEST
        self._deadline: asyncio.TimerHandle | None = None
        self._awaited: tuple[Phase, int] | None = None
        self._flushing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections:
            self._refuse(TOO_MANY)
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request of the connection, also one that waits behind another."""
        self._phase = REFUSED
        self._watch()
        self._flushed()
        self._unset_keepalive_if_required()
        for cycle in (self._running, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what cannot be or is too much."""
        if self._phase == REFUSED:
            return
        self._unset_keepalive_if_required()
        if self._phase == HEAD:
            self._unfinished += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade() and self._running is None:
                self.handle_websocket_upgrade()
                return
            # Whatever it asks for instead it will speak from now on.
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._refuse(self._refusal)
            return
        if self._phase == HEAD and self._unfinished > self.bounds.head_bytes:
            self._refuse(TOO_MUCH)
        else:
            self._watch()

    def on_message_begin(self) -> None:
        """Count a head anew."""
        self._phase = HEAD
        self._requests += 1
        self._head = self._unfinished = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the request target."""
        super().on_url(url)
        self._head += len(url)
        if len(self.url) > self.bounds.target_bytes:
            self._stop(URL_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, but no trailer: the application may have read the request's headers already."""
        self._head += len(name) + len(value)
        if self._head > self.bounds.head_bytes or len(self.headers) == self.bounds.headers:
            self._stop(TOO_MUCH)
        if self._phase == HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, or put the request behind those that are being answered."""
        self._phase = BODY
        super().on_headers_complete()
        if len(self.pipeline) > self.bounds.pipelined:
            self._stop(BAD_REQUEST)

    def on_message_complete(self) -> None:
        """Expect nothing more of this request."""
        self._phase = IDLE
        super().on_message_complete()

    def _stop(self, why: Refusal) -> None:
        self._refusal = why
        raise _Stop

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to take the answer."""
        self._running = None
        super().on_response_complete()
        if self.transport.is_closing():
            self._flush()
        else:
            self._watch()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; its time is the other protocol's from here."""
        self._phase = REFUSED
        self._watch()
        super().handle_websocket_upgrade()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection."""
        self._close()

    def shutdown(self) -> None:
        """Close when what is running is answered."""
        super().shutdown()
        if self.transport.is_closing():
            self._flush()

    # Waiting for the client to send

    def _watch(self) -> None:
        """Give the client its time for what it has to send next, once for each thing."""
        phase, seconds = self._phase, None
        if phase == IDLE:
            if self._running is None and self.timeout_keep_alive_task is None:
                seconds = self.bounds.head_seconds
        elif phase == HEAD:
            seconds = self.bounds.head_seconds
        elif phase == BODY and self._running is None:
            phase, seconds = REFUSED, self.bounds.linger_seconds
        elif phase == BODY:
            seconds = self.bounds.body_seconds
        awaited = None if seconds is None else (phase, self._requests)
        if awaited == self._awaited:
            return
        self._awaited = awaited
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self._overdue, seconds)

    def _overdue(self, seconds: float) -> None:
        if self.flow.read_paused:
            # It is we who do not read: the application has enough for now.
            self._deadline = self.loop.call_later(seconds, self._overdue, seconds)
        elif self._phase == HEAD or (self._phase == BODY and self._running is not None):
            self._refuse(TOO_SLOW)
        else:
            self._close()

    # Waiting for the client to read

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        self._flush()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._flushed()

    def _flush(self) -> None:
        """Give the client its time to take what is written."""
        if self._flushing is None:
            self._flushing = self.loop.call_later(self.bounds.write_seconds, self.transport.abort)

    def _flushed(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None

    def _close(self) -> None:
        """Close a connection on which nothing happens; what has not been read by now will not be."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    # Refusing

    def _refuse(self, why: Refusal) -> None:
        """Say why, unless that would end up in the midst of another answer, and end the connection."""
        beginning = self._running if self._phase == BODY and not self.pipeline else None
        if self._running is not beginning or (beginning is not None and beginning.response_started):
            self._phase = REFUSED
            self.transport.abort()
            return
        if beginning is not None:
            beginning.disconnected = True
            beginning.message_event.set()
        status, code, message = why
        body = orjson.dumps(refusal(code, message))
        head = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        head += [b"%s: %s" % header for header in self.server_state.default_headers]
        head += [b"content-type: application/json; charset=utf-8", b"content-length: %d" % len(body)]
        head += [b"cache-control: no-store", b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(head))
        self._phase = REFUSED
        self._watch()
        # Closed at once, with bytes of the client's unread, the connection would be reset under the answer.
        if why is not TOO_MANY and self.transport.can_write_eof():
            self.transport.write_eof()
            self._flushing = self.loop.call_later(self.bounds.linger_seconds, self.transport.abort)
        else:
            self.transport.close()
            self._flush()
