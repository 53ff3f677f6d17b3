"""Monthly partitions: made ahead, strays moved, the old detached; and no way around row security."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db import partitions
from db.partitions import AUDIT, TIME, WEBHOOKS, Report
from tests.server import Urls

TODAY = date(2026, 11, 22)
COLUMNS = {AUDIT: "action, entity_type", WEBHOOKS: "provider, raw"}
VALUES = {AUDIT: ("deal.update", "deal"), WEBHOOKS: ("brevo", "{}")}


@pytest.fixture
async def owner(scratch_database: Urls) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(scratch_database.owner, server_settings={"app.maintenance": "on"})
    yield connection
    await connection.close()


@pytest.fixture
async def tenant(owner: "asyncpg.Connection[Any]") -> UUID:
    key: UUID = await owner.fetchval("INSERT INTO tenants (name, slug) VALUES ('A', 'a') RETURNING id")
    return key


async def add(owner: "asyncpg.Connection[Any]", table: str, tenant: UUID, when: datetime) -> None:
    sql = f"INSERT INTO {table} (tenant_id, {TIME[table]}, {COLUMNS[table]}) VALUES ($1, $2, $3, $4)"  # noqa: S608
    await owner.execute(sql, tenant, when, *VALUES[table])


async def count(owner: "asyncpg.Connection[Any]", table: str) -> int:
    found: int = await owner.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
    return found


async def maintain(urls: Urls, **given: Any) -> dict[str, Report]:
    return {report.table: report for report in await partitions.maintain(urls.owner, today=TODAY, **given)}


async def test_the_coming_months_are_made_once(scratch_database: Urls) -> None:
    first = await maintain(scratch_database)
    for table in TIME:
        assert first[table].created == [f"{table}_{m}" for m in ("2026_11", "2026_12", "2027_01", "2027_02")]
    again = await maintain(scratch_database)
    assert again == {table: Report(table) for table in TIME}


@pytest.mark.parametrize("table", TIME)
async def test_strays_move_and_each_row_stays_in_the_log(
    table: str, scratch_database: Urls, owner: "asyncpg.Connection[Any]", tenant: UUID
) -> None:
    for when in (
        datetime(2026, 10, 31, 23, 59, 59, 999999, UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 11, 30, 23, 59, 59, 999999, UTC),
        datetime(2031, 1, 1, tzinfo=UTC),
    ):
        await add(owner, table, tenant, when)
    report = (await maintain(scratch_database))[table]
    assert (report.moved, report.left, report.created[0]) == (3, 1, f"{table}_2026_10")
    assert await count(owner, table) == 4
    assert await count(owner, f"partitions.{table}_2026_10") == 1
    assert await count(owner, f"partitions.{table}_2026_11") == 2
    await add(owner, table, tenant, datetime(2026, 11, 5, tzinfo=UTC))
    assert await count(owner, f"partitions.{table}_2026_11") == 3


async def test_only_what_is_past_its_retention_is_detached(
    scratch_database: Urls, owner: "asyncpg.Connection[Any]", tenant: UUID
) -> None:
    for table in TIME:
        for month in (7, 8, 9):
            await add(owner, table, tenant, datetime(2026, month, 9, tzinfo=UTC))
    await maintain(scratch_database)
    reports = await maintain(scratch_database, webhook_months=2)
    assert reports[AUDIT].detached == []
    assert reports[WEBHOOKS].detached == [f"{WEBHOOKS}_2026_07", f"{WEBHOOKS}_2026_08"]
    assert await count(owner, AUDIT) == 3
    assert await count(owner, WEBHOOKS) == 1
    assert await count(owner, f"partitions.{WEBHOOKS}_2026_08") == 1


async def test_strays_past_their_retention_stay_where_they_are(
    scratch_database: Urls, owner: "asyncpg.Connection[Any]", tenant: UUID
) -> None:
    await add(owner, AUDIT, tenant, datetime(2020, 1, 1, tzinfo=UTC))
    report = (await maintain(scratch_database, audit_months=12))[AUDIT]
    assert (report.created[0], report.moved, report.left) == ("audit_logs_2026_11", 0, 1)


async def test_a_row_at_the_end_of_time_stays_in_the_default_partition(
    scratch_database: Urls, owner: "asyncpg.Connection[Any]", tenant: UUID
) -> None:
    for when in ("infinity", "-infinity", "0044-03-15 BC"):
        sql = "INSERT INTO audit_logs (tenant_id, action, entity_type, created_at) VALUES ($1, 'x', 'y', $2)"
        await owner.execute(sql.replace("$2", f"'{when}'"), tenant)
    report = (await maintain(scratch_database))[AUDIT]
    assert (report.created[0], report.left) == ("audit_logs_2026_11", 3)


@pytest.mark.parametrize("role", ["gateway", "service"])
async def test_a_partition_cannot_be_read_directly(role: str, scratch_database: Urls) -> None:
    await maintain(scratch_database)
    connection = await asyncpg.connect(getattr(scratch_database, role))
    try:
        for name in ("audit_logs_default", "audit_logs_2026_11", "integration_webhook_logs_2026_11"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="schema partitions"):
                await connection.fetch(f"SELECT * FROM partitions.{name}")  # noqa: S608
    finally:
        await connection.close()


async def test_the_owner_without_maintenance_sees_nothing_in_a_partition(
    scratch_database: Urls, owner: "asyncpg.Connection[Any]", tenant: UUID
) -> None:
    await add(owner, AUDIT, tenant, datetime(2026, 11, 5, tzinfo=UTC))
    await maintain(scratch_database)
    assert await count(owner, "partitions.audit_logs_2026_11") == 1
    await owner.execute("SET app.maintenance = ''")
    await owner.execute(f"SET app.tenant_id = '{tenant}'")
    assert await count(owner, "partitions.audit_logs_2026_11") == 0
    assert await count(owner, AUDIT) == 1


async def test_a_tenants_rows_leave_every_partition_with_it(
    scratch_database: Urls, owner: "asyncpg.Connection[Any]", tenant: UUID
) -> None:
    await add(owner, AUDIT, tenant, datetime(2026, 11, 5, tzinfo=UTC))
    await maintain(scratch_database)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await add(owner, AUDIT, UUID(int=1), datetime(2026, 11, 5, tzinfo=UTC))
    await owner.execute("DELETE FROM tenants WHERE id = $1", tenant)
    assert await count(owner, AUDIT) == 0
