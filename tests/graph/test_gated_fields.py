"""Fields that take a permission of their own, and where a permission comes from."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from graphql import is_leaf_type
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from db.gateway import platform_grants
from graph.permissions import Permission
from tests.client import Client, session_of, signed_in
from tests.factories import insert, make_tenant, make_user
from tests.graph.sdl import TABLES, along, field_needs, fields, route

GATED = [
    pytest.param(name, field, gate, id=f"{name}.{field}")
    for name in TABLES
    for field, item in fields(name).items()
    if (gate := field_needs(item)) is not None
]
"""The fields with `@requires`: all are a user's own, too."""

OWNER = {"User": "id", "UserProfile": "userId"}
"""The field that says whose a row is."""


@pytest.fixture
async def tenant(owner: AsyncConnection) -> UUID:
    return await make_tenant(owner)


@pytest.mark.parametrize(("name", "field", "gate"), GATED)
async def test_a_gated_field_is_ones_own_or_takes_the_permission(
    anyone: Client, owner: AsyncConnection, tenant: UUID, name: str, field: str, gate: Permission
) -> None:
    me, manager = await signed_in(anyone, owner, tenant), await signed_in(anyone, owner, tenant, gate.value)
    for user in (me.user_id, manager.user_id):
        filled = {"phone_e164": "+201001234567", "locale": "ar-EG", "timezone": "Africa/Cairo"}
        await insert(owner, models.UserProfile, tenant_id=tenant, user_id=user, **filled)
    part = field if is_leaf_type(fields(name)[field].type) else f"{field} {{ totalCount }}"
    query = f"{{ {along(route(name), f'{OWNER[name]} {part}')} }}"

    answer = await me.ask(query)
    found = {row[OWNER[name]]: row[field] for row in rows(answer["data"])}
    assert set(found) == {str(me.user_id), str(manager.user_id)}
    assert found[str(manager.user_id)] is None
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": gate.value}
    assert error["path"][-1] == field

    everyones = {row[OWNER[name]]: row[field] for row in rows(await manager.read(query))}
    assert everyones[str(me.user_id)] == found[str(me.user_id)]


def rows(value: Any) -> list[dict[str, Any]]:
    """The innermost rows of an answer that follows one route."""
    users: list[dict[str, Any]] = value["users"]["nodes"]
    return [user.get("profile") or user for user in users]


async def permissions_of(client: Client) -> list[str]:
    found: list[str] = (await client.read("{ viewer { permissions } }"))["viewer"]["permissions"]
    return found


async def test_permissions_come_from_parents_five_roles_up(
    anyone: Client, owner: AsyncConnection, tenant: UUID
) -> None:
    given = ["deals.view", "companies.view", "contacts.view", "leads.view", "audit.view"]
    parent = None
    for permission in given:
        role = await insert(owner, models.Role, tenant_id=tenant, parent_role_id=parent)
        parent = role["id"]
        await insert(owner, models.RolePermission, tenant_id=tenant, role_id=parent, permission=permission)
    user = await make_user(owner, tenant)
    await insert(owner, models.UserRole, tenant_id=tenant, user_id=user, role_id=parent)
    client = await session_of(anyone, owner, tenant, user)
    assert await permissions_of(client) == [
        "AUDIT_VIEW",
        "COMPANIES_VIEW",
        "CONTACTS_VIEW",
        "DEALS_VIEW",
        "LEADS_VIEW",
    ]
    assert await client.read("{ deals { totalCount } }") == {"deals": {"totalCount": 0}}
    assert await client.codes("{ units { totalCount } }") == ["FORBIDDEN"]


async def test_a_child_role_lends_its_parent_nothing(
    anyone: Client, owner: AsyncConnection, tenant: UUID
) -> None:
    user = await make_user(owner, tenant)
    parent = await insert(owner, models.Role, tenant_id=tenant)
    child = await insert(owner, models.Role, tenant_id=tenant, parent_role_id=parent["id"])
    await insert(owner, models.RolePermission, tenant_id=tenant, role_id=child["id"], permission="deals.view")
    await insert(owner, models.UserRole, tenant_id=tenant, user_id=user, role_id=parent["id"])
    client = await session_of(anyone, owner, tenant, user)
    assert await permissions_of(client) == []
    assert await client.codes("{ deals { totalCount } }") == ["FORBIDDEN"]


@pytest.mark.parametrize("stored", ["*", "platform.view", "platform.*"])
async def test_the_platform_is_not_for_roles_to_give(
    anyone: Client, owner: AsyncConnection, tenant: UUID, stored: str
) -> None:
    client = await signed_in(anyone, owner, tenant, stored)
    query = "{ billingWebhookLogs { totalCount } }"
    assert "PLATFORM_VIEW" not in await permissions_of(client)
    assert (await client.ask(query))["errors"][0]["extensions"] == {
        "code": "FORBIDDEN",
        "permission": "platform.view",
    }
    grant = {"tenant_id": tenant, "user_id": client.user_id}
    await owner.execute(platform_grants.insert().values(grant))
    assert "PLATFORM_VIEW" in await permissions_of(client)
    assert await client.codes(query) == []


async def test_what_is_no_permission_opens_nothing(
    anyone: Client, owner: AsyncConnection, tenant: UUID
) -> None:
    unknown = ("deals.fly", "DEALS_VIEW", "deals.*", "Deals.View", " deals.view", "deals.view ", "", "**")
    client = await signed_in(anyone, owner, tenant, *unknown, "leads.view")
    assert await permissions_of(client) == ["LEADS_VIEW"]
    assert await client.codes("{ deals { totalCount } leads { totalCount } }") == ["FORBIDDEN"]


async def test_taking_a_permission_away_works_at_the_next_request(
    anyone: Client, owner: AsyncConnection, tenant: UUID
) -> None:
    client = await signed_in(anyone, owner, tenant, "deals.view")
    assert await client.codes("{ deals { totalCount } }") == []
    await owner.execute(sa.delete(models.UserRole).where(models.UserRole.user_id == client.user_id))
    assert await client.codes("{ deals { totalCount } }") == ["FORBIDDEN"]
