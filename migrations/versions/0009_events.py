"""Events: triggers write an outbox, one sequencer gives them their order; docs/events.md."""

import sqlalchemy as sa
from alembic import context, op

from db import rls, triggers

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OLD, NEW = "OLD TABLE AS changed", "NEW TABLE AS changed"
BOTH = "OLD TABLE AS before NEW TABLE AS changed"

# What a trigger puts into the outbox: tenant_id, topic, action, entity_id, user_id, of the rows `changed`.
# Only the old rows know what they were `before`.
TOLD = {
    "tell_notification_added": "SELECT tenant_id, 'notification', 'added', id, user_id FROM changed",
    "tell_notification_read": """
        SELECT c.tenant_id, 'notification', 'read', c.id, c.user_id
        FROM before b JOIN changed c ON c.tenant_id = b.tenant_id AND c.id = b.id
        WHERE c.is_read AND NOT b.is_read""",
    "tell_approval_requested": "SELECT tenant_id, 'approval', 'requested', id, requested_by FROM changed",
    "tell_approval_changed": """
        SELECT c.tenant_id, 'approval',
          CASE WHEN c.state IS DISTINCT FROM b.state THEN c.state ELSE 'advanced' END, c.id, c.requested_by
        FROM before b JOIN changed c ON c.tenant_id = b.tenant_id AND c.id = b.id
        WHERE (c.state, c.level) IS DISTINCT FROM (b.state, b.level)""",
    "tell_session_revoked": """
        SELECT c.tenant_id, 'session', 'revoked', c.id, c.user_id
        FROM before b JOIN changed c ON c.tenant_id = b.tenant_id AND c.id = b.id
        WHERE c.revoked_at IS NOT NULL AND b.revoked_at IS NULL""",
    "tell_session_deleted": "SELECT tenant_id, 'session', 'deleted', id, user_id FROM changed",
    "tell_user_status": """
        SELECT c.tenant_id, 'user', c.status, c.id, c.id
        FROM before b JOIN changed c ON c.tenant_id = b.tenant_id AND c.id = b.id
        WHERE c.status IS DISTINCT FROM b.status""",
    "tell_user_deleted": "SELECT tenant_id, 'user', 'deleted', id, id FROM changed",
    "tell_rights_of_user": "SELECT DISTINCT tenant_id, 'rights', 'changed', user_id, user_id FROM changed",
    "tell_rights_of_role": """
        SELECT DISTINCT tenant_id, 'rights', 'changed', role_id, NULL::pg_catalog.uuid FROM changed""",
    "tell_rights_of_parent": """
        SELECT c.tenant_id, 'rights', 'changed', c.id, NULL::pg_catalog.uuid
        FROM before b JOIN changed c ON c.tenant_id = b.tenant_id AND c.id = b.id
        WHERE c.parent_role_id IS DISTINCT FROM b.parent_role_id""",
}

# A trigger with transition tables takes one event, and one with DISTINCT rows of a link table sees the old
# or the new ones: hence two for an update there.
TRIGGERS = (
    ("tell_added", "notifications_inbox", "INSERT", NEW, "tell_notification_added"),
    ("tell_read", "notifications_inbox", "UPDATE", BOTH, "tell_notification_read"),
    ("tell_requested", "approvals", "INSERT", NEW, "tell_approval_requested"),
    ("tell_changed", "approvals", "UPDATE", BOTH, "tell_approval_changed"),
    ("tell_revoked", "sessions", "UPDATE", BOTH, "tell_session_revoked"),
    ("tell_deleted", "sessions", "DELETE", OLD, "tell_session_deleted"),
    ("tell_status", "users", "UPDATE", BOTH, "tell_user_status"),
    ("tell_deleted", "users", "DELETE", OLD, "tell_user_deleted"),
    ("tell_parent", "roles", "UPDATE", BOTH, "tell_rights_of_parent"),
    *(
        (f"tell_{verb}", table, event, seen, function)
        for table, function in (
            ("user_roles", "tell_rights_of_user"),
            ("role_permissions", "tell_rights_of_role"),
        )
        for verb, event, seen in (
            ("given", "INSERT", NEW),
            ("taken", "DELETE", OLD),
            ("changed_from", "UPDATE", OLD),
            ("changed_to", "UPDATE", NEW),
        )
    ),
)

TELL = """
CREATE FUNCTION gateway.{name}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  INSERT INTO gateway.event_outbox (tenant_id, topic, action, entity_id, user_id)
  {told};
  RETURN NULL;
END $$
"""

