"""Row level security: the statements that confine a table to its tenant.

Migrations run what these functions return, those of the past too: what stands here never changes. A new
rule is a new function, and a migration that brings existing tables to it.

Three policies: everybody sees the tenant in `app.tenant_id`; the other services' role sees all tenants;
the owner sees all of them while `app.maintenance` is on. FORCE makes the owner subject to them as well,
or a mistake under the owner's login would cross tenants unnoticed.
"""

from typing import Final

TENANT: Final = "(SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)"
"""The tenant of the transaction. As a sub-select it is worked out once, and an index can serve it.

After a transaction that used SET LOCAL the setting is '' and not NULL, hence nullif.
"""
SLUG: Final = "(SELECT nullif(current_setting('app.tenant_slug', true), ''))"
MAINTENANCE: Final = "((SELECT current_setting('app.maintenance', true)) = 'on')"


def confine(table: str, *, service_role: str | None) -> list[str]:
    """A table whose rows all belong to a tenant."""
    return [
        *enforce(table),
        f"CREATE POLICY tenant ON {table} USING (tenant_id = {TENANT})",
        *others(table, service_role=service_role),
    ]


def confine_codes(table: str, *, service_role: str) -> list[str]:
    """A table of codes: those without a tenant are for all to read and for migrations alone to write."""
    own = f"(tenant_id = {TENANT})"
    return [
        *enforce(table),
        f"CREATE POLICY read ON {table} FOR SELECT USING (tenant_id IS NULL OR {own})",
        f"CREATE POLICY add ON {table} FOR INSERT WITH CHECK {own}",
        f"CREATE POLICY change ON {table} FOR UPDATE USING {own}",
        f"CREATE POLICY remove ON {table} FOR DELETE USING {own}",
        f'CREATE POLICY service_read ON {table} FOR SELECT TO "{service_role}" USING (true)',
        f'CREATE POLICY service_write ON {table} TO "{service_role}" USING (tenant_id IS NOT NULL)',
        *others(table, service_role=None),
    ]


def confine_tenants(*, service_role: str) -> list[str]:
    """The table of tenants itself: one's own row, and at sign-in, when none is known, the one named."""
    return [
        *enforce("tenants"),
        f"CREATE POLICY tenant ON tenants USING (id = {TENANT})",
        f"CREATE POLICY sign_in ON tenants FOR SELECT USING (slug = {SLUG})",
        *others("tenants", service_role=service_role),
    ]


def confine_partition(partition: str) -> list[str]:
    """A partition, which does not inherit its parent's policies when it is named directly."""
    return [*enforce(partition), *others(partition, service_role=None)]


def release(table: str, *policies: str) -> list[str]:
    """Undo one of the above."""
    return [
        *(f"DROP POLICY {policy} ON {table}" for policy in policies),
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    ]


def enforce(table: str) -> list[str]:
    """Row security on, for the owner too; without a policy nobody sees a row."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
    ]


def others(table: str, *, service_role: str | None) -> list[str]:
    """The policies of those who work on all tenants."""
    service = f'CREATE POLICY service ON {table} TO "{service_role}" USING (true)'
    maintenance = f"CREATE POLICY maintenance ON {table} TO CURRENT_USER USING {MAINTENANCE}"
    return [maintenance] if service_role is None else [service, maintenance]
