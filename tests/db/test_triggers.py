"""What holds for every writer: `updated_at` goes forward, and no price of a unit is lost."""

import datetime
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import Base
from db.models import Company, Unit
from tests.factories import fill_tenant, insert, make_tenant, make_user
from tests.server import Urls

TIMESTAMPED = [table for table in Base.metadata.sorted_tables if "updated_at" in table.c]


def key_of(table: Table) -> str:
    return " AND ".join(f"{column.name} = ${n}" for n, column in enumerate(table.primary_key, start=1))


@pytest.fixture
async def raw(urls: Urls) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(urls.owner, server_settings={"app.maintenance": "on"})
    yield connection
    await connection.close()


async def test_updated_at_goes_forward_in_every_table_that_has_it(
    owner: AsyncConnection, raw: "asyncpg.Connection[Any]"
) -> None:
    tenant = await make_tenant(owner)
    rows = await fill_tenant(owner, tenant)
    for table in TIMESTAMPED:
        row = rows[table.name]
        key = [row[column.name] for column in table.primary_key]
        # Said to go back: it goes forward all the same
        sql = f"UPDATE {table.name} SET updated_at = '2001-01-01' WHERE {key_of(table)} RETURNING updated_at"  # noqa: S608
        assert await raw.fetchval(sql, *key) > row["updated_at"], table.name


async def test_updated_at_never_repeats_within_a_transaction(
    owner: AsyncConnection, raw: "asyncpg.Connection[Any]"
) -> None:
    company = await insert(owner, Company)
    times = [company["updated_at"]]
    async with raw.transaction():
        for _ in range(5):
            sql = "UPDATE companies SET city = 'Cairo' WHERE id = $1 RETURNING updated_at"
            times.append(await raw.fetchval(sql, company["id"]))
    assert times == sorted(set(times))


async def test_updated_at_does_not_go_back_when_the_clock_does(
    owner: AsyncConnection, raw: "asyncpg.Connection[Any]"
) -> None:
    future = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
    company = await insert(owner, Company, updated_at=future)
    sql = "UPDATE companies SET city = 'Cairo' WHERE id = $1 RETURNING updated_at"
    updated = await raw.fetchval(sql, company["id"])
    assert updated == future + datetime.timedelta(microseconds=1)


class Writer:
    """Somebody who writes units, within one transaction per statement."""

    def __init__(self, connection: "asyncpg.Connection[Any]", tenant: UUID | None, user: str | None) -> None:
        self.connection, self.tenant, self.user = connection, tenant, user

    async def execute(self, sql: str, *arguments: Any) -> None:
        async with self.connection.transaction():
            if self.tenant is not None:
                await self.connection.execute(f"SET LOCAL app.tenant_id = '{self.tenant}'")
            if self.user is not None:
                await self.connection.execute(f"SET LOCAL app.user_id = '{self.user}'")
            await self.connection.execute(sql, *arguments)
            after = await self.connection.fetchval("SELECT current_setting('app.tenant_id', true)")
            assert (after or None) == (None if self.tenant is None else str(self.tenant))


@pytest.fixture(params=["gateway", "service", "owner"])
async def connection(request: pytest.FixtureRequest, urls: Urls) -> AsyncIterator["asyncpg.Connection[Any]"]:
    settings = {"app.maintenance": "on"} if request.param == "owner" else {}
    connection = await asyncpg.connect(getattr(urls, request.param), server_settings=settings)
    yield connection
    await connection.close()


@pytest.fixture
async def unit(owner: AsyncConnection) -> dict[str, Any]:
    return dict(await insert(owner, Unit))


async def history(raw: "asyncpg.Connection[Any]", unit: UUID) -> list[tuple[Any, ...]]:
    sql = (
        "SELECT price_minor, currency, changed_by_user_id FROM unit_price_history "
        "WHERE unit_id = $1 ORDER BY effective_at"
    )
    return [tuple(row) for row in await raw.fetch(sql, unit)]


async def test_each_price_is_kept_once_whoever_writes(
    connection: "asyncpg.Connection[Any]",
    owner: AsyncConnection,
    raw: "asyncpg.Connection[Any]",
    unit: dict[str, Any],
) -> None:
    user = await make_user(owner, unit["tenant_id"])
    writer = Writer(connection, unit["tenant_id"], str(user))
    for assignment in (
        "price_minor = 100",  # no currency yet: no price
        "currency = 'EGP'",
        "price_minor = 200",
        "price_minor = 200",  # unchanged
        "floor = 3",
        "currency = 'USD'",
        "price_minor = NULL",  # no longer for sale is no price
        "price_minor = 200",
    ):
        await writer.execute(f"UPDATE units SET {assignment} WHERE id = $1", unit["id"])  # noqa: S608
    assert await history(raw, unit["id"]) == [
        (100, "EGP", user),
        (200, "EGP", user),
        (200, "USD", user),
        (200, "USD", user),
    ]


async def test_the_price_of_a_new_unit_is_kept(
    connection: "asyncpg.Connection[Any]", raw: "asyncpg.Connection[Any]", unit: dict[str, Any]
) -> None:
    new = uuid4()
    await Writer(connection, unit["tenant_id"], None).execute(
        "INSERT INTO units (id, tenant_id, project_id, unit_type_code, price_minor, currency) "
        "VALUES ($1, $2, $3, 'APT_1BR', 700, 'EGP')",
        new,
        unit["tenant_id"],
        unit["project_id"],
    )
    assert await history(raw, new) == [(700, "EGP", None)]


@pytest.mark.parametrize("role", ["service", "owner"])
async def test_a_writer_of_all_tenants_needs_to_set_none(
    role: str, urls: Urls, raw: "asyncpg.Connection[Any]", unit: dict[str, Any]
) -> None:
    settings = {"app.maintenance": "on"} if role == "owner" else {}
    connection = await asyncpg.connect(getattr(urls, role), server_settings=settings)
    try:
        sql = "UPDATE units SET price_minor = 5, currency = 'EGP' WHERE id = $1"
        await Writer(connection, None, None).execute(sql, unit["id"])
    finally:
        await connection.close()
    assert await history(raw, unit["id"]) == [(5, "EGP", None)]


@pytest.mark.parametrize(
    "actor",
    [lambda other: str(other), lambda _: str(uuid4()), lambda _: "somebody", lambda _: ""],
    ids=["another tenant's user", "an unknown user", "no uuid", "nothing"],
)
async def test_an_actor_who_is_no_user_of_the_tenant_is_not_written_down(
    actor: Callable[[UUID], str],
    urls: Urls,
    owner: AsyncConnection,
    raw: "asyncpg.Connection[Any]",
    unit: dict[str, Any],
) -> None:
    stranger = await make_user(owner, await make_tenant(owner))
    connection = await asyncpg.connect(urls.service)
    try:
        writer = Writer(connection, None, actor(stranger))
        await writer.execute("UPDATE units SET price_minor = 5, currency = 'EGP' WHERE id = $1", unit["id"])
    finally:
        await connection.close()
    assert await history(raw, unit["id"]) == [(5, "EGP", None)]


@pytest.mark.parametrize("role", ["gateway", "service"])
async def test_nobody_else_writes_the_history(role: str, urls: Urls, unit: dict[str, Any]) -> None:
    connection = await asyncpg.connect(getattr(urls, role))
    try:
        for sql in (
            "INSERT INTO unit_price_history DEFAULT VALUES",
            "UPDATE unit_price_history SET price_minor = 1",
            "DELETE FROM unit_price_history",
            "TRUNCATE unit_price_history",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(sql)
    finally:
        await connection.close()
