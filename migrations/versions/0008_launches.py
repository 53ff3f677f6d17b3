"""Campaigns that wait for their time, or for their last message to leave."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from db import rls

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = "gateway.launches"

# Whoever runs the scheduled campaigns does that for all tenants, with a login that is confined to one at a
# time: this tells it where to look, and nothing else. What the caller had set is put back.
DUE = """
CREATE FUNCTION gateway.due_launches() RETURNS TABLE (tenant_id uuid, campaign_id uuid, user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  before pg_catalog.text := coalesce(current_setting('app.maintenance', true), '');
BEGIN
  PERFORM set_config('app.maintenance', 'on', true);
  RETURN QUERY
    SELECT l.tenant_id, l.campaign_id, l.user_id FROM gateway.launches l
    WHERE l.due_at <= now() OR l.due_at IS NULL
    ORDER BY l.due_at NULLS LAST, l.campaign_id;
  PERFORM set_config('app.maintenance', before, true);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "launches",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("template_code", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text()),
        sa.Column("audience", postgresql.JSONB(), nullable=False),
        sa.Column("variables", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "campaign_id", name="launches_pkey"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "campaign_id"],
            ["campaigns.tenant_id", "campaigns.id"],
            name="launches_tenant_id_campaign_id_fkey",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="launches_tenant_id_user_id_fkey"
        ),
        schema="gateway",
    )
    op.create_index("launches_due_at_ix", "launches", ["due_at"], schema="gateway")
    op.create_index("launches_user_id_ix", "launches", ["tenant_id", "user_id"], schema="gateway")
    for statement in rls.confine(TABLE, service_role=None):
        op.execute(statement)
    gateway = context.config.attributes.get("gateway_role", "m3_gateway")
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO "{gateway}"')
    op.execute(DUE)
    op.execute("REVOKE ALL ON FUNCTION gateway.due_launches() FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION gateway.due_launches() TO "{gateway}"')


def downgrade() -> None:
    op.execute("DROP FUNCTION gateway.due_launches()")
    op.drop_table("launches", schema="gateway")
