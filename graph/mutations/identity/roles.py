"""Roles, what they give, and who holds them.

Nobody gives, or makes a parent of, what exceeds their own permissions; a role that does is not theirs to
change. See `graph.auth.rights`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.seed import EVERYTHING
from graph.auth.rights import allow, hold, holders_within, keeping_a_manager, roles_of, within
from graph.auth.viewer import PLATFORM
from graph.context import Info
from graph.errors import Forbidden, UserErrorCode
from graph.permissions import Permission
from graph.tables import TABLES
from graph.types.identity import Role, RolePermission, UserRole
from graph.writing.editing import Editing
from graph.writing.links import link, unlink, unlink_all
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.values import Draft
from graph.writing.work import Work, id_of, refusal

ROLES = Permission.ROLES_MANAGE


@payload("What became of a role.")
class RolePayload(Payload):
    """A role."""

    role: Role | None = written(models.Role, "The role, as it now is or last was.")


@payload("What became of a permission of a role.")
class RolePermissionPayload(Payload):
    """A permission of a role."""

    role_permission: RolePermission | None = written(
        models.RolePermission, "The permission of the role, as it now is or last was."
    )


@payload("What became of a user's role.")
class UserRolePayload(Payload):
    """A user's role."""

    user_role: UserRole | None = written(models.UserRole, "The user's role, as it now is or last was.")


async def includable(work: Work, draft: Draft) -> None:
    """A parent within the viewer's own rights, and no ring of parents."""
    parent = draft.values.get("parent_role_id")
    if parent is None:
        return
    found = await roles_of(work)
    if parent not in found.parents:
        draft.invalid("parent_role_id", "There is nothing with this id.", UserErrorCode.NOT_FOUND)
        return
    allow(work.viewer, found.held([parent]))
    if draft.before is not None and draft.before.id in found.lineage(parent):
        draft.invalid("parent_role_id", "A role cannot include itself.")


class RoleEditing(Editing):
    """Roles: found only by who holds all that they give."""

    async def locked(self, work: Work, id: str, if_updated_at: Any = None, *field: str) -> Any:
        """The role, which with all rights of the tenant stays as it is from here on."""
        await hold(work, ROLES)
        role = await super().locked(work, id, if_updated_at, *field)
        allow(work.viewer, (await roles_of(work)).held([role.id]))
        return role

    async def lock_loose(self, work: Work, id: UUID) -> dict[str, list[str]]:
        """Only after all other changes of rights: they lock roles in any order. `remove` unlinks them."""
        await hold(work, ROLES)
        await super().lock_loose(work, id)
        return {}

    async def insert_draft(self, work: Work, draft: Draft, action: str = "create") -> Any:
        """A new role."""
        await hold(work, ROLES)
        return await super().insert_draft(work, draft, action)

    async def change(self, work: Work, before: Any, values: dict[str, Any], action: str = "update") -> Any:
        """The role with `values`; with another parent it may give less."""
        if values.get("parent_role_id", before.parent_role_id) == before.parent_role_id:
            return await super().change(work, before, values, action)
        await holders_within(work, await roles_of(work), before.id)
        async with keeping_a_manager(work):
            return await super().change(work, before, values, action)

    async def remove(self, work: Work, before: Any) -> Any:
        """Delete the role with its permissions, which are a part of it, unless a user holds it.

        What the database would do to other rows is done here first, so that it is written down.
        """
        await holders_within(work, await roles_of(work), before.id)
        async with keeping_a_manager(work):
            await unlink_all(work, models.RolePermission, "role.revoke_permission", role_id=before.id)
            for child in await self._children(work, before.id):
                await super().change(work, child, {"parent_role_id": None})
            return await super().remove(work, before)

    async def _children(self, work: Work, id: UUID) -> list[Any]:
        """The roles that include this one, which `lock_loose` has locked."""
        table = self.shown.table
        statement = sa.select(*self.shown.select(table)).where(
            self.shown.scope(table, work.viewer), table.c.parent_role_id == id
        )
        return [self.shown.row(tuple(row)) for row in await work.execute(statement.order_by(table.c.id))]

    async def _dependents(self, work: Work, id: Any) -> dict[str, int]:
        used = await super()._dependents(work, id)
        return {name: count for name, count in used.items() if name != "role_permissions"}


roles = RoleEditing(
    models.Role,
    RolePayload,
    "code name parent_role_id",
    create=ROLES,
    update=ROLES,
    delete=ROLES,
    rules=includable,
)


@strawberry.input(description="Which user gets which role.")
class AssignRoleInput:
    """A user and a role."""

    user_id: ID = strawberry.field(description="The id of the user.")
    role_id: ID = strawberry.field(description="The id of the role.")


@strawberry.input(description="Which user loses which role.")
class UnassignRoleInput(AssignRoleInput):
    """A user and a role."""


@strawberry.input(description="Which role gives which permission.")
class GrantPermissionInput:
    """A role and a permission."""

    role_id: ID = strawberry.field(description="The id of the role.")
    permission: Permission = strawberry.field(description="The permission.")


