"""Snapshots past SQLAlchemy: the same promises as the sessions', kept by the driver's own pool."""

import asyncio
import contextlib
import socket
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Company
from db.session import Database, DatabaseUnavailable, Scope
from tests import factories
from tests.db.test_session import ACTIVE, CONNECTED, TERMINATE, connected, eventually, named_database
from tests.factories import make_tenant
from tests.server import Urls

COMPANIES = "SELECT count(*) FROM companies"


@pytest.fixture
async def tenant(owner: AsyncConnection) -> UUID:
    tenant = await make_tenant(owner)
    await factories.insert(owner, Company, tenant_id=tenant)
    return tenant


async def test_a_snapshot_sees_its_tenant_and_no_other(database: Database, tenant: UUID) -> None:
    for scope, count in ((Scope(tenant_id=tenant), 1), (Scope(tenant_id=uuid4()), 0), (Scope(), 0)):
        async with database.readers.snapshot(scope) as connection:
            assert await connection.fetchval(COMPANIES) == count


async def test_the_scope_ends_with_the_transaction(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, _):
        async with database.readers.snapshot(Scope(tenant_id=tenant, user_id=tenant)):
            pass
        async with database.readers.snapshot(Scope()) as connection:
            for name in ("app.tenant_id", "app.user_id"):
                assert await connection.fetchval("SELECT current_setting($1)", name) == ""


async def test_a_snapshot_stays_as_it_was(database: Database, owner: AsyncConnection, tenant: UUID) -> None:
    async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
        assert await connection.fetchval(COMPANIES) == 1
        await factories.insert(owner, Company, tenant_id=tenant)
        assert await connection.fetchval(COMPANIES) == 1


async def test_nothing_can_be_written(database: Database, tenant: UUID) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
            await connection.execute("INSERT INTO companies (tenant_id, name) VALUES ($1, 'New')", tenant)


async def test_begin_and_scope_are_one_round_trip(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, _):
        sent: list[str] = []
        async with database.readers.snapshot(Scope()) as connection:
            connection.add_query_logger(lambda query: sent.append(query.query))
        async with database.readers.snapshot(Scope(tenant_id=tenant)):
            pass
    begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL app.tenant_id = E'{tenant}'"
    assert sent == ["COMMIT", begin, "COMMIT"]


@pytest.mark.parametrize("fault", ["SELECT 1/0", None], ids=["in a statement", "in the block"])
async def test_a_fault_leaves_the_connection_fit(urls: Urls, tenant: UUID, fault: str | None) -> None:
    async def fail(database: Database) -> None:
        async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
            if fault is not None:
                await connection.fetchval(fault)
            raise LookupError

    async with named_database(urls.gateway, pool_size=1) as (database, _):
        async with database.readers.snapshot(Scope()) as connection:
            first = connection.get_server_pid()
        with pytest.raises((LookupError, asyncpg.DivisionByZeroError)):
            await fail(database)
        async with database.readers.snapshot(Scope()) as connection:
            assert connection.get_server_pid() == first
            assert await connection.fetchval(COMPANIES) == 0


async def test_connections_that_died_in_the_pool_are_replaced(urls: Urls, tenant: UUID) -> None:
    scope = Scope(tenant_id=tenant)
    async with named_database(urls.gateway, pool_size=3) as (database, name):
        for _ in range(2):
            async with contextlib.AsyncExitStack() as stack:
                opened = [await stack.enter_async_context(database.readers.snapshot(scope)) for _ in range(3)]
                assert [await connection.fetchval(COMPANIES) for connection in opened] == [1, 1, 1]
            async with connected(urls.gateway) as other:
                assert await other.fetchval(TERMINATE, name) == 3
            await eventually(urls.gateway, CONNECTED, name, lambda count: count == 0)


async def test_a_connection_lost_half_way_is_unavailable_and_the_next_works(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, name):

        async def lose_it(*, before_a_statement: bool) -> None:
            async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
                async with connected(urls.gateway) as other:
                    await other.fetchval(TERMINATE, name)
                if before_a_statement:
                    await connection.fetchval(COMPANIES)

        for before_a_statement in (True, False):
            with pytest.raises(DatabaseUnavailable):
                await lose_it(before_a_statement=before_a_statement)
            async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
                assert await connection.fetchval(COMPANIES) == 1


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nothing else takes the port meanwhile
        database = Database(f"postgresql://nobody:x@127.0.0.1:{bound.getsockname()[1]}/none")
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                async with database.readers.snapshot(Scope()):
                    pass
        await database.close()


