"""Queries per second and what they cost, beside the peers: `python -m bench.queries`.

All servers run in one run on one database, pinned to one core; the load and PostgreSQL have the other. They
take turns at every query, and each figure is the median of the rounds. BENCH_SECONDS (of load, for each
server, query and round) and BENCH_ROUNDS say how long; the table comes out as Markdown.
"""

import asyncio
import os
import re
import sys
from typing import Any, Final

import httpx

from bench import data, documents, load, report
from bench.contenders import Server, all_of_them
from bench.load import Sample
from bench.server import NEIGHBOUR, TENANT, USER, Database, database, pin

SECONDS: Final = int(os.environ.get("BENCH_SECONDS", "8"))
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "3"))

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+?)0*)?(?:Z|\+00:00)")


async def main() -> None:
    """Print the tables; progress goes to standard error."""
    async with database() as started:
        pin(started)
        await data.fill(started.owner_url, {TENANT: USER, NEIGHBOUR: NEIGHBOUR})
        async with all_of_them(started) as servers:
            for name in documents.TITLES:
                await _agree(servers, name)
            samples: dict[tuple[str, str], list[Sample]] = {}
            for number in range(ROUNDS):
                for name in documents.TITLES:
                    for server in servers:
                        sample = await _sample(server, name, started)
                        samples.setdefault((name, server.name), []).append(sample)
                        _progress(f"round {number + 1} {name} {report.line(server.name, sample)}")
    print(report.tables({key: load.median(found) for key, found in samples.items()}, SECONDS, ROUNDS))


async def _sample(server: Server, name: str, started: Database) -> Sample:
    return await load.measure(
        server.process.url,
        server.headers,
        server.request(name),
        server.process.pid,
        started.superuser_url,
        SECONDS,
    )


async def _agree(servers: list[Server], name: str) -> None:
    """Stop here unless all servers answer a query alike."""
    answers = {}
    async with httpx.AsyncClient(timeout=30) as http:
        for server in servers:
            response = await http.post(server.process.url, json=server.request(name), headers=server.headers)
            body = response.json()
            if "errors" in body or not body.get("data"):
                raise RuntimeError(f"{server.name} answers {name} with {response.text[:500]}")
            answers[server.name] = essential(body["data"].get("viewer", body["data"]))
    expected = answers[servers[0].name]
    for answering, answer in answers.items():
        if answer != expected:
            raise RuntimeError(f"{answering} answers {name} otherwise:\n{answer}\n{expected}"[:4000])


def essential(value: Any) -> Any:
    """An answer without what servers spell each in their own way: cursors, case of enums, zones of times."""
    if isinstance(value, dict):
        return {key: essential(v) for key, v in value.items() if key not in ("cursor", "pageInfo")}
    if isinstance(value, list):
        return [essential(v) for v in value]
    if isinstance(value, str):
        return _TIME.sub(r"\1.\2Z", value).casefold()
    return value


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
