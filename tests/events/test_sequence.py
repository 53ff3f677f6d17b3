"""`gateway.sequence_events`: one order without gaps, that whoever reads by number can rely on."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.factories import make_tenant, make_user
from tests.server import Urls

if TYPE_CHECKING:
    Raw = asyncpg.Connection[Any]
ADD = "INSERT INTO notifications_inbox (tenant_id, user_id, category, title) VALUES ($1, $2, 'tasks', $3)"
ADD_MANY = (
    "INSERT INTO notifications_inbox (tenant_id, user_id, category, title) "
    "SELECT $1, $2, 'tasks', 'Call' FROM generate_series(1, 1200)"
)
LOG = "SELECT seq FROM gateway.event_log ORDER BY seq"


class Site:
    """A database of its own: writers, and whoever sequences."""

    def __init__(self, urls: Urls, tenant: UUID, user: UUID) -> None:
        self.urls, self.tenant, self.user = urls, tenant, user
        self.opened: list[Raw] = []

    async def connect(self, role: str = "service") -> "Raw":
        settings = {"app.maintenance": "on"} if role == "owner" else {}
        connection = await asyncpg.connect(getattr(self.urls, role), server_settings=settings)
        self.opened.append(connection)
        return connection

    async def add(self, connection: "Raw", title: str = "Call") -> None:
        await connection.execute(ADD, self.tenant, self.user, title)


@pytest.fixture
async def site(scratch_database: Urls, alone: AsyncConnection) -> AsyncIterator[Site]:
    tenant = await make_tenant(alone)
    site = Site(scratch_database, tenant, await make_user(alone, tenant))
    yield site
    for connection in site.opened:
        await connection.close()


async def sequence(connection: "Raw", batch: int = 1000) -> int:
    moved: int = await connection.fetchval("SELECT gateway.sequence_events($1)", batch)
    return moved


async def test_a_commit_that_comes_late_gets_a_later_number(site: Site) -> None:
    slow, quick, gateway, owner = [
        await site.connect(role) for role in ("service", "service", "gateway", "owner")
    ]
    await slow.execute("BEGIN")
    await site.add(slow, "slow")
    await site.add(quick, "quick")
    assert await sequence(gateway) == 1
    await slow.execute("COMMIT")
    assert await sequence(gateway) == 1
    titles = await owner.fetch(
        "SELECT title FROM gateway.event_log l JOIN notifications_inbox n ON n.id = entity_id ORDER BY seq"
    )
    assert [title for (title,) in titles] == ["quick", "slow"], "the slow one has the smaller id"


async def test_numbers_have_no_gaps_though_ids_have(site: Site) -> None:
    writer, gateway, owner = [await site.connect(role) for role in ("service", "gateway", "owner")]
    for number in range(12):
        await writer.execute("BEGIN")
        await site.add(writer)
        await writer.execute("COMMIT" if number % 3 else "ROLLBACK")
        await sequence(gateway, 1)
    while await sequence(gateway, 2):
        pass
    assert [seq for (seq,) in await owner.fetch(LOG)] == list(range(1, 9))
    assert await owner.fetchval("SELECT count(*) FROM gateway.event_outbox") == 0


async def test_two_who_sequence_at_once_wait_for_each_other(site: Site) -> None:
    writer, one, two, owner = [
        await site.connect(role) for role in ("service", "gateway", "gateway", "owner")
    ]
    await site.add(writer)
    await one.execute("BEGIN")
    assert await sequence(one) == 1
    await site.add(writer)
    waiting = asyncio.create_task(sequence(two))
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = $1"
    async with asyncio.timeout(30):
        while not await owner.fetchval(waits, two.get_server_pid()):
            assert not waiting.done()
    await one.execute("COMMIT")
    assert await waiting == 1
    assert [seq for (seq,) in await owner.fetch(LOG)] == [1, 2]


async def test_what_is_in_the_log_survives_a_crash_whatever_the_server_is_set_to(site: Site) -> None:
    writer, gateway = await site.connect(), await site.connect("gateway")
    for setting, kept in (("off", "local"), ("on", "on"), ("remote_apply", "remote_apply")):
        await site.add(writer)
        await gateway.execute("BEGIN")
        await gateway.execute(f"SET LOCAL synchronous_commit = '{setting}'")
        assert await sequence(gateway) == 1
        assert await gateway.fetchval("SELECT current_setting('synchronous_commit')") == kept
        await gateway.execute("COMMIT")


async def test_the_scan_does_not_begin_where_all_is_deleted(site: Site) -> None:
    """However old the oldest snapshot of the server is, which keeps dead rows from being swept up."""
    writer, reader, gateway, owner = [
        await site.connect(role) for role in ("service", "owner", "gateway", "owner")
    ]
    await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await reader.fetchval("SELECT 1 FROM pg_class LIMIT 1")
    # Transactions of the server's other databases hold the floor down as well, while they last
    async with asyncio.timeout(60):
        while await owner.fetchval("SELECT floor_id FROM gateway.event_state") < 2400:
            await writer.execute(ADD_MANY, site.tenant, site.user)
            while await sequence(gateway) == 1000:
                pass
    assert await owner.fetchval("SELECT count(*) FROM gateway.event_outbox") == 0
    await reader.execute("COMMIT")


async def test_the_scan_begins_below_whatever_is_still_to_be_committed(site: Site) -> None:
    slow, writer, gateway, owner = [
        await site.connect(role) for role in ("service", "service", "gateway", "owner")
    ]
    await slow.execute("BEGIN")
    await site.add(slow)
    for _ in range(4):
        await writer.execute(ADD_MANY, site.tenant, site.user)
        while await sequence(gateway) == 1000:
            pass
    assert await owner.fetchval("SELECT floor_id FROM gateway.event_state") == 0
    await slow.execute("COMMIT")
    assert await sequence(gateway) == 1
    assert await owner.fetchval("SELECT count(*) FROM gateway.event_log") == 4801


async def test_a_hint_is_sent_with_each_batch(site: Site) -> None:
    writer, gateway, listener = [await site.connect(role) for role in ("service", "gateway", "service")]
    heard: asyncio.Queue[object] = asyncio.Queue()
    await listener.add_listener("m3_events", lambda *told: heard.put_nowait(told[-1]))
    for _ in range(3):
        await site.add(writer)
    assert await sequence(gateway, 2) == 2
    assert await sequence(gateway, 2) == 1
    assert await sequence(gateway, 2) == 0
    async with asyncio.timeout(30):
        assert [await heard.get(), await heard.get()] == ["2", "3"]
