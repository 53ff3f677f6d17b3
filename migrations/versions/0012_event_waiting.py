"""How long the oldest event has waited for its place in the log, for metrics and alerts."""

from alembic import context, op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Of all tenants at once, as the sequencer works: an age, and nothing of whose event it is. The scan begins where
# the sequencer's does, or it would pass over all that was deleted since the last vacuum.
EVENT_WAITING = """
CREATE FUNCTION gateway.event_waiting() RETURNS double precision
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' SET enable_seqscan = 'off' AS $$
DECLARE
  before text := coalesce(current_setting('app.maintenance', true), '');
  first bigint;
  since timestamptz;
BEGIN
  PERFORM set_config('app.maintenance', 'on', true);
  SELECT s.floor_id INTO first FROM gateway.event_state s;
  SELECT o.at INTO since FROM gateway.event_outbox o WHERE o.id > first ORDER BY o.id LIMIT 1;
  PERFORM set_config('app.maintenance', before, true);
  RETURN greatest(0, coalesce(extract(epoch FROM clock_timestamp() - since), 0));
END $$
"""


def upgrade() -> None:
    gateway = context.config.attributes.get("gateway_role", "m3_gateway")
    op.execute(EVENT_WAITING)
    op.execute("REVOKE ALL ON FUNCTION gateway.event_waiting() FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION gateway.event_waiting() TO "{gateway}"')


def downgrade() -> None:
    op.execute("DROP FUNCTION gateway.event_waiting()")
