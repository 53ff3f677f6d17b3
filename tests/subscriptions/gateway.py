"""The gateway behind a real server in this process, and the other end of its WebSockets."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import websockets
from pydantic import SecretStr
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from graph.auth import keys
from graph.commands import serve
from graph.serving.server import Server
from graph.settings import Settings
from tests.client import Client

SUBPROTOCOL = Subprotocol("graphql-transport-ws")


@dataclass
class Gateway:
    """A server that listens."""

    server: Server
    app: Starlette
    port: int

    @property
    def anyone(self) -> Client:
        """A client that has not signed in, of the application itself."""
        return Client(self.app)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    def stop(self) -> None:
        """Tell it to stop."""
        self.server.should_exit = True


@asynccontextmanager
async def served(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Gateway]:
    """The gateway over a database, as `m3 serve` runs it."""
    keys_file = folder / "keys.json"
    if not keys_file.exists():
        keys.generate(keys_file)
    server = serve.build(Settings(database_url=SecretStr(database_url), keys_file=keys_file, **settings))
    setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010  # the signals are pytest's
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            gateway = Gateway(server, server.app, listener.getsockname()[1])
            async with httpx.AsyncClient(trust_env=False) as http:
                await http.get(gateway.url.replace("graphql", "healthz"))
            yield gateway
        finally:
            server.should_exit = True
            await serving


@dataclass
class Peer:
    """The other end of a WebSocket."""

    socket: ClientConnection

    async def send(self, type: str, **members: Any) -> None:
        """Send a message."""
        await self.socket.send(json.dumps({"type": type, **members}))

    async def receive(self) -> dict[str, Any]:
        """The next message, which is text."""
        received = await asyncio.wait_for(self.socket.recv(), 20)
        assert isinstance(received, str)
        message: dict[str, Any] = json.loads(received)
        return message

    async def init(self, token: str | None = None) -> None:
        """Begin, and wait until that is acknowledged."""
        payload = {} if token is None else {"Authorization": f"Bearer {token}"}
        await self.send("connection_init", payload=payload)
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, identifier: str, query: str, **payload: Any) -> None:
        """Start an operation."""
        await self.send("subscribe", id=identifier, payload={"query": query, **payload})

    async def answer(self, identifier: str, query: str, **payload: Any) -> dict[str, Any]:
        """What a query or mutation comes to, while nothing else is going on."""
        await self.subscribe(identifier, query, **payload)
        answer = await self.receive()
        assert answer["type"] == "next", answer
        assert await self.receive() == {"type": "complete", "id": identifier}
        result: dict[str, Any] = answer["payload"]
        result.pop("extensions", None)  # what it cost
        return result

    async def closed(self) -> int:
        """The code that the server closes with; nothing else may come before."""
        try:
            received = await asyncio.wait_for(self.socket.recv(), 30)
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
        raise AssertionError(f"not closed: {received!r}")


@asynccontextmanager
async def connected(gateway: Gateway, **options: Any) -> AsyncIterator[Peer]:
    """A WebSocket to the gateway, of graphql-transport-ws unless `options` say otherwise."""
    given: dict[str, Any] = {"subprotocols": [SUBPROTOCOL], "compression": None, "ping_interval": None}
    async with websockets.connect(
        gateway.url.replace("http", "ws", 1), **given | {"proxy": None} | options
    ) as connection:
        yield Peer(connection)
