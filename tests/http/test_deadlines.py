"""No client keeps a connection by doing nothing, or next to nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from graph.serving.bounds import Bounds
from tests.http.server import LARGE, PATIENCE, Site, answer, ended, head, running, until

SOON = 0.2
NEVER = 1000.0


def bounds(**given: float) -> Bounds:
    """Bounds of which those given run out soon and all others never."""
    never = {"head_seconds": NEVER, "body_seconds": NEVER, "write_seconds": NEVER, "linger_seconds": NEVER}
    return Bounds(**{"idle_seconds": 1000, **never, **given})  # type: ignore[arg-type]  # an int among floats


@asynccontextmanager
async def dripping(site: Site, text: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """What comes back on a connection on which `text` goes byte by byte."""
    reader, writer = await site.connect()

    async def drip() -> None:
        for number in range(len(text)):
            writer.write(text[number : number + 1])
            await asyncio.sleep(0.01)

    dropping = asyncio.create_task(drip())
    yield reader
    assert not dropping.done(), "all of it was taken"
    dropping.cancel()


def refused(body: bytes) -> str:
    given = orjson.loads(body)
    assert list(given) == ["errors"]
    code: str = given["errors"][0]["extensions"]["code"]
    return code


async def test_a_connection_on_which_nothing_comes_is_closed() -> None:
    async with running(bounds(head_seconds=SOON)) as site:
        reader, _ = await site.connect()
        assert await ended(reader)
        await until(lambda: site.connections == 0)


async def test_headers_that_come_drop_by_drop_are_not_waited_for() -> None:
    async with running(bounds(head_seconds=SOON)) as site:
        async with dripping(site, head(x="y" * 5000)) as reader:
            status, headers, body = await answer(reader)
            assert (status, headers["connection"], refused(body)) == (408, "close", "TIMEOUT")
            assert await ended(reader)
        assert site.seen.begun == []


async def test_a_body_that_comes_drop_by_drop_is_not_waited_for() -> None:
    async with running(bounds(body_seconds=SOON)) as site:
        async with dripping(site, head(method="POST", content_length=5000) + b"x" * 4000) as reader:
            status, _, body = await answer(reader)
            assert (status, refused(body)) == (408, "TIMEOUT")
            assert await ended(reader)
        await until(lambda: site.seen.gone == ["size"])


async def test_chunks_that_come_drop_by_drop_are_not_waited_for() -> None:
    async with running(bounds(body_seconds=SOON)) as site:
        text = head(method="POST", transfer_encoding="chunked") + b"1\r\nx\r\n" * 1000
        async with dripping(site, text) as reader:
            assert (await answer(reader))[0] == 408
            assert await ended(reader)


async def test_an_idle_connection_is_closed() -> None:
    async with running(bounds(idle_seconds=1)) as site:
        reader, writer = await site.connect()
        for _ in range(2):
            writer.write(head())
            assert (await answer(reader))[2] == b"0"
        assert await ended(reader)


async def test_an_empty_line_now_and_then_keeps_no_connection() -> None:
    async with running(bounds(head_seconds=SOON)) as site:
        reader, writer = await site.connect()
        writer.write(head())
        await answer(reader)
        writer.write(b"\r\n")
        assert await ended(reader)


async def test_a_second_request_has_its_own_time() -> None:
    async with running(bounds(head_seconds=SOON)) as site:
        reader, writer = await site.connect()
        writer.write(head())
        assert (await answer(reader))[0] == 200
        writer.write(head()[:20])
        assert (await answer(reader))[0] == 408


@pytest.mark.parametrize("target", ["/", "/held"])
async def test_a_client_that_waits_for_us_has_time(target: str) -> None:
    async with running(bounds(head_seconds=SOON, body_seconds=SOON, linger_seconds=SOON)) as site:
        reader, writer = await site.connect()
        writer.write(head(target, content_length=3) + b"abc")
        if target == "/held":
            await until(lambda: site.seen.begun == ["held"])
            await asyncio.sleep(3 * SOON)  # what must not happen in this time has no event
            site.held.set()
        assert (await answer(reader))[0] == 200


def shut_eyes(reader: asyncio.StreamReader) -> None:
    reader._transport.pause_reading()  # type: ignore[attr-defined]  # a client that has stopped reading


async def test_a_client_that_stops_reading_is_cut_off() -> None:
    async with running(bounds(write_seconds=SOON)) as site:
        reader, writer = await site.connect()
        shut_eyes(reader)
        writer.write(head("/large"))
        await until(lambda: site.connections == 1)
        await until(lambda: site.connections == 0)
        await until(lambda: site.tasks == 0)


async def test_a_client_that_stops_reading_a_last_answer_is_cut_off() -> None:
    async with running(bounds(write_seconds=SOON)) as site:
        client = socket.create_connection(("127.0.0.1", site.port))
        client.sendall(head("/large", connection="close"))
        await until(lambda: site.tasks)
        await until(lambda: site.connections == 0)
        client.close()


async def test_a_client_that_reads_slowly_gets_it_all() -> None:
    async with running(bounds(write_seconds=2.0)) as site:
        reader, writer = await site.connect()
        writer.write(head("/large", connection="close"))
        count = 0
        async with asyncio.timeout(PATIENCE):
            while piece := await reader.read(1024 * 1024):
                count += len(piece)
        assert count > LARGE


async def test_a_body_that_was_refused_may_end_or_is_cut_off() -> None:
    async with running(bounds(linger_seconds=SOON)) as site:
        reader, writer = await site.connect()
        writer.write(head("/early", "POST", content_length=300_000) + bytes(200_000))
        assert (await answer(reader))[2] == b"too large"
        writer.write(bytes(100_000))
        writer.write(head())
        assert (await answer(reader))[2] == b"0"
        writer.write(head("/early", "POST", content_length=300_000) + bytes(200_000))
        assert (await answer(reader))[2] == b"too large"
        assert await ended(reader)
