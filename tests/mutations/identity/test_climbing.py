"""Attempts to climb: by giving, by including, by acting on somebody stronger, alone and two at once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy import insert as into

from db.gateway import platform_grants
from db.models import Role, RolePermission, Session
from db.session import Database, Scope
from tests.mutations.identity.people import Person
from tests.mutations.test_billing_limits import blocked

MANAGER = ("roles.manage", "users.manage", "deals.view")


async def forbidden(person: Person, name: str, **arguments: Any) -> str:
    """The permission that was missing; nothing was written."""
    async with person.unchanged():
        answer = await person.ask(name, "errors { code }", **arguments)
    assert answer["data"] == {name: None}
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    permission: str = error["extensions"]["permission"]
    return permission


async def grant(person: Person, role: str, permission: str) -> dict[str, Any]:
    given = {"roleId": role, "permission": permission}
    return await person.ask("grantPermission", "errors { code }", input=given)


@pytest.fixture
async def manager(admin: Person) -> Person:
    """Somebody who manages roles and users and may see deals, and no more."""
    return await admin.colleague(*MANAGER)


async def test_nobody_grants_what_they_do_not_hold(manager: Person) -> None:
    (own,) = await manager.roles()
    for role in (own, await manager.role()):
        given = {"roleId": role, "permission": "DEALS_DELETE"}
        assert await forbidden(manager, "grantPermission", input=given) == "deals.delete"
    given = {"roleId": await manager.role(), "permission": "DEALS_VIEW"}
    await manager.call("grantPermission", "__typename", input=given)


async def test_platform_is_never_granted(admin: Person) -> None:
    role = await admin.role()
    given = {"roleId": role, "permission": "PLATFORM_VIEW"}
    assert await forbidden(admin, "grantPermission", input=given) == "platform.view"
    row = {"tenant_id": admin.tenant, "user_id": admin.id}
    await admin.owner.execute(into(platform_grants).values(row))
    read = await admin.client.read("{ viewer { permissions } }")
    assert "PLATFORM_VIEW" in read["viewer"]["permissions"]
    assert await forbidden(admin, "grantPermission", input=given) == "platform.view"


async def test_nobody_assigns_what_exceeds_their_own(manager: Person) -> None:
    colleague = await manager.colleague()
    strong = await manager.role("deals.view", "deals.update")
    inherited = await manager.role("deals.view", parent=UUID(strong))
    everything = await manager.role("*")
    for user in (manager, colleague):
        for role in (strong, inherited):
            given = {"userId": str(user.id), "roleId": role}
            assert await forbidden(manager, "assignRole", input=given) == "deals.update"
        given = {"userId": str(user.id), "roleId": everything}
        assert await forbidden(manager, "assignRole", input=given) == "activities.create"
    invitation = {"email": "new@example.com", "roleIds": [inherited]}
    assert await forbidden(manager, "inviteUser", input=invitation) == "deals.update"
    assert await colleague.roles() == []


async def test_nobody_includes_what_exceeds_their_own(manager: Person) -> None:
    (own,) = await manager.roles()
    strong = await manager.role("deals.update")
    above = await manager.role(parent=UUID(strong))
    for parent in (strong, above):
        given = {"code": "x", "name": "x", "parentRoleId": parent}
        assert await forbidden(manager, "createRole", input=given) == "deals.update"
        arguments: dict[str, Any] = {"id": own, "input": {"parentRoleId": parent}}
        assert await forbidden(manager, "updateRole", **arguments) == "deals.update"


async def test_a_stronger_role_is_not_theirs_to_change(manager: Person) -> None:
    strong = await manager.role("deals.view", "deals.update")
    weak = await manager.role()
    assert await forbidden(manager, "updateRole", id=strong, input={"name": "x"}) == "deals.update"
    assert await forbidden(manager, "updateRole", id=strong, input={"parentRoleId": weak}) == "deals.update"
    assert await forbidden(manager, "deleteRole", id=strong) == "deals.update"
    for name in ("grantPermission", "revokePermission"):
        given = {"roleId": strong, "permission": "DEALS_VIEW"}
        assert await forbidden(manager, name, input=given) == "deals.update"


async def test_a_stronger_user_is_not_theirs_to_act_on(manager: Person) -> None:
    strong = await manager.colleague("deals.update")
    (session,) = await strong.rows(Session, user_id=strong.id)
    weak = await manager.role("deals.view", of=strong)
    id = {"id": str(strong.id)}
    for name in ("suspendUser", "deactivateUser"):
        assert await forbidden(manager, name, input=id) == "deals.update"
    for name, given in (
        ("updateUser", {"email": "mine@example.com"}),
        ("updateUserProfile", {"fullName": "x"}),
    ):
        assert await forbidden(manager, name, id=str(strong.id), input=given) == "deals.update"
    user_role = {"userId": str(strong.id), "roleId": weak}
    assert await forbidden(manager, "unassignRole", input=user_role) == "deals.update"
    other = {"userId": str(strong.id), "roleId": await manager.role()}
    assert await forbidden(manager, "assignRole", input=other) == "deals.update"
    assert await forbidden(manager, "revokeSession", input={"id": str(session["id"])}) == "deals.update"
    assert await strong.alive()
    await strong.change(status="suspended")
    assert await forbidden(manager, "reactivateUser", input=id) == "deals.update"


async def test_who_has_the_operators_grant_is_stronger(admin: Person) -> None:
    operator = await admin.colleague()
    row = {"tenant_id": admin.tenant, "user_id": operator.id}
    await admin.owner.execute(into(platform_grants).values(row))
    assert await forbidden(admin, "suspendUser", input={"id": str(operator.id)}) == "platform.view"


async def test_nothing_is_taken_from_the_strong_by_a_role_they_share(manager: Person) -> None:
    shared = await manager.role("deals.view")
    below = await manager.role("deals.update", parent=UUID(shared), of=await manager.colleague())
    given = {"roleId": shared, "permission": "DEALS_VIEW"}
    assert await forbidden(manager, "revokePermission", input=given) == "deals.update"
    assert await forbidden(manager, "deleteRole", id=shared) == "deals.update"
    parent = await manager.role("deals.view")
    assert await forbidden(manager, "updateRole", id=shared, input={"parentRoleId": parent}) == "deals.update"
    assert await manager.permissions(below) == {"deals.update"}


async def test_an_equal_can_be_acted_on(manager: Person) -> None:
    equal = await manager.colleague(*MANAGER)
    await manager.call("suspendUser", "__typename", input={"id": str(equal.id)})
    assert not await equal.alive()


async def test_a_right_that_is_lost_while_waiting_is_not_given(admin: Person) -> None:
    manager = await admin.colleague("roles.manage", "deals.view", "deals.delete")
    (own,) = await manager.roles()
    target = await admin.role()
    loss = {"roleId": own, "permission": "DEALS_DELETE"}
    lost, given = await asyncio.gather(
        admin.call("revokePermission", "__typename", input=loss), grant(manager, target, "DEALS_DELETE")
    )
    assert lost == {"__typename": "RolePermissionPayload"}
    order = [row["action"] for row in await admin.audit()]
    if "errors" in given:
        assert order == ["role.revoke_permission"]
        assert await admin.permissions(target) == set()
    else:
        assert order == ["role.grant_permission", "role.revoke_permission"]
    again = {"roleId": target, "permission": "DEALS_DELETE"}
    assert await forbidden(manager, "grantPermission", input=again) == "deals.delete"


async def test_two_at_once_do_not_lift_each_other(manager: Person) -> None:
    """One makes a role strong while the other assigns it: either order leaves nobody above a manager."""
    boss = await manager.colleague("roles.manage", "deals.update")
    for _ in range(5):
        role, colleague = await manager.role(), await manager.colleague()
        given = {"userId": str(colleague.id), "roleId": role}
        granted, assigned = await asyncio.gather(
            grant(boss, role, "DEALS_UPDATE"), manager.ask("assignRole", "errors { code }", input=given)
        )
        assert "errors" not in granted
        actions = [row["action"] for row in await manager.audit()][-2:]
        if "errors" in assigned:
            assert await colleague.roles() == []
        else:  # it was weak when it was assigned, and the one who holds more made it strong
            assert actions == ["user.assign_role", "role.grant_permission"]


async def test_two_parents_at_once_make_no_ring(admin: Person) -> None:
    for _ in range(5):
        first, second = await admin.role(), await admin.role()
        done = await asyncio.gather(
            *(
                admin.ask("updateRole", "errors { code field }", id=role, input={"parentRoleId": parent})
                for role, parent in ((first, second), (second, first))
            )
        )
        codes = [len(answer["data"]["updateRole"]["errors"]) for answer in done]
        assert sorted(codes) == [0, 1]


async def test_a_role_and_the_one_it_includes_change_at_once(admin: Person) -> None:
    for _ in range(5):
        parent = await admin.role("deals.view")
        child = await admin.role(parent=UUID(parent))
        removed, renamed = await asyncio.gather(
            admin.call("deleteRole", "role { id }", id=parent),
            admin.call("updateRole", "role { name }", id=child, input={"name": "Renamed"}),
        )
        assert (removed, renamed) == ({"role": {"id": parent}}, {"role": {"name": "Renamed"}})
        assert (await admin.row(Role, child))["parent_role_id"] is None


async def test_who_loses_a_right_while_waiting_does_not_read_by_it(
    manager: Person, database: Database
) -> None:
    own = await manager.role("roles.view", of=manager)
    role = await manager.role()
    async with database.write(Scope(tenant_id=manager.tenant)) as change:
        name = f"rights {manager.tenant}"
        await change.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
        pid = (await change.execute(select(func.pg_backend_pid()))).scalar_one()
        waiting = asyncio.create_task(
            manager.ask("updateRole", "role { name } errors { code }", id=role, input={"name": "New"})
        )
        await blocked(manager.owner, pid)
        await change.execute(delete(RolePermission).where(RolePermission.role_id == UUID(own)))
    answer = await waiting
    assert answer["data"] == {"updateRole": {"role": None, "errors": []}}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": "roles.view"}
    assert (await manager.row(Role, role))["name"] == "New"
