"""The deadline: a query that takes too long is cancelled in the database, a mutation never is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from tests.client import Client, running, signed_in
from tests.factories import insert, make_tenant
from tests.server import Urls

SECONDS = 0.5
WAITING = sa.text("SELECT count(*) FROM pg_locks WHERE relation = CAST(:name AS regclass) AND NOT granted")


@asynccontextmanager
async def locked(engine: AsyncEngine, table: str) -> AsyncIterator[None]:
    """Nobody else reads or writes the table in this block."""
    async with engine.connect() as connection:
        await connection.execute(sa.text("BEGIN"))
        await connection.execute(sa.text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        try:
            yield
        finally:
            await connection.execute(sa.text("ROLLBACK"))


@pytest.fixture(params=["planned", "stock"])
async def hurried(urls: Urls, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A gateway with little time and one connection for each engine."""
    settings = {"engine": request.param, "operation_seconds": SECONDS, "pool_size": 1}
    async with running(urls.gateway, tmp_path, **settings) as client:
        yield client


async def until(owner: AsyncConnection, table: str, count: int) -> None:
    """Until so many statements wait for a lock on the table."""
    async with asyncio.timeout(30):
        while True:
            if await owner.scalar(WAITING, {"name": table}) == count:
                return
            await asyncio.sleep(0.01)


async def test_a_query_past_its_time_is_cancelled(
    hurried: Client, owner: AsyncConnection, owner_engine: AsyncEngine
) -> None:
    reader = await signed_in(hurried, owner, await make_tenant(owner), "*")
    await insert(owner, models.Company, tenant_id=reader.tenant_id, name="ours")
    query = "{ viewer { tenant { id } } deals { nodes { id } } companies { nodes { name } } }"
    async with locked(owner_engine, "deals"):
        answer = await reader.ask(query)
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"TIMEOUT"}
        assert ["deals"] in [error["path"] for error in answer["errors"]]
        assert answer["data"]["deals"] is None
        await until(owner, "deals", 0)
        # The one connection is there for the next, in no transaction and of no tenant
        assert (await reader.read("{ companies { nodes { name } } }"))["companies"]["nodes"] == [
            {"name": "ours"}
        ]
        other = await signed_in(hurried, owner, await make_tenant(owner), "*")
        assert (await other.read("{ companies { nodes { name } } }"))["companies"]["nodes"] == []
    assert (await reader.read("{ deals { nodes { id } } }"))["deals"]["nodes"] == []


async def test_a_query_that_waits_for_the_only_connection_is_given_up_too(
    hurried: Client, owner: AsyncConnection, owner_engine: AsyncEngine
) -> None:
    reader = await signed_in(hurried, owner, await make_tenant(owner), "*")
    async with locked(owner_engine, "deals"):
        answers = await asyncio.gather(*(reader.codes("{ deals { totalCount } }") for _ in range(3)))
    assert {code for codes in answers for code in codes} <= {"TIMEOUT", "UNAVAILABLE"}
    assert all(answers)
    assert await reader.codes("{ deals { totalCount } }") == []


async def test_a_mutation_is_not_cancelled(
    hurried: Client, owner: AsyncConnection, owner_engine: AsyncEngine
) -> None:
    writer = await signed_in(hurried, owner, await make_tenant(owner), "*")
    mutation = 'mutation { createCompany(input: { name: "late" }) { company { name } errors { message } } }'
    async with locked(owner_engine, "companies"):
        writing = asyncio.create_task(writer.ask(mutation))
        await until(owner, "companies", 1)
        assert await writer.codes("{ companies { totalCount } }") == ["TIMEOUT"]
        assert not writing.done(), "it has waited for longer than that query"
    assert (await writing)["data"] == {"createCompany": {"company": {"name": "late"}, "errors": []}}
    stored = sa.select(models.Company.name).where(models.Company.tenant_id == writer.tenant_id)
    assert list(await owner.scalars(stored)) == ["late"]
