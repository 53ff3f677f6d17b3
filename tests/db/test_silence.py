"""A server that says nothing more: the end of a transaction is not waited for without end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import readers, session
from db.session import Database, DatabaseUnavailable, Scope
from tests.graph.proxy import Proxy
from tests.server import Urls


@pytest.fixture
async def wire(urls: Urls) -> AsyncIterator[Proxy]:
    """A wire to the database."""
    async with Proxy.to(urls.gateway) as proxy:
        yield proxy


@pytest.fixture
async def database(wire: Proxy) -> AsyncIterator[Database]:
    """The database at the other end, by one connection."""
    database = Database(wire.url, pool_size=1)
    yield database
    await database.close()


async def works(database: Database) -> bool:
    async with database.read(Scope()) as connection:
        return await connection.scalar(select(1)) == 1


async def test_a_commit_that_is_not_answered(
    wire: Proxy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session, "COMMIT_TIMEOUT", 0.01)
        with pytest.raises(DatabaseUnavailable):
            async with asyncio.timeout(20), database.write(Scope()):
                wire.silence()
    assert await works(database)


async def test_a_rollback_that_is_not_answered(
    wire: Proxy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        async with asyncio.timeout(20), database.write(Scope()):
            wire.silence()
            patch.setattr(session, "CONNECT_TIMEOUT", 0.01)
            raise LookupError

    with monkeypatch.context() as patch, pytest.raises(LookupError):
        await fail()
    assert await works(database)


async def test_a_snapshot_whose_end_is_not_answered(
    wire: Proxy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def end() -> None:
        async with database.readers.snapshot(Scope()):
            wire.silence()
            patch.setattr(readers, "CONNECT_TIMEOUT", 0.01)

    with monkeypatch.context() as patch, pytest.raises(DatabaseUnavailable):
        await end()
    async with database.readers.snapshot(Scope()) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_who_gives_up_while_a_dead_connection_goes_keeps_no_place(
    wire: Proxy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await works(database)
    began, go_on = asyncio.Event(), asyncio.Event()
    invalidate = AsyncConnection.invalidate

    async def slowly(connection: AsyncConnection, exception: BaseException | None = None) -> None:
        began.set()
        await go_on.wait()
        await invalidate(connection, exception)

    monkeypatch.setattr(AsyncConnection, "invalidate", slowly)
    await wire.cut()
    await wire.open()
    asking = asyncio.create_task(works(database))
    await began.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    async with asyncio.timeout(20):
        while database.usage()["sessions"].in_use:  # noqa: ASYNC110  nothing tells of it
            await asyncio.sleep(0)
        assert await works(database)
