"""The migrations make what the models say, and lead there and back."""

import asyncio
import sys

import asyncpg
import pytest

from db import migrate
from db.base import Base
from tests.db import catalogue
from tests.server import Server, Urls


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def test_alembic_finds_no_difference(urls: Urls) -> None:
    assert await migrate.differences(urls.owner) == []


async def test_tables_made_from_the_models_are_the_migrated_ones(empty_database: Urls, urls: Urls) -> None:
    await execute(empty_database.owner, "CREATE EXTENSION citext")
    async with migrate.connect(empty_database.owner) as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.commit()
    assert await catalogue.read(empty_database.owner) == await catalogue.read(urls.owner)


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE deals ALTER amount_minor TYPE integer",
        "ALTER TABLE deals ALTER status DROP DEFAULT",
        "ALTER TABLE deals ALTER name DROP NOT NULL",
        "ALTER TABLE deals ADD colour text",
        "ALTER TABLE deals DROP owner_user_id",
        "ALTER TABLE units DROP CONSTRAINT units_tenant_id_id_key CASCADE",
        "ALTER TABLE deals DROP CONSTRAINT deals_tenant_id_company_id_fkey",
        "DROP INDEX deals_seek_ix",
        "CREATE TABLE colours ()",
    ],
)
async def test_differences_are_found(damage: str, scratch_database: Urls) -> None:
    await execute(scratch_database.owner, damage)
    assert await migrate.differences(scratch_database.owner) != []


async def test_each_migration_is_undone_by_its_downgrade(empty_database: Urls, server: Server) -> None:
    url = empty_database.owner
    roles = {"gateway_role": server.gateway_role, "service_role": server.service_role}
    assert await migrate.current(url) is None
    empty = await catalogue.objects(url)
    assert [line.split()[:2] for line in empty] == [["schema", "public"]]
    states = [("base", empty)]
    for revision in migrate.revisions():
        await migrate.upgrade(url, revision, **roles)
        states.append((revision, await catalogue.objects(url)))
    newest, complete = states.pop()
    assert newest == await migrate.current(url) == migrate.head()
    assert len(complete) > len(Base.metadata.tables)
    for revision, state in reversed(states):
        await migrate.downgrade(url, revision, **roles)
        assert await catalogue.objects(url) == state, revision
    assert await migrate.current(url) is None
    await migrate.upgrade(url, **roles)
    assert await catalogue.objects(url) == complete


async def test_nothing_is_left_of_partitions_that_were_detached(
    scratch_database: Urls, server: Server
) -> None:
    url = scratch_database.owner
    await execute(url, "ALTER TABLE audit_logs DETACH PARTITION partitions.audit_logs_default")
    roles = {"gateway_role": server.gateway_role, "service_role": server.service_role}
    await migrate.downgrade(url, "base", **roles)
    assert [line.split()[:2] for line in await catalogue.objects(url)] == [["schema", "public"]]


async def test_two_upgrades_at_once_make_one_database(empty_database: Urls) -> None:
    call = "import asyncio, sys; from db import migrate; asyncio.run(migrate.upgrade(sys.argv[1], '0001'))"
    command = (sys.executable, "-c", call, empty_database.owner)
    twins = [await asyncio.create_subprocess_exec(*command) for _ in range(2)]
    assert [await asyncio.wait_for(twin.wait(), 60) for twin in twins] == [0, 0]
    assert await migrate.current(empty_database.owner) == "0001"
