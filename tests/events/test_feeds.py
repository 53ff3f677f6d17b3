"""What a feed tells: everything behind its place, in order, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import CursorExpired, Unavailable
from graph.events import Event, SlowConsumer
from graph.events.feed import Feed
from graph.events.hub import Hub
from graph.limits import FEED_PAGE
from tests.events.conftest import following, sequencing
from tests.events.inbox import Inbox, entities, take
from tests.factories import make_tenant, make_user
from tests.server import Urls
from tests.subscriptions.following import until


@pytest.fixture
async def inbox(alone: AsyncConnection, scratch_database: Urls) -> AsyncIterator[Inbox]:
    """An inbox whose events are sequenced."""
    tenant = await make_tenant(alone)
    async with sequencing(scratch_database.gateway):
        yield Inbox(alone, tenant, await make_user(alone, tenant))


@pytest.fixture
async def hub(inbox: Inbox, scratch_database: Urls) -> AsyncIterator[Hub]:
    async with following(scratch_database.gateway) as hub:
        yield hub


async def test_whoever_asks_from_now_on_gets_what_comes(inbox: Inbox, hub: Hub) -> None:
    async with hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as feed:
        await inbox.add(3)
        await take(feed, 3)
    async with hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as feed:
        added = await inbox.add(2)
        events = await take(feed, 2)
    assert entities(events) == added
    assert [event.seq for event in events] == [4, 5]
    assert {(type(e.entity_id), type(e.tenant_id), type(e.user_id)) for e in events} == {(UUID, UUID, UUID)}
    assert {(e.topic, e.action, e.tenant_id, e.user_id) for e in events} == {
        ("notification", "added", inbox.tenant, inbox.user)
    }


@pytest.mark.parametrize("missed", [0, 1, FEED_PAGE - 1, FEED_PAGE, FEED_PAGE + 1, 3 * FEED_PAGE])
async def test_a_cursor_gives_all_that_came_behind_it_then_what_comes(
    missed: int, inbox: Inbox, hub: Hub
) -> None:
    before = await inbox.add(2)
    await inbox.newest(2)
    added = await inbox.add(missed)
    await inbox.newest(2 + missed)
    async with hub.feed(inbox.tenant, "notification", after=1, user_id=inbox.user) as feed:
        added += await inbox.add(3)
        assert entities(await take(feed, 1 + missed + 3)) == [before[1], *added]


async def test_a_feed_is_of_one_user_or_one_row_or_all_of_a_topic(
    inbox: Inbox, alone: AsyncConnection, hub: Hub
) -> None:
    other = Inbox(alone, inbox.tenant, await make_user(alone, inbox.tenant))
    tenant = await make_tenant(alone)
    stranger = Inbox(alone, tenant, await make_user(alone, tenant))
    written = [(await who.add())[0] for who in (inbox, other, stranger, inbox, other)]
    await inbox.newest(5)
    asked: tuple[dict[str, UUID], ...] = {"user_id": inbox.user}, {"entity_id": written[1]}, {}
    expected = [written[0], written[3]], [written[1]], [written[0], written[1], written[3], written[4]]
    for arguments, ids in zip(asked, expected, strict=True):
        async with hub.feed(inbox.tenant, "notification", after=0, **arguments) as feed:
            assert entities(await take(feed, len(ids))) == ids
            assert feed.waiting(99) == []
    async with AsyncExitStack() as stack:
        feeds = [
            await stack.enter_async_context(hub.feed(inbox.tenant, "notification", after=None, **arguments))
            for arguments in asked
        ]
        await alone.execute(sa.text("UPDATE notifications_inbox SET is_read = true"))
        for feed, ids in zip(feeds, expected, strict=True):
            assert sorted(entities(await take(feed, len(ids)))) == sorted(ids)
            assert feed.waiting(99) == []


async def test_a_reader_who_falls_behind_reads_the_rest_from_the_log(
    inbox: Inbox, scratch_database: Urls
) -> None:
    async with (
        following(scratch_database.gateway, queue=5) as hub,
        hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as feed,
    ):
        added = await inbox.add(4)
        told = entities(await take(feed, 2))
        for number in (1, 2, FEED_PAGE, 7):
            added += await inbox.add(number)
            await inbox.newest(len(added))
        told += entities(await take(feed, len(added) - len(told)))
        added += await inbox.add(1)
        told += entities(await take(feed, 1))
    assert told == added


async def test_a_reader_who_does_not_catch_up_in_time_is_given_up(
    inbox: Inbox, scratch_database: Urls
) -> None:
    async with (
        following(scratch_database.gateway, queue=2, patience=0.0) as hub,
        hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as feed,
    ):
        async with hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as quick:
            for _ in range(4):
                await inbox.add()
                await take(quick, 1)
        with pytest.raises(SlowConsumer):
            await take(feed, 4)


async def test_a_place_whose_events_are_forgotten_is_no_place_to_go_on_from(
    inbox: Inbox, alone: AsyncConnection, hub: Hub
) -> None:
    async with hub.feed(inbox.tenant, "notification", after=None) as feed:
        await inbox.add(9)
        await take(feed, 9)  # so that the hub has read that far
    await alone.execute(sa.text("UPDATE gateway.event_log SET logged_at = now() - interval '2 days'"))
    assert await alone.scalar(sa.text("SELECT gateway.forget_events('1 day', 5)")) == 5
    for after in (0, 4, 10, 2**62):
        with pytest.raises(CursorExpired):
            async with hub.feed(inbox.tenant, "notification", after=after):
                pass
    async with hub.feed(inbox.tenant, "notification", after=5) as feed:
        assert [event.seq for event in await take(feed, 4)] == [6, 7, 8, 9]


async def test_a_log_that_was_set_back_ends_the_feeds(inbox: Inbox, alone: AsyncConnection, hub: Hub) -> None:
    """As after a failover to a server that had not got everything: numbers are given again."""
    told: list[Event | None] = []
    async with hub.feed(inbox.tenant, "notification", after=None) as feed:
        await inbox.add(5)
        await take(feed, 5)
        with hub.revocations(inbox.tenant, inbox.user, uuid4(), told.append):
            await alone.execute(sa.text("DELETE FROM gateway.event_log WHERE seq > 2"))
            with pytest.raises(CursorExpired):
                await take(feed, 1)
            assert told == [None]
    async with hub.feed(inbox.tenant, "notification", after=None) as feed:
        added = await inbox.add(1)
        assert entities(await take(feed, 1)) == added


async def test_an_idle_feed_does_not_grow_old(
    inbox: Inbox, alone: AsyncConnection, scratch_database: Urls
) -> None:
    """What it waited through may be forgotten, and it falls behind after that."""
    tenant = await make_tenant(alone)
    stranger = Inbox(alone, tenant, await make_user(alone, tenant))
    async with (
        following(scratch_database.gateway, queue=2) as hub,
        hub.feed(inbox.tenant, "notification", after=None, user_id=inbox.user) as feed,
    ):
        first = asyncio.create_task(take(feed, 1))
        await stranger.add(9)
        await inbox.newest(9)
        added = await inbox.add(5)
        await inbox.newest(14)
        await alone.execute(sa.text("UPDATE gateway.event_log SET logged_at = now() - interval '2 days'"))
        assert await alone.scalar(sa.text("SELECT gateway.forget_events('1 day', 9)")) == 9
        told = await first
        assert entities(told + await take(feed, 4)) == added


async def test_nothing_is_fed_while_the_database_cannot_be_reached(alone: AsyncConnection) -> None:
    async with following("postgresql://nobody@127.0.0.1:1/nothing") as hub:
        with pytest.raises(Unavailable):
            async with hub.feed(uuid4(), "notification", after=None):
                pass


async def test_feeds_end_with_their_hub(inbox: Inbox, hub: Hub) -> None:
    async with hub.feed(inbox.tenant, "notification", after=None) as feed:
        await inbox.add(1)
        await take(feed, 1)
        await hub.stop()
        assert [event async for event in feed] == []


async def test_a_feed_that_was_left_costs_nothing(inbox: Inbox, hub: Hub) -> None:
    for _ in range(3):
        async with hub.feed(inbox.tenant, "notification", after=None) as feed:
            assert isinstance(feed, Feed)
    with hub.revocations(inbox.tenant, inbox.user, uuid4(), lambda _: None):
        pass
    assert hub._addressees == {}
    assert hub._feeds == set()
    assert hub._watchers == set()


async def test_the_hub_knows_what_waits_and_how_old_events_are(
    alone: AsyncConnection, scratch_database: Urls
) -> None:
    tenant = await make_tenant(alone)
    inbox = Inbox(alone, tenant, await make_user(alone, tenant))
    await inbox.add(1)
    async with following(scratch_database.gateway) as hub:
        await until(lambda: hub.outbox_age > 0.0)
        async with (
            sequencing(scratch_database.gateway),
            hub.feed(inbox.tenant, "notification", after=0) as feed,
        ):
            await take(feed, 1)
            await until(lambda: hub.outbox_age == 0.0)
        assert hub.event_age > 0.0
