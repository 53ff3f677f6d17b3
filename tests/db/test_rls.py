"""Two tenants side by side: by raw SQL neither finds or changes anything of the other."""

# ruff: noqa: S608  # what is put together are names of tables and columns

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Column, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.base import Base
from db.gateway import platform_grants
from db.models import UnitTypeCode
from tests.factories import Row, fill_tenant, insert, make_tenant
from tests.server import Urls

TABLES = [*Base.metadata.sorted_tables, platform_grants]
# The same rows for everybody
GLOBAL = {"plans", "plan_features", "billing_webhook_logs"}
CONFINED = [table for table in TABLES if table.name not in GLOBAL]
CODES = {"unit_type_codes", "component_type_codes"}

if TYPE_CHECKING:
    Raw = asyncpg.Connection[Any]


@dataclass(frozen=True)
class Filled:
    """A tenant and its row of each table."""

    id: UUID
    rows: dict[str, Row]


@pytest.fixture(scope="module")
async def both(owner_engine: AsyncEngine) -> tuple[Filled, Filled]:
    async with owner_engine.connect() as connection:
        mine, other = [await _filled(connection) for _ in range(2)]
    return mine, other


async def _filled(connection: AsyncConnection) -> Filled:
    tenant = await make_tenant(connection)
    rows = await fill_tenant(connection, tenant)
    user = {"tenant_id": tenant, "user_id": rows["users"]["id"]}
    rows[platform_grants.name] = await insert(connection, platform_grants, **user)
    return Filled(tenant, rows)


@pytest.fixture
async def gateway(urls: Urls, both: tuple[Filled, Filled]) -> AsyncIterator["Raw"]:
    """A session of the gateway's for the first tenant, in a transaction that is rolled back."""
    async for connection in _session(urls.gateway, both[0].id):
        yield connection


@pytest.fixture
async def service(urls: Urls) -> AsyncIterator["Raw"]:
    async for connection in _session(urls.service, None):
        yield connection


@pytest.fixture
async def owner_without_maintenance(urls: Urls) -> AsyncIterator["Raw"]:
    async for connection in _session(urls.owner, None):
        yield connection


async def _session(url: str, tenant: UUID | None) -> AsyncIterator["Raw"]:
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    if tenant is not None:
        await connection.execute(f"SET LOCAL app.tenant_id = '{tenant}'")
    yield connection
    await transaction.rollback()
    await connection.close()


def tenant_column(table: Table) -> Column[Any]:
    return table.c.id if table.name == "tenants" else table.c.tenant_id


def key(table: Table, row: Row) -> tuple[str, list[Any]]:
    """A condition on a row's primary key, and its parameters."""
    columns = list(table.primary_key)
    condition = " AND ".join(f"{column.name} = ${n}" for n, column in enumerate(columns, start=1))
    return condition, [row[column.name] for column in columns]


NOT_GRANTED = "permission denied for table"
NOT_ALLOWED = "new row violates row-level security policy"


async def outcome(connection: "Raw", sql: str, *values: Any) -> str:
    """What became of a statement: its tag, or what refused it."""
    try:
        async with connection.transaction():
            return await connection.execute(sql, *values)
    except asyncpg.InsufficientPrivilegeError as refused:
        said = str(refused)
        return next((known for known in (NOT_GRANTED, NOT_ALLOWED) if said.startswith(known)), said)


def test_all_tables_are_here() -> None:
    assert len(TABLES) == 44
    assert {table.name for table in CONFINED} == {table.name for table in TABLES} - GLOBAL


@pytest.mark.parametrize("table", CONFINED, ids=str)
async def test_only_the_own_rows_are_found(table: Table, gateway: "Raw", both: tuple[Filled, Filled]) -> None:
    mine, other = both
    found = await gateway.fetch(f"SELECT DISTINCT {tenant_column(table).name} AS tenant FROM {table}")
    assert {row["tenant"] for row in found} == ({mine.id, None} if table.name in CODES else {mine.id})
    condition, values = key(table, other.rows[table.name])
    assert await gateway.fetchval(f"SELECT count(*) FROM {table} WHERE {condition}", *values) == 0
    condition, values = key(table, mine.rows[table.name])
    assert await gateway.fetchval(f"SELECT count(*) FROM {table} WHERE {condition}", *values) == 1


@pytest.mark.parametrize("table", CONFINED, ids=str)
@pytest.mark.parametrize("setting", [None, "", "00000000-0000-0000-0000-000000000000"])
async def test_no_tenant_no_rows(
    table: Table, setting: str | None, gateway: "Raw", both: tuple[Filled, Filled]
) -> None:
    await gateway.execute("RESET app.tenant_id")
    if setting is not None:
        await gateway.execute(f"SET LOCAL app.tenant_id = '{setting}'")
    found = await gateway.fetchval(
        f"SELECT count(*) FROM {table} WHERE {tenant_column(table).name} IS NOT NULL"
    )
    assert found == 0


@pytest.mark.parametrize("table", CONFINED, ids=str)
async def test_maintenance_is_the_owners_alone(
    table: Table, gateway: "Raw", both: tuple[Filled, Filled]
) -> None:
    await gateway.execute("SET LOCAL app.maintenance = 'on'")
    condition, values = key(table, both[1].rows[table.name])
    assert await gateway.fetchval(f"SELECT count(*) FROM {table} WHERE {condition}", *values) == 0


