"""Mutations per second, beside plain asyncpg writing the same rows: `python -m bench.mutations`.

Both write the row and its audit entry in one transaction confined to the tenant, over as many connections
as there are workers. The ratio says what the gateway costs: HTTP, GraphQL, the token, rights, validation.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx

from bench.server import TENANT, USER, Bench, running

WORKERS = 8
SECONDS = 5.0
BULK = 500

_CREATE = "mutation($i: CreateCompanyInput!) { createCompany(input: $i) { company { id } errors { code } } }"
_UPDATE = (
    "mutation($id: ID!, $i: UpdateCompanyInput!) "
    "{ updateCompany(id: $id, input: $i) { company { id } errors { code } } }"
)
_BULK = (
    "mutation($i: [CreateCompanyInput!]!) "
    "{ createCompanies(input: $i) { results { company { id } } errors { code } } }"
)
_SCOPE = f"BEGIN; SET LOCAL app.tenant_id = '{TENANT}'; SET LOCAL app.user_id = '{USER}'"
_INSERT = "INSERT INTO companies (tenant_id, name, country) VALUES ($1, $2, $3) RETURNING *"
_CHANGE = "UPDATE companies SET name = $3 WHERE tenant_id = $1 AND id = $2 RETURNING *"
_AUDIT = (
    "INSERT INTO audit_logs (tenant_id, user_id, action, entity_type, entity_id, after_data) "
    "VALUES ($1, $2, $3, 'company', $4, $5)"
)

Step = Callable[[int], Awaitable[None]]


async def rate(steps: list[Step]) -> float:
    """How often per second the steps, one a worker, are done side by side."""
    ends = time.perf_counter() + SECONDS
    done = 0

    async def work(step: Step) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            await step(done)
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(work(step) for step in steps))
    return done / (time.perf_counter() - began)


async def through_gateway(bench: Bench, http: httpx.AsyncClient, name: str) -> list[Step]:
    """The steps of the workers that use the gateway."""

    async def send(document: str, **variables: Any) -> Any:
        body = {"query": document, "variables": variables}
        answer = (await http.post(bench.url, json=body, headers=bench.headers)).json()
        if "errors" in answer:
            raise RuntimeError(answer["errors"])
        return answer["data"]

    async def create(number: int) -> None:
        await send(_CREATE, i={"name": f"Company {number}", "country": "EG"})

    async def bulk(number: int) -> None:
        await send(_BULK, i=[{"name": f"Company {number}.{row}", "country": "EG"} for row in range(BULK)])

    def updating(company: str) -> Step:
        async def update(number: int) -> None:
            await send(_UPDATE, id=company, i={"name": f"Renamed {number}"})

        return update

    if name == "update":
        made = [await send(_CREATE, i={"name": "To rename"}) for _ in range(WORKERS)]
        return [updating(answer["createCompany"]["company"]["id"]) for answer in made]
    return [create if name == "create" else bulk] * WORKERS


async def through_asyncpg(connections: "list[asyncpg.Connection[Any]]", name: str) -> list[Step]:
    """The steps of the workers that write the rows themselves."""

    def step(connection: "asyncpg.Connection[Any]", company: Any) -> Step:
        async def audit(row: Any, action: str) -> None:
            await connection.execute(
                _AUDIT, TENANT, USER, action, row["id"], json.dumps(dict(row), default=str)
            )

        async def one(number: int) -> None:
            await connection.execute(_SCOPE)
            if name == "update":
                row = await connection.fetchrow(_CHANGE, TENANT, company, f"Renamed {number}")
            else:
                row = await connection.fetchrow(_INSERT, TENANT, f"Company {number}", "EG")
            await audit(row, f"company.{name}")
            await connection.execute("COMMIT")

        async def many(number: int) -> None:
            await connection.execute(_SCOPE)
            rows = await connection.fetchmany(
                _INSERT, [(TENANT, f"Company {number}.{row}", "EG") for row in range(BULK)]
            )
            entries = [
                (TENANT, USER, "company.create", row["id"], json.dumps(dict(row), default=str))
                for row in rows
            ]
            await connection.executemany(_AUDIT, entries)
            await connection.execute("COMMIT")

        return many if name == "bulk" else one

    async def company(connection: "asyncpg.Connection[Any]") -> Any:
        await connection.execute(_SCOPE)
        row = await connection.fetchrow(_INSERT, TENANT, "To rename", "EG")
        await connection.execute("COMMIT")
        return row["id"] if row else None

    return [step(connection, await company(connection)) for connection in connections]


async def main() -> None:
    """Print a line for each kind of mutation."""
    async with running() as bench, httpx.AsyncClient(timeout=60) as http:
        connections = [await asyncpg.connect(bench.gateway_url) for _ in range(WORKERS)]
        print(f"{WORKERS} workers, {SECONDS:.0f} s each\n")
        print(f"{'':8}{'gateway/s':>12}{'asyncpg/s':>12}{'ratio':>8}   rows per operation")
        for name, rows in (("create", 1), ("update", 1), ("bulk", BULK)):
            ours = await rate(await through_gateway(bench, http, name))
            theirs = await rate(await through_asyncpg(connections, name))
            print(f"{name:8}{ours:12.1f}{theirs:12.1f}{ours / theirs:8.2f}   {rows}")
        for connection in connections:
            await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
