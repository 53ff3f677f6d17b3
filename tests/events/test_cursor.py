"""`viewer.eventCursor`: nothing falls between the lists that a client reads and the feed that it opens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadCursor
from graph.events.cursor import event_cursor, read_event_cursor
from tests.client import Client, running, signed_in
from tests.events.inbox import Inbox, entities, take
from tests.factories import make_tenant
from tests.server import Urls

SCREEN = "{ viewer { inbox(first: 100) { nodes { id } } eventCursor } }"
ADD = (
    "INSERT INTO notifications_inbox (tenant_id, user_id, category, title, id) "
    "VALUES ($1, $2, 'tasks', 'Call', $3)"
)
KEY = bytes(range(32))


@pytest.fixture
async def client(scratch_database: Urls, alone: AsyncConnection, tmp_path: Path) -> AsyncIterator[Client]:
    tenant = await make_tenant(alone)
    async with running(scratch_database.gateway, tmp_path) as anyone:
        yield await signed_in(anyone, alone, tenant)


@pytest.fixture
def inbox(client: Client, alone: AsyncConnection) -> Inbox:
    assert client.tenant_id is not None
    assert client.user_id is not None
    return Inbox(alone, client.tenant_id, client.user_id)


def place(client: Client, cursor: str) -> int:
    key = client.services.keys.current.derive("event-cursor")
    assert client.tenant_id is not None
    return read_event_cursor(key, client.tenant_id, cursor)


async def test_it_is_the_end_of_what_is_known(client: Client, inbox: Inbox) -> None:
    assert place(client, (await client.read(SCREEN))["viewer"]["eventCursor"]) == 0
    await inbox.add(3)
    await inbox.newest(3)
    assert place(client, (await client.read(SCREEN))["viewer"]["eventCursor"]) == 3


async def test_what_a_snapshot_does_not_show_has_a_higher_number(
    client: Client, inbox: Inbox, scratch_database: Urls
) -> None:
    """The snapshot is taken, then rows are committed and get their numbers, then the cursor is read."""
    before = await inbox.add(2)
    await inbox.newest(2)
    reader = await asyncpg.connect(scratch_database.owner, server_settings={"app.maintenance": "on"})
    async with reader.transaction(isolation="repeatable_read", readonly=True):
        shown = {row["id"] for row in await reader.fetch("SELECT id FROM notifications_inbox")}
        assert shown == set(before)
        await inbox.add(2)
        await inbox.newest(4)
        assert await reader.fetchval("SELECT newest FROM gateway.event_bounds()") == 2
    await reader.close()


async def test_lists_and_feed_together_are_everything(
    client: Client, inbox: Inbox, scratch_database: Urls
) -> None:
    """While four writers commit in no order, a client reads its screen, again and again."""
    written: set[UUID] = set()

    async def write() -> None:
        connection = await asyncpg.connect(scratch_database.service)
        while len(written) < 90:  # with those under way it is less than a page
            async with connection.transaction():
                id = uuid4()
                await connection.execute(ADD, inbox.tenant, inbox.user, id)
                await connection.execute("SELECT pg_sleep(0.15 * random())")
            written.add(id)
        await connection.close()

    writers = asyncio.gather(*(write() for _ in range(4)))
    screens: list[dict[str, Any]] = []
    while len(screens) < 5 or not writers.done():
        screens.append((await client.read(SCREEN))["viewer"])
    await writers
    (last,) = await inbox.add(1)
    for screen in screens:
        shown = {UUID(node["id"]) for node in screen["inbox"]["nodes"]}
        told: set[UUID] = set()
        after = place(client, screen["eventCursor"])
        feed = client.services.hub.feed(inbox.tenant, "notification", after=after, user_id=inbox.user)
        async with feed as events:
            while last not in told:
                told |= set(entities(await take(events, 1)))
        assert shown | told == written | {last}


def test_a_cursor_is_its_tenants_alone_and_says_nothing() -> None:
    tenant, other = UUID(int=1), UUID(int=2)
    cursor = event_cursor(KEY, tenant, 77)
    assert read_event_cursor(KEY, tenant, cursor) == 77
    assert event_cursor(KEY, tenant, 77) == cursor
    altered = [
        cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :] for place in range(32)
    ]
    bad = ["", "x", cursor[:-1], cursor + "A", cursor[:-4] + "é===", "\ud800" * 32, "!" * 32, *altered]
    for text in bad:
        with pytest.raises(BadCursor):
            read_event_cursor(KEY, tenant, text)
    with pytest.raises(BadCursor):
        read_event_cursor(KEY, other, cursor)
    with pytest.raises(BadCursor):
        read_event_cursor(bytes(32), tenant, cursor)
