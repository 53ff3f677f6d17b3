"""Making tenants, as the owner: a tenant with its roles and a first user who can administer it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import migrate, seed
from db.models import Role, RolePermission, Tenant, User, UserRole

SLUG: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""What a slug looks like: it stands in addresses and is typed at sign-in."""


class TenantError(Exception):
    """The tenant cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class NewTenant:
    """What making a tenant made."""

    id: UUID
    admin_id: UUID
    roles: dict[str, UUID]
    """The roles' ids by code."""


@dataclass(frozen=True, slots=True)
class ListedTenant:
    """A tenant as `m3 tenant list` shows it."""

    id: UUID
    slug: str
    name: str
    created_at: datetime
    users: int


async def create_tenant(
    owner_url: str, *, name: str, slug: str, admin_email: str, password_hash: str
) -> NewTenant:
    """Make a tenant whose first user, `admin_email`, holds the role `admin`. Raises TenantError."""
    async with migrate.connect(owner_url) as connection, connection.begin():
        await connection.execute(text("SET LOCAL app.maintenance = 'on'"))
        return await add_tenant(
            connection, name=name, slug=slug, admin_email=admin_email, password_hash=password_hash
        )


async def add_tenant(
    connection: AsyncConnection, *, name: str, slug: str, admin_email: str, password_hash: str
) -> NewTenant:
    """The same within a transaction of the owner's that has `app.maintenance` on."""
    if not SLUG.fullmatch(slug):
        raise TenantError(f"{slug!r} is no slug: 1 to 63 of a-z, 0-9 and -, with no - at its ends")
    add = upsert(Tenant).values(name=name, slug=slug).on_conflict_do_nothing().returning(Tenant.id)
    tenant: UUID | None = await connection.scalar(add)
    if tenant is None:
        raise TenantError(f"the slug {slug} is taken")
    roles = await _add_roles(connection, tenant)
    user = {"tenant_id": tenant, "email": admin_email, "password_hash": password_hash}
    admin: UUID = (await connection.execute(insert(User).values(user).returning(User.id))).scalar_one()
    held = {"tenant_id": tenant, "user_id": admin, "role_id": roles[seed.ADMIN.code]}
    await connection.execute(insert(UserRole).values(held))
    return NewTenant(tenant, admin, roles)


async def list_tenants(owner_url: str) -> list[ListedTenant]:
    """All tenants by slug, each with the number of its users."""
    users = select(func.count()).where(User.tenant_id == Tenant.id).scalar_subquery()
    statement = select(Tenant.id, Tenant.slug, Tenant.name, Tenant.created_at, users).order_by(Tenant.slug)
    async with migrate.connect(owner_url) as connection, connection.begin():
        await connection.execute(text("SET LOCAL app.maintenance = 'on'"))
        return [ListedTenant(*row) for row in await connection.execute(statement)]


async def _add_roles(connection: AsyncConnection, tenant: UUID) -> dict[str, UUID]:
    roles = [{"tenant_id": tenant, "code": role.code, "name": role.name} for role in seed.ROLES]
    added = await connection.execute(insert(Role).values(roles).returning(Role.code, Role.id))
    ids: dict[str, UUID] = {row.code: row.id for row in added}
    permissions = [
        {"tenant_id": tenant, "role_id": ids[role.code], "permission": permission}
        for role in seed.ROLES
        for permission in role.permissions
    ]
    await connection.execute(insert(RolePermission).values(permissions))
    return ids
