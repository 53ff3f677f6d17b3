"""uvicorn's WebSocket protocol, for clients that stop reading, answering or both.

As it comes, a keepalive that is not answered closes with 1011, after which clients do not come back, and
every close waits for as long as the client takes to read what was sent before: for ever, if it does not.
Here a client that does not answer is cut off, which it takes for a broken connection, and comes back.
"""

import logging
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

CLOSE_SECONDS: Final = 5.0
"""How long a client may take to read a close frame and what stands before it."""

MAX_UNREAD: Final = 1024 * 1024
"""Bytes that may wait for a client: of messages, and of the pongs that it asks for without reading them."""

_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # or each connection is logged with its URL, which may hold a ticket


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, which aborts where that one would wait."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.logger = _log

    async def send(self, message: Any) -> None:
        """Send; a close does not wait until the client has read what stands before it."""
        closing = message["type"] == "websocket.close"
        if closing:
            self.writable.set()
        await super().send(message)
        if closing and self.close_timer is not None:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Cut the client off."""
        self.transport.abort()

    def handle_ping(self) -> None:
        """Answer, unless the client takes no answers."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > MAX_UNREAD:
            self.transport.abort()

    def handle_close(self, event: Frame) -> None:
        """Answer, and leave."""
        super().handle_close(event)
        self._leave()

    def handle_parser_exception(self) -> None:
        """Say what was wrong, and leave."""
        super().handle_parser_exception()
        self._leave()

    def shutdown(self) -> None:
        """Say that the server goes, and leave."""
        super().shutdown()
        self._leave()

    def _leave(self) -> None:
        # The transport closes when all is written; here, at the latest
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
