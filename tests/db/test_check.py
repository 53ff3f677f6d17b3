"""`m3 db check` finds damage of every kind, and nothing where there is none."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from db import check, migrate, partitions
from db.check import CheckError
from tests.server import Server, Urls

# What is done to a database, and how the line begins that tells of it
DAMAGES = {
    "ALTER POLICY tenant ON users USING (true)": "policy tenant on public.users: is",
    "DROP POLICY tenant ON leads": "policy tenant on public.leads: missing",
    "CREATE POLICY all_of_it ON roles USING (true)": "policy all_of_it on public.roles: does not",
    "ALTER POLICY maintenance ON deals TO PUBLIC": "policy maintenance on public.deals: is",
    "ALTER TABLE groups NO FORCE ROW LEVEL SECURITY": "row security public.groups: is enabled t, forced f",
    "ALTER TABLE units DISABLE ROW LEVEL SECURITY": "row security public.units: is enabled f, forced t",
    "ALTER TABLE partitions.audit_logs_default DISABLE ROW LEVEL SECURITY": (
        "row security partitions.audit_logs_default: is enabled f"
    ),
    "ALTER TABLE deals DROP CONSTRAINT deals_status_check": (
        "constraint deals_status_check on public.deals: missing"
    ),
    "ALTER TABLE deals ADD CONSTRAINT odd CHECK (amount_minor <> 1) NOT VALID": (
        "constraint odd on public.deals: does not belong there"
    ),
    "ALTER TABLE deals DROP CONSTRAINT deals_tenant_id_company_id_fkey": (
        "constraint deals_tenant_id_company_id_fkey on public.deals: missing"
    ),
    "ALTER TABLE deals ALTER COLUMN name DROP NOT NULL": "column public.deals.name: is text",
    "ALTER TABLE deals ALTER COLUMN status SET DEFAULT 'won'": "column public.deals.status: is text NOT NULL",
    "ALTER TABLE leads DROP COLUMN tags": "column public.leads.tags: missing",
    "ALTER TABLE leads ADD COLUMN extra text": "column public.leads.extra: does not belong there",
    "DROP INDEX deals_seek_ix": "index public.deals_seek_ix on public.deals: missing",
    "CREATE INDEX odd_ix ON deals (name)": "index public.odd_ix on public.deals: does not belong there",
    "DROP TRIGGER keep_updated_at ON deals": "trigger keep_updated_at on public.deals: missing",
    "ALTER TABLE leads DISABLE TRIGGER keep_updated_at": "trigger keep_updated_at on public.leads: is",
    "CREATE OR REPLACE FUNCTION gateway.keep_updated_at() RETURNS trigger LANGUAGE plpgsql "
    "SET search_path = '' AS $$ BEGIN RETURN NEW; END $$": "function gateway.keep_updated_at(): is",
    "ALTER FUNCTION gateway.record_unit_price() SECURITY INVOKER": (
        "function gateway.record_unit_price(): is"
    ),
    "DROP TRIGGER tell_added ON notifications_inbox": (
        "trigger tell_added on public.notifications_inbox: missing"
    ),
    "ALTER FUNCTION gateway.sequence_events(integer) RESET ALL": (
        "function gateway.sequence_events(integer): is"
    ),
    "GRANT SELECT ON gateway.event_outbox TO {gateway}": (
        "grant SELECT on gateway.event_outbox to {gateway}: does not belong there"
    ),
    "DROP POLICY tenant ON gateway.event_log": "policy tenant on gateway.event_log: missing",
    "GRANT EXECUTE ON FUNCTION gateway.record_unit_price() TO PUBLIC": (
        "grant EXECUTE on gateway.record_unit_price() to PUBLIC: does not belong there"
    ),
    "GRANT DELETE ON audit_logs TO {gateway}": (
        "grant DELETE on public.audit_logs to {gateway}: does not belong there"
    ),
    "REVOKE SELECT ON deals FROM {gateway}": "grant SELECT on public.deals to {gateway}: missing",
    "GRANT UPDATE (price_minor) ON unit_price_history TO {gateway}": (
        "grant UPDATE on public.unit_price_history.price_minor to {gateway}: does not belong there"
    ),
    "GRANT USAGE ON SCHEMA partitions TO {gateway}": (
        "grant USAGE on schema partitions to {gateway}: does not belong there"
    ),
    "GRANT SELECT ON deals TO {service} WITH GRANT OPTION": (
        "grant SELECT on public.deals to {service}: is with grant option"
    ),
    "CREATE FUNCTION gateway.odd() RETURNS int LANGUAGE sql AS 'SELECT 1'": (
        "function gateway.odd(): does not belong there"
    ),
    "CREATE TABLE partitions.odd ()": "relation partitions.odd: does not belong there",
    "ALTER TABLE integration_webhook_logs DETACH PARTITION partitions.integration_webhook_logs_default": (
        "relation partitions.integration_webhook_logs_default: is"
    ),
    # The last one: it gives rights on what is made after it
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {gateway}": (
        "default privilege SELECT on new r in every schema to {gateway}: does not belong there"
    ),
}


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def checked(server: Server, urls: Urls) -> list[str]:
    return await check.check(urls.owner, gateway_role=server.gateway_role, service_role=server.service_role)


async def test_a_migrated_database_is_as_it_should_be(server: Server, scratch_database: Urls) -> None:
    assert await checked(server, scratch_database) == []
    await partitions.maintain(scratch_database.owner)
    assert await checked(server, scratch_database) == []


@pytest.fixture(scope="module")
async def found(server: Server, migrated: str) -> AsyncIterator[list[str]]:
    """What the check says of a database with all the damages."""
    urls = await server.create_database(template=migrated)
    names = {"gateway": server.gateway_role, "service": server.service_role}
    for damage in DAMAGES:
        await execute(urls.owner, damage.format(**names))
    yield await checked(server, urls)
    await server.drop_database(urls.name)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(damage: str, found: list[str], server: Server) -> None:
    line = DAMAGES[damage].format(gateway=server.gateway_role, service=server.service_role)
    assert [told for told in found if told.startswith(line)]


def test_nothing_is_found_that_was_not_damaged(found: list[str]) -> None:
    touched: tuple[str, ...] = (
        "users",
        "leads",
        "roles",
        "deals",
        "groups",
        "units",
        "unit_price_history",
        "partitions",
    )
    touched += ("notifications_inbox", "event_outbox", "event_log", "sequence_events")
    others = ("keep_updated_at()", "record_unit_price()", "odd", "audit_logs", "default privilege")
    assert [told for told in found if not any(name in told for name in touched + others)] == []


def test_the_models_are_compared_too(found: list[str]) -> None:
    assert "models: add column leads tags" in found


async def test_an_unguarded_month_is_found(server: Server, scratch_database: Urls) -> None:
    audit, webhooks = await partitions.maintain(scratch_database.owner)
    forced, enabled = audit.created[0], webhooks.created[0]
    await execute(scratch_database.owner, f"ALTER TABLE partitions.{forced} NO FORCE ROW LEVEL SECURITY")
    await execute(scratch_database.owner, f"ALTER TABLE partitions.{enabled} DISABLE ROW LEVEL SECURITY")
    assert await checked(server, scratch_database) == [
        f"partition {month}: row security is not enabled and forced" for month in (forced, enabled)
    ]


async def test_a_readable_month_is_found(server: Server, scratch_database: Urls) -> None:
    report, _ = await partitions.maintain(scratch_database.owner)
    month = report.created[0]
    await execute(scratch_database.owner, f"GRANT SELECT ON partitions.{month} TO PUBLIC")
    await execute(scratch_database.owner, f"CREATE POLICY open ON partitions.{month} USING (true)")
    assert await checked(server, scratch_database) == [
        f"partition {month}: SELECT is granted to PUBLIC",
        f"partition {month}: the policy open does not belong there",
    ]


async def test_an_empty_database_has_no_migration(server: Server, empty_database: Urls) -> None:
    assert await checked(server, empty_database) == ["no migration has run"]


async def test_a_database_behind_is_compared_with_its_own_migration(
    server: Server, scratch_database: Urls
) -> None:
    roles = {"gateway_role": server.gateway_role, "service_role": server.service_role}
    await migrate.downgrade(scratch_database.owner, "0004", **roles)
    assert await checked(server, scratch_database) == [
        f"the database is at migration 0004, the newest is {migrate.head()}"
    ]


async def test_an_owner_who_may_not_make_databases_is_told(server: Server, scratch_database: Urls) -> None:
    with pytest.raises(CheckError, match="CREATEDB"):
        await check.check(
            scratch_database.gateway, gateway_role=server.gateway_role, service_role=server.service_role
        )