# This one and those below run as the owner, on all tenants; what the caller had set is put back.

# Moves what is committed from the outbox to the log, in the order of ids, and gives it the next numbers;
# answers how many events those were.
#
# The order that this gives is one that readers can follow by number alone: the lock makes these transactions
# commit in the order of their numbers, and each sees all that the one before has done. A row's events keep
# their order too, since who changes a row after another gets a higher id, and only once the other is
# committed.
#
# Ids come from a sequence and are committed in another order, so that small ones may still appear. Below
# `floor_id` none can: it was the newest id before `probe_xid` was given to a transaction, and all with such
# a number or a lower one have ended (whoever takes an id has one already). The scan starts there, or else it
# would meet all the rows that were deleted since the oldest snapshot of the server, a backup's perhaps. A
# number that is still to come is of another server, which this database was restored from.
#
# A reader must never have seen what a crash then takes back.
SEQUENCE_EVENTS = """
CREATE FUNCTION gateway.sequence_events(batch integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET enable_seqscan = 'off' AS $$
DECLARE
  before pg_catalog.text := coalesce(current_setting('app.maintenance', true), '');
  state gateway.event_state;
  issued bigint;
  newest bigint;
  moved integer;
  settled boolean;
BEGIN
  PERFORM set_config('app.maintenance', 'on', true);
  SELECT * INTO state FROM gateway.event_state;
  IF NOT EXISTS (SELECT FROM gateway.event_outbox o WHERE o.id > state.floor_id) THEN
    PERFORM set_config('app.maintenance', before, true);
    RETURN 0;
  END IF;
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'local', true);
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('m3core.sequence_events'));
  SELECT * INTO state FROM gateway.event_state;
  SELECT last_value INTO issued FROM gateway.event_outbox_id_seq;
  SELECT coalesce(max(seq), state.oldest_seq - 1) INTO newest FROM gateway.event_log;

  IF issued - state.probe_id >= 1000 AND pg_current_xact_id_if_assigned() IS NULL THEN
    settled := pg_snapshot_xmin(pg_current_snapshot())::pg_catalog.text::bigint > state.probe_xid
      AND NOT EXISTS (
        SELECT FROM gateway.event_outbox o WHERE o.id > state.floor_id AND o.id <= state.probe_id);
    UPDATE gateway.event_state s
    SET floor_id = CASE WHEN settled THEN s.probe_id ELSE s.floor_id END,
      probe_id = issued, probe_xid = pg_current_xact_id()::pg_catalog.text::bigint
    WHERE settled OR s.probe_xid >= pg_snapshot_xmax(pg_current_snapshot())::pg_catalog.text::bigint;
  END IF;

  WITH moved AS (
    DELETE FROM gateway.event_outbox WHERE id = ANY (ARRAY(
      SELECT o.id FROM gateway.event_outbox o WHERE o.id > state.floor_id ORDER BY o.id LIMIT batch))
    RETURNING *
  )
  INSERT INTO gateway.event_log (seq, tenant_id, topic, action, entity_id, user_id, at)
  SELECT newest + row_number() OVER (ORDER BY id), tenant_id, topic, action, entity_id, user_id, at
  FROM moved;
  GET DIAGNOSTICS moved = ROW_COUNT;
  PERFORM pg_notify('m3_events', (newest + moved)::pg_catalog.text);
  PERFORM set_config('app.maintenance', before, true);
  RETURN moved;
END $$
"""

# The first and the last event that there is, and for how many seconds one has waited to become the next.
EVENT_BOUNDS = """
CREATE FUNCTION gateway.event_bounds(OUT oldest bigint, OUT newest bigint, OUT waiting double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  before pg_catalog.text := coalesce(current_setting('app.maintenance', true), '');
BEGIN
  PERFORM set_config('app.maintenance', 'on', true);
  SELECT s.oldest_seq, coalesce((SELECT max(l.seq) FROM gateway.event_log l), s.oldest_seq - 1),
    (SELECT extract(epoch FROM clock_timestamp() - o.at) FROM gateway.event_outbox o
     WHERE o.id > s.floor_id ORDER BY o.id LIMIT 1)
  INTO oldest, newest, waiting FROM gateway.event_state s;
  PERFORM set_config('app.maintenance', before, true);
END $$
"""

