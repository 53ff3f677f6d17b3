"""Every change that somebody may wait for is told, whoever makes it, in the order it was made."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Approval, InboxNotification, Role, Session, User
from tests.events.told import Telling
from tests.factories import insert, make_tenant, make_user
from tests.server import Urls

WRITERS = ["gateway", "service", "owner"]


@dataclass
class Writer:
    """Somebody who writes rows of a tenant, by SQL of their own."""

    name: str
    connection: "asyncpg.Connection[Any]"
    tenant: UUID
    user: UUID
    telling: Telling

    async def does(self, sql: str, *arguments: Any) -> list[tuple[str, str, UUID, UUID | None]]:
        """What is told of a statement."""
        async with self.connection.transaction():
            if self.name == "gateway":
                await self.connection.execute(f"SET LOCAL app.tenant_id = '{self.tenant}'")
            await self.connection.execute(sql, *arguments)
            scope = await self.connection.fetchval("SELECT current_setting('app.tenant_id', true)")
            assert (scope or None) == (str(self.tenant) if self.name == "gateway" else None)
        return await self.telling.next()


@pytest.fixture(params=WRITERS)
async def writer(request: pytest.FixtureRequest, urls: Urls, owner: AsyncConnection) -> AsyncIterator[Writer]:
    settings = {"app.maintenance": "on"} if request.param == "owner" else {}
    connection = await asyncpg.connect(getattr(urls, request.param), server_settings=settings)
    tenant = await make_tenant(owner)
    user = await make_user(owner, tenant)
    yield Writer(request.param, connection, tenant, user, await Telling.of(owner, tenant))
    await connection.close()


async def test_the_inbox(writer: Writer, owner: AsyncConnection) -> None:
    one, two, user = uuid4(), uuid4(), writer.user
    add = (
        "INSERT INTO notifications_inbox (tenant_id, user_id, category, title, id) "
        "SELECT $1, $2, 'tasks', 'Call', id FROM unnest($3::uuid[]) id"
    )
    assert await writer.does(add, writer.tenant, user, [one, two]) == [
        ("notification", "added", one, user),
        ("notification", "added", two, user),
    ]
    read = "UPDATE notifications_inbox SET is_read = $2 WHERE id = ANY ($1)"
    assert await writer.does(read, [one], True) == [("notification", "read", one, user)]
    assert await writer.does(read, [one, two], True) == [("notification", "read", two, user)]
    assert await writer.does(read, [one, two], False) == []
    assert await writer.does("UPDATE notifications_inbox SET title = 'x' WHERE id = $1", one) == []
    assert await writer.does(read, [uuid4()], True) == []
    again = (
        "INSERT INTO notifications_inbox (tenant_id, user_id, category, title, id) "
        "VALUES ($1, $2, 'tasks', 'Call', $3) ON CONFLICT (id) DO UPDATE SET is_read = true"
    )
    assert await writer.does(again, writer.tenant, user, one) == [("notification", "read", one, user)]


async def test_requests_for_approval(writer: Writer) -> None:
    one, user = uuid4(), writer.user
    add = (
        "INSERT INTO approvals (tenant_id, id, domain, subject_entity, subject_id, requested_by, "
        "required_levels) VALUES ($1, $2, 'deal.stage.move', 'deal', $2, $3, 2)"
    )
    assert await writer.does(add, writer.tenant, one, user) == [("approval", "requested", one, user)]
    for assignment, action in (
        ("level = 2", ["advanced"]),
        ("level = 2", []),
        ("sla_due_at = now()", []),
        ("state = 'approved', level = 3", ["approved"]),
        ("state = 'applied'", ["applied"]),
        ("state = 'pending'", ["pending"]),
        ("state = 'rejected'", ["rejected"]),
    ):
        found = await writer.does(f"UPDATE approvals SET {assignment} WHERE id = $1", one)  # noqa: S608
        assert found == [("approval", told, one, user) for told in action], assignment


async def test_sessions(writer: Writer, owner: AsyncConnection) -> None:
    session = await insert(owner, Session, tenant_id=writer.tenant, user_id=writer.user)
    id, user = session["id"], writer.user
    for assignment, action in (
        ("last_used_at = now()", []),
        ("revoked_at = now()", ["revoked"]),
        ("revoked_at = now()", []),
    ):
        found = await writer.does(f"UPDATE sessions SET {assignment} WHERE id = $1", id)  # noqa: S608
        assert found == [("session", told, id, user) for told in action], assignment
    if writer.name != "gateway":
        deleted = await writer.does("DELETE FROM sessions WHERE id = $1", id)
        assert deleted == [("session", "deleted", id, user)]


async def test_users(writer: Writer, owner: AsyncConnection) -> None:
    user = writer.user
    for assignment, action in (
        ("last_login_at = now()", []),
        ("status = 'suspended'", ["suspended"]),
        ("status = 'suspended'", []),
        ("status = 'active'", ["active"]),
        ("status = 'deactivated'", ["deactivated"]),
    ):
        found = await writer.does(f"UPDATE users SET {assignment} WHERE id = $1", user)  # noqa: S608
        assert found == [("user", told, user, user) for told in action], assignment
    if writer.name != "gateway":
        session = await insert(owner, Session, tenant_id=writer.tenant, user_id=user)
        told = await writer.does("DELETE FROM users WHERE id = $1", user)
        assert set(told) == {("user", "deleted", user, user), ("session", "deleted", session["id"], user)}


async def test_rights(writer: Writer, owner: AsyncConnection) -> None:
    user, other = writer.user, await make_user(owner, writer.tenant)
    role, parent = [(await insert(owner, Role, tenant_id=writer.tenant))["id"] for _ in range(2)]
    of_user, of_role = ("rights", "changed", user, user), ("rights", "changed", role, None)

    give = "INSERT INTO user_roles (tenant_id, user_id, role_id) VALUES ($1, $2, $3), ($1, $2, $4)"
    assert await writer.does(give, writer.tenant, user, role, parent) == [of_user]
    allow = (
        "INSERT INTO role_permissions (tenant_id, role_id, permission) VALUES ($1, $2, 'x'), ($1, $2, 'y')"
    )
    assert await writer.does(allow, writer.tenant, role) == [of_role]
    assert await writer.does(
        "DELETE FROM role_permissions WHERE role_id = $1 AND permission = 'x'", role
    ) == [of_role]
    assert await writer.does("UPDATE roles SET parent_role_id = $2 WHERE id = $1", role, parent) == [of_role]
    assert await writer.does("UPDATE roles SET name = 'new' WHERE id = $1", role) == []
    assert await writer.does("DELETE FROM user_roles WHERE role_id = $1", parent) == [of_user]
    if writer.name != "gateway":
        moved = await writer.does("UPDATE user_roles SET user_id = $2 WHERE user_id = $1", user, other)
        assert sorted(moved, key=str) == sorted([of_user, ("rights", "changed", other, other)], key=str)
    gone = await writer.does("DELETE FROM roles WHERE id = ANY ($1)", [role, parent])
    assert of_role in gone, "its permissions went with it"


async def test_what_is_rolled_back_is_not_told(writer: Writer) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await writer.does(
            "WITH added AS (INSERT INTO notifications_inbox (tenant_id, user_id, category, title) "
            "VALUES ($1, $2, 'tasks', 'Call')) SELECT 1 / (SELECT count(*) FROM generate_series(1, 0))",
            writer.tenant,
            writer.user,
        )
    assert await writer.telling.next() == []


async def test_a_tenant_goes_with_all_that_was_told_of(owner: AsyncConnection, urls: Urls) -> None:
    tenant = await make_tenant(owner)
    user = await make_user(owner, tenant, "*")
    for model in (InboxNotification, Session, Approval):
        values = {"requested_by": user} if model is Approval else {"user_id": user}
        await insert(owner, model, tenant_id=tenant, **values)
    telling = await Telling.of(owner, tenant)
    await owner.execute(
        User.metadata.tables["tenants"].delete().where(User.metadata.tables["tenants"].c.id == tenant)
    )
    topics = {(topic, action) for topic, action, _, _ in await telling.next()}
    assert topics == {("user", "deleted"), ("session", "deleted"), ("rights", "changed")}
