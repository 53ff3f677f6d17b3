"""Load from wrk, and what it costs the server and its database connections."""

import asyncio
import contextlib
import json
import os
import statistics
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
import psutil

from bench.server import OTHER_CORE, on_core

CONNECTIONS: Final = 16
_SCRIPT: Final = Path(__file__).with_name("peers") / "post.lua"


@dataclass
class Sample:
    """What one spell of load measured; CPU and latency in milliseconds."""

    rate: float
    p50: float
    p99: float
    server: float
    """CPU per request of the server's processes."""
    database: float
    """CPU per request of its connections in PostgreSQL."""
    memory: float
    """Resident, MiB, at the end."""
    others: float
    """How many cores other work of the machine took meanwhile."""


async def measure(
    url: str, headers: dict[str, str], request: dict[str, Any], pid: int, database_url: str, seconds: int
) -> Sample:
    """`seconds` of load from CONNECTIONS connections; a quarter of it before, so that it finds all warm.

    Where that is too short for a slow server, as long as it takes.
    """
    await send(url, headers, request, max(1, seconds // 4))
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    backends = await _backends(processes, database_url)
    before, idle = (_cpu(processes), _cpu(backends)), _busy()
    sent = await send(url, headers, request, seconds)
    server, database = _cpu(processes) - before[0], _cpu(backends) - before[1]
    requests = sent.requests
    if requests < 3 * CONNECTIONS:
        return await measure(url, headers, request, pid, database_url, 2 * seconds)
    return Sample(
        rate=requests / sent.seconds,
        p50=sent.p50,
        p99=sent.p99,
        server=server * 1000 / requests,
        database=database * 1000 / requests,
        memory=sum(process.memory_info().rss for process in processes) / 2**20,
        others=max(0.0, _busy() - idle - server - database - sent.cpu) / sent.seconds,
    )


def median(samples: Iterable[Sample]) -> Sample:
    """The medians of each figure."""
    columns = zip(*(vars(sample).values() for sample in samples), strict=True)
    return Sample(*(statistics.median(column) for column in columns))


class Sent(NamedTuple):
    """What wrk says of a spell of load: p50 and p99 in milliseconds, and the CPU seconds that itself took."""

    requests: int
    seconds: float
    p50: float
    p99: float
    cpu: float


async def send(
    url: str, headers: dict[str, str], request: dict[str, Any], seconds: int, connections: int = CONNECTIONS
) -> Sent:
    """The same request from each of `connections` as soon as the last one is answered; none may fail."""
    began = os.times()
    with tempfile.NamedTemporaryFile(suffix=".json") as body:
        body.write(json.dumps(request).encode())
        body.flush()
        process = await asyncio.create_subprocess_exec(
            *on_core(OTHER_CORE),
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(_SCRIPT), url),
            *("--", body.name),
            env={**os.environ, "HEADERS": "\n".join(f"{name}: {value}" for name, value in headers.items())},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
    ended = os.times()
    line = next((line for line in out.decode().splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise RuntimeError(f"wrk said:\n{out.decode()}")
    requests, microseconds, p50, p99, errors = line.split()[1:]
    if errors != "0":
        raise RuntimeError(f"{errors} of {requests} requests to {url} failed")
    cpu = (
        ended.children_user + ended.children_system - began.children_user - began.children_system
    )  # of all children that have ended meanwhile, and wrk is the only one
    return Sent(int(requests), int(microseconds) / 1e6, float(p50), float(p99), cpu)


async def _backends(processes: list[psutil.Process], database_url: str) -> list[psutil.Process]:
    """The processes of PostgreSQL that serve the connections of `processes`."""
    ports = [
        connection.laddr.port for process in processes for connection in process.net_connections(kind="tcp")
    ]
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE client_port = ANY($1)", ports)
    finally:
        await connection.close()
    return [psutil.Process(row["pid"]) for row in rows]


def _cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # a connection that its pool has closed
            time = process.cpu_times()
            total += time.user + time.system
    return total


def _busy() -> float:
    """The seconds that all cores together have worked since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)
