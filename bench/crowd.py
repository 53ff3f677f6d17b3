"""What is left of thousands of connections that come and go: `python -m bench.crowd [CONNECTIONS]`, a minute.

A crowd is that many connections, 10,000 if nothing is said, open at once, each at another point of a request,
and all dropped. Memory is looked at some seconds later, when it has been given back.
"""

import asyncio
import resource
import sys
from typing import Final

import httpx
import psutil

from bench.server import database, gateway
from graph.serving.bounds import SPARE_DESCRIPTORS
from tests.http.test_crowd import come_and_go

CROWDS: Final = 8
SECONDS: Final = 4
"""Until a look at the memory."""


async def main() -> None:
    """Print a table, as Markdown."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    number = int(sys.argv[1]) if sys.argv[1:] else 10_000
    number = number if most == resource.RLIM_INFINITY else min(number, most - SPARE_DESCRIPTORS)
    print(f"| crowds of {number} | resident MiB | descriptors |\n| ---: | ---: | ---: |")
    async with database() as started, gateway(started) as process:
        server = psutil.Process(process.pid)
        port = int(process.url.rpartition(":")[2].partition("/")[0])
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:  # until it has begun to answer
            query = {"query": "{ deals(first: 1) { nodes { id } } }"}
            (await http.post(process.url, json=query, headers=started.headers)).raise_for_status()
        await come_and_go(port, 100)
        for crowd in range(CROWDS + 1):
            if crowd:
                await come_and_go(port, number)
            await asyncio.sleep(SECONDS)
            print(f"| {crowd} | {server.memory_info().rss / 2**20:.0f} | {server.num_fds()} |")


if __name__ == "__main__":
    asyncio.run(main())
