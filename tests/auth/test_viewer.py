"""The viewer: whose session it is, whether it is good, and what its user may do, in one statement."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert as into
from sqlalchemy import update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.gateway import platform_grants
from db.models import Role, RolePermission, Session, User, UserRole
from db.session import Database, Scope
from graph.auth.viewer import OF_TENANTS, PLATFORM, Viewer, effective, load_viewer
from graph.permissions import Permission
from tests.factories import insert, make_tenant, make_user
from tests.statements import statements


class Tenant:
    """A tenant with one signed-in user."""

    def __init__(self, owner: AsyncConnection, database: Database) -> None:
        self.owner, self.database = owner, database
        self.id = self.user = self.session = uuid4()

    async def fill(self) -> "Tenant":
        self.id = await make_tenant(self.owner)
        self.user = await make_user(self.owner, self.id)
        self.session = await self.sign_in(self.user)
        return self

    async def sign_in(self, user: UUID, **values: Any) -> UUID:
        values = {"expires_at": datetime.now(UTC) + timedelta(hours=1)} | values
        row = await insert(self.owner, Session, tenant_id=self.id, user_id=user, **values)
        session: UUID = row["id"]
        return session

    async def role(self, *permissions: str, parent: UUID | None = None, user: UUID | None = None) -> UUID:
        row = await insert(self.owner, Role, tenant_id=self.id, parent_role_id=parent)
        role: UUID = row["id"]
        for permission in permissions:
            await insert(self.owner, RolePermission, tenant_id=self.id, role_id=role, permission=permission)
        if user is not None:
            await insert(self.owner, UserRole, tenant_id=self.id, user_id=user, role_id=role)
        return role

    async def viewer(self, user: UUID | None = None, session: UUID | None = None) -> Viewer | None:
        user, session = user or self.user, session or self.session
        async with self.database.read(Scope(tenant_id=self.id, user_id=user)) as connection:
            return await load_viewer(connection, self.id, user, session)

    async def held(self) -> frozenset[Permission]:
        viewer = await self.viewer()
        assert viewer is not None
        return viewer.permissions


@pytest.fixture
async def tenant(owner: AsyncConnection, database: Database) -> Tenant:
    return await Tenant(owner, database).fill()


@pytest.fixture
async def other(owner: AsyncConnection, database: Database) -> Tenant:
    return await Tenant(owner, database).fill()


async def test_a_session_is_one_statement(tenant: Tenant) -> None:
    with statements(tenant.database) as sent:
        viewer = await tenant.viewer()
    assert viewer == Viewer(tenant.id, tenant.user, tenant.session, frozenset())
    assert len(sent) == 1


async def test_roles_and_their_parents_count_to_any_depth(tenant: Tenant) -> None:
    root = await tenant.role("deals.view")
    middle = await tenant.role("leads.view", "deals.view", parent=root)
    await tenant.role("contacts.view", parent=middle, user=tenant.user)
    await tenant.role("audit.view", user=tenant.user)
    await tenant.role("billing.view", parent=middle)
    assert await tenant.held() == {
        Permission.DEALS_VIEW,
        Permission.LEADS_VIEW,
        Permission.CONTACTS_VIEW,
        Permission.AUDIT_VIEW,
    }


async def test_a_long_line_of_parents_is_followed_to_its_end(tenant: Tenant) -> None:
    role = await tenant.role("deals.view")
    for _ in range(20):
        role = await tenant.role(parent=role)
    await insert(tenant.owner, UserRole, tenant_id=tenant.id, user_id=tenant.user, role_id=role)
    assert await tenant.held() == {Permission.DEALS_VIEW}


@pytest.mark.parametrize("length", [1, 3])
async def test_a_ring_of_parents_ends(tenant: Tenant, length: int) -> None:
    first = last = await tenant.role("deals.view")
    for _ in range(length - 1):
        last = await tenant.role("leads.view", parent=last)
    await tenant.owner.execute(update(Role).where(Role.id == first).values(parent_role_id=last))
    await insert(tenant.owner, UserRole, tenant_id=tenant.id, user_id=tenant.user, role_id=first)
    expected = {Permission.DEALS_VIEW} | ({Permission.LEADS_VIEW} if length > 1 else set())
    assert await tenant.held() == expected


async def test_another_users_roles_and_sessions_are_theirs(tenant: Tenant) -> None:
    colleague = await make_user(tenant.owner, tenant.id, "deals.view")
    session = await tenant.sign_in(colleague)
    assert await tenant.held() == frozenset()
    assert await tenant.viewer(tenant.user, session) is None
    assert await tenant.viewer(colleague, tenant.session) is None
    theirs = await tenant.viewer(colleague, session)
    assert theirs is not None
    assert theirs.has(Permission.DEALS_VIEW)
    assert not theirs.has(Permission.DEALS_UPDATE)


async def test_another_tenants_session_does_not_exist(tenant: Tenant, other: Tenant) -> None:
    assert await tenant.viewer(other.user, other.session) is None
    assert await tenant.viewer(tenant.user, other.session) is None
    for named, set_ in ((other.id, tenant.id), (tenant.id, other.id)):
        async with tenant.database.read(Scope(tenant_id=set_)) as connection:
            assert await load_viewer(connection, named, other.user, other.session) is None


async def test_an_ended_session_has_no_viewer(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    revoked = await tenant.sign_in(tenant.user, revoked_at=now)
    expired = await tenant.sign_in(tenant.user, expires_at=now - timedelta(seconds=1))
    assert await tenant.viewer(session=revoked) is None
    assert await tenant.viewer(session=expired) is None
    assert await tenant.viewer(session=uuid4()) is None
    assert await tenant.viewer() is not None


@pytest.mark.parametrize("status", ["suspended", "deactivated"])
async def test_a_user_who_is_not_active_has_no_viewer(tenant: Tenant, status: str) -> None:
    await tenant.role("*", user=tenant.user)
    await tenant.owner.execute(update(User).where(User.id == tenant.user).values(status=status))
    assert await tenant.viewer() is None


async def test_a_star_is_everything_but_the_platform(tenant: Tenant) -> None:
    root = await tenant.role("*")
    await tenant.role(parent=root, user=tenant.user)
    held = await tenant.held()
    assert held == OF_TENANTS
    assert Permission.PLATFORM_VIEW not in held
    assert len(held) == len(Permission) - 1


async def test_no_role_gives_the_platform(tenant: Tenant) -> None:
    await tenant.role(
        "platform.view", "platform.*", "deals.view", "deals.fly", "", "DEALS_VIEW", user=tenant.user
    )
    assert await tenant.held() == {Permission.DEALS_VIEW}


async def test_the_operators_grant_gives_the_platform_to_that_user(tenant: Tenant, other: Tenant) -> None:
    colleague = await make_user(tenant.owner, tenant.id)
    session = await tenant.sign_in(colleague)
    await tenant.owner.execute(into(platform_grants).values(tenant_id=tenant.id, user_id=tenant.user))
    assert await tenant.held() == PLATFORM == {Permission.PLATFORM_VIEW}
    theirs = await tenant.viewer(colleague, session)
    assert theirs is not None
    assert theirs.permissions == frozenset()
    assert await other.held() == frozenset()


async def test_the_gateway_cannot_grant_the_platform(tenant: Tenant) -> None:
    row = {"tenant_id": tenant.id, "user_id": tenant.user}
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with tenant.database.write(Scope(tenant_id=tenant.id)) as connection:
            await connection.execute(into(platform_grants).values(row))
    assert await tenant.held() == frozenset()


def test_what_is_stored_is_read_by_the_vocabulary() -> None:
    assert effective([], platform=False) == frozenset()
    assert effective(["deals.view", "nothing.here"], platform=False) == {Permission.DEALS_VIEW}
    assert effective(["*"], platform=True) == frozenset(Permission)
