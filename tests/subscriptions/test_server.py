"""uvicorn's WebSocket protocol where clients do not do their part."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.subscriptions.following import until
from tests.subscriptions.gateway import Gateway

UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
PING, CLOSE = b"\x89", b"\x88"


@asynccontextmanager
async def upgraded(gateway: Gateway) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that is a WebSocket from here on, frame by frame."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(UPGRADE)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"permessage-deflate" not in head
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def end(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection is gone."""
    rest = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(20):
            while more := await reader.read(1000):
                rest += more
    return rest


async def test_who_answers_no_ping_is_cut_off(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.server.config, "ws_ping_interval", 0.05)
    monkeypatch.setattr(gateway.server.config, "ws_ping_timeout", 0.05)
    async with upgraded(gateway) as (reader, _):
        assert await reader.readexactly(1) == PING
        assert CLOSE not in (await end(reader))[-4:]
    await until(lambda: len(gateway.app.state.services.live) == 0)


async def test_who_does_not_answer_a_close_is_cut_off(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.serving.websocket.CLOSE_SECONDS", 0.05)
    async with upgraded(gateway) as (reader, writer):
        writer.write(b"\x82\x80\x00\x00\x00\x00")  # binary: closed with 4400
        frame = await reader.readexactly(4)
        assert (frame[:1], int.from_bytes(frame[2:4])) == (CLOSE, 4400)
        await end(reader)  # though we have neither answered nor closed


async def test_pongs_that_nobody_reads_do_not_pile_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.serving.websocket.MAX_UNREAD", 64 * 1024)
    ping = b"\x89\xfd\x00\x00\x00\x00" + b"x" * 125
    async with upgraded(gateway) as (_, writer):
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(ping * 1000)
                await writer.drain()
    await until(lambda: len(gateway.app.state.services.live) == 0)
