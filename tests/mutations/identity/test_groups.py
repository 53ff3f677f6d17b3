"""Groups: made, changed, deleted, and who is in them."""

from typing import Any
from uuid import UUID

from db.models import Group, GroupMember
from tests.client import Client
from tests.mutations.identity.people import Person, tenant_with
from tests.mutations.scene import NOWHERE

GROUP = "group { id name description }"


async def group(person: Person) -> str:
    return str((await person.insert(Group))["id"])


async def test_a_group_is_made_changed_and_deleted(admin: Person) -> None:
    made = (await admin.call("createGroup", GROUP, input={"name": "North", "description": "The coast"}))[
        "group"
    ]
    done = await admin.call("updateGroup", GROUP, id=made["id"], input={"description": None})
    assert done["group"] == {"id": made["id"], "name": "North", "description": None}
    await admin.call("deleteGroup", GROUP, id=made["id"])
    assert await admin.rows(Group) == []
    actions = [(row["action"], str(row["entity_id"])) for row in await admin.audit()]
    assert actions == [(f"group.{verb}", made["id"]) for verb in ("create", "update", "delete")]


async def test_members_come_and_go(admin: Person) -> None:
    colleague, team = await admin.colleague(), await group(admin)
    given = {"groupId": team, "userId": str(colleague.id)}
    done = await admin.call("addGroupMember", "groupMember { groupId userId user { email } }", input=given)
    assert done["groupMember"] == given | {"user": {"email": colleague.email}}
    assert await admin.refused("addGroupMember", input=given) == [("TAKEN", "input.userId")]
    assert await admin.refused("deleteGroup", id=team) == [("IN_USE", None)]
    done = await admin.call("removeGroupMember", "groupMember { groupId userId }", input=given)
    assert done["groupMember"] == given
    assert await admin.refused("removeGroupMember", input=given) == [("NOT_FOUND", "input.userId")]
    assert await admin.rows(GroupMember) == []
    actions = [(row["action"], row["entity_id"]) for row in await admin.audit()]
    assert actions == [("group.add_member", UUID(team)), ("group.remove_member", UUID(team))]


async def test_groups_give_no_rights_so_anybody_may_be_in_one(admin: Person) -> None:
    manager, team = await admin.colleague("groups.manage"), await group(admin)
    given = {"groupId": team, "userId": str(admin.id)}
    await manager.call("addGroupMember", "__typename", input=given)
    await manager.call("removeGroupMember", "__typename", input=given)


async def test_what_is_of_another_tenant_is_not_there(admin: Person, anyone: Client) -> None:
    stranger = await tenant_with(anyone, admin.owner)
    team, theirs = await group(admin), await group(stranger)
    for name in ("addGroupMember", "removeGroupMember"):
        for given, field in (
            ({"groupId": theirs, "userId": str(admin.id)}, "input.groupId"),
            ({"groupId": NOWHERE, "userId": str(admin.id)}, "input.groupId"),
            ({"groupId": team, "userId": str(stranger.id)}, "input.userId"),
            ({"groupId": team, "userId": NOWHERE}, "input.userId"),
        ):
            assert await admin.refused(name, input=given) == [("NOT_FOUND", field)]


async def test_without_groups_manage_nothing_is_touched(admin: Person) -> None:
    team, viewer = await group(admin), await admin.colleague("groups.view", "users.manage", "roles.manage")
    member = {"groupId": team, "userId": str(viewer.id)}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("createGroup", {"input": {"name": "x"}}),
        ("updateGroup", {"id": team, "input": {"name": "x"}}),
        ("deleteGroup", {"id": team}),
        ("addGroupMember", {"input": member}),
        ("removeGroupMember", {"input": member}),
    ]
    for name, arguments in calls:
        assert await viewer.codes(name, **arguments) == ["FORBIDDEN"], name
