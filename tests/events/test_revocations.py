"""Whoever has a socket open is told when their session, their user or their rights change."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Role, Session
from graph.events import Event
from graph.events.hub import Hub
from tests.events.conftest import following, sequencing
from tests.events.inbox import PATIENCE
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls


class Watcher:
    """A session, and what its socket is told."""

    def __init__(self, owner: AsyncConnection, tenant: UUID, user: UUID, session: UUID) -> None:
        self.owner, self.tenant, self.user, self.session = owner, tenant, user, session
        self.told: asyncio.Queue[Event | None] = asyncio.Queue()

    @classmethod
    async def of(cls, owner: AsyncConnection, tenant: UUID, user: UUID) -> "Watcher":
        session = await insert(owner, Session, tenant_id=tenant, user_id=user)
        return cls(owner, tenant, user, session["id"])

    async def after(self, sql: str, **values: UUID) -> tuple[str, str, UUID]:
        """What is told first of a statement."""
        await self.owner.execute(sa.text(sql), values)
        async with asyncio.timeout(PATIENCE):
            event = await self.told.get()
        assert event is not None
        return event.topic, event.action, event.entity_id


@pytest.fixture
async def hub(scratch_database: Urls) -> AsyncIterator[Hub]:
    async with sequencing(scratch_database.gateway), following(scratch_database.gateway) as hub:
        yield hub


async def test_what_is_about_oneself_is_told_and_nothing_else(hub: Hub, alone: AsyncConnection) -> None:
    tenant, neighbours = [await make_tenant(alone) for _ in range(2)]
    user, other = [await make_user(alone, tenant) for _ in range(2)]
    stranger = await make_user(alone, neighbours)
    mine, second, others, theirs = [
        await Watcher.of(alone, *who)
        for who in ((tenant, user), (tenant, user), (tenant, other), (neighbours, stranger))
    ]
    role = (await insert(alone, Role, tenant_id=tenant))["id"]
    end = "UPDATE sessions SET revoked_at = now() WHERE id = :id"
    suspend = "UPDATE users SET status = 'suspended' WHERE id = :id"
    give = "INSERT INTO user_roles (tenant_id, user_id, role_id) VALUES (:tenant, :user, :role)"
    allow = (
        "INSERT INTO role_permissions (tenant_id, role_id, permission) VALUES (:tenant, :role, 'deals.view')"
    )
    with hub.revocations(tenant, user, mine.session, mine.told.put_nowait):
        # Others first: were they told to the wrong one, they would come before what is its own
        for watcher in (second, others, theirs):
            await alone.execute(sa.text(end), {"id": watcher.session})
        for id in (other, stranger):
            await alone.execute(sa.text(suspend), {"id": id})
        await alone.execute(sa.text(give), {"tenant": tenant, "user": other, "role": role})
        assert await mine.after(give, tenant=tenant, user=user, role=role) == ("rights", "changed", user)
        assert await mine.after(allow, tenant=tenant, role=role) == ("rights", "changed", role)
        assert await mine.after(suspend, id=user) == ("user", "suspended", user)
        assert await mine.after(end, id=mine.session) == ("session", "revoked", mine.session)
    assert mine.told.empty()


async def test_one_who_fails_does_not_keep_it_from_the_others(hub: Hub, alone: AsyncConnection) -> None:
    tenant = await make_tenant(alone)
    user = await make_user(alone, tenant)
    watcher = await Watcher.of(alone, tenant, user)

    def fail(_: Event | None) -> None:
        raise RuntimeError

    with (
        hub.revocations(tenant, user, watcher.session, fail),
        hub.revocations(tenant, user, watcher.session, watcher.told.put_nowait),
    ):
        for status in ("suspended", "active"):
            sql = f"UPDATE users SET status = '{status}' WHERE id = :id"  # noqa: S608
            assert await watcher.after(sql, id=user) == ("user", status, user)
