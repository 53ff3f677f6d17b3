"""Groups, and who is in them. They give no rights, so anybody may be in one."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from db import models
from graph.context import Info
from graph.errors import UserErrorCode
from graph.permissions import Permission
from graph.tables import TABLES
from graph.types.identity import Group, GroupMember
from graph.writing.editing import Editing
from graph.writing.links import link, unlink
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.work import id_of, refusal

GROUPS = Permission.GROUPS_MANAGE


@payload("What became of a group.")
class GroupPayload(Payload):
    """A group."""

    group: Group | None = written(models.Group, "The group, as it now is or last was.")


@payload("What became of a membership.")
class GroupMemberPayload(Payload):
    """A membership."""

    group_member: GroupMember | None = written(
        models.GroupMember, "The membership, as it now is or last was."
    )


groups = Editing(models.Group, GroupPayload, "name description", create=GROUPS, update=GROUPS, delete=GROUPS)


@strawberry.input(description="Who joins which group.")
class AddGroupMemberInput:
    """A user and a group."""

    group_id: ID = strawberry.field(description="The id of the group.")
    user_id: ID = strawberry.field(description="The id of the user.")


@strawberry.input(description="Who leaves which group.")
class RemoveGroupMemberInput(AddGroupMemberInput):
    """A user and a group."""


@strawberry.type
class GroupMutation:
    """Groups."""

    create_group: GroupPayload | None = groups.create("Make a group.")
    update_group: GroupPayload | None = groups.update("Change a group.")
    delete_group: GroupPayload | None = groups.delete("Delete a group that nobody is in.")

    @mutation("Add a user to a group. Groups give no rights.", needs=GROUPS)
    async def add_group_member(
        self,
        info: Info,
        input: Annotated[AddGroupMemberInput, strawberry.argument(description="Who, and where.")],
    ) -> GroupMemberPayload | None:
        """A user is in a group once."""
        work = info.context.work
        group = await groups.locked(work, input.group_id, None, "groupId")
        user_id = id_of(input.user_id, "userId")
        if await work.read(TABLES[models.User.__table__], user_id) is None:  # type: ignore[index]
            raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", "userId")
        row = await link(work, models.GroupMember, "group.add_member", group_id=group.id, user_id=user_id)
        if row is None:
            raise refusal(UserErrorCode.TAKEN, "The user is in this group already.", "userId")
        return GroupMemberPayload.of(row)

    @mutation("Take a user out of a group.", needs=GROUPS)
    async def remove_group_member(
        self,
        info: Info,
        input: Annotated[RemoveGroupMemberInput, strawberry.argument(description="Who, and where.")],
    ) -> GroupMemberPayload | None:
        """The user stays."""
        work = info.context.work
        group = await groups.locked(work, input.group_id, None, "groupId")
        user_id = id_of(input.user_id, "userId")
        row = await unlink(
            work, models.GroupMember, "group.remove_member", group_id=group.id, user_id=user_id
        )
        if row is None:
            raise refusal(UserErrorCode.NOT_FOUND, "The user is not in this group.", "userId")
        return GroupMemberPayload.of(row)
