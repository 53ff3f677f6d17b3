"""The server over a small application, on a real port and on the event loop that `m3 serve` runs on."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from graph.http.live import Live
from graph.serving.bounds import Bounds
from graph.serving.server import Server

PATIENCE = 30
"""Seconds after which what should have happened is taken never to happen."""

LARGE = 32 * 1024 * 1024
"""Bytes of an answer that no socket buffer holds."""


@dataclass(frozen=True)
class Seen:
    """How the application has seen its requests go."""

    begun: list[str]
    gone: list[str]
    """Those whose client was gone, as the application was told."""


class Site:
    """A running server."""

    def __init__(self, bounds: Bounds) -> None:
        self.seen = Seen([], [])
        self.app = _application(self)
        self.server = Server(self.app, bounds)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.held = threading.Event()
        """Lets `/held` answer."""
        self._writers: list[asyncio.StreamWriter] = []
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],), daemon=True)

    @property
    def tasks(self) -> int:
        """How many requests the application works on."""
        return len(self.server.server_state.tasks)

    @property
    def connections(self) -> int:
        """How many the server has."""
        return len(self.server.server_state.connections)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection, with nothing sent on it; closed with the site."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return reader, writer

    async def disconnect(self) -> None:
        """Close what the test has opened."""
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def stop(self) -> None:
        """Tell the server to stop, and wait until it has."""
        self.server.should_exit = True
        async with asyncio.timeout(PATIENCE):
            await asyncio.to_thread(self.thread.join)


@contextlib.asynccontextmanager
async def running(bounds: Bounds | None = None) -> AsyncIterator[Site]:
    """A server, stopped at the end if it has not been before."""
    site = Site(bounds or Bounds())
    site.thread.start()
    await until(lambda: site.server.started)
    try:
        yield site
    finally:
        site.held.set()
        await site.disconnect()
        await site.stop()


async def until(holds: Callable[[], object]) -> None:
    """Wait for what happens in another thread or process."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0.005)


def head(target: str = "/", method: str = "GET", **headers: object) -> bytes:
    """The head of a request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: gateway.test"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """The next answer on a connection: its status, headers and body."""
    async with asyncio.timeout(PATIENCE):
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(first.split()[1]), headers, body


async def ended(reader: asyncio.StreamReader) -> bool:
    """Wait until the server ends the connection, by a close or a reset; whether nothing came before it."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


def _application(site: Site) -> Starlette:
    seen = site.seen

    async def size(request: Request) -> Response:
        seen.begun.append("size")
        try:
            return PlainTextResponse(str(len(await request.body())))
        except ClientDisconnect:
            seen.gone.append("size")
            raise

    async def early(request: Request) -> Response:
        return PlainTextResponse("too large", 413)

    async def large(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(LARGE // 65536):
                yield bytes(65536)

        return StreamingResponse(pieces())

    async def held(request: Request) -> Response:
        seen.begun.append("held")
        while not site.held.is_set():
            if await request.is_disconnected():
                seen.gone.append("held")
            await asyncio.sleep(0.005)
        return PlainTextResponse("done")

    async def headers(request: Request) -> Response:
        await request.body()
        return PlainTextResponse(" ".join(request.headers))

    app = Starlette(
        routes=[
            Route("/", size, methods=["GET", "POST"]),
            Route("/early", early, methods=["POST"]),
            Route("/large", large),
            Route("/held", held),
            Route("/headers", headers, methods=["POST"]),
        ]
    )
    app.state.live = Live(1)
    return app