@pytest.mark.parametrize("table", CONFINED, ids=str)
async def test_the_others_rows_cannot_be_changed_or_deleted(
    table: Table, gateway: "Raw", both: tuple[Filled, Filled]
) -> None:
    condition, values = key(table, both[1].rows[table.name])
    column = list(table.primary_key)[-1].name
    for sql in (
        f"UPDATE {table} SET {column} = {column} WHERE {condition}",
        f"DELETE FROM {table} WHERE {condition}",
    ):
        assert await outcome(gateway, sql, *values) in {"UPDATE 0", "DELETE 0", NOT_GRANTED}


@pytest.mark.parametrize("table", CONFINED, ids=str)
async def test_no_row_can_be_given_to_another_tenant(
    table: Table, gateway: "Raw", both: tuple[Filled, Filled]
) -> None:
    mine, other = both
    names = [column.name for column in table.c if column.computed is None]
    own = tenant_column(table).name
    copied = ", ".join("$1" if name == own else name for name in names)
    condition = " AND ".join(f"{column.name} = ${n}" for n, column in enumerate(table.primary_key, start=2))
    _, values = key(table, mine.rows[table.name])
    for sql in (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {copied} FROM {table} WHERE {condition}",
        f"UPDATE {table} SET {own} = $1 WHERE {condition}",
    ):
        assert await outcome(gateway, sql, other.id, *values) in {NOT_ALLOWED, NOT_GRANTED}


@pytest.mark.parametrize("table", CONFINED, ids=str)
async def test_the_owner_is_confined_too_unless_maintaining(
    table: Table, owner_without_maintenance: "Raw", both: tuple[Filled, Filled]
) -> None:
    owner, column = owner_without_maintenance, tenant_column(table).name
    tenants = f"SELECT DISTINCT {column} FROM {table} WHERE {column} = ANY ($1)"
    ids = [filled.id for filled in both]
    assert await owner.fetch(tenants, ids) == []
    await owner.execute(f"SET LOCAL app.tenant_id = '{ids[0]}'")
    assert [row[column] for row in await owner.fetch(tenants, ids)] == ids[:1]
    await owner.execute("SET LOCAL app.maintenance = 'on'")
    assert {row[column] for row in await owner.fetch(tenants, ids)} == set(ids)


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=str)
async def test_the_other_services_see_all_tenants(
    table: Table, service: "Raw", both: tuple[Filled, Filled]
) -> None:
    for filled in both:
        condition, values = key(table, filled.rows[table.name])
        assert await service.fetchval(f"SELECT count(*) FROM {table} WHERE {condition}", *values) == 1


async def test_a_slug_opens_one_row_to_reading_alone(gateway: "Raw", both: tuple[Filled, Filled]) -> None:
    _, other = both
    await gateway.execute("RESET app.tenant_id")
    await gateway.execute(f"SET LOCAL app.tenant_slug = '{other.rows['tenants']['slug']}'")
    assert [row["id"] for row in await gateway.fetch("SELECT id FROM tenants")] == [other.id]
    assert await gateway.fetch("SELECT id FROM users") == []
    assert await gateway.execute("UPDATE tenants SET name = 'x'") == "UPDATE 0"


@pytest.mark.parametrize("table", sorted(CODES))
@pytest.mark.parametrize("role", ["gateway", "service"])
async def test_global_codes_are_for_migrations_to_write(
    table: str, role: str, gateway: "Raw", service: "Raw"
) -> None:
    connection = {"gateway": gateway, "service": service}[role]
    assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id IS NULL") > 0
    for sql in (
        f"UPDATE {table} SET label = 'x' WHERE tenant_id IS NULL",
        f"DELETE FROM {table} WHERE tenant_id IS NULL",
    ):
        assert (await connection.execute(sql)).endswith(" 0")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await connection.execute(f"INSERT INTO {table} (code, label) VALUES ('X', 'x')")


async def test_a_tenants_own_code_can_be_kept(gateway: "Raw", both: tuple[Filled, Filled]) -> None:
    table = UnitTypeCode.__tablename__
    mine = both[0].id
    await gateway.execute(f"INSERT INTO {table} (tenant_id, code, label) VALUES ($1, 'X', 'x')", mine)
    assert await gateway.execute(f"UPDATE {table} SET label = 'y' WHERE code = 'X'") == "UPDATE 1"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with gateway.transaction():
            await gateway.execute(f"UPDATE {table} SET tenant_id = NULL WHERE code = 'X'")
    assert await gateway.execute(f"DELETE FROM {table} WHERE code = 'X'") == "DELETE 1"


async def test_every_table_of_ours_is_guarded(urls: Urls) -> None:
    connection = await asyncpg.connect(urls.owner)
    try:
        unguarded = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND relnamespace::regnamespace::text IN ('public', 'gateway', 'partitions') "
            "AND NOT (relrowsecurity AND relforcerowsecurity)"
        )
    finally:
        await connection.close()
    assert {row["relname"] for row in unguarded} == GLOBAL | {"alembic_version", "event_state"}
