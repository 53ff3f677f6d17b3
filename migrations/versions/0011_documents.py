"""Trusted documents, and what each tenant wants of its clients."""

import sqlalchemy as sa
from alembic import context, op

from db import rls

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

DOCUMENTS, MODES = "gateway.documents", "gateway.document_modes"

# Every process of the gateway looks at all of them now and then, before it knows whose request comes next,
# and its login is confined to a tenant. What the caller had set is put back.
ALL_MODES = """
CREATE FUNCTION gateway.all_document_modes() RETURNS TABLE (tenant_id uuid, mode text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  before pg_catalog.text := coalesce(current_setting('app.maintenance', true), '');
BEGIN
  PERFORM set_config('app.maintenance', 'on', true);
  RETURN QUERY SELECT m.tenant_id, m.mode FROM gateway.document_modes m;
  PERFORM set_config('app.maintenance', before, true);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("tenant_id", sa.Uuid()),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.UniqueConstraint(
            "tenant_id", "id", name="documents_tenant_id_id_key", postgresql_nulls_not_distinct=True
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="documents_tenant_id_fkey", ondelete="CASCADE"
        ),
        schema="gateway",
    )
    op.create_table(
        "document_modes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="document_modes_pkey"),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="document_modes_tenant_id_fkey", ondelete="CASCADE"
        ),
        sa.CheckConstraint("mode IN ('off', 'allow', 'require')", name="document_modes_mode_check"),
        schema="gateway",
    )
    read = f"tenant_id IS NULL OR tenant_id = {rls.TENANT}"
    for statement in (
        *rls.enforce(DOCUMENTS),
        f"CREATE POLICY read ON {DOCUMENTS} FOR SELECT USING ({read})",
        *rls.others(DOCUMENTS, service_role=None),
        *rls.confine(MODES, service_role=None),
    ):
        op.execute(statement)
    gateway = context.config.attributes.get("gateway_role", "m3_gateway")
    op.execute(f'GRANT SELECT ON {DOCUMENTS} TO "{gateway}"')
    op.execute(ALL_MODES)
    op.execute("REVOKE ALL ON FUNCTION gateway.all_document_modes() FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION gateway.all_document_modes() TO "{gateway}"')


def downgrade() -> None:
    op.execute("DROP FUNCTION gateway.all_document_modes()")
    op.drop_table("document_modes", schema="gateway")
    op.drop_table("documents", schema="gateway")
