"""Who holds `platform.*`: given by `m3 user grant-platform`, read by the gateway."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_grants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name="platform_grants_pkey"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name="platform_grants_tenant_id_user_id_fkey",
            ondelete="CASCADE",
        ),
        schema="gateway",
    )


def downgrade() -> None:
    op.drop_table("platform_grants", schema="gateway")
