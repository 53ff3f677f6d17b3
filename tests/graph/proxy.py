"""A wire to the database that can be cut, or go dead."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Self

from sqlalchemy import URL, make_url


class Proxy:
    """Passes what comes in at `url` on to the server behind it, until it is cut."""

    def __init__(self, target: str) -> None:
        self._target = make_url(target)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._silenced: asyncio.Event = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, target: str) -> AsyncIterator[Self]:
        """One that is open, and cut at the end."""
        proxy = cls(target)
        await proxy.open()
        try:
            yield proxy
        finally:
            await proxy.cut()

    @property
    def url(self) -> str:
        """The target's URL by way of here."""
        here: URL = self._target.set(host="127.0.0.1", port=self._port)
        return here.render_as_string(hide_password=False)

    async def open(self) -> None:
        """Listen, always at the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End the connections without a word and take no more: whoever comes is refused."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    def altered(self, data: bytes) -> bytes:
        """What the client gets of what the server has sent."""
        return data

    def silence(self) -> None:
        """Pass nothing on any more of what is open now, and end nothing; who comes now is served."""
        self._silenced.set()
        self._silenced = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.host or "127.0.0.1", self._target.port or 5432
        there, onward = await asyncio.open_connection(host, port)
        self._writers |= {writer, onward}
        try:
            silenced = self._silenced
            await asyncio.gather(
                _pass(reader, onward, silenced), _pass(there, writer, silenced, self.altered)
            )
        finally:
            self._writers -= {writer, onward}


class Mute(Proxy):
    """Once `armed`, passes the answer to the next BEGIN on, and nothing after it of what is open then."""

    armed = False

    def altered(self, data: bytes) -> bytes:
        """The same; this is where it falls silent."""
        if self.armed and b"BEGIN\0" in data:
            self.armed = False
            self.silence()
        return data


async def _pass(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    silenced: asyncio.Event,
    altered: Callable[[bytes], bytes] = bytes,
) -> None:
    with contextlib.suppress(OSError):
        while (data := await reader.read(65536)) and not silenced.is_set():
            writer.write(altered(data))
            await writer.drain()
    if silenced.is_set():
        await writer.wait_closed()
    writer.close()
