"""Told to stop, the server answers what it has begun, takes nothing new, and ends whatever its clients do."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

import pytest

from graph.serving.bounds import Bounds
from graph.serving.server import OVERDUE
from tests.http.server import PATIENCE, Site, answer, ended, head, running, until

STUCK = """
import os, signal, socket, time
from starlette.applications import Starlette
from starlette.routing import Route
from graph.serving.bounds import Bounds
from graph.serving.server import Server

async def stuck(request):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1000)

app = Starlette(routes=[Route("/", stuck)])
listener = socket.create_server(("127.0.0.1", 0))
server = Server(app, Bounds(exit_seconds=0.1))
client = socket.create_connection(listener.getsockname())
client.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
server.run([listener])
"""


async def test_what_is_running_is_answered_and_nothing_new_is_taken() -> None:
    async with running() as site:
        busy, idle = await site.connect(), await site.connect()
        idle[1].write(head())
        await answer(idle[0])
        busy[1].write(head("/held"))
        await until(lambda: site.seen.begun == ["size", "held"])
        site.server.should_exit = True
        await until(lambda: site.app.state.live.draining)
        assert await ended(idle[0])
        with pytest.raises(ConnectionError):
            await site.connect()
        site.held.set()
        status, headers, body = await answer(busy[0])
        assert (status, headers["connection"], body) == (200, "close", b"done")
        assert await ended(busy[0])
        await site.stop()


async def half_a_head(site: Site) -> None:
    _, writer = await site.connect()
    writer.write(head()[:10])


async def half_a_body(site: Site) -> None:
    _, writer = await site.connect()
    writer.write(head(method="POST", content_length=10) + b"half")
    await until(lambda: site.seen.begun)


async def no_reading(site: Site) -> None:
    reader, writer = await site.connect()
    reader._transport.pause_reading()  # type: ignore[attr-defined]  # a client that has stopped reading
    writer.write(head("/large"))
    await until(lambda: site.tasks)


async def no_end_of_work(site: Site) -> None:
    _, writer = await site.connect()
    writer.write(head("/held"))
    await until(lambda: site.seen.begun)


async def silence(site: Site) -> None:
    await site.connect()
    await until(lambda: site.connections)


@pytest.mark.parametrize("hold", [half_a_head, half_a_body, no_reading, no_end_of_work, silence])
async def test_no_client_holds_it_up(hold: Callable[[Site], Awaitable[None]]) -> None:
    async with running(Bounds(drain_seconds=1)) as site:
        await hold(site)
        await site.stop()
        assert site.tasks == 0


async def test_a_process_that_cannot_end_is_ended() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", STUCK)
    async with asyncio.timeout(2 * PATIENCE):
        assert await process.wait() == OVERDUE


async def test_a_second_interrupt_does_not_wait() -> None:
    async with running() as site:
        await no_end_of_work(site)
        site.server.handle_exit(signal.SIGINT, None)
        await until(lambda: site.app.state.live.draining)
        site.server.handle_exit(signal.SIGINT, None)
        async with asyncio.timeout(PATIENCE):
            await asyncio.to_thread(site.thread.join)
