"""Rights that cannot be climbed: what a change of rights must respect, whoever else is making one.

    await hold(work, Permission.ROLES_MANAGE)   # alone in the tenant from here on, with rights as of now
    await within(work, [user_id])               # nobody acts on who holds more than they do
    async with keeping_a_manager(work):
        ...                                     # afterwards somebody can still manage roles

Changes of rights in a tenant are made one after the other. Otherwise two people could each take from the
other what both checks rest on.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from db.gateway import platform_grants
from db.models import Role, RolePermission, User, UserRole
from graph.auth.holders import holders
from graph.auth.viewer import Viewer, effective, load_viewer
from graph.errors import Forbidden, Unauthenticated, UserErrorCode
from graph.permissions import Permission
from graph.writing.work import Work, refusal


async def hold(work: Work, *needs: Permission) -> None:
    """Wait for all other changes of rights in the tenant; Forbidden if the viewer then lacks `needs`."""
    await work.once("rights", lambda: _settle(work))
    for permission in needs:
        if not work.viewer.has(permission):
            raise Forbidden(permission)


async def _settle(work: Work) -> bool:
    viewer = work.viewer
    name = f"rights {viewer.tenant_id}"
    await work.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
    # Whoever was waited for may have taken the viewer's rights, or ended their session.
    settled = await load_viewer(work.transaction, viewer.tenant_id, viewer.user_id, viewer.session_id)
    if settled is None:
        raise Unauthenticated("The session has ended. Sign in again.")
    work.viewer = settled
    return True


def allow(viewer: Viewer, permissions: Iterable[Permission]) -> None:
    """Forbidden, with the first by name that is missing, unless the viewer holds all of `permissions`."""
    missing = sorted(set(permissions) - viewer.permissions, key=lambda permission: permission.name)
    if missing:
        raise Forbidden(missing[0])


@dataclass(frozen=True)
class Roles:
    """The roles of a tenant: their parents and their own entries."""

    parents: dict[UUID, UUID | None]
    entries: dict[UUID, list[str]]

    def lineage(self, role: UUID) -> list[UUID]:
        """The role and those above it; a ring ends where it closes."""
        found: list[UUID] = []
        at: UUID | None = role
        while at is not None and at not in found:
            found.append(at)
            at = self.parents.get(at)
        return found

    def below(self, role: UUID) -> list[UUID]:
        """The role and those that include it."""
        return [other for other in self.parents if role in self.lineage(other)]

    def held(self, roles: Iterable[UUID], *, platform: bool = False) -> frozenset[Permission]:
        """What somebody with `roles` may do, and with the operator's grant if they have it."""
        lines = {ancestor for role in roles for ancestor in self.lineage(role)}
        return effective([entry for role in lines for entry in self.entries.get(role, ())], platform=platform)


async def roles_of(work: Work) -> Roles:
    """The roles as they are now."""
    entries = (
        sa.select(sa.func.array_agg(RolePermission.permission))
        .where(RolePermission.tenant_id == Role.tenant_id, RolePermission.role_id == Role.id)
        .scalar_subquery()
    )
    statement = sa.select(Role.id, Role.parent_role_id, entries).where(
        Role.tenant_id == work.viewer.tenant_id
    )
    rows = [tuple(row) for row in await work.execute(statement)]
    return Roles({row[0]: row[1] for row in rows}, {row[0]: row[2] or [] for row in rows})


async def within(work: Work, user_id: UUID) -> None:
    """Forbidden if the user holds what the viewer does not: such a user is not theirs to act on."""
    if user_id == work.viewer.user_id:
        return
    tenant_id = work.viewer.tenant_id
    granted = sa.exists().where(
        platform_grants.c.tenant_id == tenant_id, platform_grants.c.user_id == user_id
    )
    held = (
        sa.select(UserRole.role_id)
        .where(UserRole.tenant_id == tenant_id, UserRole.user_id == user_id)
        .scalar_subquery()
    )
    statement = sa.select(sa.func.array(held).label("roles"), granted.label("platform"))
    found = (await work.execute(statement)).one()
    allow(work.viewer, (await roles_of(work)).held(found.roles, platform=found.platform))


async def holders_within(work: Work, roles: Roles, role_id: UUID) -> None:
    """Forbidden if anybody who holds the role, or one that includes it, holds what the viewer does not.

    To take from a role is to act on all of them. `platform.*` does not matter: no role gives it.
    """
    tenant_id = work.viewer.tenant_id
    holders = sa.select(UserRole.user_id).where(
        UserRole.tenant_id == tenant_id, UserRole.role_id.in_(roles.below(role_id))
    )
    sets: Any = (
        sa.select(sa.func.array_agg(UserRole.role_id).label("roles"))
        .where(UserRole.tenant_id == tenant_id, UserRole.user_id.in_(holders))
        .group_by(UserRole.user_id)
        .subquery()
    )
    for (role_ids,) in (await work.execute(sa.select(sets.c.roles).distinct())).all():
        allow(work.viewer, roles.held(role_ids))


@asynccontextmanager
async def keeping_a_manager(work: Work) -> AsyncIterator[None]:
    """Refused with CONFLICT if what the block does takes the last user who can manage roles."""
    managed = await _managed(work)
    yield
    if managed and not await _managed(work):
        raise refusal(UserErrorCode.CONFLICT, "Somebody who can manage roles must remain.")


async def _managed(work: Work) -> bool:
    """Whether there is an active user with a password who can manage roles.

    Without a password nobody gets in: an invitation may have gone to an address with a slip in it.
    """
    managers = holders(work.viewer.tenant_id, Permission.ROLES_MANAGE.value)
    someone = managers.where(User.password_hash.is_not(None))
    return bool((await work.execute(sa.select(someone.exists()))).scalar_one())
