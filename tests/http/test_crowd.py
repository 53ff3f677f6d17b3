"""Connections that come in thousands and go without a word leave nothing behind."""

import asyncio
import contextlib
import gc
import json
import resource
import socket
import struct
from pathlib import Path

import psutil
import pytest

from graph.serving.protocol import BoundedHttp
from tests.cli.program import line_with, started
from tests.http.server import head, running, until
from tests.server import Urls

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: the connection ends by a reset."""

ROUNDS = 5
GROWTH = 8 * 1024 * 1024
"""Bytes between two rounds that say nothing, whatever the number of connections."""

QUERY = b'{"query": "{ __typename }"}'
POST = head("/graphql", "POST", content_type="application/json", content_length=len(QUERY))
SENT = [b"", POST[:20], POST + QUERY[:5], POST + QUERY, POST + QUERY + POST + QUERY[:5], b"\0" * 100]


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


async def test_a_crowd_leaves_no_connection_behind(number: int) -> None:
    async with running() as site:
        before = psutil.Process().num_fds()
        await come_and_go(site.port, number // 2)  # of which both ends are here
        await until(lambda: site.connections == 0)
        await until(lambda: site.tasks == 0)
        await until(lambda: psutil.Process().num_fds() <= before)
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
            sizes = []
            for _ in range(ROUNDS):
                await come_and_go(port, number)
                await until(alone)
                sizes.append(seen.memory_info().rss)
            # What one crowd needs the allocator keeps for the next, and takes a few rounds to have it all.
            assert sizes[-1] - sizes[2] < GROWTH, sizes
        finally:
            process.terminate()
            await reading