# For all tenants at once, since one process serves all of them: ids and what happened, no content.
EVENTS_AFTER = """
CREATE FUNCTION gateway.events_after(place bigint, most integer)
RETURNS TABLE
  (seq bigint, at timestamptz, tenant_id uuid, topic text, action text, entity_id uuid, user_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  before pg_catalog.text := coalesce(current_setting('app.maintenance', true), '');
BEGIN
  PERFORM set_config('app.maintenance', 'on', true);
  RETURN QUERY
    SELECT l.seq, l.at, l.tenant_id, l.topic, l.action, l.entity_id, l.user_id FROM gateway.event_log l
    WHERE l.seq > place ORDER BY l.seq LIMIT most;
  PERFORM set_config('app.maintenance', before, true);
END $$
"""

# Whoever may run this cannot take from others what they have had no time to read. The newest event stays,
# since the next number follows from it.
FORGET_EVENTS = """
CREATE FUNCTION gateway.forget_events(age interval, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  before pg_catalog.text := coalesce(current_setting('app.maintenance', true), '');
  oldest bigint;
  cut bigint;
  forgotten integer;
BEGIN
  IF age < interval '1 hour' THEN
    RAISE EXCEPTION 'events are kept for an hour at least' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM set_config('app.maintenance', 'on', true);
  SELECT oldest_seq INTO oldest FROM gateway.event_state FOR UPDATE;
  SELECT max(f.seq) INTO cut FROM (
    SELECT l.seq, l.logged_at FROM gateway.event_log l WHERE l.seq >= oldest ORDER BY l.seq LIMIT most) f
  WHERE f.logged_at < now() - age AND f.seq < (SELECT max(seq) FROM gateway.event_log);
  DELETE FROM gateway.event_log WHERE seq BETWEEN oldest AND cut;
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  UPDATE gateway.event_state SET oldest_seq = cut + 1 WHERE cut IS NOT NULL;
  PERFORM set_config('app.maintenance', before, true);
  RETURN forgotten;
END $$
"""

FUNCTIONS = {
    "gateway.sequence_events(integer)": SEQUENCE_EVENTS,
    "gateway.event_bounds()": EVENT_BOUNDS,
    "gateway.events_after(bigint, integer)": EVENTS_AFTER,
    "gateway.forget_events(interval, integer)": FORGET_EVENTS,
}


def upgrade() -> None:
    gateway = context.config.attributes.get("gateway_role", "m3_gateway")
    op.create_table(
        "event_outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *_what_happened(),
        sa.Column(
            "at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="event_outbox_pkey"),
        schema="gateway",
    )
    op.create_table(
        "event_log",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        *_what_happened(),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "logged_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("seq", name="event_log_pkey"),
        schema="gateway",
    )
    op.create_index(
        "event_log_feed_ix", "event_log", ["tenant_id", "topic", "user_id", "seq"], schema="gateway"
    )
    op.create_table(
        "event_state",
        sa.Column("the_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("oldest_seq", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("floor_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("probe_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("probe_xid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("the_only", name="event_state_the_only_check"),
        sa.PrimaryKeyConstraint("the_only", name="event_state_pkey"),
        schema="gateway",
    )
    op.execute("INSERT INTO gateway.event_state DEFAULT VALUES")

    # All that is in the outbox is soon deleted: what it leaves must be swept up as soon
    op.execute(
        "ALTER TABLE gateway.event_outbox "
        "SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"
    )
    for statement in (
        *rls.confine("gateway.event_log", service_role=None),
        *rls.enforce("gateway.event_outbox"),
        # The triggers run as the owner, whatever tenant the writer has set or none
        "CREATE POLICY add ON gateway.event_outbox FOR INSERT TO CURRENT_USER WITH CHECK (true)",
        *rls.others("gateway.event_outbox", service_role=None),
    ):
        op.execute(statement)
    op.execute(f'GRANT SELECT ON gateway.event_log TO "{gateway}"')

    for name, told in TOLD.items():
        op.execute(TELL.format(name=name, told=told))
        op.execute(f"REVOKE ALL ON FUNCTION gateway.{name}() FROM PUBLIC")
    for name, table, event, seen, function in TRIGGERS:
        op.execute(triggers.after_statement(name, table, event, seen, f"gateway.{function}"))
    for signature, definition in FUNCTIONS.items():
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION {signature} TO "{gateway}"')


def downgrade() -> None:
    for name, table, _event, _seen, _function in reversed(TRIGGERS):
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in TOLD:
        op.execute(f"DROP FUNCTION gateway.{name}()")
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature}")
    for table in ("event_state", "event_log", "event_outbox"):
        op.drop_table(table, schema="gateway")


def _what_happened() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid()),
    ]
