"""What a feed tells while servers, processes and links fail: everything, in order, once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from graph.auth import keys
from graph.events import Event
from graph.events.link import APPLICATION
from tests.crash.load import serving
from tests.events.conftest import following, sequencing
from tests.events.fragile import HOLDER, crash, private_server
from tests.events.inbox import PATIENCE, Inbox, entities, take
from tests.factories import make_tenant, make_user
from tests.graph.proxy import Mute, Proxy
from tests.server import Urls


@pytest.fixture
async def inbox(alone: AsyncConnection) -> Inbox:
    tenant = await make_tenant(alone)
    return Inbox(alone, tenant, await make_user(alone, tenant))


@pytest.fixture
async def proxy(scratch_database: Urls) -> AsyncIterator[Proxy]:
    async with Proxy.to(scratch_database.gateway) as proxy:
        yield proxy


async def holder(inbox: Inbox) -> int | None:
    """The server's process in which the sequencer's lock is held."""
    pid: int | None = await inbox.owner.scalar(sa.text(HOLDER))
    return pid


async def elected(inbox: Inbox, *, other_than: int | None = None) -> int:
    """Whose the lock is, as soon as it is somebody's."""
    async with asyncio.timeout(PATIENCE):
        while (pid := await holder(inbox)) is None or pid == other_than:
            pass
    return pid


async def test_one_of_many_sequences(inbox: Inbox, scratch_database: Urls) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(sequencing(scratch_database.gateway))
        await elected(inbox)
        await inbox.add(3)
        await inbox.newest(3)
        assert len((await inbox.owner.execute(sa.text(HOLDER))).all()) == 1


async def test_a_listener_whose_link_goes_silent_comes_back_and_misses_nothing(
    inbox: Inbox, scratch_database: Urls, proxy: Proxy
) -> None:
    async with (
        sequencing(scratch_database.gateway),
        following(proxy.url, scratch_database.gateway) as hub,
        hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as feed,
    ):
        added = await inbox.add(2)
        told = entities(await take(feed, 2))
        for _ in range(2):
            proxy.silence()
            added += await inbox.add(3)
            told += entities(await take(feed, 3))
    assert told == added


async def test_a_look_up_of_what_was_missed_is_given_up_in_silence_and_tried_again(
    inbox: Inbox, scratch_database: Urls
) -> None:
    async with (
        Mute.to(scratch_database.gateway) as mute,
        sequencing(scratch_database.gateway),
        following(scratch_database.gateway, mute.url, queue=1, deadline=0.2) as hub,
        hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as behind,
        hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as ahead,
    ):
        added = await inbox.add(3)
        # The hub has handed all of them out, to a reader too who had room for one
        assert entities(await take(ahead, 3)) == added
        mute.armed = True
        assert entities(await take(behind, 3)) == added
        assert not mute.armed


async def test_a_sequencer_that_is_frozen_loses_its_place(
    inbox: Inbox, scratch_database: Urls, proxy: Proxy
) -> None:
    async with sequencing(proxy.url):
        frozen = await elected(inbox)
        async with sequencing(scratch_database.gateway):
            await inbox.add(2)
            await inbox.newest(2)
            assert await holder(inbox) == frozen
            proxy.silence()
            assert await elected(inbox, other_than=frozen) != frozen
            await inbox.add(2)
            await inbox.newest(4)


async def test_another_takes_over_from_a_sequencer_that_is_killed(
    inbox: Inbox, scratch_database: Urls, tmp_path: Path
) -> None:
    keys.generate(tmp_path / "keys.json")
    async with serving(scratch_database.gateway, tmp_path / "keys.json") as (process, _):
        killed = await elected(inbox)
        async with (
            sequencing(scratch_database.gateway),
            following(scratch_database.gateway) as hub,
            hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as feed,
        ):
            added = await inbox.add(5)
            told = entities(await take(feed, 5))
            process.kill()
            added += await inbox.add(5)
            await process.wait()
            assert await elected(inbox, other_than=killed) != killed
            added += await inbox.add(5)
            told += entities(await take(feed, 10))
    assert told == added


async def test_connections_that_the_server_ends_are_made_anew(
    inbox: Inbox, scratch_database: Urls, urls: Urls
) -> None:
    elsewhere = await asyncpg.connect(urls.gateway)
    end = (
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE datname = $1 AND usename = current_user AND application_name = $2"
    )
    async with (
        sequencing(scratch_database.gateway),
        following(scratch_database.gateway) as hub,
        hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as feed,
    ):
        added, told = [], []
        for _ in range(3):
            added += await inbox.add(2)
            told += entities(await take(feed, 2))
            assert len(await elsewhere.fetch(end, scratch_database.name, APPLICATION)) == 2
            added += await inbox.add(2)
            told += entities(await take(feed, 2))
    assert told == added
    await elsewhere.close()


async def test_a_restart_of_the_database_loses_and_repeats_nothing() -> None:
    async with private_server() as (server, urls), AsyncExitStack() as stack:
        engine = create_async_engine(
            urls.owner.replace("postgresql://", "postgresql+asyncpg://", 1),
            isolation_level="AUTOCOMMIT",
            pool_pre_ping=True,
            connect_args={"server_settings": {"app.maintenance": "on"}},
        )
        stack.push_async_callback(engine.dispose)
        async with engine.connect() as owner:
            tenant = await make_tenant(owner)
            user = await make_user(owner, tenant)
        await stack.enter_async_context(sequencing(urls.gateway))
        hub = await stack.enter_async_context(following(urls.gateway))
        feed = await stack.enter_async_context(hub.feed(tenant, "notification", after=None, user_id=user))
        told: list[Event] = []
        for _ in range(2):
            writers = [asyncio.create_task(write_until_it_fails(engine, tenant, user)) for _ in range(4)]
            told += await take(feed, 50)
            await crash(server)
            await asyncio.gather(*writers)
        async with engine.connect() as owner:
            (last,) = await Inbox(owner, tenant, user).add(1)
            while told[-1].entity_id != last:
                told += await take(feed, 1)
            stored = await owner.execute(sa.text("SELECT id FROM notifications_inbox"))
            logged = await owner.execute(sa.text("SELECT entity_id FROM gateway.event_log ORDER BY seq"))
            assert entities(told) == list(logged.scalars())
            assert sorted(entities(told)) == sorted(stored.scalars())


async def write_until_it_fails(engine: AsyncEngine, tenant: UUID, user: UUID) -> None:
    """Commit one row after the other, as fast as it goes."""
    with contextlib.suppress(DBAPIError, OSError):
        async with engine.connect() as connection:
            while True:
                await Inbox(connection, tenant, user).add(1)
