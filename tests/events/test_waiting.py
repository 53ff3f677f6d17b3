"""How long the oldest event waits, and what a hub tells of itself: what the metrics and /readyz show."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.events.conftest import following
from tests.factories import make_tenant
from tests.server import Urls

ADD = text(
    "INSERT INTO gateway.event_outbox (tenant_id, topic, action, entity_id, at) "
    "VALUES (:tenant, 'approval', 'requested', :entity, clock_timestamp() - CAST(:age AS interval))"
)


WAITING = "SELECT coalesce(waiting, 0) FROM gateway.event_bounds()"


async def test_the_oldest_event_of_any_tenant_waits_until_it_is_in_the_log(
    alone: AsyncConnection, scratch_database: Urls
) -> None:
    gateway = await asyncpg.connect(scratch_database.gateway)
    assert await gateway.fetchval(WAITING) == 0
    for minutes in (60, 1):
        tenant = await make_tenant(alone)
        given = {"tenant": tenant, "entity": uuid4(), "age": timedelta(minutes=minutes)}
        await alone.execute(ADD, given)
    assert 3600 <= await gateway.fetchval(WAITING) < 3700
    assert await gateway.fetchval("SELECT gateway.sequence_events(1)") == 1
    assert 60 <= await gateway.fetchval(WAITING) < 160
    assert await gateway.fetchval("SELECT gateway.sequence_events(10)") == 1
    assert await gateway.fetchval(WAITING) == 0
    assert await gateway.fetchval("SELECT current_setting('app.maintenance', true)") in (None, "")
    await gateway.close()


async def test_a_hub_tells_how_late_events_are(alone: AsyncConnection, scratch_database: Urls) -> None:
    tenant = await make_tenant(alone)
    age = {"tenant": tenant, "entity": uuid4(), "age": timedelta(minutes=5)}
    await alone.execute(ADD, age)
    async with following(scratch_database.gateway) as hub:
        async with hub.feed(tenant, "approval", after=None) as feed:
            assert hub.subscriptions == 1
            assert 300 <= hub.outbox_age < 400
            assert hub.event_age == 0
            await alone.execute(text("SELECT gateway.sequence_events(10)"))
            event = await anext(feed)
            assert event.entity_id == age["entity"]
            assert 300 <= hub.event_age < 400
        assert hub.subscriptions == 0
        assert hub.silence < 60
