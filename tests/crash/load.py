"""A load of mutations over HTTP, each under a key of its own, and the ledger of what was answered."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.cli.program import line_with, started


@dataclass(frozen=True)
class Job:
    """A mutation that a client wants done once."""

    key: str
    query: str
    variables: dict[str, Any]


@dataclass
class Ledger:
    """What the client knows: the text of each answer, and which jobs it has sent without getting one."""

    answers: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)


@asynccontextmanager
async def serving(
    database_url: str, keys_file: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`m3 serve` as a process of its own, and where it listens."""
    settings = {"database_url": database_url, "keys_file": keys_file, "port": 0}
    async with started("serve", **settings) as process:
        port = json.loads(await line_with(process.stderr, '"serving"'))["port"]
        yield process, f"http://127.0.0.1:{port}"


async def work_off(
    base_url: str, token: str, jobs: Iterable[Job], ledger: Ledger, answered: Callable[[], None]
) -> None:
    """Send the jobs, eight at a time, until they are done or nobody answers; `answered` at each answer."""
    waiting = iter(jobs)
    headers = {"Authorization": f"Bearer {token}"}

    async def worker(http: httpx.AsyncClient) -> None:
        for job in waiting:
            ledger.unanswered.add(job.key)
            try:
                response = await http.post(
                    "/graphql",
                    json={"query": job.query, "variables": job.variables},
                    headers={"Idempotency-Key": job.key},
                )
            except httpx.TransportError:
                return
            assert response.status_code == 200, response.text
            ledger.unanswered.discard(job.key)
            ledger.answers[job.key] = response.text
            answered()

    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60, trust_env=False) as http:
        await asyncio.gather(*(worker(http) for _ in range(8)))
