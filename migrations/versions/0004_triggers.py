"""What holds for every writer: `updated_at` goes forward, and each price of a unit is kept."""

from alembic import op

from db import triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPDATED = (
    "tenants",
    "users",
    "user_profiles",
    "roles",
    "groups",
    "sessions",
    "companies",
    "contacts",
    "leads",
    "deal_pipelines",
    "deal_stages",
    "deals",
    "activities",
    "developers",
    "projects",
    "unit_type_codes",
    "component_type_codes",
    "units",
    "unit_components",
    "map_overlays",
    "map_shapes",
    "campaigns",
    "campaign_sends",
    "telemarketing_calls",
    "message_templates",
    "messages_outbox",
    "notifications_inbox",
    "plans",
    "plan_features",
    "tenant_subscription",
    "usage_counters",
    "invoices",
    "invoice_lines",
    "approvals",
    "integration_webhook_logs",
    "billing_webhook_logs",
)

KEEP_UPDATED_AT = """
CREATE FUNCTION gateway.keep_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
  RETURN NEW;
END $$
"""

# It runs as the owner, since nobody else may write there, and row security confines the owner to the
# tenant that is set: a service may have set none. What the writer had set is put back.
#
# Types are named with their schema, here and in every such function: an empty search_path still begins with
# pg_temp, where a caller could have a domain `text` whose check would run as the owner.
RECORD_UNIT_PRICE = """
CREATE FUNCTION gateway.record_unit_price() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  writers_tenant pg_catalog.text := coalesce(current_setting('app.tenant_id', true), '');
  writer pg_catalog.text := coalesce(current_setting('app.user_id', true), '');
  actor pg_catalog.uuid;
BEGIN
  PERFORM set_config('app.tenant_id', NEW.tenant_id::pg_catalog.text, true);
  IF writer ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
    SELECT id INTO actor FROM public.users WHERE tenant_id = NEW.tenant_id AND id = writer::pg_catalog.uuid;
  END IF;
  INSERT INTO public.unit_price_history
    (tenant_id, unit_id, price_minor, currency, effective_at, changed_by_user_id)
  VALUES
    (NEW.tenant_id, NEW.id, NEW.price_minor, NEW.currency, NEW.updated_at, actor);
  PERFORM set_config('app.tenant_id', writers_tenant, true);
  RETURN NULL;
END $$
"""

PRICE_SET = """
CREATE TRIGGER record_first_price AFTER INSERT ON units FOR EACH ROW
WHEN (NEW.price_minor IS NOT NULL AND NEW.currency IS NOT NULL)
EXECUTE FUNCTION gateway.record_unit_price()
"""
PRICE_CHANGED = """
CREATE TRIGGER record_price AFTER UPDATE ON units FOR EACH ROW
WHEN (NEW.price_minor IS NOT NULL AND NEW.currency IS NOT NULL
      AND (NEW.price_minor, NEW.currency) IS DISTINCT FROM (OLD.price_minor, OLD.currency))
EXECUTE FUNCTION gateway.record_unit_price()
"""


def upgrade() -> None:
    op.execute(KEEP_UPDATED_AT)
    op.execute(RECORD_UNIT_PRICE)
    op.execute("REVOKE ALL ON FUNCTION gateway.keep_updated_at(), gateway.record_unit_price() FROM PUBLIC")
    for table in UPDATED:
        op.execute(triggers.keep_updated_at(table))
    op.execute(PRICE_SET)
    op.execute(PRICE_CHANGED)


def downgrade() -> None:
    op.execute("DROP TRIGGER record_price ON units")
    op.execute("DROP TRIGGER record_first_price ON units")
    for table in UPDATED:
        op.execute(f"DROP TRIGGER keep_updated_at ON {table}")
    op.execute("DROP FUNCTION gateway.record_unit_price()")
    op.execute("DROP FUNCTION gateway.keep_updated_at()")
