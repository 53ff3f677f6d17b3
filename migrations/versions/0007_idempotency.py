"""Idempotency keys and the answers that belong to them, one day long."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from db import rls

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "gateway.idempotency_records"


def upgrade() -> None:
    op.create_table(
        "idempotency_records",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("answer", postgresql.JSONB()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "key", name="idempotency_records_pkey"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name="idempotency_records_tenant_id_user_id_fkey",
            ondelete="CASCADE",
        ),
        schema="gateway",
    )
    op.create_index(
        "idempotency_records_created_at_ix",
        "idempotency_records",
        ["tenant_id", "created_at"],
        schema="gateway",
    )
    for statement in rls.confine(TABLE, service_role=None):
        op.execute(statement)
    gateway = context.config.attributes.get("gateway_role", "m3_gateway")
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO "{gateway}"')


def downgrade() -> None:
    op.drop_table("idempotency_records", schema="gateway")
