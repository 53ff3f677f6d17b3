"""Policies for approvals, the levels that each request began with, and which were told to be overdue."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from db import rls, triggers

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

POLICIES, LEVELS, ESCALATIONS = (f"gateway.approval_{name}" for name in ("policies", "levels", "escalations"))

# Whoever escalates does that for all tenants, with a login that is confined to one at a time: this tells it
# where to look, and nothing else. What the caller had set is put back.
OVERDUE = """
CREATE FUNCTION gateway.overdue_approvals() RETURNS TABLE (tenant_id uuid, approval_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  before pg_catalog.text := coalesce(current_setting('app.maintenance', true), '');
BEGIN
  PERFORM set_config('app.maintenance', 'on', true);
  RETURN QUERY
    SELECT a.tenant_id, a.id FROM public.approvals a
    WHERE a.state = 'pending' AND a.sla_due_at <= now() AND NOT EXISTS (
      SELECT FROM gateway.approval_escalations e
      WHERE e.tenant_id = a.tenant_id AND e.approval_id = a.id AND e.due_at = a.sla_due_at
    )
    ORDER BY a.sla_due_at, a.id;
  PERFORM set_config('app.maintenance', before, true);
END $$
"""


def upgrade() -> None:
    op.add_column(
        "launches",
        sa.Column("approved", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="gateway",
    )
    op.create_table(
        "approval_policies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("levels", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "domain", name="approval_policies_pkey"),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="approval_policies_tenant_id_fkey", ondelete="CASCADE"
        ),
        schema="gateway",
    )
    op.execute(triggers.keep_updated_at(POLICIES))
    op.create_table(
        "approval_levels",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("permission", sa.Text()),
        sa.Column("sla_minutes", sa.Integer()),
        sa.PrimaryKeyConstraint("tenant_id", "approval_id", "level", name="approval_levels_pkey"),
        _of_approval("approval_levels"),
        schema="gateway",
    )
    op.create_table(
        "approval_escalations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "approval_id", "due_at", name="approval_escalations_pkey"),
        _of_approval("approval_escalations"),
        schema="gateway",
    )
    pending = sa.text("state = 'pending'")
    op.create_index("approvals_overdue_ix", "approvals", ["sla_due_at"], postgresql_where=pending)
    op.create_index(
        "approvals_subject_ix", "approvals", ["tenant_id", "subject_id"], postgresql_where=pending
    )
    gateway = context.config.attributes.get("gateway_role", "m3_gateway")
    # What a request began with does not change under it, and what was told was told.
    for table, rights in (
        (POLICIES, "SELECT, INSERT, UPDATE, DELETE"),
        (LEVELS, "SELECT, INSERT"),
        (ESCALATIONS, "SELECT, INSERT"),
    ):
        for statement in rls.confine(table, service_role=None):
            op.execute(statement)
        op.execute(f'GRANT {rights} ON {table} TO "{gateway}"')
    op.execute(OVERDUE)
    op.execute("REVOKE ALL ON FUNCTION gateway.overdue_approvals() FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION gateway.overdue_approvals() TO "{gateway}"')


def _of_approval(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "approval_id"],
        ["approvals.tenant_id", "approvals.id"],
        name=f"{table}_tenant_id_approval_id_fkey",
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION gateway.overdue_approvals()")
    op.drop_index("approvals_subject_ix", "approvals")
    op.drop_index("approvals_overdue_ix", "approvals")
    for table in ("approval_escalations", "approval_levels", "approval_policies"):
        op.drop_table(table, schema="gateway")
    op.drop_column("launches", "approved", schema="gateway")
