"""What the gateway's login gets to know of events."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import InboxNotification
from tests.factories import insert, make_tenant
from tests.server import Urls

if TYPE_CHECKING:
    Raw = asyncpg.Connection[Any]


@pytest.fixture
async def tenants(alone: AsyncConnection, scratch_database: Urls) -> list[UUID]:
    """Two tenants, of each of whom two events are in the log."""
    tenants = [await make_tenant(alone) for _ in range(2)]
    for tenant in tenants * 2:
        await insert(alone, InboxNotification, tenant_id=tenant)
    owner = await asyncpg.connect(scratch_database.owner)
    assert await owner.fetchval("SELECT gateway.sequence_events(1000)") == 4
    await owner.close()
    return tenants


@pytest.fixture(params=["gateway", "service", "owner"])
async def somebody(request: pytest.FixtureRequest, scratch_database: Urls) -> AsyncIterator["Raw"]:
    connection = await asyncpg.connect(getattr(scratch_database, request.param))
    yield connection
    await connection.close()


@pytest.fixture
async def gateway(scratch_database: Urls) -> AsyncIterator["Raw"]:
    connection = await asyncpg.connect(scratch_database.gateway)
    yield connection
    await connection.close()


async def test_the_log_shows_ones_own_tenant(gateway: "Raw", tenants: list[UUID]) -> None:
    everything = "SELECT count(*), count(DISTINCT tenant_id) FROM gateway.event_log"
    assert await gateway.fetchrow(everything) == (0, 0)
    async with gateway.transaction():
        await gateway.execute(f"SET LOCAL app.tenant_id = '{tenants[0]}'")
        assert await gateway.fetchrow(everything) == (2, 1)
        other = "SELECT count(*) FROM gateway.event_log WHERE tenant_id = $1"
        assert await gateway.fetchval(other, tenants[1]) == 0
        await gateway.execute("SET LOCAL app.maintenance = 'on'")
        assert await gateway.fetchrow(everything) == (2, 1)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM gateway.event_outbox",
        "INSERT INTO gateway.event_outbox (tenant_id, topic, action, entity_id) SELECT g, 'a', 'b', g "
        "FROM gen_random_uuid() g",
        "DELETE FROM gateway.event_outbox",
        "SELECT * FROM gateway.event_state",
        "UPDATE gateway.event_state SET oldest_seq = 9",
        "INSERT INTO gateway.event_log (seq, tenant_id, topic, action, entity_id, at) "
        "SELECT 9, g, 'a', 'b', g, now() FROM gen_random_uuid() g",
        "UPDATE gateway.event_log SET action = 'x'",
        "DELETE FROM gateway.event_log",
        "TRUNCATE gateway.event_log",
        "SELECT setval('gateway.event_outbox_id_seq', 1)",
        "SELECT gateway.tell_session_deleted()",
    ],
)
async def test_nobody_touches_the_tables(sql: str, gateway: "Raw", tenants: list[UUID]) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await gateway.execute(sql)


async def test_the_owner_without_maintenance_sees_nothing(somebody: "Raw", tenants: list[UUID]) -> None:
    for table in ("event_log", "event_outbox"):
        try:
            found = await somebody.fetchval(f"SELECT count(*) FROM gateway.{table}")  # noqa: S608
        except asyncpg.InsufficientPrivilegeError:
            found = 0
        assert found == 0


async def test_the_functions_say_what_happened_to_which_rows_and_no_more(
    gateway: "Raw", tenants: list[UUID]
) -> None:
    rows = await gateway.fetch("SELECT * FROM gateway.events_after(1, 2)")
    assert [row["seq"] for row in rows] == [2, 3]
    assert list(rows[0].keys()) == ["seq", "at", "tenant_id", "topic", "action", "entity_id", "user_id"]
    assert await gateway.fetchval("SELECT current_setting('app.maintenance', true)") in (None, "")


async def test_the_services_have_no_use_for_the_functions(scratch_database: Urls) -> None:
    service = await asyncpg.connect(scratch_database.service)
    for call in (
        "event_bounds()",
        "events_after(0, 1)",
        "sequence_events(1)",
        "forget_events('1 day', 1)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(f"SELECT * FROM gateway.{call}")  # noqa: S608
    await service.close()
