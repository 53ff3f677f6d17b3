"""How cost grows with rows, whether memory stays, who waits for a large request: `python -m bench.growth`.

One gateway process. Growth is its CPU per request for the same query over 10 to 9,999 nodes. Memory is what
is resident, after some and after 10,000 requests. Who waits is a query for one row, over a connection of its
own, while another client asks for 9,999 nodes without a pause.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import psutil
import uvloop
from pydantic import SecretStr

from bench import data, documents, load
from bench.server import NEIGHBOUR, TENANT, USER, Database, Process, database, gateway, pin
from graph.app import create_app
from graph.settings import Settings

REQUESTS: Final = 10_000
"""Between the first and the last look at the memory."""
SECONDS: Final = 8
"""For each spell of load."""
NODES: Final = {10: (1, 2, 1), 101: (1, 20, 20), 1010: (10, 20, 20), 9_999: (99, 20, 20)}
"""Companies, and of each the deals and contacts, by how many objects that makes in all."""

_DOCUMENT: Final = """query ($companies: Int!, $deals: Int!, $contacts: Int!) {
    companies(first: $companies) { nodes { id name city
        contacts(first: $contacts) { nodes { id fullName email phoneE164 createdAt } }
        deals(first: $deals) { nodes { id name amountMinor currency status createdAt
            contact { id fullName email } stage { id code } pipeline { id name } } }
    } } }"""


async def main() -> None:
    """Print three tables, as Markdown."""
    async with database() as started:
        pin(started)
        await data.fill(started.owner_url, {TENANT: USER, NEIGHBOUR: NEIGHBOUR})
        async with gateway(started, pinned=True) as process:
            await _growth(started, process)
            await _memory(started, process)
            await _beside(started, process)
        await _turns(started)


def _large(nodes: int) -> dict[str, Any]:
    names = ("companies", "deals", "contacts")
    return {"query": _DOCUMENT, "variables": dict(zip(names, NODES[nodes], strict=True))}


async def _growth(started: Database, process: Process) -> None:
    print("| nodes | server CPU ms | µs a node | database CPU ms |\n| ---: | ---: | ---: | ---: |")
    for nodes in NODES:
        sample = await load.measure(
            process.url, started.headers, _large(nodes), process.pid, started.superuser_url, SECONDS
        )
        each = sample.server / nodes * 1000
        print(f"| {nodes} | {sample.server:.2f} | {each:.1f} | {sample.database:.2f} |")


async def _memory(started: Database, process: Process) -> None:
    print("\n| requests | resident MiB |\n| ---: | ---: |")
    done, seen = 0, []
    while done < REQUESTS:
        sent = await load.send(process.url, started.headers, documents.ours("Q2"), 2)
        done += sent.requests
        seen.append((done, psutil.Process(process.pid).memory_info().rss / 2**20))
    for requests, resident in (seen[0], seen[len(seen) // 2], seen[-1]):
        print(f"| {requests} | {resident:.1f} |")


async def _beside(started: Database, process: Process) -> None:
    print("\n| a query for one row | p50 ms | p99 ms |\n| --- | ---: | ---: |")
    one = documents.ours("Q1")
    alone = await load.send(process.url, started.headers, one, SECONDS, connections=1)
    print(f"| alone | {alone.p50:.1f} | {alone.p99:.1f} |")
    async with _asking(process.url, started.headers, _large(9_999)) as took:
        beside = await load.send(process.url, started.headers, one, SECONDS, connections=1)
    large = f"beside requests of 9,999 nodes, {1000 * sum(took) / len(took):.0f} ms each"
    print(f"| {large} | {beside.p50:.1f} | {beside.p99:.1f} |")


async def _turns(started: Database) -> None:
    """How long the event loop is held, in CPU: what else runs on the machine does not count."""
    settings = Settings(database_url=SecretStr(started.gateway_url), keys_file=started.keys_file)
    app, turns = create_app(settings), list[float]()

    async def watch() -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            turns.append(now - last)
            last = now

    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://bench") as http,
    ):
        for _ in range(3):
            turns.clear()
            watching = asyncio.create_task(watch())
            answer = await http.post("/graphql", json=_large(9_999), headers=started.headers)
            if "errors" in answer.json():
                raise RuntimeError(answer.text[:500])
            watching.cancel()
    longest = f"{1000 * max(turns):.1f} ms of CPU"
    print(f"\nThe longest turn of the event loop in a request of 9,999 nodes took {longest}.")


@contextlib.asynccontextmanager
async def _asking(url: str, headers: dict[str, str], body: dict[str, Any]) -> AsyncIterator[list[float]]:
    """Ask again and again meanwhile; how many seconds each answer took."""
    took: list[float] = []

    async def ask() -> None:
        async with httpx.AsyncClient(timeout=60) as http:
            while True:
                began = time.perf_counter()
                (await http.post(url, json=body, headers=headers)).raise_for_status()
                took.append(time.perf_counter() - began)

    task = asyncio.create_task(ask())
    try:
        yield took
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    uvloop.run(main())  # as `m3 serve` does: it reads more from a socket in one turn
