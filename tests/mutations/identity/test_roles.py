"""Roles: made, changed, deleted; what they give; who holds them. Here by somebody who may do everything."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from db.models import AuditLog, Role, RolePermission, UserRole
from tests.client import Client
from tests.mutations.identity.people import Person, tenant_with
from tests.mutations.scene import NOWHERE

ROLE = "role { id code name parentRoleId }"


async def test_a_role_is_made_changed_and_deleted(admin: Person) -> None:
    parent = await admin.role("deals.view")
    given = {"code": "clerk", "name": "Clerk", "parentRoleId": parent}
    role = (await admin.call("createRole", ROLE, input=given))["role"]
    assert role | {"id": ""} == given | {"id": ""}
    done = await admin.call("updateRole", ROLE, id=role["id"], input={"name": "Chief", "parentRoleId": None})
    assert done["role"] == {"id": role["id"], "code": "clerk", "name": "Chief", "parentRoleId": None}
    await admin.insert(RolePermission, role_id=UUID(role["id"]), permission="deals.view")
    assert (await admin.call("deleteRole", ROLE, id=role["id"]))["role"] == done["role"]
    assert await admin.rows(Role, id=UUID(role["id"])) == []
    assert await admin.permissions(role["id"]) == set()
    actions = [(row["action"], str(row["entity_id"])) for row in await admin.audit()]
    verbs = ("create", "update", "revoke_permission", "delete")
    assert actions == [(f"role.{verb}", role["id"]) for verb in verbs]


async def test_a_role_that_somebody_holds_is_not_deleted(admin: Person) -> None:
    role = await admin.role("deals.view", of=await admin.colleague())
    assert await admin.refused("deleteRole", id=role) == [("IN_USE", None)]


async def test_a_code_is_used_once(admin: Person) -> None:
    given = {"code": "clerk", "name": "Clerk"}
    await admin.call("createRole", ROLE, input=given)
    assert await admin.refused("createRole", input=given) == [("TAKEN", "input.code")]


async def test_a_parent_is_a_role_of_the_tenant(admin: Person, anyone: Client) -> None:
    stranger = await tenant_with(anyone, admin.owner)
    role, theirs = await admin.role(), await stranger.role()
    for parent in (theirs, NOWHERE):
        given = {"code": "clerk", "name": "Clerk", "parentRoleId": parent}
        assert await admin.refused("createRole", input=given) == [("NOT_FOUND", "input.parentRoleId")]
        refused = await admin.refused("updateRole", id=role, input={"parentRoleId": parent})
        assert refused == [("NOT_FOUND", "input.parentRoleId")]
        assert await admin.refused("updateRole", id=parent, input={"name": "x"}) == [("NOT_FOUND", None)]
        assert await admin.refused("deleteRole", id=parent) == [("NOT_FOUND", None)]


async def test_parents_make_no_ring(admin: Person) -> None:
    top = await admin.role()
    middle = await admin.role(parent=UUID(top))
    bottom = await admin.role(parent=UUID(middle))
    for parent in (top, middle, bottom):
        refused = await admin.refused("updateRole", id=top, input={"parentRoleId": parent})
        assert refused == [("INVALID", "input.parentRoleId")]
    await admin.call("updateRole", ROLE, id=bottom, input={"parentRoleId": top})


async def test_a_ring_that_is_there_already_can_be_opened(admin: Person) -> None:
    top = await admin.role("deals.view")
    bottom = await admin.role(parent=UUID(top))
    await admin.owner.execute(update(Role).where(Role.id == UUID(top)).values(parent_role_id=UUID(bottom)))
    await admin.call("updateRole", ROLE, id=top, input={"parentRoleId": None})


async def test_a_role_is_given_and_taken(admin: Person) -> None:
    colleague = await admin.colleague()
    role = await admin.role("users.view", "deals.view")
    given = {"userId": str(colleague.id), "roleId": role}
    done = await admin.call("assignRole", "userRole { userId roleId role { code } }", input=given)
    assert {key: done["userRole"][key] for key in given} == given
    read = await colleague.client.read("{ viewer { permissions } }")
    assert read["viewer"]["permissions"] == ["DEALS_VIEW", "USERS_VIEW"]
    assert await admin.refused("assignRole", input=given) == [("TAKEN", "input.roleId")]

    done = await admin.call("unassignRole", "userRole { userId roleId }", input=given)
    assert done["userRole"] == given
    assert await colleague.client.read("{ viewer { permissions } }") == {"viewer": {"permissions": []}}
    assert await colleague.client.codes("{ deals { totalCount } }") == ["FORBIDDEN"]
    assert await admin.refused("unassignRole", input=given) == [("NOT_FOUND", "input.roleId")]
    assert await admin.rows(UserRole, user_id=colleague.id) == []
    first, second = await admin.audit()
    key = {"user_id": str(colleague.id), "role_id": role}
    for entry in (first, second):
        assert (entry["user_id"], entry["entity_type"]) == (admin.id, "user")
        assert entry["entity_id"] == colleague.id
    assert (first["action"], first["before_data"]) == ("user.assign_role", None)
    assert (second["action"], second["after_data"]) == ("user.unassign_role", None)
    assert first["after_data"].items() >= key.items()
    assert second["before_data"].items() >= key.items()


async def test_a_permission_is_given_and_taken(admin: Person) -> None:
    colleague = await admin.colleague()
    parent = await admin.role()
    await admin.role("audit.view", parent=UUID(parent), of=colleague)
    given = {"roleId": parent, "permission": "DEALS_VIEW"}
    done = await admin.call("grantPermission", "rolePermission { roleId permission }", input=given)
    assert done["rolePermission"] == {"roleId": parent, "permission": "deals.view"}
    assert await colleague.client.read("{ deals { totalCount } }") == {"deals": {"totalCount": 0}}
    assert await admin.refused("grantPermission", input=given) == [("TAKEN", "input.permission")]

    await admin.call("revokePermission", "rolePermission { roleId permission }", input=given)
    assert await colleague.client.codes("{ deals { totalCount } }") == ["FORBIDDEN"]
    assert await admin.refused("revokePermission", input=given) == [("NOT_FOUND", "input.permission")]
    first, second = await admin.audit()
    assert (first["action"], first["entity_id"]) == ("role.grant_permission", UUID(parent))
    assert (second["action"], second["entity_id"]) == ("role.revoke_permission", UUID(parent))
    assert first["after_data"]["permission"] == second["before_data"]["permission"] == "deals.view"


async def test_everything_cannot_lose_a_part(admin: Person) -> None:
    role = await admin.role("*")
    given = {"roleId": role, "permission": "DEALS_VIEW"}
    assert await admin.refused("revokePermission", input=given) == [("CONFLICT", "input.permission")]


@pytest.mark.parametrize("id", ["theirs", NOWHERE, "x"])
async def test_what_is_of_another_tenant_is_not_there(admin: Person, anyone: Client, id: str) -> None:
    stranger = await tenant_with(anyone, admin.owner)
    colleague, role = await admin.colleague(), await admin.role()
    user = str(stranger.id) if id == "theirs" else id
    theirs = await stranger.role() if id == "theirs" else id
    code = "INVALID" if id == "x" else "NOT_FOUND"
    for name in ("assignRole", "unassignRole"):
        given: dict[str, Any] = {"userId": user, "roleId": role}
        assert await admin.refused(name, input=given) == [(code, "input.userId")]
        given = {"userId": str(colleague.id), "roleId": theirs}
        assert await admin.refused(name, input=given) == [(code, "input.roleId")]
    for name in ("grantPermission", "revokePermission"):
        given = {"roleId": theirs, "permission": "DEALS_VIEW"}
        assert await admin.refused(name, input=given) == [(code, "input.roleId")]


async def test_without_roles_manage_nothing_is_touched(admin: Person) -> None:
    role, colleague = await admin.role(), await admin.colleague()
    viewer = await admin.colleague("roles.view", "users.manage", "groups.manage")
    user = {"userId": str(colleague.id), "roleId": role}
    permission = {"roleId": role, "permission": "ROLES_VIEW"}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("createRole", {"input": {"code": "x", "name": "x"}}),
        ("updateRole", {"id": role, "input": {"name": "x"}}),
        ("deleteRole", {"id": role}),
        ("assignRole", {"input": user}),
        ("unassignRole", {"input": user}),
        ("grantPermission", {"input": permission}),
        ("revokePermission", {"input": permission}),
    ]
    for name, arguments in calls:
        assert await viewer.codes(name, **arguments) == ["FORBIDDEN"], name
    assert await admin.rows(AuditLog) == []


async def test_what_goes_with_a_role_is_written_down(admin: Person) -> None:
    role = await admin.role("deals.view", "audit.view")
    children = sorted([await admin.role("users.view", parent=UUID(role)) for _ in range(2)])
    await admin.call("deleteRole", ROLE, id=role)
    revoked = await admin.audit("role.revoke_permission")
    assert {row["before_data"]["permission"] for row in revoked} == {"deals.view", "audit.view"}
    assert {(row["entity_id"], row["after_data"]) for row in revoked} == {(UUID(role), None)}
    changed = await admin.audit("role.update")
    assert [str(row["entity_id"]) for row in changed] == children
    assert [row["before_data"]["parent_role_id"] for row in changed] == [role, role]
    assert [row["after_data"]["parent_role_id"] for row in changed] == [None, None]
    assert [row["parent_role_id"] for row in await admin.rows(Role) if str(row["id"]) in children] == [
        None
    ] * 2
    assert len(await admin.audit()) == 5
