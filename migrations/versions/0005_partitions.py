"""The default partitions, which take what no month's partition takes; `m3 db partitions` makes the months."""

from alembic import op

from db import rls

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PARTITIONED = ("audit_logs", "integration_webhook_logs")

DROP_ALL = """
DO $$
DECLARE partition regclass;
BEGIN
  FOR partition IN
    SELECT inhrelid FROM pg_inherits
    WHERE inhparent IN ('audit_logs'::regclass, 'integration_webhook_logs'::regclass)
  LOOP
    EXECUTE format('DROP TABLE %s', partition);
  END LOOP;
END $$
"""


def upgrade() -> None:
    for table in PARTITIONED:
        partition = f"partitions.{table}_default"
        op.execute(f"CREATE TABLE {partition} PARTITION OF {table} DEFAULT")
        for statement in rls.confine_partition(partition):
            op.execute(statement)


def downgrade() -> None:
    """Remove every partition, the months with their rows too."""
    op.execute(DROP_ALL)
