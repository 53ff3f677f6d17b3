"""Tenants are made whole: roles, permissions, and a first user who can administer them."""

import re
import secrets
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import seed, tenants
from db.models import Role, RolePermission, Tenant, User, UserRole
from db.tenants import TenantError
from graph.permissions import Permission
from tests.server import Urls

ROOT = Path(__file__).parents[2]


def new_slug() -> str:
    return f"t-{secrets.token_hex(6)}"


async def create(urls: Urls, slug: str) -> tenants.NewTenant:
    return await tenants.create_tenant(
        urls.owner, name="Nile Homes", slug=slug, admin_email="Admin@Nile.test", password_hash="hash"
    )


async def test_a_new_tenant_has_roles_with_permissions_and_an_administrator(
    urls: Urls, owner: AsyncConnection
) -> None:
    slug = new_slug()
    new = await create(urls, slug)
    tenant = (await owner.execute(select(Tenant.slug, Tenant.name).where(Tenant.id == new.id))).one()
    assert tuple(tenant) == (slug, "Nile Homes")
    users = select(User.id, User.email, User.password_hash, User.status).where(User.tenant_id == new.id)
    assert [tuple(row) for row in await owner.execute(users)] == [
        (new.admin_id, "Admin@Nile.test", "hash", "active")
    ]
    held = select(Role.code).join(UserRole, UserRole.role_id == Role.id).where(UserRole.tenant_id == new.id)
    assert list(await owner.scalars(held)) == ["admin"]
    granted = (
        select(Role.code, RolePermission.permission)
        .join(RolePermission, RolePermission.role_id == Role.id)
        .where(Role.tenant_id == new.id, RolePermission.tenant_id == new.id)
    )
    expected = {(role.code, permission) for role in seed.ROLES for permission in role.permissions}
    assert {tuple(row) for row in await owner.execute(granted)} == expected
    roles = select(Role.code, Role.id).where(Role.tenant_id == new.id)
    assert {row.code: row.id for row in await owner.execute(roles)} == new.roles


async def test_a_taken_slug_is_refused_and_nothing_is_made(urls: Urls, owner: AsyncConnection) -> None:
    slug = new_slug()
    new = await create(urls, slug)
    with pytest.raises(TenantError, match="taken"):
        await create(urls, slug)
    assert list(await owner.scalars(select(Tenant.id).where(Tenant.slug == slug))) == [new.id]


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a b", "a.b", "é", "a" * 64, "a\n"])
async def test_what_is_no_slug_is_refused(slug: str, urls: Urls) -> None:
    with pytest.raises(TenantError, match="slug"):
        await create(urls, slug)


async def test_tenants_are_listed_by_slug_with_their_users(urls: Urls) -> None:
    made = [await create(urls, new_slug()) for _ in range(2)]
    listed = await tenants.list_tenants(urls.owner)
    assert [tenant.slug for tenant in listed] == sorted(tenant.slug for tenant in listed)
    assert [tenant.users for tenant in listed if tenant.id in {new.id for new in made}] == [1, 1]


def test_the_seeded_permissions_are_in_the_vocabulary() -> None:
    vocabulary = {permission.value for permission in Permission} | {seed.EVERYTHING}
    for role in seed.ROLES:
        assert set(role.permissions) <= vocabulary
        assert list(role.permissions) == sorted(set(role.permissions))
        assert not any(permission.startswith("platform.") for permission in role.permissions)


def test_the_docs_list_each_roles_permissions() -> None:
    sections = (ROOT / "docs/permissions.md").read_text().split("\n## ")[1:]
    listed = {section.split(",")[0]: set(re.findall(r"^`.*`", section, re.MULTILINE)) for section in sections}
    for role in (seed.SALES_EXEC, seed.INVENTORY_MGR):
        assert set(re.findall(r"`([^`]*)`", " ".join(listed[role.code]))) == set(role.permissions)
