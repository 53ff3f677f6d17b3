"""Sessions: one transaction, one tenant, and a pool that outlives cancellations and restarts."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Company, Tenant
from db.session import SERVER_SETTINGS, Database, DatabaseUnavailable, Scope
from tests import factories
from tests.factories import make_tenant
from tests.server import Server, Urls
from tests.statements import statements

COMPANIES = select(func.count()).select_from(Company)


@contextlib.asynccontextmanager
async def named_database(url: str, pool_size: int = 2) -> AsyncIterator[tuple[Database, str]]:
    """A pool of its own and the name under which the server lists its connections."""
    name = f"test-{secrets.token_hex(4)}"
    settings = {**SERVER_SETTINGS, "application_name": name}
    database = Database(url, pool_size=pool_size, server_settings=settings)
    try:
        yield database, name
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def eventually(url: str, sql: str, name: str, holds: Callable[[Any], bool]) -> None:
    """Ask until the answer is right; the test fails if it never is."""
    async with connected(url) as connection, asyncio.timeout(20):
        while not holds(await connection.fetchval(sql, name)):
            pass


ACTIVE = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = $1 AND query LIKE '%pg_sleep%' AND state = 'active'
"""
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
TERMINATE = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1"


@pytest.fixture
async def tenant(owner: AsyncConnection) -> UUID:
    tenant = await make_tenant(owner)
    await factories.insert(owner, Company, tenant_id=tenant)
    return tenant


async def test_a_session_sees_its_tenant_and_no_other(database: Database, tenant: UUID) -> None:
    async with database.read(Scope(tenant_id=tenant)) as connection:
        assert await connection.scalar(COMPANIES) == 1
    async with database.read(Scope(tenant_id=uuid4())) as connection:
        assert await connection.scalar(COMPANIES) == 0
    async with database.read(Scope()) as connection:
        assert await connection.scalar(COMPANIES) == 0


async def test_the_scope_ends_with_the_transaction(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, _):
        async with database.read(Scope(tenant_id=tenant, user_id=tenant, tenant_slug="x")) as connection:
            pass
        async with database.engine.connect() as connection:
            assert await connection.scalar(COMPANIES) == 0
            for name in ("app.tenant_id", "app.user_id", "app.tenant_slug"):
                assert await connection.scalar(select(func.current_setting(name, True))) == ""


async def test_a_slug_shows_that_tenant_alone(database: Database, owner: AsyncConnection) -> None:
    slug = f"it's-{uuid4()}"
    wanted = await make_tenant(owner, slug=slug)
    async with database.read(Scope(tenant_slug=slug)) as connection:
        assert list(await connection.scalars(select(Tenant.id))) == [wanted]


@pytest.mark.parametrize(
    "slug", ["'; SET LOCAL app.tenant_id = '{}'; --", "\\'; SET LOCAL app.tenant_id = '{}'; --"]
)
async def test_a_slug_cannot_set_the_tenant(slug: str, database: Database, tenant: UUID) -> None:
    async with database.read(Scope(tenant_slug=slug.format(tenant))) as connection:
        assert await connection.scalar(COMPANIES) == 0


async def test_a_slug_with_a_nul_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="NUL"):
        async with database.read(Scope(tenant_slug="a\0b")):
            pass


