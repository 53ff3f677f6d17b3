"""Somebody who can manage roles always remains, whatever path is taken, and whoever takes it at once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete

from db.models import Role, RolePermission, User, UserRole
from graph.auth.viewer import effective
from tests.mutations.identity.people import Person
from tests.mutations.scene import told

CONFLICT = [("CONFLICT", None)]


@pytest.fixture
async def last(admin: Person) -> Person:
    """The one who manages roles, by a role that includes the one that says so."""
    await admin.owner.execute(delete(UserRole).where(UserRole.user_id == admin.id))
    top = await admin.role("*")
    await admin.role(parent=UUID(top), of=admin)
    return admin


async def ways(person: Person) -> list[tuple[str, dict[str, Any]]]:
    """The ways in which somebody can lose their rights by their own hand."""
    (role,) = await person.roles()
    (row,) = await person.rows(Role, id=UUID(role))
    top = str(row["parent_role_id"])
    return [
        ("unassignRole", {"input": {"userId": str(person.id), "roleId": role}}),
        ("updateRole", {"id": role, "input": {"parentRoleId": None}}),
        ("updateRole", {"id": role, "input": {"parentRoleId": await person.role("deals.view")}}),
        ("deleteRole", {"id": top}),
    ]


async def test_the_last_manager_cannot_go_by_any_way(last: Person) -> None:
    for name, arguments in await ways(last):
        assert await last.refused(name, **arguments) == CONFLICT, name


@pytest.mark.parametrize("way", range(4))
async def test_with_another_manager_any_way_is_open(last: Person, way: int) -> None:
    other = await last.colleague("roles.manage")
    name, arguments = (await ways(last))[way]
    await last.call(name, "__typename", **arguments)
    assert await last.codes("createRole", input={"code": "x", "name": "x"}) == ["FORBIDDEN"]
    await other.call("createRole", "__typename", input={"code": "x", "name": "x"})


async def test_the_permission_itself_cannot_go(admin: Person) -> None:
    await admin.owner.execute(delete(UserRole).where(UserRole.user_id == admin.id))
    role = await admin.role("roles.manage", of=admin)
    given = {"roleId": role, "permission": "ROLES_MANAGE"}
    assert await admin.refused("revokePermission", input=given) == CONFLICT
    await admin.colleague("roles.manage")
    await admin.call("revokePermission", "__typename", input=given)


@pytest.mark.parametrize(
    "values", [{"status": "suspended"}, {"status": "deactivated"}, {"password_hash": None}]
)
async def test_who_cannot_sign_in_does_not_count(last: Person, values: dict[str, Any]) -> None:
    await last.colleague("*", **values)
    name, arguments = (await ways(last))[0]
    assert await last.refused(name, **arguments) == CONFLICT


@pytest.mark.parametrize("step", ["suspend", "deactivate"])
async def test_the_last_who_can_sign_in_is_not_shut_out(last: Person, step: str) -> None:
    # Somebody without a password, as by an invitation, has the rights but is not counted on.
    other = await last.colleague("*", password_hash=None)
    assert await other.refused(f"{step}User", input={"id": str(last.id)}) == CONFLICT
    await last.colleague("*")
    await other.call(f"{step}User", "__typename", input={"id": str(last.id)})


async def managers(person: Person) -> int:
    """How many active users can manage roles, counted by hand."""
    parents = {row["id"]: row["parent_role_id"] for row in await person.rows(Role)}
    own: dict[UUID, set[str]] = {role: set() for role in parents}
    for row in await person.rows(RolePermission):
        own[row["role_id"]].add(row["permission"])
    found = set()
    for row in await person.rows(UserRole):
        at: UUID | None = row["role_id"]
        while at is not None:
            if any(p.value == "roles.manage" for p in effective(own[at], platform=False)):
                found.add(row["user_id"])
            at = parents[at]
    active = {row["id"] for row in await person.rows(User, status="active")}
    return len(found & active)


async def outcome(person: Person, name: str, arguments: dict[str, Any]) -> str:
    answer = await person.ask(name, "errors { code field message }", **arguments)
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    errors = told(answer["data"][name]["errors"])
    return errors[0][0] if errors else "done"


async def test_of_two_who_leave_at_once_one_remains(admin: Person) -> None:
    for _ in range(5):
        other = await admin.colleague("*")
        people = [admin, other]
        inputs = [{"userId": str(one.id), "roleId": (await one.roles())[0]} for one in people]
        done = await asyncio.gather(
            *(
                outcome(person, "unassignRole", {"input": given})
                for person, given in zip(people, inputs, strict=True)
            )
        )
        assert sorted(done) == ["CONFLICT", "done"]
        assert await managers(admin) == 1
        admin = people[done.index("CONFLICT")]


@pytest.mark.parametrize("name", ["suspendUser", "deactivateUser", "unassignRole"])
async def test_of_two_who_oust_each_other_one_remains(admin: Person, name: str) -> None:
    other = await admin.colleague("*")

    async def oust(by: Person, of: Person) -> str:
        given = {"id": str(of.id)}
        if name == "unassignRole":
            given = {"userId": str(of.id), "roleId": (await of.roles())[0]}
        return await outcome(by, name, {"input": given})

    done = await asyncio.gather(oust(admin, other), oust(other, admin))
    assert done.count("done") == 1
    assert {"FORBIDDEN", "UNAUTHENTICATED"} >= set(done) - {"done"}
    assert await managers(admin) == 1


async def test_of_many_ways_at_once_one_manager_remains(last: Person) -> None:
    other = await last.colleague("roles.manage", "users.manage")
    (theirs,) = await other.roles()
    mine = await ways(last)
    done = await asyncio.gather(
        *(outcome(last, name, arguments) for name, arguments in mine),
        outcome(other, "unassignRole", {"input": {"userId": str(other.id), "roleId": theirs}}),
        outcome(other, "revokePermission", {"input": {"roleId": theirs, "permission": "ROLES_MANAGE"}}),
        outcome(last, "suspendUser", {"input": {"id": str(other.id)}}),
    )
    assert "done" in done
    assert await managers(last) == 1
