"""Connections that come in thousands and go without a word leave nothing behind."""

import asyncio
import contextlib
import gc
import json
import resource
import socket
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from graph.serving.bounds import Bounds
from graph.serving.memory import CROWD, Memory
from graph.serving.protocol import BoundedHttp
from graph.settings import Settings
from tests.cli.program import line_with, started
from tests.http.server import head, running, until
from tests.server import Urls

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: the connection ends by a reset."""

ROUNDS = 5
KEPT, KEPT_OF_EACH = 8 * 2**20, 2_000
"""Bytes that stay of a crowd, and of each that was in it, however many crowds come: arenas of Python's
allocator in which something else is. Each takes five times as much while it is there."""
OPENED = 2 * Settings.model_fields["pool_size"].default
"""Descriptors of the database's connections, which are opened as they are needed."""

QUERY = b'{"query": "{ __typename }"}'
POST = head("/graphql", "POST", content_type="application/json", content_length=len(QUERY))
SENT = [b"", POST[:20], POST + QUERY[:5], POST + QUERY, POST + QUERY + POST + QUERY[:5], b"\0" * 100]
SLOW = head("/", x="y")[:-2]
HANGING = [b"", SLOW, head("/", "POST", content_length=1000) + b"x", head("/"), head("/large")]
"""Nothing, a head and a body that do not end, an answer that is awaited, one that is not read."""


@pytest.fixture(scope="module")
def number(pytestconfig: pytest.Config) -> int:
    """How many connections at a time."""
    wanted: int = pytestconfig.option.connections
    needed = wanted + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return wanted


async def come_and_go(port: int, number: int) -> None:
    """Have `number` connections open, each at another point of a request, and drop them all."""
    loop = asyncio.get_running_loop()
    opened: list[socket.socket] = []
    try:
        for turn in range(number):
            client = socket.socket()
            client.setblocking(False)
            opened.append(client)
            await loop.sock_connect(client, ("127.0.0.1", port))
            with contextlib.suppress(ConnectionError):
                await loop.sock_sendall(client, SENT[turn % len(SENT)])
    finally:
        for turn, client in enumerate(opened):
            if turn % 2:
                with contextlib.suppress(OSError):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()


@contextlib.asynccontextmanager
async def hanging_on(port: int, number: int) -> AsyncIterator[list[tuple[socket.socket, bytes]]]:
    """Have `number` connections open that read nothing and end nothing, with what each has sent."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as opened:
        clients = []
        for turn in range(number):
            client = opened.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", port))
            sent = HANGING[turn % len(HANGING)]
            with contextlib.suppress(ConnectionError):
                await loop.sock_sendall(client, sent)
            clients.append((client, sent))
        yield clients


async def test_a_crowd_leaves_no_connection_behind(number: int) -> None:
    async with running() as site:
        before = psutil.Process().num_fds()
        await come_and_go(site.port, number // 2)  # of which both ends are here
        await until(lambda: site.connections == 0)
        await until(lambda: site.tasks == 0)
        await until(lambda: psutil.Process().num_fds() <= before)
        gc.collect()
        assert [each for each in gc.get_objects() if type(each) is BoundedHttp] == []


async def test_clients_that_hang_on_leave_nothing_behind(number: int) -> None:
    soon = Bounds(head_seconds=1, body_seconds=1, idle_seconds=1, write_seconds=1, linger_seconds=1)
    async with running(soon) as site:
        before = psutil.Process().num_fds()
        async with hanging_on(site.port, number // 2) as clients:
            slow = [client for client, sent in clients if sent.startswith(SLOW)]

            def left() -> int:
                """How many there still are, after one byte more from those that are slow."""
                for client in slow:
                    with contextlib.suppress(OSError):
                        client.send(b"x")
                return site.connections

            await until(lambda: left() == 0)
            await until(lambda: site.tasks == 0)
            await until(lambda: psutil.Process().num_fds() <= before + len(clients))
            gc.collect()
            assert [each for each in gc.get_objects() if type(each) is BoundedHttp] == []


async def test_a_gateway_is_after_a_crowd_what_it_was(urls: Urls, keys_file: Path, number: int) -> None:
    given = {"database_url": urls.gateway, "keys_file": keys_file, "port": 0}
    async with started("serve", **given) as process:
        port = json.loads(await line_with(process.stderr, '"serving"'))["port"]
        assert process.stderr is not None
        reading = asyncio.create_task(process.stderr.read())  # a full pipe would stop the server
        seen = psutil.Process(process.pid)

        def alone() -> bool:
            """Whether nobody is connected."""
            return [each.status for each in seen.net_connections() if each.laddr.port == port] == ["LISTEN"]

        try:
            await come_and_go(port, len(SENT))
            await until(alone)
            descriptors, idle = seen.num_fds(), seen.memory_info().rss
            for _ in range(ROUNDS):
                await come_and_go(port, number)
                await until(alone)
                await until(lambda: seen.memory_info().rss < idle + KEPT + KEPT_OF_EACH * number)
                await until(lambda: seen.num_fds() <= descriptors + OPENED)
        finally:
            process.terminate()
            await reading


class Counted(Memory):
    """Counts how often it has given back."""

    given = 0

    async def give_back(self) -> None:
        self.given += 1
        await super().give_back()


@pytest.mark.parametrize(
    ("numbers", "given"),
    [
        ([CROWD - 1, 0, 0, 0], 0),
        ([CROWD, 0], 0),  # what they left is being ended
        ([CROWD, 0, 0, 0], 1),
        ([CROWD, 0, CROWD, 0], 0),
        ([CROWD, 0, CROWD, 0, 0], 1),
        ([4 * CROWD, CROWD + 1, CROWD + 1], 0),
        ([4 * CROWD, CROWD, CROWD, 0, 0, 0], 2),
    ],
)
async def test_memory_is_given_back_when_a_crowd_is_gone(numbers: list[int], given: int) -> None:
    connections: list[None] = []
    memory = Counted(connections)
    for number in numbers:
        connections[:] = [None] * number
        await memory.look()
    assert memory.given == given


async def test_what_was_looked_for_in_vain_is_not_kept() -> None:
    name = "".join(["not", "there"])
    before = sys.getrefcount(name)
    assert not hasattr(Counted, name)
    assert sys.getrefcount(name) > before
    await Memory([]).give_back()
    assert sys.getrefcount(name) == before