@strawberry.input(description="Which role no longer gives which permission.")
class RevokePermissionInput(GrantPermissionInput):
    """A role and a permission."""


async def roles_within(work: Work, role_ids: Iterable[UUID], field: str) -> None:
    """Forbidden if the roles give what the viewer does not hold; Refused if there is no such role."""
    found, wanted = await roles_of(work), list(role_ids)
    if not found.parents.keys() >= set(wanted):
        raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", field)
    allow(work.viewer, found.held(wanted))


async def user_within(work: Work, id: str) -> UUID:
    """The id of a user, locked, who holds no more than the viewer; Refused if there is none."""
    shown = TABLES[models.User.__table__]  # type: ignore[index]
    user = await work.read(shown, id_of(id, "userId"), lock=True)
    if user is None:
        raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", "userId")
    await within(work, user.id)
    found: UUID = user.id
    return found


async def give_role(work: Work, user_id: UUID, role_id: UUID) -> Any:
    """The role for the user, written down; None if they hold it already."""
    return await link(work, models.UserRole, "user.assign_role", user_id=user_id, role_id=role_id)


@strawberry.type
class RoleMutation:
    """Roles."""

    create_role: RolePayload | None = roles.create("Make a role. It gives what its parent, if any, does.")
    update_role: RolePayload | None = roles.update("Change a role that gives no more than the viewer holds.")
    delete_role: RolePayload | None = roles.delete(
        "Delete a role that nobody holds. Roles that included it no longer do."
    )

    @mutation(
        "Give a role, within the viewer's own rights, to a user who holds no more than the viewer.",
        needs=ROLES,
    )
    async def assign_role(
        self, info: Info, input: Annotated[AssignRoleInput, strawberry.argument(description="Who gets what.")]
    ) -> UserRolePayload | None:
        """It counts from the user's next request on."""
        work = info.context.work
        role_id = id_of(input.role_id, "roleId")
        await hold(work, ROLES)
        user_id = await user_within(work, input.user_id)
        await roles_within(work, [role_id], "roleId")
        row = await give_role(work, user_id, role_id)
        if row is None:
            raise refusal(UserErrorCode.TAKEN, "The user holds this role already.", "roleId")
        return UserRolePayload.of(row)

    @mutation("Take a role from a user who holds no more than the viewer.", needs=ROLES)
    async def unassign_role(
        self,
        info: Info,
        input: Annotated[UnassignRoleInput, strawberry.argument(description="Who loses what.")],
    ) -> UserRolePayload | None:
        """It counts from the user's next request on."""
        work = info.context.work
        role_id = id_of(input.role_id, "roleId")
        await hold(work, ROLES)
        user_id = await user_within(work, input.user_id)
        key = {"user_id": user_id, "role_id": role_id}
        async with keeping_a_manager(work):
            row = await unlink(work, models.UserRole, "user.unassign_role", **key)
        if row is None:
            raise refusal(UserErrorCode.NOT_FOUND, "The user does not hold this role.", "roleId")
        return UserRolePayload.of(row)

    @mutation(
        "Let a role give a permission that the viewer holds. `platform.*` cannot be given.", needs=ROLES
    )
    async def grant_permission(
        self,
        info: Info,
        input: Annotated[GrantPermissionInput, strawberry.argument(description="Which role gives what.")],
    ) -> RolePermissionPayload | None:
        """It counts for who holds the role, or one that includes it, from their next request on."""
        work, permission = info.context.work, input.permission
        role = await roles.locked(work, input.role_id, None, "roleId")
        if permission in PLATFORM:
            raise Forbidden(permission)
        allow(work.viewer, [permission])
        key = {"role_id": role.id, "permission": permission.value}
        row = await link(work, models.RolePermission, "role.grant_permission", **key)
        if row is None:
            raise refusal(UserErrorCode.TAKEN, "The role gives this already.", "permission")
        return RolePermissionPayload.of(row)

    @mutation("Let a role no longer give a permission by itself; its parent may.", needs=ROLES)
    async def revoke_permission(
        self,
        info: Info,
        input: Annotated[RevokePermissionInput, strawberry.argument(description="Which role loses what.")],
    ) -> RolePermissionPayload | None:
        """It counts for who holds the role, or one that includes it, from their next request on."""
        work = info.context.work
        role = await roles.locked(work, input.role_id, None, "roleId")
        found = await roles_of(work)
        await holders_within(work, found, role.id)
        key = {"role_id": role.id, "permission": input.permission.value}
        async with keeping_a_manager(work):
            row = await unlink(work, models.RolePermission, "role.revoke_permission", **key)
        if row is None and EVERYTHING in found.entries[role.id]:
            message = "The role gives everything, this too: it cannot lose a part."
            raise refusal(UserErrorCode.CONFLICT, message, "permission")
        if row is None:
            raise refusal(UserErrorCode.NOT_FOUND, "The role does not give this.", "permission")
        return RolePermissionPayload.of(row)
