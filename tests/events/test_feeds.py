"""What a feed tells: everything behind its place, in order, once."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import InboxNotification
from tests.events.conftest import following, sequencing
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls


async def test_a_notice_reaches_whose_inbox_it_is_in(scratch_database: Urls, alone: AsyncConnection) -> None:
    tenant = await make_tenant(alone)
    user = await make_user(alone, tenant)
    async with (
        sequencing(scratch_database.gateway),
        following(scratch_database.gateway) as hub,
        hub.feed(tenant, "notification", after=None, user_id=user) as feed,
    ):
        row = await insert(alone, InboxNotification, tenant_id=tenant, user_id=user)
        async with asyncio.timeout(30):
            event = await anext(feed)
    assert (event.tenant_id, event.entity_id, event.user_id) == (tenant, row["id"], user)