async def test_begin_and_scope_are_one_round_trip(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, _):
        async with database.engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
        sent: list[str] = []
        driver.add_query_logger(lambda query: sent.append(query.query))
        async with database.read(Scope(tenant_id=tenant, user_id=tenant)):
            pass
    begin = f"SET LOCAL app.tenant_id = E'{tenant}'; SET LOCAL app.user_id = E'{tenant}'"
    assert sent == [f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {begin}", "COMMIT"]


async def test_a_read_sees_one_snapshot(database: Database, owner: AsyncConnection, tenant: UUID) -> None:
    async with database.read(Scope(tenant_id=tenant)) as connection:
        assert await connection.scalar(COMPANIES) == 1
        await factories.insert(owner, Company, tenant_id=tenant)
        assert await connection.scalar(COMPANIES) == 1


async def test_a_read_cannot_write(database: Database, tenant: UUID) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.read(Scope(tenant_id=tenant)) as connection:
            await connection.execute(insert(Company).values(tenant_id=tenant, name="New"))


async def test_a_write_commits(database: Database, tenant: UUID) -> None:
    async with database.write(Scope(tenant_id=tenant)) as connection:
        await connection.execute(insert(Company).values(tenant_id=tenant, name="New"))
    async with database.read(Scope(tenant_id=tenant)) as connection:
        assert await connection.scalar(COMPANIES) == 2


async def test_a_write_that_raises_stores_nothing(database: Database, tenant: UUID) -> None:
    async def fail() -> None:
        async with database.write(Scope(tenant_id=tenant)) as connection:
            await connection.execute(insert(Company).values(tenant_id=tenant, name="New"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.read(Scope(tenant_id=tenant)) as connection:
        assert await connection.scalar(COMPANIES) == 1


async def test_a_write_whose_failure_was_swallowed_does_not_pass_for_done(
    database: Database, tenant: UUID
) -> None:
    async def swallow() -> None:
        async with database.write(Scope(tenant_id=tenant)) as connection:
            await connection.execute(insert(Company).values(tenant_id=tenant, name="New"))
            with contextlib.suppress(DBAPIError):
                await connection.execute(text("SELECT 1/0"))

    with pytest.raises(RuntimeError, match="rolled back"):
        await swallow()
    async with database.read(Scope(tenant_id=tenant)) as connection:
        assert await connection.scalar(COMPANIES) == 1


async def test_another_tenants_row_cannot_be_written(
    database: Database, owner: AsyncConnection, tenant: UUID
) -> None:
    other = await make_tenant(owner)
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.write(Scope(tenant_id=tenant)) as connection:
            await connection.execute(insert(Company).values(tenant_id=other, name="New"))


async def test_connections_that_died_in_the_pool_are_replaced(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=3) as (database, name):
        scope = Scope(tenant_id=tenant)
        async with database.read(scope), database.read(scope), database.read(scope):
            pass
        async with connected(urls.gateway) as other:
            assert await other.fetchval(TERMINATE, name) == 3
        await eventually(urls.gateway, CONNECTED, name, lambda count: count == 0)
        async with database.read(scope) as one, database.read(scope) as two, database.read(scope) as three:
            assert [await c.scalar(COMPANIES) for c in (one, two, three)] == [1, 1, 1]


async def test_a_connection_lost_half_way_is_unavailable_and_the_next_works(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, name):

        async def lose_it() -> None:
            async with database.read(Scope(tenant_id=tenant)) as connection:
                async with connected(urls.gateway) as other:
                    await other.fetchval(TERMINATE, name)
                await connection.scalar(COMPANIES)

        with pytest.raises(DatabaseUnavailable):
            await lose_it()
        async with database.read(Scope(tenant_id=tenant)) as connection:
            assert await connection.scalar(COMPANIES) == 1


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nothing else takes the port meanwhile
        database = Database(f"postgresql://nobody:x@127.0.0.1:{bound.getsockname()[1]}/none")
        with pytest.raises(DatabaseUnavailable):
            async with database.read(Scope()):
                pass
        await database.close()


async def test_a_database_that_comes_back_works_again(server: Server, scratch_database: Urls) -> None:
    alter = f'ALTER DATABASE "{scratch_database.name}" ALLOW_CONNECTIONS {{}}'
    async with (
        named_database(scratch_database.gateway) as (database, name),
        connected(scratch_database.gateway) as other,
        connected(server.owner_url) as owner,
    ):
        async with database.read(Scope()):
            pass
        await owner.execute(alter.format("false"))
        await other.fetchval(TERMINATE, name)
        with pytest.raises(DatabaseUnavailable):
            async with database.read(Scope()):
                pass
        await owner.execute(alter.format("true"))
        async with database.read(Scope()) as connection:
            assert await connection.scalar(COMPANIES) == 0


async def test_a_cancelled_query_leaves_the_pool_whole(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, name):

        async def wait_long() -> None:
            async with database.read(Scope(tenant_id=tenant)) as connection:
                await connection.execute(text("SELECT pg_sleep(30)"))

        task = asyncio.create_task(wait_long())
        await eventually(urls.gateway, ACTIVE, name, lambda count: count == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with database.read(Scope(tenant_id=tenant)) as connection:
            assert await connection.scalar(COMPANIES) == 1
        await eventually(urls.gateway, ACTIVE, name, lambda count: count == 0)


async def test_cancelling_between_statements_ends_the_transaction(urls: Urls, tenant: UUID) -> None:
    async with named_database(urls.gateway, pool_size=1) as (database, _):
        begun = asyncio.Event()

        async def stop_inside() -> None:
            async with database.write(Scope(tenant_id=tenant)) as connection:
                await connection.execute(insert(Company).values(tenant_id=tenant, name="New"))
                begun.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(stop_inside())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with database.read(Scope(tenant_id=tenant)) as connection:
            assert await connection.scalar(COMPANIES) == 1


async def test_the_server_is_told_its_limits(database: Database) -> None:
    async with database.read(Scope()) as connection:
        for name, value in SERVER_SETTINGS.items():
            assert await connection.scalar(select(func.current_setting(name))) == value


async def test_statements_are_counted_without_transaction_control(database: Database, tenant: UUID) -> None:
    with statements(database) as sent:
        async with database.read(Scope(tenant_id=tenant)) as connection:
            await connection.scalar(COMPANIES)
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.fetch("SELECT 2")
    assert [statement.split()[0:2] for statement in sent] == [["SELECT", "count(*)"], ["SELECT", "2"]]
    with statements(database) as sent:
        pass
    async with database.read(Scope(tenant_id=tenant)) as connection:
        await connection.scalar(COMPANIES)
    assert sent == []
