"""Somebody's inbox, and those who read the feed of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import InboxNotification
from graph.events import Event
from graph.events.cursor import NEWEST_EVENT

PATIENCE = 60
"""Seconds after which an event that has not come is taken to be lost."""


class Inbox:
    """Somebody's inbox, and what is written into it."""

    def __init__(self, owner: AsyncConnection, tenant: UUID, user: UUID) -> None:
        self.owner, self.tenant, self.user = owner, tenant, user

    async def add(self, number: int = 1) -> list[UUID]:
        """The ids of as many notices, in the order that they are told in."""
        ids = [uuid4() for _ in range(number)]
        row = {"tenant_id": self.tenant, "user_id": self.user, "category": "tasks", "title": "Call"}
        if ids:
            await self.owner.execute(sa.insert(InboxNotification), [{**row, "id": id} for id in ids])
        return ids

    async def newest(self, number: int) -> None:
        """Wait until the log has as many events."""
        async with asyncio.timeout(PATIENCE):
            while await self.owner.scalar(NEWEST_EVENT) != number:
                pass


async def take(feed: AsyncIterator[Event], number: int) -> list[Event]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(feed) for _ in range(number)]


def entities(events: Sequence[Event]) -> list[UUID]:
    return [event.entity_id for event in events]