async def test_a_cancelled_query_leaves_the_pool_whole(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, name):

        async def wait_long() -> None:
            async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
                await connection.execute("SELECT pg_sleep(30)")

        task = asyncio.create_task(wait_long())
        await eventually(urls.gateway, ACTIVE, name, lambda count: count == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
            assert await connection.fetchval(COMPANIES) == 1
        await eventually(urls.gateway, ACTIVE, name, lambda count: count == 0)


async def test_who_waits_commits_for_who_was_there_before(
    urls: Urls, owner: AsyncConnection, tenant: UUID
) -> None:
    sent: list[str] = []

    async def count() -> int:
        async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
            return int(await connection.fetchval(COMPANIES))

    async with named_database(urls.gateway, pool_size=1) as (database, _):
        async with database.readers.snapshot(Scope(tenant_id=uuid4(), user_id=tenant)) as connection:
            connection.add_query_logger(lambda query: sent.append(query.query))
            assert await connection.fetchval(COMPANIES) == 0
            waiting = [asyncio.create_task(count()) for _ in range(2)]
            while database.readers.usage().waiting < 2:  # noqa: ASYNC110  nothing tells of it
                await asyncio.sleep(0)
            await factories.insert(owner, Company, tenant_id=tenant)
        assert await asyncio.gather(*waiting) == [2, 2]
        async with database.readers.snapshot(Scope()) as again:
            assert again is connection
            assert await again.fetchval("SELECT current_setting('app.user_id')") == ""
    begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL app.tenant_id = E'{tenant}'"
    assert [text for text in sent if "BEGIN" in text or "COMMIT" in text] == [
        *[f"COMMIT; {begin}"] * 2,
        "COMMIT",
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "COMMIT",
    ]


async def test_a_transaction_that_nobody_takes_over_is_ended(urls: Urls, tenant: UUID) -> None:
    async def wait() -> None:
        async with database.readers.snapshot(Scope(tenant_id=tenant)):
            pytest.fail("it was cancelled")

    async with named_database(urls.gateway, pool_size=1) as (database, name):
        async with database.readers.snapshot(Scope(tenant_id=tenant)):
            waiting = asyncio.create_task(wait())
            while not database.readers.usage().waiting:  # noqa: ASYNC110  nothing tells of it
                await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await eventually(urls.gateway, CONNECTED, name, lambda count: count == 0)
        async with database.readers.snapshot(Scope(tenant_id=tenant)) as connection:
            assert await connection.fetchval(COMPANIES) == 1


async def test_who_waits_gets_the_next_connection_and_who_gives_up_takes_none(
    urls: Urls, tenant: UUID
) -> None:
    scope = Scope(tenant_id=tenant)

    async def count(started: asyncio.Event) -> int:
        started.set()
        async with database.readers.snapshot(scope) as connection:
            return int(await connection.fetchval(COMPANIES))

    async with named_database(urls.gateway, pool_size=2) as (database, name):
        async with database.readers.snapshot(scope), database.readers.snapshot(scope):
            started = [asyncio.Event() for _ in range(7)]
            tasks = [asyncio.create_task(count(event)) for event in started]
            for event in started:
                await event.wait()
            for task in tasks[:3]:
                task.cancel()
        assert [await task for task in tasks[3:]] == [1] * 4
        assert all(task.cancelled() for task in tasks[:3])
        await eventually(urls.gateway, CONNECTED, name, lambda connected: connected == 2)
        # Cancelled in the moment when it is given the connection, it passes it on
        async with database.readers.snapshot(scope):
            async with database.readers.snapshot(scope) as last:
                started = [asyncio.Event() for _ in range(2)]
                tasks = [asyncio.create_task(count(event)) for event in started]
                for event in started:
                    await event.wait()
                pid = last.get_server_pid()
            tasks[0].cancel()
            assert await tasks[1] == 1
            async with database.readers.snapshot(scope) as again:
                assert again.get_server_pid() == pid
