"""The transaction of an operation, where its task is cancelled or its end fails."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from db.session import Database, Scope
from graph.errors import Timeout, Unavailable
from graph.snapshot import Change, Snapshot
from tests.factories import make_tenant
from tests.server import Urls, seeing_all

PATIENCE = 30
"""Seconds after which what does not happen is taken never to happen."""

ONE = sa.text("SELECT 1")


@pytest.fixture
async def database(urls: Urls) -> AsyncIterator[Database]:
    """The database by one connection."""
    database = Database(urls.gateway, pool_size=1)
    yield database
    await database.close()


async def test_who_is_cancelled_while_a_batch_runs_gives_the_connection_back(
    database: Database, owner: AsyncConnection
) -> None:
    held = "pg_catalog.hashtext('a batch that takes long')"
    await owner.execute(sa.text(f"SELECT pg_advisory_lock({held})"))
    snapshot = Snapshot(database, Scope())
    await snapshot.execute(ONE)
    batch = asyncio.create_task(snapshot.execute(sa.text(f"SELECT pg_advisory_xact_lock_shared({held})")))
    closing = asyncio.create_task(snapshot.close())
    await asyncio.sleep(0)  # both have begun: one has the lock, the other waits for it
    assert [batch.done(), closing.done()] == [False, False]
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await owner.execute(sa.text(f"SELECT pg_advisory_unlock({held})"))
    async with asyncio.timeout(PATIENCE):
        await batch
        while database.usage()["sessions"].in_use:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0)
        async with database.read(Scope()) as connection:
            assert await connection.scalar(ONE) == 1


async def test_nothing_goes_on_where_a_rollback_was_cancelled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()
    execute = asyncpg.Connection.execute

    async def silent(connection: Any, query: str, *args: Any, **options: Any) -> Any:
        if query == "ROLLBACK":
            began.set()
            await asyncio.Event().wait()
        return await execute(connection, query, *args, **options)

    monkeypatch.setattr(asyncpg.Connection, "execute", silent)
    snapshot = Snapshot(database, Scope())
    failing = asyncio.create_task(snapshot.execute(sa.text("SELECT 1 / 0")))
    async with asyncio.timeout(PATIENCE):
        await began.wait()
    failing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await failing
    with pytest.raises(Unavailable):
        await snapshot.execute(ONE)


async def test_a_commit_past_its_time_is_a_timeout(scratch_database: Urls) -> None:
    engine = seeing_all(scratch_database.owner)
    async with engine.connect() as owner:
        tenant = await make_tenant(owner)
        for step in (
            "CREATE FUNCTION gateway.late() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON companies DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION gateway.late()",
            "SELECT pg_advisory_lock(1)",
        ):
            await owner.execute(sa.text(step))
        database = Database(scratch_database.gateway, server_settings={"lock_timeout": "200ms"})
        change = Change(database, Scope(tenant_id=tenant))
        await change.execute(sa.insert(models.Company).values(tenant_id=tenant, name="Late"))
        with pytest.raises(Timeout):
            await change.commit()
        await database.close()
        assert await owner.scalar(sa.select(sa.func.count()).select_from(models.Company)) == 0
    await engine.dispose()
