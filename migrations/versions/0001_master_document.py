"""The 43 tables of the master document, with our additions to them.

What each addition is for stands in docs/decisions.md. Roles, row security, triggers, partitions and seed
data follow in migrations of their own.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Dropping it is the owner's right only where the owner installed it.
DROP_CITEXT = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citext' AND pg_has_role(extowner, 'USAGE')) THEN
    DROP EXTENSION citext;
  END IF;
END $$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS citext")
    op.execute("CREATE SCHEMA partitions")
    _identity()
    _crm()
    _inventory()
    _marketing()
    _notifications()
    _billing()
    _approvals()
    _integrations()


def downgrade() -> None:
    # Partitions that were detached for archiving are still there, and refer to tenants.
    op.execute("DROP SCHEMA partitions CASCADE")
    op.drop_constraint(op.f("projects_tenant_id_map_overlay_id_fkey"), "projects", type_="foreignkey")
    op.drop_table("integration_webhook_logs")
    op.drop_table("approval_history")
    op.drop_table("approvals")
    op.drop_table("invoice_lines")
    op.drop_table("usage_counters")
    op.drop_table("tenant_subscription")
    op.drop_table("plan_features")
    op.drop_table("invoices")
    op.drop_table("plans")
    op.drop_table("billing_webhook_logs")
    op.drop_table("notifications_inbox")
    op.drop_table("suppression_list")
    op.drop_table("messages_outbox")
    op.drop_table("message_templates")
    op.drop_table("telemarketing_calls")
    op.drop_table("campaign_sends")
    op.drop_table("campaigns")
    op.drop_table("map_shapes")
    op.drop_table("unit_price_history")
    op.drop_table("unit_components")
    op.drop_table("units")
    op.drop_table("map_overlays")
    op.drop_table("projects")
    op.drop_table("unit_type_codes")
    op.drop_table("developers")
    op.drop_table("component_type_codes")
    op.drop_table("activities")
    op.drop_table("leads")
    op.drop_table("deals")
    op.drop_table("deal_stages")
    op.drop_table("contacts")
    op.drop_table("deal_pipelines")
    op.drop_table("companies")
    op.drop_table("user_roles")
    op.drop_table("user_profiles")
    op.drop_table("sessions")
    op.drop_table("role_permissions")
    op.drop_table("group_members")
    op.drop_table("users")
    op.drop_table("roles")
    op.drop_table("groups")
    op.drop_table("audit_logs")
    op.drop_table("tenants")
    op.execute(DROP_CITEXT)


def _identity() -> None:
    """Tenants, people, roles, groups, sessions, the audit log."""
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), server_default=sa.text("'en'")),
        sa.Column("timezone", sa.Text(), server_default=sa.text("'Africa/Cairo'")),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tenants_pkey")),
        sa.UniqueConstraint("slug", name=op.f("tenants_slug_key")),
    )
    op.create_index("tenants_seek_ix", "tenants", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid()),
        sa.Column(
            "before_data",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column(
            "after_data",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column("ip_address", pg.INET()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("audit_logs_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", "created_at", name=op.f("audit_logs_pkey")),
        postgresql_partition_by="RANGE (created_at)",
    )
    op.create_index(
        "audit_logs_entity_id_seek_ix",
        "audit_logs",
        ["tenant_id", "entity_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "audit_logs_seek_ix", "audit_logs", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("audit_logs_tenant_time_ix", "audit_logs", ["tenant_id", sa.text("created_at DESC")])
    op.create_index(
        "audit_logs_user_id_seek_ix",
        "audit_logs",
        ["tenant_id", "user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("groups_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("groups_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("groups_tenant_id_id_key")),
    )
    op.create_index("groups_name_order_ix", "groups", ["tenant_id", "name", "id"])
    op.create_index("groups_seek_ix", "groups", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_table(
        "roles",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_role_id", sa.Uuid()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_role_id"],
            ["roles.tenant_id", "roles.id"],
            name=op.f("roles_tenant_id_parent_role_id_fkey"),
            ondelete="SET NULL (parent_role_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("roles_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("roles_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("roles_tenant_id_id_key")),
    )
    op.create_index("roles_code_order_ix", "roles", ["tenant_id", "code", "id"])
    op.create_index("roles_code_uq", "roles", ["tenant_id", "code"], unique=True)
    op.create_index("roles_name_order_ix", "roles", ["tenant_id", "name", "id"])
    op.create_index(
        "roles_parent_role_id_seek_ix",
        "roles",
        ["tenant_id", "parent_role_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("roles_seek_ix", "roles", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("email", pg.CITEXT(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("last_login_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("email_norm", sa.Text(collation="C"), sa.Computed("lower(email::text)", persisted=True)),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'deactivated')", name=op.f("users_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("users_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("users_tenant_id_id_key")),
    )
    op.create_index("users_email_norm_ix", "users", ["tenant_id", "email_norm", "id"])
    op.create_index("users_email_per_tenant_uq", "users", ["tenant_id", "email"], unique=True)
    op.create_index("users_last_login_at_order_ix", "users", ["tenant_id", "last_login_at", "id"])
    op.create_index("users_seek_ix", "users", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("users_updated_at_order_ix", "users", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "group_members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["groups.tenant_id", "groups.id"],
            name=op.f("group_members_tenant_id_group_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("group_members_tenant_id_user_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("group_members_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("group_members_pkey")),
    )
    op.create_index(
        "group_members_group_id_seek_ix",
        "group_members",
        ["tenant_id", "group_id", sa.text("created_at DESC"), sa.text("user_id DESC")],
    )
    op.create_index("group_members_tenant_user_ix", "group_members", ["tenant_id", "user_id"])
    op.create_index(
        "group_members_user_id_seek_ix",
        "group_members",
        ["tenant_id", "user_id", sa.text("created_at DESC"), sa.text("group_id DESC")],
    )
    op.create_table(
        "role_permissions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["roles.tenant_id", "roles.id"],
            name=op.f("role_permissions_tenant_id_role_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("role_permissions_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("role_id", "permission", name=op.f("role_permissions_pkey")),
    )
    op.create_index(
        "role_permissions_role_id_seek_ix",
        "role_permissions",
        ["tenant_id", "role_id", sa.text("created_at DESC"), sa.text("permission DESC")],
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("refresh_token_hash", sa.Text(), nullable=False),
        sa.Column("ip", pg.INET()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("generation", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("sessions_tenant_id_user_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("sessions_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("sessions_tenant_id_id_key")),
    )
    op.create_index("sessions_refresh_token_hash_uq", "sessions", ["refresh_token_hash"], unique=True)
    op.create_index(
        "sessions_seek_ix", "sessions", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("sessions_user_created_ix", "sessions", ["user_id", sa.text("created_at DESC")])
    op.create_index(
        "sessions_user_id_seek_ix",
        "sessions",
        ["tenant_id", "user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "user_profiles",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.Text()),
        sa.Column("phone_e164", sa.Text()),
        sa.Column("phone_verified_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("locale", sa.Text()),
        sa.Column("timezone", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("full_name_norm", sa.Text(collation="C"), sa.Computed("lower(full_name)", persisted=True)),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("user_profiles_tenant_id_user_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("user_profiles_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("user_profiles_pkey")),
    )
    op.create_index(
        "user_profiles_full_name_norm_ix", "user_profiles", ["tenant_id", "full_name_norm", "user_id"]
    )
    op.create_table(
        "user_roles",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["roles.tenant_id", "roles.id"],
            name=op.f("user_roles_tenant_id_role_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("user_roles_tenant_id_user_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("user_roles_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("user_roles_pkey")),
    )
    op.create_index(
        "user_roles_role_id_seek_ix",
        "user_roles",
        ["tenant_id", "role_id", sa.text("created_at DESC"), sa.text("user_id DESC")],
    )
    op.create_index(
        "user_roles_user_id_seek_ix",
        "user_roles",
        ["tenant_id", "user_id", sa.text("created_at DESC"), sa.text("role_id DESC")],
    )


def _crm() -> None:
    """Companies, contacts, leads, pipelines, deals, activities."""
    op.create_table(
        "companies",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("industry_code", sa.Text()),
        sa.Column("city", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("website", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), sa.Computed("lower(name)", persisted=True)),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("companies_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("companies_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("companies_tenant_id_id_key")),
    )
    op.create_index("companies_name_norm_ix", "companies", ["tenant_id", "name_norm", "id"])
    op.create_index("companies_name_order_ix", "companies", ["tenant_id", "name", "id"])
    op.create_index(
        "companies_seek_ix", "companies", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("companies_tenant_name_ix", "companies", ["tenant_id", "name"])
    op.create_index("companies_updated_at_order_ix", "companies", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "deal_pipelines",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("deal_pipelines_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deal_pipelines_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("deal_pipelines_tenant_id_id_key")),
    )
    op.create_index("deal_pipelines_name_order_ix", "deal_pipelines", ["tenant_id", "name", "id"])
    op.create_index(
        "deal_pipelines_seek_ix",
        "deal_pipelines",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid()),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("email", pg.CITEXT()),
        sa.Column("phone_e164", sa.Text()),
        sa.Column("role_title_code", sa.Text()),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'")),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("full_name_norm", sa.Text(collation="C"), sa.Computed("lower(full_name)", persisted=True)),
        sa.Column("email_norm", sa.Text(collation="C"), sa.Computed("lower(email::text)", persisted=True)),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("contacts_tenant_id_company_id_fkey"),
            ondelete="SET NULL (company_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("contacts_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("contacts_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("contacts_tenant_id_id_key")),
    )
    op.create_index(
        "contacts_company_id_seek_ix",
        "contacts",
        ["tenant_id", "company_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("contacts_email_norm_ix", "contacts", ["tenant_id", "email_norm", "id"])
    op.create_index(
        "contacts_email_per_tenant_uq",
        "contacts",
        ["tenant_id", "email"],
        unique=True,
        postgresql_where=sa.text("email IS NOT NULL"),
    )
    op.create_index("contacts_full_name_norm_ix", "contacts", ["tenant_id", "full_name_norm", "id"])
    op.create_index("contacts_full_name_order_ix", "contacts", ["tenant_id", "full_name", "id"])
    op.create_index("contacts_phone_ix", "contacts", ["tenant_id", "phone_e164"])
    op.create_index(
        "contacts_seek_ix", "contacts", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("contacts_updated_at_order_ix", "contacts", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "deal_stages",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("order_index", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pipeline_id"],
            ["deal_pipelines.tenant_id", "deal_pipelines.id"],
            name=op.f("deal_stages_tenant_id_pipeline_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("deal_stages_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deal_stages_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "id", "pipeline_id", name=op.f("deal_stages_tenant_id_id_pipeline_id_key")
        ),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("deal_stages_tenant_id_id_key")),
    )
    op.create_index("deal_stages_order_index_order_ix", "deal_stages", ["tenant_id", "order_index", "id"])
    op.create_index(
        "deal_stages_pipeline_id_seek_ix",
        "deal_stages",
        ["tenant_id", "pipeline_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "deal_stages_pipeline_order_ix", "deal_stages", ["tenant_id", "pipeline_id", "order_index", "id"]
    )
    op.create_index(
        "deal_stages_seek_ix", "deal_stages", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("stage_code_uq", "deal_stages", ["tenant_id", "pipeline_id", "code"], unique=True)
    op.create_table(
        "deals",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid()),
        sa.Column("company_id", sa.Uuid()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.CHAR(length=3)),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("expected_close_at", sa.Date()),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'")),
        sa.Column("owner_user_id", sa.Uuid()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), sa.Computed("lower(name)", persisted=True)),
        sa.CheckConstraint("status IN ('open', 'won', 'lost')", name=op.f("deals_status_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("deals_tenant_id_company_id_fkey"),
            ondelete="SET NULL (company_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("deals_tenant_id_contact_id_fkey"),
            ondelete="SET NULL (contact_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("deals_tenant_id_owner_user_id_fkey"),
            ondelete="SET NULL (owner_user_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pipeline_id", "stage_id"],
            ["deal_stages.tenant_id", "deal_stages.pipeline_id", "deal_stages.id"],
            name=op.f("deals_tenant_id_pipeline_id_stage_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pipeline_id"],
            ["deal_pipelines.tenant_id", "deal_pipelines.id"],
            name=op.f("deals_tenant_id_pipeline_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("deals_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deals_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("deals_tenant_id_id_key")),
    )
    op.create_index("deals_amount_minor_order_ix", "deals", ["tenant_id", "amount_minor", "id"])
    op.create_index(
        "deals_company_id_seek_ix",
        "deals",
        ["tenant_id", "company_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "deals_contact_id_seek_ix",
        "deals",
        ["tenant_id", "contact_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("deals_expected_close_at_order_ix", "deals", ["tenant_id", "expected_close_at", "id"])
    op.create_index("deals_name_norm_ix", "deals", ["tenant_id", "name_norm", "id"])
    op.create_index("deals_name_order_ix", "deals", ["tenant_id", "name", "id"])
    op.create_index(
        "deals_owner_user_id_seek_ix",
        "deals",
        ["tenant_id", "owner_user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "deals_pipeline_id_seek_ix",
        "deals",
        ["tenant_id", "pipeline_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("deals_seek_ix", "deals", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index(
        "deals_stage_id_seek_ix",
        "deals",
        ["tenant_id", "stage_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "deals_stage_time_ix", "deals", ["tenant_id", "pipeline_id", "stage_id", sa.text("updated_at DESC")]
    )
    op.create_index("deals_updated_at_order_ix", "deals", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "leads",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid()),
        sa.Column("company_id", sa.Uuid()),
        sa.Column("source_code", sa.Text()),
        sa.Column("status_code", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column("score", sa.Integer()),
        sa.Column(
            "attributes",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column("assigned_to", sa.Uuid()),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'")),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assigned_to"],
            ["users.tenant_id", "users.id"],
            name=op.f("leads_tenant_id_assigned_to_fkey"),
            ondelete="SET NULL (assigned_to)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("leads_tenant_id_company_id_fkey"),
            ondelete="SET NULL (company_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("leads_tenant_id_contact_id_fkey"),
            ondelete="SET NULL (contact_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("leads_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("leads_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("leads_tenant_id_id_key")),
    )
    op.create_index(
        "leads_assigned_to_seek_ix",
        "leads",
        ["tenant_id", "assigned_to", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("leads_assignee_ix", "leads", ["tenant_id", "assigned_to"])
    op.create_index(
        "leads_company_id_seek_ix",
        "leads",
        ["tenant_id", "company_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "leads_contact_id_seek_ix",
        "leads",
        ["tenant_id", "contact_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("leads_score_order_ix", "leads", ["tenant_id", "score", "id"])
    op.create_index("leads_seek_ix", "leads", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("leads_status_time_ix", "leads", ["tenant_id", "status_code", sa.text("created_at DESC")])
    op.create_index("leads_updated_at_order_ix", "leads", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "activities",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid()),
        sa.Column("company_id", sa.Uuid()),
        sa.Column("deal_id", sa.Uuid()),
        sa.Column("owner_user_id", sa.Uuid()),
        sa.Column("subject", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('open', 'done', 'cancelled')", name=op.f("activities_status_check")),
        sa.CheckConstraint(
            "type_code IN ('call', 'email', 'meeting', 'task')", name=op.f("activities_type_code_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("activities_tenant_id_company_id_fkey"),
            ondelete="SET NULL (company_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("activities_tenant_id_contact_id_fkey"),
            ondelete="SET NULL (contact_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "deal_id"],
            ["deals.tenant_id", "deals.id"],
            name=op.f("activities_tenant_id_deal_id_fkey"),
            ondelete="SET NULL (deal_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("activities_tenant_id_owner_user_id_fkey"),
            ondelete="SET NULL (owner_user_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("activities_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("activities_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("activities_tenant_id_id_key")),
    )
    op.create_index(
        "activities_company_id_seek_ix",
        "activities",
        ["tenant_id", "company_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "activities_contact_id_seek_ix",
        "activities",
        ["tenant_id", "contact_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "activities_deal_id_seek_ix",
        "activities",
        ["tenant_id", "deal_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("activities_due_at_order_ix", "activities", ["tenant_id", "due_at", "id"])
    op.create_index("activities_owner_due_ix", "activities", ["tenant_id", "owner_user_id", "due_at"])
    op.create_index(
        "activities_owner_user_id_seek_ix",
        "activities",
        ["tenant_id", "owner_user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "activities_seek_ix", "activities", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("activities_updated_at_order_ix", "activities", ["tenant_id", "updated_at", "id"])


def _inventory() -> None:
    """Developers, projects, units, prices, maps."""
    op.create_table(
        "component_type_codes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid()),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("TRUE")),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("component_type_codes_tenant_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("component_type_codes_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "code",
            name=op.f("component_type_codes_tenant_id_code_key"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("component_type_codes_tenant_id_id_key")),
    )
    op.create_index("component_type_codes_code_order_ix", "component_type_codes", ["tenant_id", "code", "id"])
    op.create_index(
        "component_type_codes_seek_ix",
        "component_type_codes",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "developers",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("website", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("logo_url", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), sa.Computed("lower(name)", persisted=True)),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("developers_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("developers_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("developers_tenant_id_id_key")),
    )
    op.create_index("developers_name_norm_ix", "developers", ["tenant_id", "name_norm", "id"])
    op.create_index("developers_name_order_ix", "developers", ["tenant_id", "name", "id"])
    op.create_index(
        "developers_seek_ix", "developers", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "unit_type_codes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid()),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("TRUE")),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("unit_type_codes_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("unit_type_codes_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "code",
            name=op.f("unit_type_codes_tenant_id_code_key"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("unit_type_codes_tenant_id_id_key")),
    )
    op.create_index("unit_type_codes_code_order_ix", "unit_type_codes", ["tenant_id", "code", "id"])
    op.create_index(
        "unit_type_codes_seek_ix",
        "unit_type_codes",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("developer_id", sa.Uuid()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "location",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column("status", sa.Text()),
        sa.Column("start_date", sa.Date()),
        sa.Column("end_date", sa.Date()),
        sa.Column("description", sa.Text()),
        sa.Column("map_overlay_id", sa.Uuid()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), sa.Computed("lower(name)", persisted=True)),
        sa.ForeignKeyConstraint(
            ["tenant_id", "developer_id"],
            ["developers.tenant_id", "developers.id"],
            name=op.f("projects_tenant_id_developer_id_fkey"),
            ondelete="SET NULL (developer_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "map_overlay_id"],
            ["map_overlays.tenant_id", "map_overlays.id"],
            name=op.f("projects_tenant_id_map_overlay_id_fkey"),
            ondelete="SET NULL (map_overlay_id)",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("projects_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("projects_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("projects_tenant_id_id_key")),
    )
    op.create_index(
        "projects_developer_id_seek_ix",
        "projects",
        ["tenant_id", "developer_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "projects_map_overlay_id_seek_ix",
        "projects",
        ["tenant_id", "map_overlay_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("projects_name_norm_ix", "projects", ["tenant_id", "name_norm", "id"])
    op.create_index("projects_name_order_ix", "projects", ["tenant_id", "name", "id"])
    op.create_index(
        "projects_seek_ix", "projects", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("projects_tenant_name_ix", "projects", ["tenant_id", "name"])
    op.create_index("projects_updated_at_order_ix", "projects", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "map_overlays",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid()),
        sa.Column("name", sa.Text()),
        sa.Column("file_url", sa.Text()),
        sa.Column("file_type", sa.Text()),
        sa.Column("width_px", sa.Integer()),
        sa.Column("height_px", sa.Integer()),
        sa.Column("dpi", sa.Integer()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("map_overlays_tenant_id_project_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("map_overlays_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("map_overlays_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("map_overlays_tenant_id_id_key")),
    )
    op.create_index(
        "map_overlays_project_id_seek_ix",
        "map_overlays",
        ["tenant_id", "project_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "map_overlays_seek_ix", "map_overlays", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "units",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("floor", sa.Integer()),
        sa.Column("unit_type_code", sa.Text(), nullable=False),
        sa.Column("size_sqm", sa.Numeric(precision=12, scale=2)),
        sa.Column("bedrooms", sa.Integer()),
        sa.Column("bathrooms", sa.Integer()),
        sa.Column("view", sa.Text()),
        sa.Column("price_minor", sa.BigInteger()),
        sa.Column("currency", sa.CHAR(length=3)),
        sa.Column("status", sa.Text(), server_default=sa.text("'available'"), nullable=False),
        sa.Column("virtual_tour_url", sa.Text()),
        sa.Column("length_m", sa.Numeric(precision=12, scale=2)),
        sa.Column("width_m", sa.Numeric(precision=12, scale=2)),
        sa.Column("height_m", sa.Numeric(precision=12, scale=2)),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("code_norm", sa.Text(collation="C"), sa.Computed("lower(code)", persisted=True)),
        sa.CheckConstraint(
            "status IN ('available', 'reserved', 'sold', 'withdrawn')", name=op.f("units_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("units_tenant_id_project_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("units_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("units_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("units_tenant_id_id_key")),
    )
    op.create_index("units_code_norm_ix", "units", ["tenant_id", "code_norm", "id"])
    op.create_index("units_code_order_ix", "units", ["tenant_id", "code", "id"])
    op.create_index("units_lookup_ix", "units", ["tenant_id", "status", "unit_type_code", "price_minor"])
    op.create_index("units_price_minor_order_ix", "units", ["tenant_id", "price_minor", "id"])
    op.create_index(
        "units_project_id_seek_ix",
        "units",
        ["tenant_id", "project_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("units_seek_ix", "units", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("units_updated_at_order_ix", "units", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "unit_components",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("component_type_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("length_m", sa.Numeric(precision=12, scale=2)),
        sa.Column("width_m", sa.Numeric(precision=12, scale=2)),
        sa.Column("height_m", sa.Numeric(precision=12, scale=2)),
        sa.Column("area_sqm", sa.Numeric(precision=12, scale=2)),
        sa.Column("sort_order", sa.Integer()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["units.tenant_id", "units.id"],
            name=op.f("unit_components_tenant_id_unit_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("unit_components_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("unit_components_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("unit_components_tenant_id_id_key")),
    )
    op.create_index(
        "unit_components_seek_ix",
        "unit_components",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "unit_components_sort_order_order_ix", "unit_components", ["tenant_id", "sort_order", "id"]
    )
    op.create_index(
        "unit_components_unit_id_seek_ix",
        "unit_components",
        ["tenant_id", "unit_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("unit_components_unit_ix", "unit_components", ["tenant_id", "unit_id"])
    op.create_index(
        "unit_components_unit_order_ix", "unit_components", ["tenant_id", "unit_id", "sort_order", "id"]
    )
    op.create_table(
        "unit_price_history",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("effective_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_by_user_id", sa.Uuid()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "changed_by_user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("unit_price_history_tenant_id_changed_by_user_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["units.tenant_id", "units.id"],
            name=op.f("unit_price_history_tenant_id_unit_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("unit_price_history_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("unit_price_history_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("unit_price_history_tenant_id_id_key")),
    )
    op.create_index(
        "unit_price_history_changed_by_user_id_seek_ix",
        "unit_price_history",
        ["tenant_id", "changed_by_user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "unit_price_history_effective_at_order_ix", "unit_price_history", ["tenant_id", "effective_at", "id"]
    )
    op.create_index(
        "unit_price_history_seek_ix",
        "unit_price_history",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "unit_price_history_unit_id_seek_ix",
        "unit_price_history",
        ["tenant_id", "unit_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "unit_price_time_ix", "unit_price_history", ["tenant_id", "unit_id", sa.text("effective_at DESC")]
    )
    op.create_table(
        "map_shapes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("overlay_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid()),
        sa.Column("unit_component_id", sa.Uuid()),
        sa.Column("unit_type_code", sa.Text()),
        sa.Column("component_type_code", sa.Text()),
        sa.Column(
            "geom_geojson",
            pg.JSONB(
                none_as_null=True,
            ),
            nullable=False,
        ),
        sa.Column("area_sqm", sa.Numeric(precision=12, scale=2)),
        sa.Column("perimeter_m", sa.Numeric(precision=12, scale=2)),
        sa.Column("label", sa.Text()),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("TRUE"), nullable=False),
        sa.Column("updated_by_user_id", sa.Uuid()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('unit', 'component')", name=op.f("map_shapes_kind_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "overlay_id"],
            ["map_overlays.tenant_id", "map_overlays.id"],
            name=op.f("map_shapes_tenant_id_overlay_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_component_id"],
            ["unit_components.tenant_id", "unit_components.id"],
            name=op.f("map_shapes_tenant_id_unit_component_id_fkey"),
            ondelete="SET NULL (unit_component_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["units.tenant_id", "units.id"],
            name=op.f("map_shapes_tenant_id_unit_id_fkey"),
            ondelete="SET NULL (unit_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "updated_by_user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("map_shapes_tenant_id_updated_by_user_id_fkey"),
            ondelete="SET NULL (updated_by_user_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("map_shapes_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("map_shapes_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("map_shapes_tenant_id_id_key")),
    )
    op.create_index(
        "map_shapes_overlay_id_seek_ix",
        "map_shapes",
        ["tenant_id", "overlay_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("map_shapes_overlay_kind_ix", "map_shapes", ["overlay_id", "kind", "is_active"])
    op.create_index(
        "map_shapes_seek_ix", "map_shapes", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index(
        "map_shapes_unit_component_id_seek_ix",
        "map_shapes",
        ["tenant_id", "unit_component_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "map_shapes_unit_id_seek_ix",
        "map_shapes",
        ["tenant_id", "unit_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("map_shapes_updated_at_order_ix", "map_shapes", ["tenant_id", "updated_at", "id"])
    op.create_index(
        "map_shapes_updated_by_user_id_seek_ix",
        "map_shapes",
        ["tenant_id", "updated_by_user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    # The two tables name each other, so this key waits for both.
    op.create_foreign_key(
        op.f("projects_tenant_id_map_overlay_id_fkey"),
        "projects",
        "map_overlays",
        ["tenant_id", "map_overlay_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (map_overlay_id)",
    )


def _marketing() -> None:
    """Campaigns, their sends, telephone sales."""
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("scheduled_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("completed_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("created_by_user_id", sa.Uuid()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'scheduled', 'sending', 'sent', 'cancelled')",
            name=op.f("campaigns_status_check"),
        ),
        sa.CheckConstraint(
            "type IN ('email', 'sms', 'whatsapp', 'inapp')", name=op.f("campaigns_type_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by_user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("campaigns_tenant_id_created_by_user_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("campaigns_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("campaigns_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("campaigns_tenant_id_id_key")),
    )
    op.create_index(
        "campaigns_created_by_user_id_seek_ix",
        "campaigns",
        ["tenant_id", "created_by_user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("campaigns_name_order_ix", "campaigns", ["tenant_id", "name", "id"])
    op.create_index("campaigns_scheduled_at_order_ix", "campaigns", ["tenant_id", "scheduled_at", "id"])
    op.create_index(
        "campaigns_seek_ix", "campaigns", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("campaigns_updated_at_order_ix", "campaigns", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "campaign_sends",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid()),
        sa.Column("recipient_type", sa.Text()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("provider_message_id", sa.Text()),
        sa.Column("queued_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("delivered_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("opened_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("clicked_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("error_message", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'whatsapp', 'inapp')", name=op.f("campaign_sends_channel_check")
        ),
        sa.CheckConstraint(
            "recipient_type IN ('contact', 'lead', 'user')", name=op.f("campaign_sends_recipient_type_check")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'queued', 'sent', 'delivered', 'opened', 'clicked', 'failed', 'suppressed', 'cancelled')",
            name=op.f("campaign_sends_status_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "campaign_id"],
            ["campaigns.tenant_id", "campaigns.id"],
            name=op.f("campaign_sends_tenant_id_campaign_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("campaign_sends_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("campaign_sends_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("campaign_sends_tenant_id_id_key")),
    )
    op.create_index(
        "campaign_sends_campaign_id_seek_ix",
        "campaign_sends",
        ["tenant_id", "campaign_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "campaign_sends_lookup_ix", "campaign_sends", ["tenant_id", "campaign_id", "status", "queued_at"]
    )
    op.create_index("campaign_sends_queued_at_order_ix", "campaign_sends", ["tenant_id", "queued_at", "id"])
    op.create_index(
        "campaign_sends_recipient_id_seek_ix",
        "campaign_sends",
        ["tenant_id", "recipient_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "campaign_sends_seek_ix",
        "campaign_sends",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "telemarketing_calls",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid()),
        sa.Column("agent_user_id", sa.Uuid()),
        sa.Column("contact_id", sa.Uuid()),
        sa.Column("lead_id", sa.Uuid()),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("scheduled_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("outcome_code", sa.Text()),
        sa.Column("notes", sa.Text()),
        sa.Column("recording_url", sa.Text()),
        sa.Column("talk_time_sec", sa.Integer()),
        sa.Column("provider_session_id", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agent_user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("telemarketing_calls_tenant_id_agent_user_id_fkey"),
            ondelete="SET NULL (agent_user_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "campaign_id"],
            ["campaigns.tenant_id", "campaigns.id"],
            name=op.f("telemarketing_calls_tenant_id_campaign_id_fkey"),
            ondelete="SET NULL (campaign_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contacts.tenant_id", "contacts.id"],
            name=op.f("telemarketing_calls_tenant_id_contact_id_fkey"),
            ondelete="SET NULL (contact_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lead_id"],
            ["leads.tenant_id", "leads.id"],
            name=op.f("telemarketing_calls_tenant_id_lead_id_fkey"),
            ondelete="SET NULL (lead_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("telemarketing_calls_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("telemarketing_calls_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("telemarketing_calls_tenant_id_id_key")),
    )
    op.create_index(
        "telemarketing_calls_agent_user_id_seek_ix",
        "telemarketing_calls",
        ["tenant_id", "agent_user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "telemarketing_calls_campaign_id_seek_ix",
        "telemarketing_calls",
        ["tenant_id", "campaign_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "telemarketing_calls_contact_id_seek_ix",
        "telemarketing_calls",
        ["tenant_id", "contact_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "telemarketing_calls_lead_id_seek_ix",
        "telemarketing_calls",
        ["tenant_id", "lead_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "telemarketing_calls_scheduled_at_order_ix",
        "telemarketing_calls",
        ["tenant_id", "scheduled_at", "id"],
    )
    op.create_index(
        "telemarketing_calls_seek_ix",
        "telemarketing_calls",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "telemarketing_calls_started_at_order_ix", "telemarketing_calls", ["tenant_id", "started_at", "id"]
    )
    op.create_index(
        "tm_calls_agent_time_ix", "telemarketing_calls", ["tenant_id", "agent_user_id", "scheduled_at"]
    )


def _notifications() -> None:
    """Templates, outbox, inbox, suppression."""
    op.create_table(
        "message_templates",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), server_default=sa.text("'en'")),
        sa.Column("version_status", sa.Text(), server_default=sa.text("'approved'"), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("html_body", sa.Text()),
        sa.Column("text_body", sa.Text()),
        sa.Column(
            "variables_schema",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'whatsapp', 'inapp')", name=op.f("message_templates_channel_check")
        ),
        sa.CheckConstraint(
            "version_status IN ('draft', 'approved', 'retired')",
            name=op.f("message_templates_version_status_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("message_templates_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("message_templates_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "code", "locale", name=op.f("message_templates_tenant_id_code_locale_key")
        ),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("message_templates_tenant_id_id_key")),
    )
    op.create_index("message_templates_code_order_ix", "message_templates", ["tenant_id", "code", "id"])
    op.create_index(
        "message_templates_seek_ix",
        "message_templates",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "message_templates_updated_at_order_ix", "message_templates", ["tenant_id", "updated_at", "id"]
    )
    op.create_table(
        "messages_outbox",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("to_email", sa.Text()),
        sa.Column("to_phone_e164", sa.Text()),
        sa.Column("template_code", sa.Text()),
        sa.Column(
            "payload",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("provider_message_id", sa.Text()),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("queued_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("delivered_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("error_code", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'whatsapp', 'inapp')", name=op.f("messages_outbox_channel_check")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'queued', 'sent', 'delivered', 'opened', 'clicked', 'failed', 'suppressed', 'cancelled')",
            name=op.f("messages_outbox_status_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("messages_outbox_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("messages_outbox_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("messages_outbox_tenant_id_id_key")),
    )
    op.create_index("messages_outbox_queued_at_order_ix", "messages_outbox", ["tenant_id", "queued_at", "id"])
    op.create_index(
        "messages_outbox_seek_ix",
        "messages_outbox",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "outbox_idem_uq",
        "messages_outbox",
        ["tenant_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "outbox_status_time_ix", "messages_outbox", ["tenant_id", "status", sa.text("queued_at DESC")]
    )
    op.create_table(
        "suppression_list",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("normalized_value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column(
            "occurred_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'whatsapp', 'inapp')", name=op.f("suppression_list_channel_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("suppression_list_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("suppression_list_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("suppression_list_tenant_id_id_key")),
    )
    op.create_index(
        "suppression_list_occurred_at_order_ix", "suppression_list", ["tenant_id", "occurred_at", "id"]
    )
    op.create_index(
        "suppression_list_seek_ix",
        "suppression_list",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("suppression_lookup_ix", "suppression_list", ["tenant_id", "channel", "normalized_value"])
    op.create_table(
        "notifications_inbox",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column(
            "meta",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column("is_read", sa.Boolean(), server_default=sa.text("FALSE"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "category IN ('approvals', 'tasks', 'system', 'marketing')",
            name=op.f("notifications_inbox_category_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("notifications_inbox_tenant_id_user_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("notifications_inbox_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("notifications_inbox_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("notifications_inbox_tenant_id_id_key")),
    )
    op.create_index(
        "inbox_user_time_ix",
        "notifications_inbox",
        ["tenant_id", "user_id", "is_read", sa.text("created_at DESC")],
    )
    op.create_index(
        "notifications_inbox_seek_ix",
        "notifications_inbox",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "notifications_inbox_user_id_seek_ix",
        "notifications_inbox",
        ["tenant_id", "user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )


def _billing() -> None:
    """Plans, subscriptions, usage, invoices, the billing providers' calls."""
    op.create_table(
        "billing_webhook_logs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text()),
        sa.Column(
            "raw",
            pg.JSONB(
                none_as_null=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "received_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("processed", sa.Boolean(), server_default=sa.text("FALSE"), nullable=False),
        sa.Column("error_message", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("billing_webhook_logs_pkey")),
    )
    op.create_index(
        "billing_webhook_logs_seek_ix",
        "billing_webhook_logs",
        [sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("TRUE"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("plans_pkey")),
        sa.UniqueConstraint("code", name=op.f("plans_code_key")),
    )
    op.create_index("plans_seek_ix", "plans", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("plans_tier_order_ix", "plans", ["tier", "id"])
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("total_amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("provider_invoice_id", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('draft', 'open', 'paid', 'void')", name=op.f("invoices_status_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("invoices_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoices_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("invoices_tenant_id_id_key")),
    )
    op.create_index("invoices_period_start_order_ix", "invoices", ["tenant_id", "period_start", "id"])
    op.create_index(
        "invoices_seek_ix", "invoices", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("invoices_updated_at_order_ix", "invoices", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "plan_features",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("feature_code", sa.Text(), nullable=False),
        sa.Column("limit_value", sa.Numeric()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.id"], name=op.f("plan_features_plan_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("plan_features_pkey")),
        sa.UniqueConstraint("plan_id", "feature_code", name=op.f("plan_features_plan_id_feature_code_key")),
    )
    op.create_index(
        "plan_features_plan_id_seek_ix",
        "plan_features",
        ["plan_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "plan_features_seek_ix", "plan_features", [sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "tenant_subscription",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid()),
        sa.Column("status", sa.Text(), server_default=sa.text("'trial'"), nullable=False),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("renews_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("provider", sa.Text()),
        sa.Column("provider_customer_id", sa.Text()),
        sa.Column("provider_sub_id", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('trial', 'active', 'past_due', 'cancelled')",
            name=op.f("tenant_subscription_status_check"),
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("tenant_subscription_plan_id_fkey")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("tenant_subscription_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("tenant_subscription_pkey")),
    )
    op.create_index("tenant_subscription_plan_id_ix", "tenant_subscription", ["plan_id"])
    op.create_table(
        "usage_counters",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("metric_code", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("last_increment_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("usage_counters_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("usage_counters_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("usage_counters_tenant_id_id_key")),
        sa.UniqueConstraint(
            "tenant_id",
            "metric_code",
            "period_start",
            name=op.f("usage_counters_tenant_id_metric_code_period_start_key"),
        ),
    )
    op.create_index(
        "usage_counters_period_start_order_ix", "usage_counters", ["tenant_id", "period_start", "id"]
    )
    op.create_index(
        "usage_counters_seek_ix",
        "usage_counters",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "invoice_lines",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("product_code", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("quantity", sa.Numeric(), server_default=sa.text("1"), nullable=False),
        sa.Column("unit_amount", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "metadata",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoices.tenant_id", "invoices.id"],
            name=op.f("invoice_lines_tenant_id_invoice_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("invoice_lines_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_lines_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("invoice_lines_tenant_id_id_key")),
    )
    op.create_index(
        "invoice_lines_invoice_id_seek_ix",
        "invoice_lines",
        ["tenant_id", "invoice_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "invoice_lines_seek_ix",
        "invoice_lines",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )


def _approvals() -> None:
    """Approvals and their history."""
    op.create_table(
        "approvals",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("subject_entity", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column(
            "payload",
            pg.JSONB(
                none_as_null=True,
            ),
        ),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("level", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("required_levels", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("sla_due_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'rejected', 'cancelled', 'applied')",
            name=op.f("approvals_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "requested_by"],
            ["users.tenant_id", "users.id"],
            name=op.f("approvals_tenant_id_requested_by_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("approvals_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("approvals_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("approvals_tenant_id_id_key")),
    )
    op.create_index("approvals_inbox_ix", "approvals", ["tenant_id", "state", "level", "sla_due_at"])
    op.create_index(
        "approvals_requested_by_seek_ix",
        "approvals",
        ["tenant_id", "requested_by", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "approvals_seek_ix", "approvals", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("approvals_sla_due_at_order_ix", "approvals", ["tenant_id", "sla_due_at", "id"])
    op.create_index("approvals_updated_at_order_ix", "approvals", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "approval_history",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("actor_user_id", sa.Uuid()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "action IN ('submitted', 'approved', 'rejected', 'escalated', 'cancelled', 'applied')",
            name=op.f("approval_history_action_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "approval_id"],
            ["approvals.tenant_id", "approvals.id"],
            name=op.f("approval_history_tenant_id_approval_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("approval_history_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("approval_history_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("approval_history_tenant_id_id_key")),
    )
    op.create_index(
        "approval_history_approval_id_seek_ix",
        "approval_history",
        ["tenant_id", "approval_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "approval_history_seek_ix",
        "approval_history",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )


def _integrations() -> None:
    """The providers' calls."""
    op.create_table(
        "integration_webhook_logs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text()),
        sa.Column(
            "raw",
            pg.JSONB(
                none_as_null=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "received_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("processed", sa.Boolean(), server_default=sa.text("FALSE"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("integration_webhook_logs_tenant_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", "received_at", name=op.f("integration_webhook_logs_pkey")),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_index(
        "integration_webhook_logs_received_at_order_ix",
        "integration_webhook_logs",
        ["tenant_id", "received_at", "id"],
    )
    op.create_index(
        "integration_webhook_logs_seek_ix",
        "integration_webhook_logs",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
