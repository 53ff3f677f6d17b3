"""Who waits for the hostile documents of others: `python -m bench.neighbour`, less than two minutes.

One gateway process on one core. A neighbour asks for a small query over 4 connections, 50 times a second
each, alone and beside others at another address, who are not signed in and ask either for little or for what
is refused. The spells take turns, and each figure is the median of its spells.
"""

import asyncio
import itertools
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import orjson
import psutil

from bench.server import Process, database, gateway, pin
from tests.limits.documents import HOSTILE

SECONDS: Final = 4
"""For each spell."""
ROUNDS: Final = 4
RATES: Final = (50, 200)
"""Requests of the others, a second."""
CONNECTIONS: Final = 4
"""Of the neighbour, and of the others."""
PAUSE: Final = 0.02
"""Seconds from one request of a connection of the neighbour to the next."""
OTHERS: Final = "127.0.0.2"
"""The address of the others."""

_BODIES: Final = (
    b'"a string"',
    b"[" * 100_000,
    b'{"query": "{ __typename }", "variables": {"a": ' + b"1" * 5000 + b"}}",
    b'{"query": "\xff"}',
)
"""What is no request of GraphQL at all."""


@dataclass
class Spell:
    """What one spell measured: milliseconds, and how much of its core the server used, in percent."""

    p50: float
    p99: float
    cpu: float


def _request(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST /graphql HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}\r\n\r\n"]).encode() + body


def _query(text: str) -> bytes:
    return orjson.dumps({"query": text})


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """Send a request and read its answer to the end; the status."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


def disturb(url: str, rate: int, *, hostile: bool) -> None:
    """Send so many requests a second from OTHERS for a spell."""
    if not rate:
        return
    bodies = [_query(text) for text, _ in HOSTILE.values()] + list(_BODIES)
    requests = [_request(url, body, {}) for body in (bodies if hostile else [_query("{ __typename }")])]
    asyncio.run(_disturb(url, rate, itertools.cycle(requests), 400 if hostile else 200))


async def _disturb(url: str, rate: int, requests: Iterator[bytes], status: int) -> None:
    began, sent = time.perf_counter(), itertools.count()
    port = urlsplit(url).port

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(OTHERS, 0))
        while (due := next(sent) / rate) < SECONDS:
            await asyncio.sleep(began + due - time.perf_counter())
            # As clients get it who do not know of GraphQL over HTTP, a document that is refused is a 200
            found = await _exchange(reader, writer, next(requests))
            if found not in (200, status):
                raise RuntimeError(f"HTTP {found}")
        writer.close()

    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))


async def neighbour(url: str, headers: dict[str, str]) -> list[float]:
    """How many milliseconds each answer took during a spell."""
    took: list[float] = []
    request = _request(url, _query("{ viewer { user { id email } tenant { name } } }"), headers)
    began = time.perf_counter()

    async def ask(first: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        due = began + first
        while due < began + SECONDS:
            await asyncio.sleep(due - time.perf_counter())
            sent = time.perf_counter()
            if await _exchange(reader, writer, request) != 200:
                raise RuntimeError("the neighbour was refused")
            now = time.perf_counter()
            took.append(1000 * (now - sent))
            due = max(due + PAUSE, now)
        writer.close()

    await asyncio.gather(*(ask(number * PAUSE / CONNECTIONS) for number in range(CONNECTIONS)))
    return took


async def _spell(
    process: Process, headers: dict[str, str], pool: ProcessPoolExecutor, rate: int, *, hostile: bool
) -> Spell:
    server = psutil.Process(process.pid)
    before = server.cpu_times()
    others = asyncio.get_running_loop().run_in_executor(
        pool, partial(disturb, process.url, rate, hostile=hostile)
    )
    took = await neighbour(process.url, headers)
    await others
    after = server.cpu_times()
    cuts = statistics.quantiles(took, n=100)
    used = after.user + after.system - before.user - before.system
    return Spell(cuts[49], cuts[98], 100 * used / SECONDS)


async def main() -> None:
    """Print a table, as Markdown."""
    kinds = [(0, False), *itertools.product(RATES, (False, True))]
    spells: dict[tuple[int, bool], list[Spell]] = {kind: [] for kind in kinds}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        async with (
            database() as started,
            gateway(started, pinned=True, M3_COST_PER_ADDRESS="0") as process,
        ):
            pin(started)
            for number in range(ROUNDS + 1):
                for rate, hostile in kinds:
                    spell = await _spell(process, started.headers, pool, rate, hostile=hostile)
                    if number:  # the first finds nothing warm
                        spells[rate, hostile].append(spell)
    print("| beside | p50 ms | p99 ms | p99 / benign | server CPU % |")
    print("| --- | ---: | ---: | ---: | ---: |")
    found = {kind: _median(of) for kind, of in spells.items()}
    for (rate, hostile), spell in found.items():
        name = f"{rate} {'hostile' if hostile else 'benign'} requests a second" if rate else "nobody"
        ratio = f"{spell.p99 / found[rate, False].p99:.2f}" if rate else ""
        print(f"| {name} | {spell.p50:.2f} | {spell.p99:.2f} | {ratio} | {spell.cpu:.0f} |")


def _median(spells: list[Spell]) -> Spell:
    columns = zip(*(vars(spell).values() for spell in spells), strict=True)
    return Spell(*map(statistics.median, columns))


if __name__ == "__main__":
    asyncio.run(main())
