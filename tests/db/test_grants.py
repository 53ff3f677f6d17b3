"""Every right that anybody but the owner has, and no other."""

import re

import asyncpg
import pytest

from db import catalogue, migrate
from tests.server import Server, Urls

RIGHTS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}

# table: the gateway's rights, the other services' rights
TABLES = {
    "activities": ("SIUD", "SIUD"),
    "approval_history": ("SI", "SI"),
    "approvals": ("SIU", "SIUD"),
    "audit_logs": ("SI", "SI"),
    "billing_webhook_logs": ("S", "SIUD"),
    "campaign_sends": ("SIU", "SIUD"),
    "campaigns": ("SIUD", "SIUD"),
    "companies": ("SIUD", "SIUD"),
    "component_type_codes": ("SIUD", "SIUD"),
    "contacts": ("SIUD", "SIUD"),
    "deal_pipelines": ("SIUD", "SIUD"),
    "deal_stages": ("SIUD", "SIUD"),
    "deals": ("SIUD", "SIUD"),
    "developers": ("SIUD", "SIUD"),
    "group_members": ("SID", "SIUD"),
    "groups": ("SIUD", "SIUD"),
    "integration_webhook_logs": ("SU", "SIUD"),
    "invoice_lines": ("S", "SIUD"),
    "invoices": ("S", "SIUD"),
    "leads": ("SIUD", "SIUD"),
    "map_overlays": ("SIUD", "SIUD"),
    "map_shapes": ("SIUD", "SIUD"),
    "message_templates": ("SIUD", "SIUD"),
    "messages_outbox": ("SIU", "SIUD"),
    "notifications_inbox": ("SIU", "SIUD"),
    "plan_features": ("S", "SIUD"),
    "plans": ("S", "SIUD"),
    "projects": ("SIUD", "SIUD"),
    "role_permissions": ("SID", "SIUD"),
    "roles": ("SIUD", "SIUD"),
    "sessions": ("SIU", "SIUD"),
    "suppression_list": ("SID", "SIUD"),
    "telemarketing_calls": ("SIUD", "SIUD"),
    "tenant_subscription": ("SIU", "SIUD"),
    "tenants": ("SU", "SIU"),
    "unit_components": ("SIUD", "SIUD"),
    "unit_price_history": ("S", "S"),
    "unit_type_codes": ("SIUD", "SIUD"),
    "units": ("SIUD", "SIUD"),
    "usage_counters": ("SIU", "SIUD"),
    "user_profiles": ("SIU", "SIUD"),
    "user_roles": ("SID", "SIUD"),
    "users": ("SIU", "SIUD"),
}


def expected(server: Server) -> set[str]:
    gateway, service = server.gateway_role, server.service_role
    rights = {
        f"USAGE on schema public to {gateway}",
        f"USAGE on schema public to {service}",
        f"USAGE on schema gateway to {gateway}",
        f"SELECT on gateway.alembic_version to {gateway}",
        f"SELECT on gateway.platform_grants to {gateway}",
        f"EXECUTE on gateway.due_launches() to {gateway}",
        f"EXECUTE on gateway.overdue_approvals() to {gateway}",
        f"SELECT on gateway.event_log to {gateway}",
        f"EXECUTE on gateway.event_bounds() to {gateway}",
        f"EXECUTE on gateway.events_after(bigint,integer) to {gateway}",
        f"EXECUTE on gateway.forget_events(interval,integer) to {gateway}",
        f"EXECUTE on gateway.sequence_events(integer) to {gateway}",
        f"EXECUTE on gateway.all_document_modes() to {gateway}",
        f"EXECUTE on gateway.standing(uuid,uuid,uuid,text[],boolean) to {gateway}",
        f"SELECT on gateway.documents to {gateway}",
    }
    for table in ("idempotency_records", "launches", "approval_policies"):
        rights |= {f"{right} on gateway.{table} to {gateway}" for right in RIGHTS.values()}
    for table in ("approval_levels", "approval_escalations"):
        rights |= {f"{right} on gateway.{table} to {gateway}" for right in ("SELECT", "INSERT")}
    for table, letters in TABLES.items():
        for role, held in zip((gateway, service), letters, strict=True):
            rights |= {f"{RIGHTS[letter]} on public.{table} to {role}" for letter in held}
    return rights


async def test_nobody_has_a_right_that_is_not_listed(server: Server, urls: Urls) -> None:
    async with migrate.connect(urls.owner) as connection, connection.begin():
        found = await catalogue.read(connection)
    grants = {name: how for (kind, name), how in found.items() if kind == "grant"}
    # Since PostgreSQL 15 the schema `public` belongs to whoever owns the database
    of_owners = re.compile(r" to (the owner|pg_database_owner)$")
    assert {name for name in grants if not of_owners.search(name)} == expected(server)
    assert set(grants.values()) == {"granted"}
    assert not [name for kind, name in found if kind == "default privilege"]


@pytest.mark.parametrize("role", ["gateway", "service"])
async def test_the_roles_own_nothing_and_are_nobody_else(role: str, urls: Urls) -> None:
    connection = await asyncpg.connect(getattr(urls, role))
    try:
        attributes = await connection.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication "
            "FROM pg_roles WHERE rolname = current_user"
        )
        assert attributes is not None
        assert not any(attributes)
        owned = "SELECT count(*) FROM pg_shdepend WHERE refobjid = current_user::regrole AND deptype = 'o'"
        assert await connection.fetchval(owned) == 0
        member = "SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole"
        assert await connection.fetchval(member) == 0
    finally:
        await connection.close()
