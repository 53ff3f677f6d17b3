"""Many WebSockets from one process: a client that costs as little as a client can."""

import asyncio
import base64
import json
import os
import struct
from typing import Any, Final

_UPGRADE: Final = (
    "GET /graphql HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\nUser-Agent: bench\r\n\r\n"
)
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA


class Subscriber(asyncio.Protocol):
    """A socket with one subscription: upgraded, initialised, subscribed; then it counts what it is told."""

    def __init__(self, host: str, token: str, query: str, after: str) -> None:
        loop = asyncio.get_running_loop()
        self._host, self._token, self._query = host, token, query
        self.cursor = after
        self.told = 0
        self.closed: int | None = None
        self.first: asyncio.Future[None] = loop.create_future()
        """Done when the first event has come."""
        self.end: asyncio.Future[None] = loop.create_future()
        self._buffer = b""
        self._upgraded = False

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade."""
        self._transport: asyncio.Transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(_UPGRADE.format(host=self._host, key=key).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it."""
        if self.closed is None:
            self.closed = 1006
        if not self.first.done():
            self.first.set_exception(ConnectionError(f"closed with {self.closed}"))
        if not self.end.done():
            self.end.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take the frames apart; none of the server's is masked or fragmented."""
        self._buffer += data
        if not self._upgraded:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._upgraded, self._buffer = True, rest
            self._say("connection_init", payload={"Authorization": f"Bearer {self._token}"})
        while len(self._buffer) >= 2:
            size, start = self._buffer[1], 2
            if size == 126:
                size, start = struct.unpack_from(">H", self._buffer, 2)[0], 4
            if len(self._buffer) < start + size:
                return
            opcode, payload = self._buffer[0] & 15, self._buffer[start : start + size]
            self._buffer = self._buffer[start + size :]
            self._handle(opcode, payload)

    def _handle(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._send(_PONG, payload)
        elif opcode == _CLOSE:
            self.closed = struct.unpack(">H", payload[:2])[0]
            self._send(_CLOSE, payload[:2])
        elif opcode == _TEXT:
            message = json.loads(payload)
            if message["type"] == "connection_ack":
                wanted = {"query": self._query, "variables": {"after": self.cursor}}
                self._say("subscribe", id="1", payload=wanted)
            else:
                assert message["type"] == "next", message
                (event,) = message["payload"]["data"].values()
                self.cursor = event["cursor"]
                self.told += 1
                if not self.first.done():
                    self.first.set_result(None)

    def _say(self, kind: str, **members: Any) -> None:
        self._send(_TEXT, json.dumps({"type": kind, **members}).encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        size = (
            bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        )
        # Masked with zeros: allowed, and nothing to compute
        self._transport.write(bytes([0x80 | opcode]) + size + bytes(4) + payload)

    def drop(self) -> None:
        """Break the connection off."""
        self._transport.abort()
