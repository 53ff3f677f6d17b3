"""The three roles, row level security, and who may do what to which table.

Rights are as narrow as the contract's operations: what has no operation is not granted. History is only
added to, and `unit_price_history` is written by its trigger alone.
"""

from alembic import context, op

from db import rls, roles

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

READ = "SELECT"
ADD = "SELECT, INSERT"
LINK = "SELECT, INSERT, DELETE"
KEEP = "SELECT, INSERT, UPDATE"
ALL = "SELECT, INSERT, UPDATE, DELETE"

# table: what the gateway may do, what the other services may do
TENANT_TABLES = {
    "users": (KEEP, ALL),
    "user_profiles": (KEEP, ALL),
    "roles": (ALL, ALL),
    "role_permissions": (LINK, ALL),
    "groups": (ALL, ALL),
    "group_members": (LINK, ALL),
    "user_roles": (LINK, ALL),
    "sessions": (KEEP, ALL),
    "audit_logs": (ADD, ADD),
    "companies": (ALL, ALL),
    "contacts": (ALL, ALL),
    "leads": (ALL, ALL),
    "deal_pipelines": (ALL, ALL),
    "deal_stages": (ALL, ALL),
    "deals": (ALL, ALL),
    "activities": (ALL, ALL),
    "developers": (ALL, ALL),
    "projects": (ALL, ALL),
    "units": (ALL, ALL),
    "unit_components": (ALL, ALL),
    "unit_price_history": (READ, READ),
    "map_overlays": (ALL, ALL),
    "map_shapes": (ALL, ALL),
    "campaigns": (ALL, ALL),
    "campaign_sends": (KEEP, ALL),
    "telemarketing_calls": (ALL, ALL),
    "message_templates": (ALL, ALL),
    "messages_outbox": (KEEP, ALL),
    "notifications_inbox": (KEEP, ALL),
    "suppression_list": (LINK, ALL),
    "tenant_subscription": (KEEP, ALL),
    "usage_counters": (KEEP, ALL),
    "invoices": (READ, ALL),
    "invoice_lines": (READ, ALL),
    "approvals": (KEEP, ALL),
    "approval_history": (ADD, ADD),
    "integration_webhook_logs": ("SELECT, UPDATE", ALL),
}
CODE_TABLES = {
    "unit_type_codes": (ALL, ALL),
    "component_type_codes": (ALL, ALL),
}
TENANTS = {"tenants": ("SELECT, UPDATE", KEEP)}
# The same for all tenants, so without row security
GLOBAL_TABLES = {
    "plans": (READ, ALL),
    "plan_features": (READ, ALL),
    "billing_webhook_logs": (READ, ALL),
}
PLATFORM_GRANTS = "gateway.platform_grants"


def upgrade() -> None:
    gateway, service = _roles()
    for role in (gateway, service):
        op.execute(roles.CREATE_ROLE.format(role=role))

    for table in TENANT_TABLES:
        _execute(rls.confine(table, service_role=service))
    for table in CODE_TABLES:
        _execute(rls.confine_codes(table, service_role=service))
    _execute(rls.confine_tenants(service_role=service))
    _execute(rls.confine(PLATFORM_GRANTS, service_role=None))

    op.execute("REVOKE ALL ON SCHEMA public, gateway, partitions FROM PUBLIC")
    op.execute(f'GRANT USAGE ON SCHEMA public TO "{gateway}", "{service}"')
    op.execute(f'GRANT USAGE ON SCHEMA gateway TO "{gateway}"')
    for table, (to_gateway, to_service) in _all_tables().items():
        op.execute(f'GRANT {to_gateway} ON {table} TO "{gateway}"')
        op.execute(f'GRANT {to_service} ON {table} TO "{service}"')
    # alembic_version: the gateway refuses to serve a database that is behind the migrations
    op.execute(f'GRANT SELECT ON {PLATFORM_GRANTS}, gateway.alembic_version TO "{gateway}"')


def downgrade() -> None:
    """Take back all but the roles, which other databases of the server may use."""
    gateway, service = _roles()
    op.execute(f'REVOKE ALL ON {PLATFORM_GRANTS}, gateway.alembic_version FROM "{gateway}"')
    for table in _all_tables():
        op.execute(f'REVOKE ALL ON {table} FROM "{gateway}", "{service}"')
    op.execute(f'REVOKE USAGE ON SCHEMA gateway FROM "{gateway}"')
    op.execute(f'REVOKE USAGE ON SCHEMA public FROM "{gateway}", "{service}"')
    op.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")

    _execute(rls.release(PLATFORM_GRANTS, "tenant", "maintenance"))
    _execute(rls.release("tenants", "tenant", "sign_in", "service", "maintenance"))
    for table in CODE_TABLES:
        policies = ("read", "add", "change", "remove", "service_read", "service_write", "maintenance")
        _execute(rls.release(table, *policies))
    for table in TENANT_TABLES:
        _execute(rls.release(table, "tenant", "service", "maintenance"))


def _all_tables() -> dict[str, tuple[str, str]]:
    return TENANTS | TENANT_TABLES | CODE_TABLES | GLOBAL_TABLES


def _roles() -> tuple[str, str]:
    given = context.config.attributes
    return given.get("gateway_role", "m3_gateway"), given.get("service_role", "m3_service")


def _execute(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)
